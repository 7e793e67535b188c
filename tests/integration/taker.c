/*
 * What an attacker who took over the helper could get through the ScreenCast portal's PipeWire
 * remote: the speakers' sound and the microphone.
 *
 *   taker kept|given-up FD NODE
 *
 * Captures the node as the helper does and, with "given-up", gives up its rights when the helper
 * does. Then it tries to create audio streams, to get its rights back, to link nodes itself, and to
 * turn its own stream into an audio stream. Prints one line "sound N, refused N, pictures N": audio
 * buffers, streams that failed, and pictures that arrived after it restarted its own stream.
 */
#include <spa/param/audio/format-utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/format.h"
#include "source/pw_api.h"
#include "source/rights.h"

/* How long the session manager has to link the streams. */
#define WATCH_S 2
#define TAKERS 2u

struct taker {
	struct pw_main_loop *loop;
	struct pw_core *core;
	struct rights rights;
	bool gives_up;
	bool restarted;
	uint32_t node;
	struct pw_stream *video;
	struct pw_stream *audio[TAKERS];
	struct spa_hook hooks[TAKERS];
	uint32_t tried;
	uint32_t sound;
	uint32_t refused;
	uint32_t pictures;
};

static void on_sound(void *data) {
	struct taker *taker = data;
	for (uint32_t i = 0; i < taker->tried; i++) {
		struct pw_buffer *buffer = pw_stream_dequeue_buffer(taker->audio[i]);
		if (buffer != NULL) {
			taker->sound++;
			pw_stream_queue_buffer(taker->audio[i], buffer);
		}
	}
}

static void on_audio_state(
	void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
	((struct taker *)data)->refused += state == PW_STREAM_STATE_ERROR;
}

static const struct pw_stream_events audio_events = {
	PW_VERSION_STREAM_EVENTS, .state_changed = on_audio_state, .process = on_sound};

/* Tries to capture the speakers' monitor or the microphone. */
static void try_sound(struct taker *taker, bool speakers) {
	struct pw_properties *properties =
		pw_properties_new(PW_KEY_MEDIA_TYPE, "Audio", PW_KEY_MEDIA_CATEGORY, "Capture",
			PW_KEY_STREAM_CAPTURE_SINK, speakers ? "true" : "false", NULL);
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	struct spa_audio_info_raw info = {
		.format = SPA_AUDIO_FORMAT_F32, .rate = 48000, .channels = 2};
	const struct spa_pod *format =
		spa_format_audio_raw_build(&builder, SPA_PARAM_EnumFormat, &info);
	uint32_t i = taker->tried++;
	taker->audio[i] = pw_stream_new(taker->core, "sound", properties);
	pw_stream_add_listener(taker->audio[i], &taker->hooks[i], &audio_events, taker);
	(void)pw_stream_connect(taker->audio[i], PW_DIRECTION_INPUT, PW_ID_ANY,
		PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS, &format, 1);
}

static void take(struct taker *taker) {
	try_sound(taker, true);
	const struct pw_permission everything = PW_PERMISSION_INIT(PW_ID_ANY, PW_PERM_ALL);
	pw_client_update_permissions(pw_core_get_client(taker->core), 1, &everything);
	try_sound(taker, false);
	char node[16];
	snprintf(node, sizeof(node), "%u", taker->node);
	const struct spa_dict_item link[] = {
		{PW_KEY_LINK_OUTPUT_NODE, node}, {PW_KEY_LINK_INPUT_NODE, "0"}};
	(void)pw_core_create_object(taker->core, "link-factory", PW_TYPE_INTERFACE_Link,
		PW_VERSION_LINK, &SPA_DICT_INIT_ARRAY(link), 0);
	const struct spa_dict_item other[] = {{PW_KEY_MEDIA_CLASS, "Stream/Input/Audio"},
		{PW_KEY_MEDIA_TYPE, "Audio"}, {PW_KEY_STREAM_CAPTURE_SINK, "true"},
		{PW_KEY_NODE_AUTOCONNECT, "true"}, {PW_KEY_TARGET_OBJECT, "-1"}};
	(void)pw_stream_update_properties(taker->video, &SPA_DICT_INIT_ARRAY(other));
}

