/*
 * What tests of portlight-capture need: a private PipeWire daemon with its session manager, the
 * fake producer, and the host's end of the packet socket with a decoder behind it. Every function
 * fails the running cmocka test when it can't do what it says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <vpx/vpx_decoder.h>

#include "wire/packet.h"

/* The cap on every wait, many times what anything takes. */
#define RIG_CAP_MS 10000
/* A compositor draws when its next picture is due, at 60 Hz. */
#define DRAWS_AFTER_MS 16

/* What the tests paint, 0xRRGGBB. */
#define RED 0xc02020u
#define GREEN 0x20a040u
#define BLUE 0x2040c0u
#define WHITE 0xffffffu
#define GREY 0x606060u

/* One for all tests of a program. */
struct rig {
	char directory[96]; /* the daemon's XDG_RUNTIME_DIR */
	pid_t pipewire;
	pid_t wireplumber;
};

struct CMUnitTest;
/* Runs a program's tests in one rig, which is their state. Returns main's status. */
int rig_run(const struct CMUnitTest *tests, size_t count);
/* Reports how long something took, for the runner to collect; no test asserts it. */
void rig_took(const char *what, int64_t ms);
/* Reports the median and the 95th percentile. Sorts `ms`. */
void rig_took_each(const char *what, int64_t *ms, size_t count);
/* A new connection to the daemon, as the portal would hand it out. */
int rig_connect(const struct rig *rig);

struct producer {
	pid_t pid;
	int commands; /* write end of its stdin */
	int answers;  /* read end of its stdout */
	char buffer[1024];
	size_t used;
	uint32_t node_id;
	int64_t sent_us; /* time stamp of the last picture that it reported; 0: none */
};

/* `arguments` are separated by spaces. Waits until the node exists. */
void producer_start(struct producer *producer, const struct rig *rig, const char *arguments);
void producer_stop(struct producer *producer);
void producer_kill(struct producer *producer);
/* Sends one command line. */
void producer_say(struct producer *producer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Reads lines until one begins with `wanted`. Returns it; it is valid until the next call. */
const char *producer_expect(struct producer *producer, const char *wanted);
/* The same, but NULL when there is no such line yet. */
const char *producer_look(struct producer *producer, const char *wanted);
/* Sends a `frame` or `cursor` command, repeatedly until the producer has a buffer for it. */
void producer_send(struct producer *producer, const char *command);

struct helper {
	pid_t pid;
	int socket;
	bool ready; /* READY was received */
	struct packet_ready ready_packet;
	struct packet_cursor cursor; /* the last one; its bitmap is not kept */
	uint32_t cursors;
	uint32_t bitmaps;
	bool ended;
	struct packet_ended ended_packet;
	bool closed;             /* the helper closed its end */
	enum packet_codec codec; /* of the decoder */
	bool auto_credit;        /* grant a frame for every received frame */
	uint32_t granted;        /* frames; more is an error */
	/* The log so far, and what the helper reported when it had nothing left to do. */
	int log_fd;
	char *log;
	size_t log_length;
	size_t log_seen; /* bytes of whole lines */
	uint32_t settled_frames;
	uint32_t settled_credit;
	int64_t settled_us;
	bool saw_producer_stop; /* before it exited; set by helper_stop() */
	/* The last whole frame, and counts of all. */
	struct packet_frame frame;
	size_t frame_length;
	uint32_t frames;
	uint32_t keyframes;
	uint8_t *data;
	size_t capacity;
	vpx_codec_ctx_t decoder;
	bool decoder_open;
	const vpx_image_t *image; /* the last decoded picture */
};

/* Starts the helper and sends nothing. */
void helper_start(struct helper *helper);
/* Closes the socket and waits until the helper exits, with status 0. Returns the milliseconds that
 * took. */
int64_t helper_stop(struct helper *helper);
/* Sends OPEN; `fd` is closed. */
void helper_open(struct helper *helper, int fd, const struct packet_open *open);
void helper_send(struct helper *helper, const struct packet *packet);
void helper_set(struct helper *helper, struct packet_set set);
void helper_credit(struct helper *helper, uint16_t frames);
/* Sends raw bytes as one packet. */
void helper_send_bytes(struct helper *helper, const void *data, size_t length);

/* Receives one packet or a piece of the log; `what` describes the failure when neither comes. Whole
 * frames are decoded. */
void helper_await(struct helper *helper, const char *what);
/* Waits for a whole frame. */
void helper_take_frame(struct helper *helper);
/* Takes frames until the helper has handled every packet and the picture of `sent_us` (0: any), and
 * has nothing left to do. It needs credit for that, but less than the 64 that it can hold. */
void helper_rest(struct helper *helper, int64_t sent_us);
/* The same after one more packet: by then its loop has done what it knew of before. */
void helper_echo(struct helper *helper);
/* Takes what comes within `ms`. */
void helper_watch(struct helper *helper, int ms);
/* Waits until the cursor is at (x, y). */
void helper_await_cursor(struct helper *helper, int32_t x, int32_t y);
/* How often the log contains `text`, in what was read so far. */
uint32_t helper_logged(const struct helper *helper, const char *text);
/* Waits until the log contains `text` that often. */
void helper_await_logged(struct helper *helper, const char *text, uint32_t times);
/* Waits for ENDED, and checks its code. */
void helper_expect_end(struct helper *helper, enum error_code code);

/* Fails unless the decoded picture is 0xRRGGBB at (x, y), within the encoder's error. */
void helper_expect_colour(const struct helper *helper, uint32_t x, uint32_t y, uint32_t colour);
bool helper_shows(const struct helper *helper, uint32_t x, uint32_t y, uint32_t colour);
/* Takes frames until it is; for pictures that PipeWire may lose at first. */
void helper_await_colour(struct helper *helper, uint32_t x, uint32_t y, uint32_t colour);

/* A share of one producer, as most tests want it. */
struct share {
	struct producer producer;
	struct helper helper;
};

/* VP9, 60 pictures a second, credit for 16 frames and one more for every frame received. The node
 * is filled in. */
extern const struct packet_open share_usual;

/* Starts a producer with `arguments`, and a helper that is sent `open`. */
void share_begin(struct share *share, const struct rig *rig, const char *arguments,
	const struct packet_open *open);
/* The same; on return both are streaming, and no frame was sent. */
void share_start(struct share *share, const struct rig *rig, const char *arguments,
	const struct packet_open *open);
/* The same, and shows one colour; on return the picture has settled. */
void share_show(struct share *share, const struct rig *rig, const char *arguments,
	const struct packet_open *open, uint32_t colour);
void share_stop(struct share *share);
/* helper_rest() for the picture that was sent last. */
void share_rest(struct share *share);
/* The same, with at least one frame. */
void share_settle(struct share *share);
/* Sends the producer's picture, and waits until it has settled. */
void share_draw(struct share *share);
/* producer_expect(), while taking what comes from the helper. */
const char *share_expect(struct share *share, const char *wanted);

int64_t time_now_ms(void);
void time_sleep_ms(int ms);

/* CPU time that the process used so far, in milliseconds. */
long process_cpu_ms(pid_t pid);
/* A number in its status: Vm… and Rss… are in KiB. */
long process_status(pid_t pid, const char *field);
/* How often its threads went to sleep so far. */
long process_sleeps(pid_t pid);
bool process_gone(pid_t pid); /* or a zombie; it need not be a child */
