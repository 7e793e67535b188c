#include "source/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "source/pw_api.h"

_Static_assert(LOOP_WRITABLE == SPA_IO_OUT, "loop.h cannot include PipeWire's headers");
#define READABLE (SPA_IO_IN | SPA_IO_HUP | SPA_IO_ERR)

/* Users redirect their other PipeWire streams with these variables. */
static void ignore_overrides(void) {
	static const char *const variables[] = {"PIPEWIRE_AUTOCONNECT", "PIPEWIRE_CORE",
		"PIPEWIRE_LATENCY", "PIPEWIRE_NODE", "PIPEWIRE_PROPS", "PIPEWIRE_QUANTUM",
		"PIPEWIRE_RATE", "PIPEWIRE_TARGET"};
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		unsetenv(variables[i]);
	}
}

static bool load_module(struct loop *loop, const char *name) {
	return pw_context_load_module(loop->context, name, NULL, NULL) != NULL;
}

/* PipeWire 1.4 runs every video stream inside the factory `adapter` (1.2 can, older versions
 * can't). It loads a converter plugin when the stream connects, but by then the sandbox forbids
 * opening files. So load both now. */
static bool load_adapter(struct loop *loop) {
	static const char plugin[] = "videoconvert/libspa-videoconvert";
	if (strverscmp(pw_get_library_version(), "1.2") < 0) {
		return true;
	}
	pw_context_add_spa_lib(loop->context, "video.convert.*", plugin);
	pw_context_add_spa_lib(loop->context, "video.adapt", plugin);
	if (!load_module(loop, "libpipewire-module-adapter")) {
		return false;
	}
	loop->converter = pw_context_load_spa_handle(loop->context, "video.convert.dummy", NULL);
	return loop->converter != NULL;
}

bool loop_init(struct loop *loop) {
	ignore_overrides();
	pw_init(NULL, NULL);
	if (getenv("PIPEWIRE_DEBUG") == NULL) {
		pw_log_set_level(SPA_LOG_LEVEL_ERROR);
	}
	loop->main_loop = pw_main_loop_new(NULL);
	if (loop->main_loop != NULL) {
		loop->loop = pw_main_loop_get_loop(loop->main_loop);
		/* Reads no configuration of the user's or the system's: it could load anything. */
		loop->context = pw_context_new(loop->loop,
			pw_properties_new(
				PW_KEY_CONFIG_NAME, "null", "mem.allow-mlock", "false", NULL),
			0);
	}
	if (loop->context == NULL || !load_module(loop, "libpipewire-module-protocol-native") ||
		!load_module(loop, "libpipewire-module-client-node") || !load_adapter(loop)) {
		log_error("PipeWire's client libraries don't work: %s", strerror(errno));
		return false;
	}
	return true;
}

void loop_finish(struct loop *loop) {
	if (loop->converter != NULL) {
		pw_unload_spa_handle(loop->converter);
	}
	if (loop->context != NULL) {
		pw_context_destroy(loop->context);
	}
	if (loop->main_loop != NULL) {
		pw_main_loop_destroy(loop->main_loop);
	}
	pw_deinit();
}

void loop_run(struct loop *loop) {
	pw_main_loop_run(loop->main_loop);
}

void loop_quit(struct loop *loop) {
	pw_main_loop_quit(loop->main_loop);
}

struct spa_source *loop_add_timer(
	struct loop *loop, void (*due)(void *data, uint64_t expirations), void *data) {
	return pw_loop_add_timer(loop->loop, due, data);
}

void loop_set_timer(struct loop *loop, struct spa_source *timer, int64_t delay_us) {
	struct timespec delay = {delay_us / 1000000, delay_us % 1000000 * 1000};
	pw_loop_update_timer(loop->loop, timer, &delay, NULL, false);
}

struct spa_source *loop_add_fd(
	struct loop *loop, int fd, void (*ready)(void *data, int fd, uint32_t mask), void *data) {
	return pw_loop_add_io(loop->loop, fd, READABLE, false, ready, data);
}

void loop_watch_writable(struct loop *loop, struct spa_source *source, bool writable) {
	pw_loop_update_io(loop->loop, source, READABLE | (writable ? SPA_IO_OUT : 0));
}

void loop_remove(struct loop *loop, struct spa_source *source) {
	if (source != NULL) {
		pw_loop_destroy_source(loop->loop, source);
	}
}