static void on_picture(void *data) {
	struct taker *taker = data;
	struct pw_buffer *buffer = pw_stream_dequeue_buffer(taker->video);
	if (buffer != NULL) {
		taker->pictures += taker->restarted;
		pw_stream_queue_buffer(taker->video, buffer);
	}
}

static void on_video_state(
	void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
	struct taker *taker = data;
	if (state == PW_STREAM_STATE_ERROR) {
		fprintf(stderr, "taker: %s\n", error);
	}
	if (state == PW_STREAM_STATE_PAUSED && taker->gives_up) {
		rights_give_up(&taker->rights, taker->core);
	}
	if (state == PW_STREAM_STATE_STREAMING && !taker->restarted) {
		taker->restarted = true;
		pw_stream_set_active(taker->video, false);
		pw_stream_set_active(taker->video, true);
		take(taker);
	}
}

static void on_video_param(void *data, uint32_t id, const struct spa_pod *param) {
	struct taker *taker = data;
	if (id == SPA_PARAM_Format && param != NULL) {
		uint8_t memory[2048];
		struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
		const struct spa_pod *params[FORMAT_PARAMS_MAX];
		uint32_t count = format_buffer_params(&builder, params);
		pw_stream_update_params(taker->video, params, count);
	}
}

static const struct pw_stream_events video_events = {PW_VERSION_STREAM_EVENTS,
	.state_changed = on_video_state, .param_changed = on_video_param, .process = on_picture};

static void on_global(void *data, uint32_t id, uint32_t permissions, const char *type,
	uint32_t version, const struct spa_dict *properties) {
	rights_note(&((struct taker *)data)->rights, id, type);
}

static const struct pw_registry_events registry_events = {
	PW_VERSION_REGISTRY_EVENTS, .global = on_global};

static void on_core_error(void *data, uint32_t id, int sequence, int result, const char *message) {
	fprintf(stderr, "taker: object %u: %s (%d)\n", id, message, result);
}

static const struct pw_core_events core_events = {PW_VERSION_CORE_EVENTS, .error = on_core_error};

static void on_time(void *data, uint64_t expirations) {
	pw_main_loop_quit(((struct taker *)data)->loop);
}

int main(int argc, char **argv) {
	if (argc != 4) {
		fputs("taker kept|given-up FD NODE\n", stderr);
		return 2;
	}
	struct taker taker = {.gives_up = strcmp(argv[1], "given-up") == 0,
		.node = (uint32_t)strtoul(argv[3], NULL, 10)};
	pw_init(NULL, NULL);
	taker.loop = pw_main_loop_new(NULL);
	struct pw_loop *loop = pw_main_loop_get_loop(taker.loop);
	struct pw_context *context = pw_context_new(loop, NULL, 0);
	taker.core = pw_context_connect_fd(context, (int)strtol(argv[2], NULL, 10), NULL, 0);
	if (taker.core == NULL) {
		perror("taker");
		return 1;
	}
	struct spa_hook hooks[3];
	pw_core_add_listener(taker.core, &hooks[0], &core_events, &taker);
	struct pw_registry *registry = pw_core_get_registry(taker.core, PW_VERSION_REGISTRY, 0);
	pw_registry_add_listener(registry, &hooks[1], &registry_events, &taker);
	taker.video = pw_stream_new(taker.core, "Portlight",
		pw_properties_new(PW_KEY_MEDIA_TYPE, "Video", PW_KEY_MEDIA_CATEGORY, "Capture",
			PW_KEY_MEDIA_ROLE, "Screen", NULL));
	pw_stream_add_listener(taker.video, &hooks[2], &video_events, &taker);
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *offer = format_offer(&builder, 30);
	(void)pw_stream_connect(taker.video, PW_DIRECTION_INPUT, taker.node,
		PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_DONT_RECONNECT, &offer, 1);
	struct spa_source *timer = pw_loop_add_timer(loop, on_time, &taker);
	struct timespec time = {.tv_sec = WATCH_S};
	pw_loop_update_timer(loop, timer, &time, NULL, false);
	pw_main_loop_run(taker.loop);
	printf("sound %u, refused %u, pictures %u\n", taker.sound, taker.refused, taker.pictures);
	pw_context_destroy(context);
	pw_main_loop_destroy(taker.loop);
	pw_deinit();
	return 0;
}
