#include "unit.h"

#include <string.h>

#include "source/format.h"
#include "source/pw_api.h"

#define VIDEO(subtype)                                                                             \
	SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,           \
		SPA_POD_Id(subtype)

static void test_describe(void **state) {
	uint8_t memory[2048];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	char text[200] = "";
	const struct spa_pod *planar = spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_Format,
		SPA_PARAM_EnumFormat, VIDEO(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
		SPA_POD_CHOICE_ENUM_Id(
			3, SPA_VIDEO_FORMAT_NV12, SPA_VIDEO_FORMAT_NV12, SPA_VIDEO_FORMAT_I420));
	assert_false(format_describe(planar, text, sizeof(text)));
	assert_string_equal(text, "NV12, I420");
	const struct spa_pod *jpeg = spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_Format,
		SPA_PARAM_EnumFormat, VIDEO(SPA_MEDIA_SUBTYPE_mjpg));
	assert_false(format_describe(jpeg, text, sizeof(text)));
	assert_string_equal(text, "NV12, I420, video/mjpg");
	const struct spa_pod *packed = spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_Format,
		SPA_PARAM_EnumFormat, VIDEO(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
		SPA_POD_Id(SPA_VIDEO_FORMAT_RGBA));
	assert_true(format_describe(packed, text, sizeof(text)));
	assert_string_equal(text, "NV12, I420, video/mjpg, RGBA");
}

static void test_describe_dmabuf(void **state) {
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	struct spa_pod_frame frame;
	spa_pod_builder_push_object(&builder, &frame, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
	spa_pod_builder_add(&builder, VIDEO(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
		SPA_POD_Id(SPA_VIDEO_FORMAT_BGRx), 0);
	spa_pod_builder_prop(&builder, SPA_FORMAT_VIDEO_modifier, SPA_POD_PROP_FLAG_MANDATORY);
	spa_pod_builder_long(&builder, 0);
	const struct spa_pod *pod = spa_pod_builder_pop(&builder, &frame);
	char text[64] = "";
	assert_false(format_describe(pod, text, sizeof(text)));
	assert_string_equal(text, "BGRx as DMA-BUF only");
}

/* A long list is truncated, never written past the end. */
static void test_describe_many(void **state) {
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *pod = spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_Format,
		SPA_PARAM_EnumFormat, VIDEO(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
		SPA_POD_Id(SPA_VIDEO_FORMAT_I420));
	char text[24] = "";
	for (int i = 0; i < 20; i++) {
		format_describe(pod, text, 20);
	}
	assert_int_equal(strlen(text), 19);
	assert_memory_equal(text + 20, "\0\0\0\0", 4);
}

static const struct spa_pod *fixed_format(
	struct spa_pod_builder *builder, uint32_t format, uint32_t width, uint32_t height) {
	return spa_pod_builder_add_object(builder, SPA_TYPE_OBJECT_Format, SPA_PARAM_Format,
		VIDEO(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format, SPA_POD_Id(format),
		SPA_FORMAT_VIDEO_size, SPA_POD_Rectangle(&SPA_RECTANGLE(width, height)),
		SPA_FORMAT_VIDEO_framerate, SPA_POD_Fraction(&SPA_FRACTION(0, 1)));
}

static void test_parse(void **state) {
	const struct {
		uint32_t format;
		enum pixel_order order;
	} ours[] = {
		{SPA_VIDEO_FORMAT_BGRx, PIXEL_ORDER_BGR},
		{SPA_VIDEO_FORMAT_BGRA, PIXEL_ORDER_BGR},
		{SPA_VIDEO_FORMAT_RGBx, PIXEL_ORDER_RGB},
		{SPA_VIDEO_FORMAT_RGBA, PIXEL_ORDER_RGB},
	};
	uint8_t memory[4096];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	enum pixel_order order = PIXEL_ORDER_BGR;
	uint32_t width = 0;
	uint32_t height = 0;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		const struct spa_pod *pod = fixed_format(&builder, ours[i].format, 1921, 1081);
		assert_true(format_parse(pod, &order, &width, &height));
		assert_int_equal(order, ours[i].order);
		assert_int_equal(width, 1921);
		assert_int_equal(height, 1081);
	}
	const struct spa_pod *bad[] = {
		fixed_format(&builder, SPA_VIDEO_FORMAT_NV12, 640, 480),
		fixed_format(&builder, SPA_VIDEO_FORMAT_xRGB, 640, 480),
		fixed_format(&builder, SPA_VIDEO_FORMAT_BGRx, 0, 480),
		fixed_format(&builder, SPA_VIDEO_FORMAT_BGRx, 640, 16385),
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(format_parse(bad[i], &order, &width, &height));
	}
}

static void test_params(void **state) {
	uint8_t memory[2048];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *params[FORMAT_PARAMS_MAX];
	uint32_t count = format_buffer_params(&builder, params);
	assert_in_range(count, 1, FORMAT_PARAMS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		assert_non_null(params[i]);
	}
	char text[100] = "";
	uint8_t more[1024];
	struct spa_pod_builder second = SPA_POD_BUILDER_INIT(more, sizeof(more));
	const struct spa_pod *offer = format_offer(&second, 30);
	assert_non_null(offer);
	assert_true(format_describe(offer, text, sizeof(text)));
	assert_string_equal(text, "BGRx, BGRA, RGBx, RGBA");
}

/* The limit is about twice max_fps. */
static void test_offer_limits_the_rate(void **state) {
	for (uint32_t fps = 1; fps <= 240; fps++) {
		uint8_t memory[1024];
		struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
		const struct spa_pod *offer = format_offer(&builder, fps);
		const struct spa_pod_prop *prop =
			spa_pod_find_prop(offer, NULL, SPA_FORMAT_VIDEO_maxFramerate);
		assert_non_null(prop);
		uint32_t count = 0;
		uint32_t choice = SPA_CHOICE_None;
		const struct spa_pod *values = spa_pod_get_values(&prop->value, &count, &choice);
		assert_int_equal(choice, SPA_CHOICE_Range);
		assert_int_equal(count, 3);
		assert_int_equal(values->type, SPA_TYPE_Fraction);
		/* Default, minimum, maximum. */
		const struct spa_fraction *rates = SPA_POD_BODY_CONST(values);
		assert_int_equal(rates[0].num, fps * 21);
		assert_int_equal(rates[0].denom, 10);
		assert_int_equal(rates[1].num, rates[1].denom);
		assert_memory_equal(&rates[2], &rates[0], sizeof(rates[0]));
	}
}

/* Renegotiates when the producer would send too few pictures, or far too many. */
static void test_needs_offer(void **state) {
	assert_false(format_needs_offer(30, 30));
	assert_true(format_needs_offer(5, 30));
	assert_true(format_needs_offer(30, 31));
	assert_false(format_needs_offer(30, 29));
	assert_false(format_needs_offer(30, 15));
	assert_true(format_needs_offer(30, 14));
	assert_true(format_needs_offer(240, 1));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_describe_dmabuf),
		cmocka_unit_test(test_describe_many),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_offer_limits_the_rate),
		cmocka_unit_test(test_needs_offer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
