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
static const struct {
	int wait_ms;
	int wait_ms_per_megapixel;
	int rest_ms;
	uint32_t restarts_max;
} pacing[] = {
	[false] = {250, 0, 50, 5},
	/* There was a picture before: someone is looking at the old size. But the producer may
	 * still be drawing: Mutter without a GPU takes 15 to 23 ms for 1920x1080, and longer when
	 * the processor is busy. */
	[true] = {50, 25, 20, 7},
};
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
	set_timer(negotiation, pacing[negotiation->had_picture].rest_ms << negotiation->restarts++);
}

/* During a rest the timer ends the rest. */
static void await_picture(struct negotiation *negotiation, bool awaited) {
	if (!negotiation->resting) {
		bool had_picture = negotiation->had_picture;
		uint64_t drawing_ms = (uint64_t)negotiation->pixels *
				      pacing[had_picture].wait_ms_per_megapixel / 1000000;
		int ms = pacing[had_picture].wait_ms + (int)drawing_ms;
		set_timer(negotiation, awaited ? ms << negotiation->restarts : 0);
	}
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
		await_picture(negotiation, true);
	} else if (negotiation->restarts < pacing[negotiation->had_picture].restarts_max &&
		   is_streaming(negotiation)) {
		log_info("no picture yet; restarting the stream");
		restart_stream(negotiation);
	}
}

bool negotiation_init(struct negotiation *negotiation, struct loop *loop, struct mailbox *mailbox,
	uint32_t max_fps) {
	*negotiation = (struct negotiation){.loop = loop, .mailbox = mailbox, .max_fps = max_fps};
	negotiation->timer = loop_add_timer(loop, on_timer, negotiation);
	return negotiation->timer != NULL;
}

void negotiation_finish(struct negotiation *negotiation) {
	loop_remove(negotiation->loop, negotiation->timer);
}

void negotiation_format(struct negotiation *negotiation, uint32_t width, uint32_t height) {
	negotiation->pixels = width * height;
	await_picture(negotiation, true);
}

void negotiation_state(struct negotiation *negotiation, bool streaming) {
	await_picture(negotiation, streaming);
}

void negotiation_picture(struct negotiation *negotiation) {
	await_picture(negotiation, false);
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
