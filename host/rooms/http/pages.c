#include "rooms/http/pages.h"

#include <string.h>

#define ALL_MAX (16u << 20)
#define DEPTH_MAX 8

struct pages {
	GHashTable *by_path; /* "/rooms/call.html" -> struct page */
	GHashTable *folders; /* "/rooms" */
	size_t size;
};

static const struct {
	const char *suffix;
	const char *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".jpg", "image/jpeg"},
	{".webp", "image/webp"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".wasm", "application/wasm"},
	{".mp3", "audio/mpeg"},
	{".ogg", "audio/ogg"},
	{".webm", "video/webm"},
};

/* NULL for what is no page, such as types for editors and notes. */
static const char *type_of(const char *name) {
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (g_str_has_suffix(name, types[i].suffix)) {
			return types[i].type;
		}
	}
	return NULL;
}

static void free_page(gpointer data) {
	struct page *page = data;
	g_bytes_unref(page->bytes);
	g_free(page);
}

static bool read_file(struct pages *pages, const char *file, const char *path, char **problem) {
	char *text = NULL;
	size_t length = 0;
	g_autoptr(GError) error = NULL;
	if (!g_file_get_contents(file, &text, &length, &error)) {
		*problem = g_strdup(error->message);
		return false;
	}
	struct page *page = g_new0(struct page, 1);
	page->bytes = g_bytes_new_take(text, length);
	page->type = type_of(path);
	g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, page->bytes);
	(void)g_snprintf(page->tag, sizeof(page->tag), "\"%.16s\"", sum);
	g_hash_table_insert(pages->by_path, g_strdup(path), page);
	pages->size += length;
	if (pages->size > ALL_MAX) {
		*problem = g_strdup("the pages have more than 16 MiB");
		return false;
	}
	return true;
}

static bool read_folder(
	struct pages *pages, const char *folder, const char *path, int depth, char **problem) {
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) entries = g_dir_open(folder, 0, &error);
	if (entries == NULL) {
		*problem = g_strdup(error->message);
		return false;
	}
	g_hash_table_add(pages->folders, g_strdup(path));
	const char *name = NULL;
	while ((name = g_dir_read_name(entries)) != NULL) {
		g_autofree char *file = g_build_filename(folder, name, NULL);
		g_autofree char *below = g_strconcat(path, "/", name, NULL);
		bool ok = true;
		if (name[0] == '.' || !g_utf8_validate(name, -1, NULL)) {
			continue;
		}
		if (g_file_test(file, G_FILE_TEST_IS_DIR)) {
			ok = depth >= DEPTH_MAX ||
			     read_folder(pages, file, below, depth + 1, problem);
		} else if (type_of(name) != NULL) {
			ok = read_file(pages, file, below, problem);
		}
		if (!ok) {
			return false;
		}
	}
	return true;
}

struct pages *pages_read(const char *folder, char **problem) {
	struct pages *pages = g_new0(struct pages, 1);
	pages->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_page);
	pages->folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	*problem = NULL;
	if (!read_folder(pages, folder, "", 0, problem)) {
		pages_destroy(pages);
		return NULL;
	}
	return pages;
}

void pages_destroy(struct pages *pages) {
	if (pages != NULL) {
		g_hash_table_unref(pages->by_path);
		g_hash_table_unref(pages->folders);
		g_free(pages);
	}
}

const struct page *pages_get(const struct pages *pages, const char *path, bool *folder) {
	*folder = path[0] != '\0' && g_hash_table_contains(pages->folders, path);
	if (g_str_has_suffix(path, "/")) {
		g_autofree char *index = g_strconcat(path, "index.html", NULL);
		return g_hash_table_lookup(pages->by_path, index);
	}
	return g_hash_table_lookup(pages->by_path, path);
}
