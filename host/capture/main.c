#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/program.h"
#include "capture/channel.h"
#include "capture/check.h"
#include "capture/pipeline.h"
#include "capture/sandbox.h"
#include "encode/encoder.h"
#include "source/loop.h"
#include "source/source.h"

#define PEER_FD 3
/* How long the first picture may take after OPEN; less than the host waits. */
#define FIRST_PICTURE_US INT64_C(8000000)
/* Larger blocks go back to the system when they are freed. By default glibc raises this limit with
 * what is freed, and would keep most of an encoder that was replaced by another codec's. */
#define GIVEN_BACK (4 * 1024 * 1024)

static const char usage[] =
	"Usage: portlight-capture [--help | --version | --check]\n"
	"\n"
	"Portlight's capture helper: turns one PipeWire screen stream into encoded video.\n"
	"portlight-host and `portlight record` start it, with a packet socket as descriptor 3;\n"
	"started by hand it does nothing. To record the screen run `portlight record`.\n"
	"--check tries PipeWire, the sandbox and the codecs, for `portlight doctor`.\n";

struct capture {
	struct loop loop;
	struct spa_source *peer_io;
	struct spa_source *wake_timer;
	struct spa_source *first_picture_timer;
	struct channel channel;
	struct source *source;
	struct encoder *encoder;
	struct pipeline *pipeline;
	bool writable_wanted;
	bool over; /* ENDED was sent */
};

/* Polls the socket for writing only while the channel's queue waits for it. */
static void update_peer_io(struct capture *capture) {
	bool idle = channel_idle(&capture->channel);
	if (capture->channel.broken || (capture->over && idle)) {
		loop_quit(&capture->loop);
	} else if (capture->writable_wanted == idle) {
		capture->writable_wanted = !idle;
		loop_watch_writable(&capture->loop, capture->peer_io, !idle);
	}
}

static void finish_share(void *data, enum error_code code, const char *detail) {
	struct capture *capture = data;
	if (capture->over) {
		return;
	}
	capture->over = true;
	log_info("ended: %s %s", error_code_string(code), detail);
	struct packet packet = {.type = PACKET_ENDED, .ended.code = code};
	snprintf(packet.ended.detail, sizeof(packet.ended.detail), "%s", detail);
	(void)channel_send(&capture->channel, &packet);
	update_peer_io(capture);
}

static int64_t pipeline_now(void *data) {
	return clock_us();
}

static void pipeline_wake(void *data, int64_t delay_us) {
	struct capture *capture = data;
	loop_set_timer(&capture->loop, capture->wake_timer, delay_us);
}

static const struct pipeline_loop pipeline_loop = {
	.now = pipeline_now,
	.wake = pipeline_wake,
	.failed = finish_share,
};

static void on_wake_timer(void *data, uint64_t expirations) {
	(void)expirations;
	struct capture *capture = data;
	if (!capture->over) {
		pipeline_step(capture->pipeline);
		update_peer_io(capture);
	}
}

static void on_first_picture_timer(void *data, uint64_t expirations) {
	(void)expirations;
	finish_share(data, ERROR_NO_PICTURE, "");
}

static void on_read(void *data, const struct source_picture *picture) {
	struct capture *capture = data;
	pipeline_read(capture->pipeline, picture);
}

static void on_picture(void *data, uint32_t width, uint32_t height) {
	struct capture *capture = data;
	if (!capture->over) {
		loop_set_timer(&capture->loop, capture->first_picture_timer, 0);
		pipeline_picture(capture->pipeline, width, height);
		update_peer_io(capture);
	}
}

static void on_cursor(void *data) {
	struct capture *capture = data;
	if (!capture->over) {
		pipeline_cursor(capture->pipeline);
		update_peer_io(capture);
	}
}

static const struct source_events source_events = {
	.read = on_read,
	.picture = on_picture,
	.cursor = on_cursor,
	.ended = finish_share,
};

static uint32_t count_cores(void) {
	cpu_set_t cores;
	return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (uint32_t)CPU_COUNT(&cores) : 1;
}

