/* WebM files that recordings are written to, read back by libavformat. */
#include "base/cleanup.h"
#include "webm_file.h"

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

static void round_trip(const char *path, const char *encoder_name, enum packet_codec codec,
	enum AVCodecID expected) {
	struct encoder encoder;
	encoder_init(&encoder, encoder_name, 64, 48);
	struct webm *webm = NULL;
	assert_true(webm_create(create_file(path), codec, 64, 48, &webm));
	for (int i = 0; i < 40; i++) {
		struct webm_frame frame = encode(&encoder, i, START_US + i * 33000);
		assert_true(webm_write(webm, &frame));
	}
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
	round_trip(fixture->path, "libvpx", PACKET_CODEC_VP8, AV_CODEC_ID_VP8);
}

static void vp9_frames_come_back(void **state) {
	struct fixture *fixture = *state;
	round_trip(fixture->path, "libvpx-vp9", PACKET_CODEC_VP9, AV_CODEC_ID_VP9);
}

static void a_keyframe_may_change_the_size(void **state) {
	struct fixture *fixture = *state;
	struct webm *webm = NULL;
	assert_true(webm_create(create_file(fixture->path), PACKET_CODEC_VP9, 64, 48, &webm));
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

static void timestamps_always_rise(void **state) {
	struct fixture *fixture = *state;
	static const int64_t pts_us[] = {0, 100, 100, 50000, 20000, 60000};
	static const int64_t expected_ms[] = {0, 1, 2, 50, 51, 60};
	struct webm *webm = NULL;
	assert_true(webm_create(create_file(fixture->path), PACKET_CODEC_VP8, 16, 16, &webm));
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
	assert_true(webm_create(create_file(fixture->path), PACKET_CODEC_VP8, 16, 16, &webm));
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
	assert_true(webm_create(ends[1], PACKET_CODEC_VP8, 16, 16, &webm));
	uint8_t data[1000];
	for (int i = 0; i < 20; i++) {
		struct webm_frame frame = blob(data, sizeof(data), i == 0, START_US + i * 10000);
		assert_true(webm_write(webm, &frame));
	}
	assert_true(webm_finish(webm, START_US + 200000));
	while (webm_undrained(webm) > 0) {
		assert_true(webm_drain(webm));
	}
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
	assert_true(webm_create(fd, PACKET_CODEC_VP8, 16, 16, &webm));
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

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vp8_frames_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vp9_frames_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_keyframe_may_change_the_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(timestamps_always_rise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_still_hour_between_two_frames_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_pipe_gets_a_file_without_index, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_appended_to_keeps_its_content, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("webm", tests, NULL, NULL);
}
