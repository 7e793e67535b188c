#include "record/recorder.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "control/helper.h"
#include "control/screencast.h"
#include "record/progress.h"
#include "record/webm.h"

/* Frames that the helper may encode while one is being written. */
#define CREDIT 4u
#define FLUSH_INTERVAL_MS 1000u
/* Players seek to keyframes. Without a change since the last one there is no new one. */
#define KEYFRAME_INTERVAL_US (10 * G_USEC_PER_SEC)
/* Many players stop at the last frame, and a still desktop sends none: a recording that ends later
 * than this after its last frame requests one more keyframe, and waits a little for it. */
#define LAST_FRAME_AGE_US (100 * (G_USEC_PER_SEC / 1000))
#define LAST_FRAME_TIMEOUT_MS 500u
/* After a signal, a pipe's reader that takes nothing for this long does not get the rest. */
#define READER_TIMEOUT_MS 1000u

enum phase {
	PHASE_ASKING,    /* waits for the portal, the user, the helper */
	PHASE_RECORDING, /* from the first frame */
	PHASE_CLOSING,   /* waits for the last picture */
	PHASE_ENDING, /* the file is complete; waits for the helper to exit and a pipe to drain */
};

struct recorder {
	const struct recorder_options *options;
	struct recorder_result *result;
	GMainLoop *loop;
	GCancellable *cancellable;
	struct portal *portal;
	struct screencast *screencast;
	struct screencast_stream stream;
	struct helper_process *helper;
	enum phase phase;
	struct webm *webm;
	struct bytes frame; /* the fragments received so far */
	uint16_t next_part;
	struct progress progress;
	int64_t start_us; /* the first frame's time */
	int64_t last_us;  /* the last frame's */
	int64_t end_us;   /* once it is to end */
	int64_t key_us;   /* the last keyframe's */
	bool changed;     /* a frame came since that keyframe */
	guint deadline;   /* of the duration, the last frame or the reader, by phase */
	guint flush_timer;
	guint progress_timer;
	guint pipe_source;    /* while a pipe's reader is behind */
	uint16_t owed_credit; /* frames; the helper gets it once the reader has caught up */
	struct signal_watch {
		struct recorder *recorder;
		int number;
		guint source;
	} signals[3];
};

static void fail_file(struct recorder *recorder) {
	recorder->result->code = ERROR_NONE;
	recorder->result->file_error = errno;
}

/* The last step, once no helper reads the stream and no pipe is behind. */
static void leave_when_done(struct recorder *recorder) {
	if (recorder->phase != PHASE_ENDING || recorder->helper != NULL) {
		return;
	}
	screencast_leave(recorder->screencast, recorder);
	recorder->screencast = NULL;
	if (recorder->pipe_source == 0) {
		g_main_loop_quit(recorder->loop);
	}
}

static void set_deadline(struct recorder *recorder, guint after_ms);
static void stop(struct recorder *recorder, enum error_code code, const char *detail);

static void stop_for_file(struct recorder *recorder) {
	fail_file(recorder);
	stop(recorder, ERROR_NONE, NULL);
}

/* ---- a pipe's reader ---- */

/* The helper may send as many frames as were written, while no pipe is behind. */
static void grant_credit(struct recorder *recorder) {
	if (recorder->pipe_source == 0 && recorder->owed_credit > 0 && recorder->helper != NULL) {
		helper_grant_credit(recorder->helper, recorder->owed_credit);
		recorder->owed_credit = 0;
	}
}

static gboolean drain_pipe(gint fd, GIOCondition condition, gpointer data) {
	(void)fd;
	(void)condition;
	struct recorder *recorder = data;
	bool ok = webm_drain(recorder->webm);
	if (ok && webm_undrained(recorder->webm) > 0) {
		if (recorder->phase == PHASE_ENDING && recorder->result->signal != 0) {
			set_deadline(recorder, READER_TIMEOUT_MS);
		}
		return G_SOURCE_CONTINUE;
	}
	recorder->pipe_source = 0;
	if (!ok) {
		stop_for_file(recorder);
	}
	grant_credit(recorder);
	leave_when_done(recorder);
	return G_SOURCE_REMOVE;
}

