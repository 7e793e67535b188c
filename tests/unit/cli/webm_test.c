#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/webm.h"

#define START_US INT64_C(5000000000)

/* What reading a file back told. */
struct facts {
	enum AVCodecID codec;
	int width;
	int height;
	int64_t duration_us;
	size_t packets;
	size_t keys;
	size_t decoded;
	int64_t pts_ms[512];
	int index_entries;
	bool whole; /* the demuxer met the end without an error */
};

struct fixture {
	char directory[64];
	char path[80];
};

static int set_up(void **state) {
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	(void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/webm_test.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/x.webm", fixture->directory);
	/* Frames of no meaning make decoders complain; what matters is asserted. */
	av_log_set_level(AV_LOG_QUIET);
	*state = fixture;
	return 0;
}

static int tear_down(void **state) {
	struct fixture *fixture = *state;
	(void)unlink(fixture->path);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

/* Fails in the next webm_create() when it fails here: children call this too, which can't assert.
 */
static int create_file(const char *path) {
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void decode(AVCodecContext *decoder, const AVPacket *packet, struct facts *facts) {
	assert_int_equal(avcodec_send_packet(decoder, packet), 0);
	AVFrame *frame = av_frame_alloc();
	while (avcodec_receive_frame(decoder, frame) == 0) {
		facts->decoded++;
	}
	av_frame_free(&frame);
}

/* Reads `path` to its end; decodes its frames too when they are real ones. */
static void read_back(const char *path, bool real, struct facts *facts) {
	*facts = (struct facts){0};
	AVFormatContext *context = NULL;
	assert_int_equal(avformat_open_input(&context, path, NULL, NULL), 0);
	assert_int_equal(context->nb_streams, 1);
	AVStream *stream = context->streams[0];
	facts->codec = stream->codecpar->codec_id;
	facts->width = stream->codecpar->width;
	facts->height = stream->codecpar->height;
	facts->duration_us = context->duration;
	AVCodecContext *decoder = avcodec_alloc_context3(avcodec_find_decoder(facts->codec));
	assert_non_null(decoder);
	assert_int_equal(avcodec_open2(decoder, NULL, NULL), 0);
	AVPacket *packet = av_packet_alloc();
	int result = 0;
	while ((result = av_read_frame(context, packet)) == 0) {
		assert_true(facts->packets < 512);
		facts->pts_ms[facts->packets++] = packet->pts;
		facts->keys += (packet->flags & AV_PKT_FLAG_KEY) != 0;
		if (real) {
			decode(decoder, packet, facts);
		}
		av_packet_unref(packet);
	}
	facts->whole = result == AVERROR_EOF && context->pb->error == 0;
	if (real) {
		decode(decoder, NULL, facts);
	}
	/* The demuxer reads the index when it is first asked to seek. */
	assert_true(av_seek_frame(context, 0, 0, 0) >= 0);
	facts->index_entries = avformat_index_get_entries_count(stream);
	av_packet_free(&packet);
	avcodec_free_context(&decoder);
	avformat_close_input(&context);
}

struct encoder {
	AVCodecContext *context;
	AVFrame *picture;
	AVPacket *packet;
};

static void encoder_init(struct encoder *encoder, const char *name, int width, int height) {
	const AVCodec *codec = avcodec_find_encoder_by_name(name);
	assert_non_null(codec);
	encoder->context = avcodec_alloc_context3(codec);
	encoder->context->width = width;
	encoder->context->height = height;
	encoder->context->pix_fmt = AV_PIX_FMT_YUV420P;
	encoder->context->time_base = (AVRational){1, 30};
	encoder->context->bit_rate = 500000;
	encoder->context->thread_count = 1;
	AVDictionary *options = NULL;
	(void)av_dict_set(&options, "deadline", "realtime", 0);
	(void)av_dict_set(&options, "cpu-used", "8", 0);
	(void)av_dict_set(&options, "lag-in-frames", "0", 0);
	assert_int_equal(avcodec_open2(encoder->context, codec, &options), 0);
	av_dict_free(&options);
	encoder->picture = av_frame_alloc();
	encoder->picture->format = AV_PIX_FMT_YUV420P;
	encoder->picture->width = width;
	encoder->picture->height = height;
	assert_int_equal(av_frame_get_buffer(encoder->picture, 0), 0);
	encoder->packet = av_packet_alloc();
}

static void encoder_finish(struct encoder *encoder) {
	av_packet_free(&encoder->packet);
	av_frame_free(&encoder->picture);
	avcodec_free_context(&encoder->context);
}

/* Encodes one more grey picture; the frame is lent until the next call. */
static struct webm_frame encode(struct encoder *encoder, int number, int64_t pts_us) {
	assert_int_equal(av_frame_make_writable(encoder->picture), 0);
	for (int plane = 0; plane < 3; plane++) {
		int rows = plane == 0 ? encoder->context->height : encoder->context->height / 2;
		memset(encoder->picture->data[plane], (number * 5) & 0xff,
			(size_t)(encoder->picture->linesize[plane] * rows));
	}
	encoder->picture->pts = number;
	assert_int_equal(avcodec_send_frame(encoder->context, encoder->picture), 0);
	av_packet_unref(encoder->packet);
	assert_int_equal(avcodec_receive_packet(encoder->context, encoder->packet), 0);
	return (struct webm_frame){
		.data = encoder->packet->data,
		.length = (size_t)encoder->packet->size,
		.key = (encoder->packet->flags & AV_PKT_FLAG_KEY) != 0,
		.pts_us = pts_us,
	};
}

static void round_trip(const char *path, const char *encoder_name, enum webm_codec codec,
	enum AVCodecID expected) {
	struct encoder encoder;
	encoder_init(&encoder, encoder_name, 64, 48);
	struct webm *webm = NULL;
	assert_true(webm_create(create_file(path), codec, 64, 48, &webm));
	for (int i = 0; i < 40; i++) {
		struct webm_frame frame = encode(&encoder, i, START_US + i * 33000);
		assert_true(webm_write(webm, &frame));
	}
	assert_int_equal(webm_frames(webm), 40);
	assert_true(webm_bytes(webm) > 0);
	assert_true(webm_finish(webm, START_US + 4000000));
	webm_destroy(webm);
	encoder_finish(&encoder);

	struct facts facts;
	read_back(path, true, &facts);
	assert_int_equal(facts.codec, expected);
	assert_int_equal(facts.width, 64);
	assert_int_equal(facts.height, 48);
	assert_int_equal(facts.packets, 40);
	assert_int_equal(facts.decoded, 40);
	assert_true(facts.keys >= 1);
	assert_true(facts.whole);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(facts.pts_ms[i], i * 33);
	}
	/* The last frame, at 1287 ms, lasts to the end that was named. */
	assert_int_equal(facts.duration_us, 4000000);
	assert_true(facts.index_entries >= 1);
}

static void vp8_frames_come_back(void **state) {
	struct fixture *fixture = *state;
	round_trip(fixture->path, "libvpx", WEBM_VP8, AV_CODEC_ID_VP8);
}

static void vp9_frames_come_back(void **state) {
	struct fixture *fixture = *state;
	round_trip(fixture->path, "libvpx-vp9", WEBM_VP9, AV_CODEC_ID_VP9);
}

static void a_keyframe_may_change_the_size(void **state) {
	struct fixture *fixture = *state;
	struct webm *webm = NULL;
	assert_true(webm_create(create_file(fixture->path), WEBM_VP9, 64, 48, &webm));
	for (int run = 0; run < 2; run++) {
		struct encoder encoder;
		encoder_init(&encoder, "libvpx-vp9", run == 0 ? 64 : 128, run == 0 ? 48 : 96);
		for (int i = 0; i < 5; i++) {
			struct webm_frame frame =
				encode(&encoder, i, START_US + run * 1000000 + i * 50000);
			assert_true(webm_write(webm, &frame));
		}
		encoder_finish(&encoder);
	}
	assert_true(webm_finish(webm, START_US + 1500000));
	webm_destroy(webm);
	struct facts facts;
	read_back(fixture->path, true, &facts);
	assert_int_equal(facts.decoded, 10);
	assert_int_equal(facts.keys, 2);
	assert_int_equal(facts.width, 64);
}

/* A frame whose content does not matter. */
static struct webm_frame blob(uint8_t *data, size_t length, bool key, int64_t pts_us) {
	for (size_t i = 0; i < length; i++) {
		data[i] = (uint8_t)(i * 31);
	}
	return (struct webm_frame){.data = data, .length = length, .key = key, .pts_us = pts_us};
}

static void timestamps_always_rise(void **state) {
	struct fixture *fixture = *state;
	static const int64_t pts_us[] = {0, 100, 100, 50000, 20000, 60000};
	static const int64_t expected_ms[] = {0, 1, 2, 50, 51, 60};
	struct webm *webm = NULL;
	assert_true(webm_create(create_file(fixture->path), WEBM_VP8, 16, 16, &webm));
	uint8_t data[100];
	for (size_t i = 0; i < 6; i++) {
		struct webm_frame frame = blob(data, sizeof(data), i == 0, START_US + pts_us[i]);
		assert_true(webm_write(webm, &frame));
	}
	/* An end before the last frame leaves that frame one millisecond. */
	assert_true(webm_finish(webm, START_US));
	webm_destroy(webm);
	struct facts facts;
	read_back(fixture->path, false, &facts);
	assert_int_equal(facts.packets, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(facts.pts_ms[i], expected_ms[i]);
	}
	assert_int_equal(facts.duration_us, 61000);
}

static void a_still_hour_between_two_frames_is_kept(void **state) {
	struct fixture *fixture = *state;
	struct webm *webm = NULL;
	assert_true(webm_create(create_file(fixture->path), WEBM_VP8, 16, 16, &webm));
	uint8_t data[100];
	struct webm_frame frame = blob(data, sizeof(data), true, START_US);
	assert_true(webm_write(webm, &frame));
	frame.key = false;
	frame.pts_us = START_US + INT64_C(3600000000);
	assert_true(webm_write(webm, &frame));
	assert_true(webm_finish(webm, START_US + INT64_C(7200000000)));
	webm_destroy(webm);
	struct facts facts;
	read_back(fixture->path, false, &facts);
	assert_int_equal(facts.packets, 2);
	assert_int_equal(facts.pts_ms[1], 3600000);
	assert_int_equal(facts.duration_us, INT64_C(7200000000));
}

static int wait_for(pid_t child) {
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void a_killed_recording_plays_up_to_its_last_flush(void **state) {
	struct fixture *fixture = *state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct webm *webm = NULL;
		uint8_t data[1000];
		if (!webm_create(create_file(fixture->path), WEBM_VP8, 16, 16, &webm)) {
			_exit(1);
		}
		for (int i = 0; i < 50; i++) {
			struct webm_frame frame =
				blob(data, sizeof(data), i == 0, START_US + i * 10000);
			if (!webm_write(webm, &frame)) {
				_exit(1);
			}
		}
		if (!webm_flush(webm)) {
			_exit(1);
		}
		(void)raise(SIGKILL);
	}
	int status = wait_for(child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	struct facts facts;
	read_back(fixture->path, false, &facts);
	assert_int_equal(facts.packets, 49); /* all but the held one */
	assert_true(facts.whole);
}

static void a_pipe_gets_a_file_without_index(void **state) {
	struct fixture *fixture = *state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(ends[1]);
		int out = create_file(fixture->path);
		char buffer[4096];
		ssize_t got = 0;
		while ((got = read(ends[0], buffer, sizeof(buffer))) > 0) {
			if (write(out, buffer, (size_t)got) != got) {
				_exit(1);
			}
		}
		_exit(0);
	}
	(void)close(ends[0]);
	struct webm *webm = NULL;
	assert_true(webm_create(ends[1], WEBM_VP8, 16, 16, &webm));
	uint8_t data[1000];
	for (int i = 0; i < 20; i++) {
		struct webm_frame frame = blob(data, sizeof(data), i == 0, START_US + i * 10000);
		assert_true(webm_write(webm, &frame));
	}
	assert_true(webm_finish(webm, START_US + 200000));
	webm_destroy(webm);
	assert_int_equal(wait_for(child), 0);
	struct facts facts;
	read_back(fixture->path, false, &facts);
	assert_int_equal(facts.packets, 20);
	assert_true(facts.whole);
}

static void a_file_that_is_appended_to_keeps_its_content(void **state) {
	struct fixture *fixture = *state;
	int fd = create_file(fixture->path);
	assert_int_equal(write(fd, "kept", 4), 4);
	(void)close(fd);
	struct webm *webm = NULL;
	fd = open(fixture->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(webm_create(fd, WEBM_VP8, 16, 16, &webm));
	uint8_t data[100];
	struct webm_frame frame = blob(data, sizeof(data), true, START_US);
	assert_true(webm_write(webm, &frame));
	assert_true(webm_finish(webm, START_US));
	webm_destroy(webm);
	char start[8] = {0};
	cleanup_fd int again = open(fixture->path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(again, start, sizeof(start)), sizeof(start));
	assert_memory_equal(start, "kept\x1a\x45\xdf\xa3", 8);
}

static void a_full_device_is_told(void **state) {
	(void)state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct webm *webm = NULL;
	errno = 0;
	assert_false(webm_create(fd, WEBM_VP8, 16, 16, &webm));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void an_unwritable_descriptor_is_told(void **state) {
	(void)state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct webm *webm = NULL;
	errno = 0;
	assert_false(webm_create(fd, WEBM_VP8, 16, 16, &webm));
	assert_int_equal(errno, EBADF);
}

static void destroy_takes_nothing(void **state) {
	(void)state;
	webm_destroy(NULL);
}

/* Writes frames until one is refused, completes the file, and gives how many were taken, or
 * exits. */
static int fill(const char *path, int expected_error, bool finishes) {
	struct webm *webm = NULL;
	if (!webm_create(create_file(path), WEBM_VP8, 16, 16, &webm)) {
		return 1;
	}
	size_t length = 60000;
	cleanup_free uint8_t *data = malloc(length);
	struct webm_frame frame = blob(data, length, true, START_US);
	int taken = 0;
	while (taken < 400 && webm_write(webm, &frame)) {
		taken++;
		frame.key = false;
		frame.pts_us += 40000;
	}
	if (errno != expected_error || webm_frames(webm) != (uint64_t)taken) {
		return 2;
	}
	if (webm_finish(webm, frame.pts_us) != finishes) {
		return 3;
	}
	webm_destroy(webm);
	return taken;
}

static void nothing_taken_is_lost_when_the_disk_is_full(void **state) {
	struct fixture *fixture = *state;
	int says[2];
	assert_int_equal(pipe(says), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* A small disk of this process's own. */
		if ((geteuid() != 0 && unshare(CLONE_NEWUSER) != 0) || unshare(CLONE_NEWNS) != 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
			mount("tmpfs", fixture->directory, "tmpfs", 0, "size=6m") != 0) {
			_exit(200);
		}
		int taken = fill(fixture->path, ENOSPC, true);
		struct facts facts = {0};
		if (taken > 3) {
			read_back(fixture->path, false, &facts);
		}
		int results[2] = {taken, facts.whole ? (int)facts.packets : -1};
		_exit(write(says[1], results, sizeof(results)) == sizeof(results) ? 0 : 1);
	}
	int status = wait_for(child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 200) {
		print_message("skipped: this system lets nobody mount a small disk to fill\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	int results[2] = {0};
	assert_int_equal(read(says[0], results, sizeof(results)), sizeof(results));
	/* 6 MiB less the room that is kept for the end, in frames of 60 kB. */
	assert_in_range(results[0], 60, 104);
	assert_int_equal(results[1], results[0]);
}

static void what_was_written_before_a_failure_stays(void **state) {
	struct fixture *fixture = *state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit limit = {.rlim_cur = 4u << 20, .rlim_max = 4u << 20};
		(void)signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
			_exit(1);
		}
		_exit(fill(fixture->path, EFBIG, false));
	}
	int status = wait_for(child);
	assert_true(WIFEXITED(status));
	int taken = WEXITSTATUS(status);
	struct facts facts;
	read_back(fixture->path, false, &facts);
	/* One second of frames at 25 a second, and what had not come to an end of its cluster. */
	assert_true(taken > 60);
	assert_true(facts.packets > 60);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vp8_frames_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vp9_frames_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_keyframe_may_change_the_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(timestamps_always_rise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_still_hour_between_two_frames_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_killed_recording_plays_up_to_its_last_flush, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_pipe_gets_a_file_without_index, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_appended_to_keeps_its_content, set_up, tear_down),
		cmocka_unit_test(a_full_device_is_told),
		cmocka_unit_test(an_unwritable_descriptor_is_told),
		cmocka_unit_test(destroy_takes_nothing),
		cmocka_unit_test_setup_teardown(
			nothing_taken_is_lost_when_the_disk_is_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_written_before_a_failure_stays, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
