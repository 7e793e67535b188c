#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "capture/channel.h"
#include "capture/pipeline.h"
#include "capture/sandbox.h"
#include "config.h"
#include "encode/encoder.h"
#include "source/loop.h"
#include "source/source.h"

#define PEER_FD 3
/* How long the desktop may take from OPEN to the first picture; less than the host waits. */
#define FIRST_PICTURE_S 8
/* What is larger goes back to the system when it is freed. Left to itself glibc raises this with
 * what is freed, and keeps most of an encoder whose place another codec took. */
#define GIVEN_BACK (4 * 1024 * 1024)

static const char usage[] =
	"Usage: portlight-capture [--help | --version]\n"
	"\n"
	"Portlight's capture helper: turns one PipeWire screen stream into encoded video.\n"
	"portlight-host and `portlight record` start it, with a packet socket as descriptor 3;\n"
	"started by hand it does nothing. To record the screen run `portlight record`.\n";

struct helper {
	struct loop loop;
	struct spa_source *peer_io;
	struct spa_source *wake_timer;
	struct spa_source *first_picture_timer;
	struct channel channel;
	struct source *source;
	struct encoder *encoder;
	struct pipeline *pipeline;
	uint32_t cores;
	bool channel_open;
	bool writable_wanted;
	bool over; /* ENDED was sent */
};

static void quit(struct helper *helper) {
	loop_quit(&helper->loop);
}

/* Listens for room in the socket only while something waits for it. */
static void update_peer_io(struct helper *helper) {
	if (helper->channel.broken || (helper->over && channel_idle(&helper->channel))) {
		quit(helper);
		return;
	}
	bool wanted = !channel_idle(&helper->channel);
	if (wanted != helper->writable_wanted) {
		helper->writable_wanted = wanted;
		loop_watch_writable(&helper->loop, helper->peer_io, wanted);
	}
}

static void finish_share(void *data, enum error_code code, const char *detail) {
	struct helper *helper = data;
	if (helper->over) {
		return;
	}
	helper->over = true;
	log_info("ended: %s %s", error_code_string(code), detail);
	struct packet packet = {.type = PACKET_ENDED, .ended.code = code};
	snprintf(packet.ended.detail, sizeof(packet.ended.detail), "%s", detail);
	(void)channel_send(&helper->channel, &packet);
	update_peer_io(helper);
}

static int64_t pipeline_now(void *data) {
	(void)data;
	return clock_us();
}

static void pipeline_wake(void *data, int64_t delay_us) {
	struct helper *helper = data;
	loop_set_timer(&helper->loop, helper->wake_timer, delay_us);
}

static const struct pipeline_loop pipeline_loop = {
	.now = pipeline_now,
	.wake = pipeline_wake,
	.failed = finish_share,
};

static void on_wake_timer(void *data, uint64_t expirations) {
	(void)expirations;
	struct helper *helper = data;
	if (!helper->over && helper->pipeline != NULL) {
		pipeline_step(helper->pipeline);
		update_peer_io(helper);
	}
}

static void on_first_picture_timer(void *data, uint64_t expirations) {
	(void)expirations;
	finish_share(data, ERROR_NO_PICTURE, "");
}

static void on_read(void *data, const struct source_picture *picture) {
	struct helper *helper = data;
	pipeline_read(helper->pipeline, picture);
}

static void on_picture(void *data, uint32_t width, uint32_t height) {
	struct helper *helper = data;
	if (helper->over) {
		return;
	}
	loop_set_timer(&helper->loop, helper->first_picture_timer, 0);
	pipeline_picture(helper->pipeline, width, height);
	update_peer_io(helper);
}

static void on_cursor(void *data) {
	struct helper *helper = data;
	if (!helper->over) {
		pipeline_cursor(helper->pipeline);
		update_peer_io(helper);
	}
}

static const struct source_events source_events = {
	.read = on_read,
	.picture = on_picture,
	.cursor = on_cursor,
	.ended = finish_share,
};

static void open_share(struct helper *helper, const struct packet_open *open, int fd) {
	if (helper->source != NULL) {
		close(fd);
		finish_share(helper, ERROR_BAD_PACKET, "a second OPEN");
		return;
	}
	const struct encoder_config config = {
		.chroma = pipeline_chroma(open),
		.fps = open->max_fps,
		.kbps = open->max_kbps,
		.cores = helper->cores,
	};
	helper->source = source_create(&helper->loop, open->node_id, open->max_fps,
		open->cursor != PACKET_CURSOR_AS_IS, &source_events, helper);
	helper->encoder = encoder_vpx_create(&config);
	if (helper->source != NULL && helper->encoder != NULL) {
		helper->pipeline = pipeline_create(open, helper->source, helper->encoder,
			&helper->channel, &pipeline_loop, helper);
	}
	if (helper->pipeline == NULL) {
		close(fd);
		finish_share(helper, ERROR_OUT_OF_MEMORY, "no memory for the share");
		return;
	}
	loop_set_timer(
		&helper->loop, helper->first_picture_timer, FIRST_PICTURE_S * INT64_C(1000000));
	source_start(helper->source, fd);
}

