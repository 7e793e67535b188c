#include "capture/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/sandbox.h"
#include "encode/encoder.h"
#include "source/loop.h"
#include "source/probe.h"

#define PIPEWIRE_US INT64_C(2000000)
/* The picture that is encoded. */
#define SIZE 64u

static void say(const char *word, const char *what) {
	(void)printf("%s %s\n", word, what);
	/* What comes next may kill the process. */
	(void)fflush(stdout);
}

static void check_pipewire(struct loop *loop) {
	struct probe probe;
	probe_pipewire(loop, PIPEWIRE_US, &probe);
	if (probe.error != 0) {
		say("pipewire-error", strerror(probe.error));
		return;
	}
	say("pipewire", probe.version);
	if (probe.manager[0] != '\0') {
		say("manager", probe.manager);
	}
}

/* Also whether the kernel does what it agreed to. */
static bool check_sandbox(void) {
	if (!sandbox_seal()) {
		say("sandbox-error", strerror(errno));
		return false;
	}
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0) {
		say("sandbox-error", "the filter does not hold");
		return false;
	}
	say("sandbox", "ok");
	return true;
}

static bool encodes(enum packet_codec codec) {
	const struct encoder_config config = {.fps = 1, .kbps = 1000, .cores = 1};
	const struct encoder_wish wish = {.codec = codec, .key = true};
	const struct damage none = {0};
	struct picture picture = {0};
	struct encoder_frame frame = {0};
	struct encoder *encoder = encoder_create(&config);
	bool ok = encoder != NULL && picture_resize(&picture, SIZE, SIZE, PACKET_CHROMA_420) &&
		  encoder_encode(encoder, &picture, &none, &wish, &frame) && frame.length > 0;
	encoder_destroy(encoder);
	picture_finish(&picture);
	return ok;
}

int check_run(void) {
	static const struct {
		enum packet_codec codec;
		const char *name;
	} codecs[] = {{PACKET_CODEC_VP8, "vp8"}, {PACKET_CODEC_VP9, "vp9"}};
	struct loop loop = {0};
	if (loop_init(&loop)) {
		check_pipewire(&loop);
	} else {
		say("pipewire-error", "its client libraries don't work");
	}
	bool ok = check_sandbox();
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (encodes(codecs[i].codec)) {
			say("codec", codecs[i].name);
		} else {
			ok = false;
		}
	}
	loop_finish(&loop);
	return ok ? 0 : 1;
}