static void open_share(struct capture *capture, const struct packet_open *open, int *fd) {
	if (capture->source != NULL) {
		finish_share(capture, ERROR_BAD_PACKET, "a second OPEN");
		return;
	}
	const struct encoder_config config = {
		.chroma = pipeline_chroma(open),
		.fps = open->max_fps,
		.kbps = open->max_kbps,
		.cores = count_cores(),
	};
	capture->source = source_create(&capture->loop, open->node_id, open->max_fps,
		open->cursor != PACKET_CURSOR_AS_IS, &source_events, capture);
	capture->encoder = encoder_create(&config);
	if (capture->source != NULL && capture->encoder != NULL) {
		capture->pipeline = pipeline_create(open, capture->source, capture->encoder,
			&capture->channel, &pipeline_loop, capture);
	}
	if (capture->pipeline == NULL) {
		finish_share(capture, ERROR_OUT_OF_MEMORY, "no memory for the share");
		return;
	}
	loop_set_timer(&capture->loop, capture->first_picture_timer, FIRST_PICTURE_US);
	source_start(capture->source, steal_fd(fd));
}

static void handle_packet(struct capture *capture, const struct packet *packet, int *fd) {
	if (packet->type == PACKET_OPEN) {
		open_share(capture, &packet->open, fd);
	} else if (capture->pipeline == NULL) {
		finish_share(capture, ERROR_BAD_PACKET, "the first packet is not an OPEN");
	} else if (packet->type == PACKET_CREDIT) {
		pipeline_credit(capture->pipeline, packet->credit.frames);
	} else if (packet->type == PACKET_SET) {
		pipeline_set(capture->pipeline, &packet->set);
	} else if (packet->type == PACKET_KEYFRAME) {
		pipeline_keyframe(capture->pipeline);
	}
}

static void receive_packets(struct capture *capture) {
	for (;;) {
		struct packet packet;
		cleanup_fd int fd = -1;
		switch (channel_receive(&capture->channel, &packet, &fd)) {
		case CHANNEL_PACKET:
			if (!capture->over) {
				handle_packet(capture, &packet, &fd);
			}
			break;
		case CHANNEL_EMPTY:
			return;
		case CHANNEL_CLOSED:
			loop_quit(&capture->loop);
			return;
		case CHANNEL_BAD:
			finish_share(
				capture, ERROR_BAD_PACKET, "a packet that breaks the protocol");
			break;
		}
	}
}

static void on_peer_io(void *data, int fd, uint32_t mask) {
	(void)fd;
	struct capture *capture = data;
	if ((mask & LOOP_WRITABLE) != 0 && channel_flush(&capture->channel) &&
		channel_idle(&capture->channel) && !capture->over) {
		pipeline_step(capture->pipeline);
	}
	if ((mask & ~LOOP_WRITABLE) != 0) {
		receive_packets(capture);
	}
	update_peer_io(capture);
}

/* Everything that opens files or sockets happens here. */
static bool set_up(struct capture *capture) {
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, GIVEN_BACK);
#endif
	struct loop *loop = &capture->loop;
	if (!loop_init(loop)) {
		return false;
	}
	capture->peer_io = loop_add_fd(loop, PEER_FD, on_peer_io, capture);
	capture->wake_timer = loop_add_timer(loop, on_wake_timer, capture);
	capture->first_picture_timer = loop_add_timer(loop, on_first_picture_timer, capture);
	return capture->peer_io != NULL && capture->wake_timer != NULL &&
	       capture->first_picture_timer != NULL;
}

static void tear_down(struct capture *capture) {
	capture->over = true;
	loop_remove(&capture->loop, capture->peer_io);
	/* Until here the source reads into the pipeline. */
	source_destroy(capture->source);
	pipeline_destroy(capture->pipeline);
	encoder_destroy(capture->encoder);
	loop_finish(&capture->loop);
	channel_finish(&capture->channel);
}

int main(int argc, char **argv) {
	log_init("portlight-capture", LOG_WARNING);
	int status = 2;
	if (program_answers("portlight-capture", usage, argc, argv, &status)) {
		return status;
	}
	if (argc == 2 && strcmp(argv[1], "--check") == 0) {
		status = check_run();
		return program_close_stdout("portlight-capture") ? status : 1;
	}
	struct capture capture = {0};
	if (argc > 1 || !channel_init(&capture.channel, PEER_FD)) {
		fputs(usage, stderr);
		return status;
	}
	status = 1;
	if (sandbox_enter(PEER_FD) && set_up(&capture)) {
		if (sandbox_seal()) {
			loop_run(&capture.loop);
			status = 0;
		} else {
			log_error("the kernel refused the sandbox: %s", strerror(errno));
		}
	}
	tear_down(&capture);
	return status;
}
