#include "capture/pw_nudge.h"

#include <time.h>

#include "base/log.h"
#include "capture/pw_api.h"
#include "capture/pw_format.h"
#include "capture/pw_latest.h"

/* A running stream without a picture is restarted after this time, which doubles each time, so
 * often. */
#define WAIT_MS 250
#define RESTARTS_MAX 5
/* So long the stream rests then, that the producer's stops too. It doubles as well: where that
 * takes a loaded machine longer, nothing started anew. */
#define REST_MS 50
/* The same for a stream that had pictures before it got a new format: someone is looking at the old
 * size. But its producer may still be drawing: Mutter without a GPU takes 15 to 23 ms for
 * 1920x1080, and more where others want the processor too. */
#define AGAIN_WAIT_MS 50
#define AGAIN_PIXELS_PER_MS 40000
#define AGAIN_REST_MS 20
#define AGAIN_RESTARTS_MAX 7
/* Where no buffer can be read the format is offered so often; and once after so many restarts that
 * did not help. */
#define OFFERS_MAX 5
#define RESTARTS_PER_OFFER 2

static void set_timer(struct pw_nudge *nudge, int ms) {
	struct timespec delay = {ms / 1000, ms % 1000 * 1000000L};
	pw_loop_update_timer(nudge->loop, nudge->timer, &delay, NULL, false);
}

static bool is_streaming(const struct pw_nudge *nudge) {
	return nudge->stream != NULL &&
	       pw_stream_get_state(nudge->stream, NULL) == PW_STREAM_STATE_STREAMING;
}

static void restart_stream(struct pw_nudge *nudge) {
	int rest_ms = nudge->had_picture ? AGAIN_REST_MS : REST_MS;
	nudge->resting = true;
	pw_stream_set_active(nudge->stream, false);
	set_timer(nudge, rest_ms << nudge->restarts++);
}

static void expect_picture(struct pw_nudge *nudge) {
	if (!nudge->resting) {
		set_timer(
			nudge, (nudge->had_picture ? nudge->again_ms : WAIT_MS) << nudge->restarts);
	}
}

static bool wants_offer(const struct pw_nudge *nudge) {
	return nudge->offers < nudge->restarts / RESTARTS_PER_OFFER ||
	       (nudge->offers < OFFERS_MAX && pw_latest_is_bare(nudge->latest));
}

static void on_timer(void *data, uint64_t expirations) {
	(void)expirations;
	struct pw_nudge *nudge = data;
	if (nudge->stream == NULL) {
		return;
	}
	if (nudge->resting) {
		nudge->resting = false;
		pw_stream_set_active(nudge->stream, true);
	} else if (wants_offer(nudge)) {
		log_info("no picture can be read; the format is offered anew");
		nudge->offers++;
		pw_nudge_offer(nudge);
		expect_picture(nudge);
	} else if (nudge->restarts < (nudge->had_picture ? AGAIN_RESTARTS_MAX : RESTARTS_MAX) &&
		   is_streaming(nudge)) {
		log_info("no picture yet; the stream is restarted");
		restart_stream(nudge);
	}
}

bool pw_nudge_init(
	struct pw_nudge *nudge, struct pw_loop *loop, struct pw_latest *latest, uint32_t max_fps) {
	*nudge = (struct pw_nudge){.loop = loop, .latest = latest, .max_fps = max_fps};
	nudge->timer = pw_loop_add_timer(loop, on_timer, nudge);
	return nudge->timer != NULL;
}

void pw_nudge_finish(struct pw_nudge *nudge) {
	if (nudge->timer != NULL) {
		pw_loop_destroy_source(nudge->loop, nudge->timer);
	}
}

void pw_nudge_format(struct pw_nudge *nudge, uint32_t width, uint32_t height) {
	nudge->again_ms = AGAIN_WAIT_MS + (int)((uint64_t)width * height / AGAIN_PIXELS_PER_MS);
	expect_picture(nudge);
}

void pw_nudge_state(struct pw_nudge *nudge, bool streaming) {
	if (streaming) {
		expect_picture(nudge);
	} else if (!nudge->resting) {
		set_timer(nudge, 0);
	}
}

void pw_nudge_picture(struct pw_nudge *nudge) {
	if (!nudge->resting) {
		set_timer(nudge, 0);
	}
	nudge->restarts = nudge->offers = 0;
	nudge->had_picture = true;
}

void pw_nudge_refresh(struct pw_nudge *nudge) {
	if (nudge->restarts == 0 && is_streaming(nudge)) {
		restart_stream(nudge);
	}
}

void pw_nudge_offer(struct pw_nudge *nudge) {
	if (nudge->stream != NULL) {
		uint8_t memory[1024];
		struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
		const struct spa_pod *offer = pw_format_offer(&builder, nudge->max_fps);
		pw_stream_update_params(nudge->stream, &offer, 1);
	}
}