static void watch_pipe(struct recorder *recorder) {
	if (recorder->pipe_source == 0 && webm_undrained(recorder->webm) > 0) {
		recorder->pipe_source =
			g_unix_fd_add(webm_fd(recorder->webm), G_IO_OUT, drain_pipe, recorder);
	}
}

/* ---- the end ---- */

static void finish_file(struct recorder *recorder) {
	if (!webm_finish(recorder->webm, recorder->end_us) && recorder->result->file_error == 0) {
		fail_file(recorder);
	}
	recorder->result->duration_us = recorder->end_us - recorder->start_us;
	watch_pipe(recorder);
	if (recorder->pipe_source == 0) {
		return;
	}
	progress_say(&recorder->progress,
		"Waiting for the reader to take the rest of the recording. Ctrl-C drops it.");
	if (recorder->result->signal != 0) {
		set_deadline(recorder, READER_TIMEOUT_MS);
	}
}

/* Completes the file and stops the helper; leave_when_done() does the rest once it is gone. */
static void end(struct recorder *recorder) {
	recorder->phase = PHASE_ENDING;
	g_clear_handle_id(&recorder->deadline, g_source_remove);
	g_clear_handle_id(&recorder->flush_timer, g_source_remove);
	g_clear_handle_id(&recorder->progress_timer, g_source_remove);
	if (recorder->result->frames > 0) {
		finish_file(recorder);
	}
	g_cancellable_cancel(recorder->cancellable);
	if (recorder->helper != NULL) {
		helper_stop(recorder->helper);
	}
	leave_when_done(recorder);
}

/* Ends the recording. Of several reasons the first is reported. */
static void stop(struct recorder *recorder, enum error_code code, const char *detail) {
	if (recorder->phase == PHASE_ENDING) {
		return;
	}
	if (recorder->phase == PHASE_CLOSING) {
		end(recorder); /* a second signal, or the last frame did not come */
		return;
	}
	recorder->result->code = code;
	recorder->result->detail = g_strdup(detail);
	recorder->end_us = g_get_monotonic_time();
	int64_t duration_us = recorder->options->duration_us;
	if (duration_us > 0) {
		recorder->end_us = MIN(recorder->end_us, recorder->start_us + duration_us);
	}
	if (recorder->phase == PHASE_RECORDING && recorder->result->file_error == 0 &&
		recorder->end_us - recorder->last_us > LAST_FRAME_AGE_US) {
		recorder->phase = PHASE_CLOSING;
		set_deadline(recorder, LAST_FRAME_TIMEOUT_MS);
		helper_request_keyframe(recorder->helper);
		return;
	}
	end(recorder);
}

/* The user or a deadline ends the recording, the wait for its last frame or for a reader. */
static void give_up(struct recorder *recorder) {
	if (recorder->phase == PHASE_ENDING && recorder->pipe_source != 0) {
		g_clear_handle_id(&recorder->pipe_source, g_source_remove);
		errno = ECANCELED;
		fail_file(recorder);
		leave_when_done(recorder);
		return;
	}
	stop(recorder, ERROR_STOPPED, NULL);
}

static gboolean deadline_is_over(gpointer data) {
	struct recorder *recorder = data;
	recorder->deadline = 0;
	give_up(recorder);
	return G_SOURCE_REMOVE;
}

static void set_deadline(struct recorder *recorder, guint after_ms) {
	g_clear_handle_id(&recorder->deadline, g_source_remove);
	recorder->deadline = g_timeout_add(after_ms, deadline_is_over, recorder);
}

