#include "source/negotiation.h"

#include "base/log.h"
#include "source/format.h"
#include "source/loop.h"
#include "source/mailbox.h"
#include "source/pw_api.h"

/*
 * A running stream that sends no picture is paused, long enough for the producer to stop as well,
 * and resumed. Both times double with each restart, since a loaded machine needs longer.
 */
struct pacing {
	int wait_ms;
	uint32_t wait_ms_per_megapixel;
	int rest_ms;
	uint32_t restarts_max;
};
static const struct pacing first_picture = {250, 0, 50, 5};
/* Someone is looking at a picture of the old format. But the producer may still be drawing: Mutter
 * without a GPU takes 15 to 23 ms for 1920x1080, and longer when the processor is busy. */
static const struct pacing next_format = {50, 25, 20, 7};

/* How often to offer the format again if no buffer can be read. Otherwise once after this many
 * restarts that did not help. */
#define OFFERS_MAX 5
#define RESTARTS_PER_OFFER 2

static void set_timer(struct negotiation *negotiation, int ms) {
	loop_set_timer(negotiation->loop, negotiation->timer, ms * INT64_C(1000));
}

static bool is_streaming(const struct negotiation *negotiation) {
	return negotiation->stream != NULL &&
	       pw_stream_get_state(negotiation->stream, NULL) == PW_STREAM_STATE_STREAMING;
}

static void restart_stream(struct negotiation *negotiation) {
	negotiation->resting = true;
	pw_stream_set_active(negotiation->stream, false);
	set_timer(negotiation, negotiation->pacing->rest_ms << negotiation->restarts++);
}

static bool should_offer(const struct negotiation *negotiation) {
	return negotiation->offers < negotiation->restarts / RESTARTS_PER_OFFER ||
	       (negotiation->offers < OFFERS_MAX && mailbox_is_unreadable(negotiation->mailbox));
}

static void on_timer(void *data, uint64_t expirations) {
	struct negotiation *negotiation = data;
	if (negotiation->stream == NULL) {
		return;
	}
	if (negotiation->resting) {
		negotiation->resting = false;
		pw_stream_set_active(negotiation->stream, true);
	} else if (should_offer(negotiation)) {
		log_info("no readable picture; offering the format again");
		negotiation->offers++;
		negotiation_offer(negotiation);
		negotiation_await(negotiation);
	} else if (negotiation->restarts < negotiation->pacing->restarts_max &&
		   is_streaming(negotiation)) {
		log_info("no picture yet; restarting the stream");
		restart_stream(negotiation);
	}
}

bool negotiation_init(struct negotiation *negotiation, struct loop *loop, struct mailbox *mailbox,
	uint32_t max_fps) {
	*negotiation = (struct negotiation){
		.loop = loop, .mailbox = mailbox, .max_fps = max_fps, .pacing = &first_picture};
	negotiation->timer = loop_add_timer(loop, on_timer, negotiation);
	return negotiation->timer != NULL;
}

void negotiation_finish(struct negotiation *negotiation) {
	loop_remove(negotiation->loop, negotiation->timer);
}

void negotiation_await(struct negotiation *negotiation) {
	const struct pacing *pacing = negotiation->pacing;
	uint64_t drawing_ms =
		(uint64_t)negotiation->pixels * pacing->wait_ms_per_megapixel / 1000000;
	int wait_ms = pacing->wait_ms + (int)drawing_ms;
	if (!negotiation->resting) {
		set_timer(negotiation, wait_ms << negotiation->restarts);
	}
}

void negotiation_await_nothing(struct negotiation *negotiation) {
	if (!negotiation->resting) {
		set_timer(negotiation, 0);
	}
}

void negotiation_format(struct negotiation *negotiation, uint32_t width, uint32_t height) {
	negotiation->pixels = width * height;
	negotiation_await(negotiation);
}

void negotiation_picture(struct negotiation *negotiation) {
	negotiation_await_nothing(negotiation);
	negotiation->restarts = negotiation->offers = 0;
	negotiation->pacing = &next_format;
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
