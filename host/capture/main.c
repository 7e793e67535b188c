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
#include "capture/encoder.h"
#include "capture/pipeline.h"
#include "capture/pw_api.h"
#include "capture/sandbox.h"
#include "capture/source_pipewire.h"
#include "config.h"

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
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct pw_context *context;
	struct spa_handle *converter; /* see load_adapter() */
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
	pw_main_loop_quit(helper->main_loop);
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
		pw_loop_update_io(helper->loop, helper->peer_io,
			SPA_IO_IN | SPA_IO_HUP | SPA_IO_ERR | (wanted ? SPA_IO_OUT : 0));
	}
}

static void set_timer(struct helper *helper, struct spa_source *timer, int64_t delay_us) {
	struct timespec delay = {delay_us / 1000000, delay_us % 1000000 * 1000};
	pw_loop_update_timer(helper->loop, timer, &delay, NULL, false);
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
	set_timer(helper, helper->wake_timer, delay_us);
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
	set_timer(helper, helper->first_picture_timer, 0);
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
	helper->source = source_pipewire_create(helper->context, helper->loop, fd, open->node_id,
		open->max_fps, open->cursor != PACKET_CURSOR_AS_IS, &source_events, helper);
	helper->encoder = encoder_vpx_create(&config);
	if (helper->source != NULL && helper->encoder != NULL) {
		helper->pipeline = pipeline_create(open, helper->source, helper->encoder,
			&helper->channel, &pipeline_loop, helper);
	}
	if (helper->source == NULL || helper->pipeline == NULL) {
		finish_share(helper, ERROR_OUT_OF_MEMORY, "no memory for the share");
		return;
	}
	set_timer(helper, helper->first_picture_timer, FIRST_PICTURE_S * INT64_C(1000000));
	source_start(helper->source);
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
	if ((mask & SPA_IO_OUT) != 0 && channel_flush(&helper->channel) &&
		channel_idle(&helper->channel) && !helper->over) {
		pipeline_step(helper->pipeline);
	}
	if ((mask & (SPA_IO_IN | SPA_IO_HUP | SPA_IO_ERR)) != 0) {
		receive_packets(helper);
	}
	update_peer_io(helper);
}

/* What a user sets to steer other programs' streams must not steer this one elsewhere. */
static void ignore_overrides(void) {
	static const char *const variables[] = {"PIPEWIRE_AUTOCONNECT", "PIPEWIRE_CORE",
		"PIPEWIRE_LATENCY", "PIPEWIRE_NODE", "PIPEWIRE_PROPS", "PIPEWIRE_QUANTUM",
		"PIPEWIRE_RATE", "PIPEWIRE_TARGET"};
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		unsetenv(variables[i]);
	}
}

static void count_cores(struct helper *helper) {
	cpu_set_t cores;
	bool counted = sched_getaffinity(0, sizeof(cores), &cores) == 0;
	helper->cores = counted ? (uint32_t)CPU_COUNT(&cores) : 1;
}

/* PipeWire 1.4 runs every video stream inside the factory `adapter` (1.2 can, older ones can't),
 * and the adapter loads its converter's plugin when the stream connects. The sandbox lets nobody
 * open files then, so both are loaded now, and the handle keeps the plugin's library open. */
static bool load_adapter(struct helper *helper) {
	static const char plugin[] = "videoconvert/libspa-videoconvert";
	char *rest = NULL;
	long major = strtol(pw_get_library_version(), &rest, 10);
	long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
	if (major < 1 || (major == 1 && minor < 2)) {
		return true;
	}
	pw_context_add_spa_lib(helper->context, "video.convert.*", plugin);
	pw_context_add_spa_lib(helper->context, "video.adapt", plugin);
	if (pw_context_load_module(helper->context, "libpipewire-module-adapter", NULL, NULL) ==
		NULL) {
		return false;
	}
	helper->converter =
		pw_context_load_spa_handle(helper->context, "video.convert.dummy", NULL);
	return helper->converter != NULL;
}

/* Everything that opens files or sockets happens here. */
static bool set_up(struct helper *helper) {
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, GIVEN_BACK);
#endif
	ignore_overrides();
	pw_init(NULL, NULL);
	if (getenv("PIPEWIRE_DEBUG") == NULL) {
		pw_log_set_level(SPA_LOG_LEVEL_ERROR);
	}
	/* No configuration of the user's or the system's: it could load anything. */
	struct pw_properties *properties =
		pw_properties_new(PW_KEY_CONFIG_NAME, "null", "mem.allow-mlock", "false", NULL);
	helper->main_loop = pw_main_loop_new(NULL);
	if (helper->main_loop == NULL) {
		pw_properties_free(properties);
		return false;
	}
	helper->loop = pw_main_loop_get_loop(helper->main_loop);
	helper->context = pw_context_new(helper->loop, properties, 0);
	if (helper->context == NULL ||
		pw_context_load_module(helper->context, "libpipewire-module-protocol-native", NULL,
			NULL) == NULL ||
		pw_context_load_module(
			helper->context, "libpipewire-module-client-node", NULL, NULL) == NULL ||
		!load_adapter(helper)) {
		log_error("PipeWire's client libraries don't work: %s", strerror(errno));
		return false;
	}
	count_cores(helper);
	helper->peer_io = pw_loop_add_io(helper->loop, PEER_FD, SPA_IO_IN | SPA_IO_HUP | SPA_IO_ERR,
		false, on_peer_io, helper);
	helper->wake_timer = pw_loop_add_timer(helper->loop, on_wake_timer, helper);
	helper->first_picture_timer =
		pw_loop_add_timer(helper->loop, on_first_picture_timer, helper);
	return helper->peer_io != NULL && helper->wake_timer != NULL &&
	       helper->first_picture_timer != NULL;
}

static void tear_down(struct helper *helper) {
	helper->over = true;
	if (helper->peer_io != NULL) {
		pw_loop_destroy_source(helper->loop, helper->peer_io);
	}
	source_stop(helper->source);
	/* It reads into the pipeline until then. */
	source_destroy(helper->source);
	pipeline_destroy(helper->pipeline);
	encoder_destroy(helper->encoder);
	if (helper->converter != NULL) {
		pw_unload_spa_handle(helper->converter);
	}
	if (helper->context != NULL) {
		pw_context_destroy(helper->context);
	}
	if (helper->main_loop != NULL) {
		pw_main_loop_destroy(helper->main_loop);
	}
	pw_deinit();
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
	pw_main_loop_run(helper.main_loop);
	status = 0;
out:
	tear_down(&helper);
	return status;
}