static gboolean flush(gpointer data) {
	struct recorder *recorder = data;
	if (!webm_flush(recorder->webm)) {
		recorder->flush_timer = 0;
		stop_for_file(recorder);
		return G_SOURCE_REMOVE;
	}
	watch_pipe(recorder);
	int64_t now_us = g_get_monotonic_time();
	if (recorder->changed && now_us - recorder->key_us >= KEYFRAME_INTERVAL_US) {
		recorder->changed = false;
		helper_request_keyframe(recorder->helper);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean show_progress(gpointer data) {
	struct recorder *recorder = data;
	progress_update(&recorder->progress, g_get_monotonic_time() - recorder->start_us,
		recorder->result->frames, recorder->result->bytes);
	return G_SOURCE_CONTINUE;
}

static bool begin_file(struct recorder *recorder, const struct packet_frame *packet) {
	int fd = output_open(recorder->options->output);
	if (fd < 0 || !webm_create(fd, recorder->options->codec, packet->width, packet->height,
			      &recorder->webm)) {
		return false;
	}
	recorder->result->width = packet->width;
	recorder->result->height = packet->height;
	recorder->start_us = packet->pts_us;
	recorder->phase = PHASE_RECORDING;
	recorder->flush_timer = g_timeout_add(FLUSH_INTERVAL_MS, flush, recorder);
	if (recorder->options->live) {
		recorder->progress_timer =
			g_timeout_add(PROGRESS_INTERVAL_MS, show_progress, recorder);
	}
	int64_t duration_us = recorder->options->duration_us;
	if (duration_us > 0) {
		int64_t left_us = recorder->start_us + duration_us - g_get_monotonic_time();
		set_deadline(recorder, (guint)(MAX(left_us, 0) / 1000));
	}
	return true;
}

static void take_frame(struct recorder *recorder, const struct packet_frame *packet) {
	bool first = recorder->phase == PHASE_ASKING;
	if (first && !packet->key) {
		stop(recorder, ERROR_BAD_PACKET, "the first frame is not a keyframe");
		return;
	}
	if (first && !begin_file(recorder, packet)) {
		stop_for_file(recorder);
		return;
	}
	int64_t time_us = MIN(packet->pts_us, recorder->end_us);
	struct webm_frame frame = {
		.data = recorder->frame.data,
		.length = recorder->frame.length,
		.key = packet->key,
		.pts_us = time_us,
	};
	if (!webm_write(recorder->webm, &frame) ||
		(first && !output_publish(recorder->options->output))) {
		stop_for_file(recorder);
		return;
	}
	recorder->result->frames++;
	recorder->result->bytes += frame.length;
	recorder->last_us = time_us;
	recorder->changed = !packet->key;
	if (packet->key) {
		recorder->key_us = g_get_monotonic_time();
	}
	if (recorder->phase == PHASE_CLOSING) {
		end(recorder);
		return;
	}
	watch_pipe(recorder);
	recorder->owed_credit++;
	grant_credit(recorder);
}

static void helper_frame(void *data, const struct packet_frame *packet) {
	struct recorder *recorder = data;
	if (recorder->phase == PHASE_ENDING) {
		return;
	}
	if (packet->part == 0) {
		recorder->frame.length = 0;
		recorder->next_part = 0;
	}
	if (packet->part != recorder->next_part) {
		stop(recorder, ERROR_BAD_PACKET, "a part of a frame is missing");
		return;
	}
	recorder->next_part++;
	if (!bytes_append(&recorder->frame, packet->payload, packet->payload_length)) {
		stop(recorder, ERROR_OUT_OF_MEMORY, NULL);
		return;
	}
	if (recorder->next_part == packet->parts) {
		take_frame(recorder, packet);
	}
}

static void helper_ready(void *data, const struct packet_ready *ready) {
	log_info("pictures of %ux%u flow", ready->width, ready->height);
}

static void helper_ended(void *data, enum error_code code, const char *detail) {
	struct recorder *recorder = data;
	stop(recorder, code, detail);
	if (recorder->phase == PHASE_CLOSING) {
		end(recorder); /* no last frame will come */
	}
}

static void helper_gone(void *data) {
	struct recorder *recorder = data;
	helper_destroy(recorder->helper);
	recorder->helper = NULL;
	leave_when_done(recorder);
}

static const struct helper_listener helper_listener = {
	.ready = helper_ready,
	.frame = helper_frame,
	.ended = helper_ended,
	.gone = helper_gone,
};

static void screencast_granted(void *data, const struct screencast_stream *streams, size_t count) {
	struct recorder *recorder = data;
	recorder->stream = *streams;
	progress_say(&recorder->progress, "Waiting for the first picture…");
	screencast_open_remote(recorder->screencast, recorder);
}

static void screencast_remote(void *data, int fd) {
	struct recorder *recorder = data;
	const struct helper_options options = {
		.open =
			{
				.node_id = recorder->stream.node_id,
				.codec = recorder->options->codec,
				.max_fps = recorder->options->max_fps,
				.max_kbps = recorder->options->max_kbps,
				.credit = CREDIT,
				.region = recorder->options->region,
				.cursor = recorder->stream.cursor == PORTAL_CURSOR_METADATA
						  ? PACKET_CURSOR_BLEND
						  : PACKET_CURSOR_AS_IS,
			},
	};
	recorder->helper = helper_create(&options, fd, &helper_listener, recorder);
}

static void screencast_ended(void *data, enum error_code code, const char *detail) {
	struct recorder *recorder = data;
	stop(recorder, code, detail);
}

static const struct screencast_listener screencast_listener = {
	.granted = screencast_granted,
	.remote = screencast_remote,
	.ended = screencast_ended,
};

static void probed(
	void *data, enum error_code code, const char *detail, const struct portal_info *info) {
	struct recorder *recorder = data;
	if (code != ERROR_NONE) {
		stop(recorder, code, detail);
		return;
	}
	log_info("ScreenCast portal version %u", info->version);
	const struct screencast_options options = {
		.source_types = recorder->options->source_types,
		.cursor = recorder->options->cursor,
	};
	progress_say(&recorder->progress,
		"Choose in the desktop's dialog what to record. Ctrl-C gives up.");
	recorder->screencast =
		screencast_create(recorder->portal, &options, &screencast_listener, recorder);
}

static gboolean interrupted(gpointer data) {
	const struct signal_watch *watch = data;
	struct recorder *recorder = watch->recorder;
	recorder->result->signal = watch->number;
	give_up(recorder);
	return G_SOURCE_CONTINUE;
}

static void watch_signals(struct recorder *recorder) {
	static const int numbers[G_N_ELEMENTS(recorder->signals)] = {SIGINT, SIGTERM, SIGHUP};
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		struct signal_watch *watch = &recorder->signals[i];
		*watch = (struct signal_watch){.recorder = recorder, .number = numbers[i]};
		struct sigaction now;
		/* nohup and shells' background jobs start with some of them ignored. */
		if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
			watch->source = g_unix_signal_add(numbers[i], interrupted, watch);
		}
	}
	/* A reader that goes away and a size limit become errors of write(). */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

void recorder_run(const struct recorder_options *options, struct recorder_result *result) {
	*result = (struct recorder_result){0};
	struct recorder recorder = {
		.options = options,
		.result = result,
		.progress = {.live = options->live},
		.end_us = INT64_MAX,
	};
	recorder.loop = g_main_loop_new(NULL, FALSE);
	recorder.cancellable = g_cancellable_new();
	recorder.portal = portal_create(0);
	watch_signals(&recorder);

	portal_probe(recorder.portal, 0, recorder.cancellable, probed, &recorder);
	g_main_loop_run(recorder.loop);

	progress_clear(&recorder.progress);
	g_clear_handle_id(&recorder.deadline, g_source_remove);
	for (size_t i = 0; i < G_N_ELEMENTS(recorder.signals); i++) {
		g_clear_handle_id(&recorder.signals[i].source, g_source_remove);
	}
	GDBusConnection *connection = portal_connection(recorder.portal);
	if (connection != NULL) {
		/* The last calls to the portal may not have been sent yet. */
		(void)g_dbus_connection_flush_sync(connection, NULL, NULL);
	}
	portal_destroy(recorder.portal);
	webm_destroy(recorder.webm);
	bytes_finish(&recorder.frame);
	g_object_unref(recorder.cancellable);
	g_main_loop_unref(recorder.loop);
}