static void handle_packet(struct helper *helper, const struct packet *packet, int fd) {
	if (packet->type == PACKET_OPEN) {
		open_share(helper, &packet->open, fd);
	} else if (helper->pipeline == NULL) {
		finish_share(helper, ERROR_BAD_PACKET, "the first packet was no OPEN");
	} else if (packet->type == PACKET_CREDIT) {
		pipeline_credit(helper->pipeline, packet->credit.frames);
	} else if (packet->type == PACKET_SET) {
		pipeline_set(helper->pipeline, &packet->set);
	} else if (packet->type == PACKET_KEYFRAME) {
		pipeline_keyframe(helper->pipeline);
	}
}

static void receive_packets(struct helper *helper) {
	for (;;) {
		struct packet packet;
		int fd = -1;
		switch (channel_receive(&helper->channel, &packet, &fd)) {
		case CHANNEL_PACKET:
			if (!helper->over) {
				handle_packet(helper, &packet, fd);
			} else if (fd >= 0) {
				close(fd);
			}
			break;
		case CHANNEL_EMPTY:
			return;
		case CHANNEL_CLOSED:
			quit(helper);
			return;
		case CHANNEL_BAD:
			finish_share(helper, ERROR_BAD_PACKET, "a packet that breaks the protocol");
			break;
		}
	}
}

static void on_peer_io(void *data, int fd, uint32_t mask) {
	(void)fd;
	struct helper *helper = data;
	if ((mask & LOOP_WRITABLE) != 0 && channel_flush(&helper->channel) &&
		channel_idle(&helper->channel) && !helper->over) {
		pipeline_step(helper->pipeline);
	}
	if ((mask & ~LOOP_WRITABLE) != 0) {
		receive_packets(helper);
	}
	update_peer_io(helper);
}

static void count_cores(struct helper *helper) {
	cpu_set_t cores;
	bool counted = sched_getaffinity(0, sizeof(cores), &cores) == 0;
	helper->cores = counted ? (uint32_t)CPU_COUNT(&cores) : 1;
}

/* Everything that opens files or sockets happens here. */
static bool set_up(struct helper *helper) {
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, GIVEN_BACK);
#endif
	if (!loop_init(&helper->loop)) {
		return false;
	}
	count_cores(helper);
	helper->peer_io = loop_add_fd(&helper->loop, PEER_FD, on_peer_io, helper);
	helper->wake_timer = loop_add_timer(&helper->loop, on_wake_timer, helper);
	helper->first_picture_timer = loop_add_timer(&helper->loop, on_first_picture_timer, helper);
	return helper->peer_io != NULL && helper->wake_timer != NULL &&
	       helper->first_picture_timer != NULL;
}

static void tear_down(struct helper *helper) {
	helper->over = true;
	loop_remove(&helper->loop, helper->peer_io);
	/* It reads into the pipeline until then. */
	source_destroy(helper->source);
	pipeline_destroy(helper->pipeline);
	encoder_destroy(helper->encoder);
	loop_finish(&helper->loop);
	if (helper->channel_open) {
		channel_finish(&helper->channel);
	}
}

/* Returns an exit status when the command line asks for no capture, else -1. */
static int parse_arguments(int argc, char **argv) {
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("portlight-capture " PORTLIGHT_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	return -1;
}

int main(int argc, char **argv) {
	log_init("portlight-capture", LOG_WARNING);
	int status = parse_arguments(argc, argv);
	if (status >= 0) {
		return status;
	}
	struct helper helper = {0};
	helper.channel_open = channel_init(&helper.channel, PEER_FD);
	if (!helper.channel_open) {
		fputs(usage, stderr);
		return 2;
	}
	status = 1;
	if (!sandbox_enter(PEER_FD) || !set_up(&helper)) {
		goto out;
	}
	if (!sandbox_seal()) {
		log_error("the kernel refused the sandbox: %s", strerror(errno));
		goto out;
	}
	loop_run(&helper.loop);
	status = 0;
out:
	tear_down(&helper);
	return status;
}
