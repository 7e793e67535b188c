/*
 * What a test of portlight-capture needs around it: a private PipeWire daemon with its session
 * manager, the fake producer, and the host's end of the packet socket with a decoder behind it.
 * Every function fails the running cmocka test when it can't do what it says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <vpx/vpx_decoder.h>

#include "wire/packet.h"

/* What the tests paint, 0xRRGGBB. */
#define RED 0xc02020u
#define GREEN 0x20a040u
#define BLUE 0x2040c0u
#define WHITE 0xffffffu
#define GREY 0x606060u

/* One for all tests of the program. */
struct rig {
	char directory[96]; /* the daemon's XDG_RUNTIME_DIR */
	pid_t pipewire;
	pid_t wireplumber;
};

void rig_start(struct rig *rig);
void rig_stop(struct rig *rig);
struct CMUnitTest;
/* Runs a program's tests in one rig, which is their state; an argument is a pattern of those to
 * run. Returns main's status. */
int rig_run(const struct CMUnitTest *tests, size_t count, int argc, char **argv);
/* A fresh connection to the daemon, as the portal would hand it out. */
int rig_connect(const struct rig *rig);

struct producer {
	pid_t pid;
	int commands; /* write end of its stdin */
	int answers;  /* read end of its stdout */
	char buffer[1024];
	size_t used;
	uint32_t node_id;
};

/* `arguments` ends with NULL. Waits until the node exists. */
void producer_start(struct producer *producer, const struct rig *rig, const char *const *arguments);
void producer_stop(struct producer *producer);
void producer_kill(struct producer *producer);
/* Sends one command line. */
void producer_say(struct producer *producer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Reads its lines until one begins with `wanted`, at most 5 s; returns that line, valid until the
 * next call. */
const char *producer_expect(struct producer *producer, const char *wanted);
/* Sends a `frame` or `cursor` command, and again until the producer has a buffer for it. */
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
	enum packet_codec codec; /* of what the decoder decodes */
	bool auto_credit;        /* grant a frame for every frame that came */
	/* The last whole frame, and all of them. */
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
/* Closes the socket and waits; fails when the helper is not gone within a second. */
void helper_stop(struct helper *helper);
/* Sends OPEN; `fd` is closed. */
void helper_open(struct helper *helper, int fd, const struct packet_open *open);
void helper_send(struct helper *helper, const struct packet *packet);
void helper_credit(struct helper *helper, uint16_t frames);
/* Sends raw bytes as one packet. */
void helper_send_bytes(struct helper *helper, const void *data, size_t length);

/* Waits at most timeout_ms for a whole frame and decodes it. False: none came, or the share ended.
 */
bool helper_next_frame(struct helper *helper, int timeout_ms);
/* After so much quiet a picture rests, whatever came before: capture/pipeline.c waits up to 250 ms,
 * and then encodes, before it makes one better. */
#define REST_MS 600
/* Takes frames until none comes for quiet_ms. Returns how many came. */
uint32_t helper_drain(struct helper *helper, int quiet_ms);
/* Takes what comes until ENDED, at most 5 s, and checks its code. */
void helper_expect_end(struct helper *helper, enum error_code code);

/* Fails unless the decoded picture is 0xRRGGBB at (x, y), within what encoding costs. */
void helper_expect_colour(const struct helper *helper, uint32_t x, uint32_t y, uint32_t colour);
/* The same, when frames were taken for at most 5 s until it is: where PipeWire may have lost one.
 */
void helper_await_colour(struct helper *helper, uint32_t x, uint32_t y, uint32_t colour);

/* A share of one producer, as most tests want it. */
struct share {
	struct producer producer;
	struct helper helper;
};

/* VP9, 60 pictures a second, credit for 16 and for every frame that comes; the node is filled in.
 */
extern const struct packet_open share_usual;

/* Both ends run when it returns, and no frame was sent. */
void share_start(struct share *share, const struct rig *rig, const char *const *arguments,
	const struct packet_open *open);
void share_stop(struct share *share);
/* Takes the first frame of a picture after a rest, or of a burst, and those that make it better. */
void share_settle(struct share *share);

int64_t time_now_ms(void);
void time_sleep_ms(int ms);

/* CPU time that the process took so far, in milliseconds. */
long process_cpu_ms(pid_t pid);
/* A "Vm…" or "Rss…" field of its status, in KiB. */
long process_memory_kib(pid_t pid, const char *field);
/* Waits until the process, not necessarily a child, is gone or a zombie. */
bool process_gone(pid_t pid, int timeout_ms);
