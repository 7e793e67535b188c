#include "browsers/manifest_file.h"

#include <errno.h>
#include <string.h>

#include "browsers/json.h"
#include "browsers/read_file.h"
#include "config.h"

static void free_manifest(void *data) {
	struct found_manifest *manifest = data;
	g_free(manifest->path);
	g_free(manifest->text);
	g_free(manifest->host);
	g_free(manifest->why);
	g_free(manifest);
}

static const char *find_fault(const char *text, const char *host) {
	if (text[strspn(text, " \t\r\n")] == '\0') {
		return "is empty";
	}
	struct json_object *object = json_tokener_parse(text);
	g_autofree char *name = json_text(object, "name");
	g_autofree char *type = json_text(object, "type");
	bool is_object = json_object_is_type(object, json_type_object);
	(void)json_object_put(object);
	if (!is_object) {
		return "is not a JSON object";
	}
	if (g_strcmp0(name, PORTLIGHT_HOST_NAME) != 0) {
		return "has another \"name\" than " PORTLIGHT_HOST_NAME;
	}
	if (g_strcmp0(type, "stdio") != 0) {
		return "has not \"stdio\" for its \"type\"";
	}
	return host == NULL || !g_path_is_absolute(host)
		       ? "has no absolute path of a host in \"path\""
		       : NULL;
}

static const char *explain(int error) {
	return error == EISDIR   ? "is a folder"
	       : error == ENXIO  ? "is not a file"
	       : error == EFBIG  ? "is longer than 64 KiB"
	       : error == EILSEQ ? "is not text"
	       : error == ELOOP  ? "is a link that leads back to itself"
				 : g_strerror(error);
}

/* Adds the manifest at `path`, which is taken, unless there is none. A link to nowhere counts. */
static void add(GPtrArray *manifests, char *path) {
	int error = ENOENT;
	g_autofree char *text = path != NULL ? read_file(path, MANIFEST_MAX, true, &error) : NULL;
	bool link = path != NULL && g_file_test(path, G_FILE_TEST_IS_SYMLINK);
	if (text == NULL && ((error == ENOENT && !link) || error == ENOTDIR)) {
		g_free(path);
		return;
	}
	struct found_manifest *manifest = g_new0(struct found_manifest, 1);
	manifest->path = path;
	manifest->host = text != NULL ? browsers_manifest_host(text) : NULL;
	manifest->why = g_strdup(text != NULL ? find_fault(text, manifest->host) : explain(error));
	manifest->text = g_steal_pointer(&text);
	g_ptr_array_add(manifests, manifest);
}

GPtrArray *manifests_find(const struct browser *browser, const struct sandboxed *flatpak) {
	GPtrArray *manifests = g_ptr_array_new_with_free_func(free_manifest);
	const struct browser *row = browser;
	for (; row->name != NULL && strcmp(row->name, browser->name) == 0; row++) {
		add(manifests, flatpak != NULL ? sandboxes_manifest(flatpak, row)
					       : browsers_user_path(row));
	}
	/* A sandbox has none of the system's folders. */
	for (row = browser;
		flatpak == NULL && row->name != NULL && strcmp(row->name, browser->name) == 0;
		row++) {
		add(manifests, browsers_system_path(row));
	}
	return manifests;
}
