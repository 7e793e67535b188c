#include "source/negotiation.h"

#include <time.h>

#include "base/log.h"
#include "source/format.h"
#include "source/mailbox.h"
#include "source/pw_api.h"

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

static void set_timer(struct negotiation *negotiation, int ms) {
	struct timespec delay = {ms / 1000, ms % 1000 * 1000000L};
	pw_loop_update_timer(negotiation->loop, negotiation->timer, &delay, NULL, false);
}

static bool is_streaming(const struct negotiation *negotiation) {
	return negotiation->stream != NULL &&
	       pw_stream_get_state(negotiation->stream, NULL) == PW_STREAM_STATE_STREAMING;
}

static void restart_stream(struct negotiation *negotiation) {
	int rest_ms = negotiation->had_picture ? AGAIN_REST_MS : REST_MS;
	negotiation->resting = true;
	pw_stream_set_active(negotiation->stream, false);
	set_timer(negotiation, rest_ms << negotiation->restarts++);
}

static void expect_picture(struct negotiation *negotiation) {
	if (!negotiation->resting) {
		set_timer(negotiation, (negotiation->had_picture ? negotiation->again_ms : WAIT_MS)
					       << negotiation->restarts);
	}
}

static bool wants_offer(const struct negotiation *negotiation) {
	return negotiation->offers < negotiation->restarts / RESTARTS_PER_OFFER ||
	       (negotiation->offers < OFFERS_MAX && mailbox_is_bare(negotiation->mailbox));
}

static void on_timer(void *data, uint64_t expirations) {
	(void)expirations;
	struct negotiation *negotiation = data;
	if (negotiation->stream == NULL) {
		return;
	}
	if (negotiation->resting) {
		negotiation->resting = false;
		pw_stream_set_active(negotiation->stream, true);
	} else if (wants_offer(negotiation)) {
		log_info("no picture can be read; the format is offered anew");
		negotiation->offers++;
		negotiation_offer(negotiation);
		expect_picture(negotiation);
	} else if (negotiation->restarts <
			   (negotiation->had_picture ? AGAIN_RESTARTS_MAX : RESTARTS_MAX) &&
		   is_streaming(negotiation)) {
		log_info("no picture yet; the stream is restarted");
		restart_stream(negotiation);
	}
}

bool negotiation_init(struct negotiation *negotiation, struct pw_loop *loop,
	struct mailbox *mailbox, uint32_t max_fps) {
	*negotiation = (struct negotiation){.loop = loop, .mailbox = mailbox, .max_fps = max_fps};
	negotiation->timer = pw_loop_add_timer(loop, on_timer, negotiation);
	return negotiation->timer != NULL;
}

void negotiation_finish(struct negotiation *negotiation) {
	if (negotiation->timer != NULL) {
		pw_loop_destroy_source(negotiation->loop, negotiation->timer);
	}
}

void negotiation_format(struct negotiation *negotiation, uint32_t width, uint32_t height) {
	negotiation->again_ms =
		AGAIN_WAIT_MS + (int)((uint64_t)width * height / AGAIN_PIXELS_PER_MS);
	expect_picture(negotiation);
}

void negotiation_state(struct negotiation *negotiation, bool streaming) {
	if (streaming) {
		expect_picture(negotiation);
	} else if (!negotiation->resting) {
		set_timer(negotiation, 0);
	}
}

void negotiation_picture(struct negotiation *negotiation) {
	if (!negotiation->resting) {
		set_timer(negotiation, 0);
	}
	negotiation->restarts = negotiation->offers = 0;
	negotiation->had_picture = true;
}

void negotiation_refresh(struct negotiation *negotiation) {
	if (negotiation->restarts == 0 && is_streaming(negotiation)) {
		restart_stream(negotiation);
	}
}

void negotiation_offer(struct negotiation *negotiation) {
	if (negotiation->stream != NULL) {
		uint8_t memory[1024];
		struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
		const struct spa_pod *offer = format_offer(&builder, negotiation->max_fps);
		pw_stream_update_params(negotiation->stream, &offer, 1);
	}
}
