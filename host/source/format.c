#include "source/format.h"

#include <stdio.h>
#include <string.h>

#include "picture/cursor.h"
#include "source/pw_api.h"

/* One is held, one on its way back and one with the producer; each takes 8 MiB at 1920x1080. */
#define BUFFERS_WANTED 3
#define BUFFERS_MIN 2
#define BUFFERS_MAX 4
/* Cursor metadata is always asked for: only with it do producers mark cursor-only buffers. */
#define CURSOR_SIDE 64
#define CURSOR_META_SIZE(side)                                                                     \
	((int)(sizeof(struct spa_meta_cursor) + sizeof(struct spa_meta_bitmap) +                   \
		4 * (side) * (side)))

const struct spa_pod *format_offer(struct spa_pod_builder *builder, uint32_t max_fps) {
	const struct spa_rectangle least = {1, 1};
	const struct spa_rectangle usual = {1920, 1080};
	const struct spa_rectangle most = {FORMAT_SIDE_MAX, FORMAT_SIDE_MAX};
	const struct spa_fraction variable = {0, 1};
	const struct spa_fraction fastest = {1000, 1};
	const struct spa_fraction slow = {1, 1};
	/* Compositors drop pictures that come a moment too early: with max_fps as the limit, a
	 * screen that paints unevenly gives a tenth fewer. So the limit is higher, and the
	 * pipeline, where the newest picture waits for its turn, enforces max_fps. */
	const struct spa_fraction limit = {max_fps * 21, 10};
	return spa_pod_builder_add_object(builder, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat,
		SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
		SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
		SPA_POD_CHOICE_ENUM_Id(5, SPA_VIDEO_FORMAT_BGRx, SPA_VIDEO_FORMAT_BGRx,
			SPA_VIDEO_FORMAT_BGRA, SPA_VIDEO_FORMAT_RGBx, SPA_VIDEO_FORMAT_RGBA),
		SPA_FORMAT_VIDEO_size, SPA_POD_CHOICE_RANGE_Rectangle(&usual, &least, &most),
		SPA_FORMAT_VIDEO_framerate,
		SPA_POD_CHOICE_RANGE_Fraction(&variable, &variable, &fastest),
		SPA_FORMAT_VIDEO_maxFramerate,
		SPA_POD_CHOICE_RANGE_Fraction(&limit, &slow, &limit));
}

bool format_needs_offer(uint32_t offered_fps, uint32_t max_fps) {
	return offered_fps < max_fps || offered_fps > 2 * max_fps;
}

static const struct spa_pod *meta_param(
	struct spa_pod_builder *builder, uint32_t type, size_t size) {
	return spa_pod_builder_add_object(builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta,
		SPA_PARAM_META_type, SPA_POD_Id(type), SPA_PARAM_META_size, SPA_POD_Int((int)size));
}

static const struct spa_pod *meta_param_range(
	struct spa_pod_builder *builder, uint32_t type, int wanted, int least, int most) {
	return spa_pod_builder_add_object(builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta,
		SPA_PARAM_META_type, SPA_POD_Id(type), SPA_PARAM_META_size,
		SPA_POD_CHOICE_RANGE_Int(wanted, least, most));
}

uint32_t format_buffer_params(struct spa_pod_builder *builder, const struct spa_pod **params) {
	const int region = (int)sizeof(struct spa_meta_region);
	uint32_t count = 0;
	params[count++] = spa_pod_builder_add_object(builder, SPA_TYPE_OBJECT_ParamBuffers,
		SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
		SPA_POD_CHOICE_RANGE_Int(BUFFERS_WANTED, BUFFERS_MIN, BUFFERS_MAX),
		SPA_PARAM_BUFFERS_dataType, SPA_POD_CHOICE_FLAGS_Int(1 << SPA_DATA_MemFd));
	params[count++] = meta_param(builder, SPA_META_Header, sizeof(struct spa_meta_header));
	params[count++] = meta_param(builder, SPA_META_VideoCrop, sizeof(struct spa_meta_region));
	params[count++] = meta_param(
		builder, SPA_META_VideoTransform, sizeof(struct spa_meta_videotransform));
	params[count++] = meta_param_range(builder, SPA_META_VideoDamage,
		region * (int)DAMAGE_RECTS_MAX, region, region * (int)DAMAGE_RECTS_MAX);
	params[count++] = meta_param_range(builder, SPA_META_Cursor, CURSOR_META_SIZE(CURSOR_SIDE),
		CURSOR_META_SIZE(1), CURSOR_META_SIZE(CURSOR_SIDE_MAX));
	return count;
}

static bool find_order(uint32_t format, enum pixel_order *order) {
	switch (format) {
	case SPA_VIDEO_FORMAT_BGRx:
	case SPA_VIDEO_FORMAT_BGRA:
		*order = PIXEL_ORDER_BGR;
		return true;
	case SPA_VIDEO_FORMAT_RGBx:
	case SPA_VIDEO_FORMAT_RGBA:
		*order = PIXEL_ORDER_RGB;
		return true;
	default:
		return false;
	}
}

bool format_parse(
	const struct spa_pod *format, enum pixel_order *order, uint32_t *width, uint32_t *height) {
	struct spa_video_info info = {0};
	if (spa_format_video_parse(format, &info) < 0 ||
		info.media_subtype != SPA_MEDIA_SUBTYPE_raw ||
		!find_order(info.info.raw.format, order)) {
		return false;
	}
	*width = info.info.raw.size.width;
	*height = info.info.raw.size.height;
	return *width >= 1 && *width <= FORMAT_SIDE_MAX && *height >= 1 &&
	       *height <= FORMAT_SIDE_MAX;
}

static const char *short_name(const struct spa_type_info *types, uint32_t id) {
	const char *name = spa_debug_type_find_short_name(types, id);
	return name != NULL ? name : "unknown";
}

static void append(char *text, size_t size, const char *more) {
	size_t length = strlen(text);
	snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", more);
}

bool format_describe(const struct spa_pod *offer, char *text, size_t size) {
	uint32_t type = 0;
	uint32_t subtype = 0;
	if (spa_format_parse(offer, &type, &subtype) < 0) {
		return false;
	}
	if (type != SPA_MEDIA_TYPE_video || subtype != SPA_MEDIA_SUBTYPE_raw) {
		char name[64];
		snprintf(name, sizeof(name), "%s/%s", short_name(spa_type_media_type, type),
			short_name(spa_type_media_subtype, subtype));
		append(text, size, name);
		return false;
	}
	const struct spa_pod_prop *formats =
		spa_pod_find_prop(offer, NULL, SPA_FORMAT_VIDEO_format);
	const struct spa_pod_prop *modifiers =
		spa_pod_find_prop(offer, NULL, SPA_FORMAT_VIDEO_modifier);
	bool dmabuf_only =
		modifiers != NULL && (modifiers->flags & SPA_POD_PROP_FLAG_MANDATORY) != 0;
	if (formats == NULL) {
		append(text, size, "any raw video");
		return !dmabuf_only;
	}
	/* spa_pod_get_values() trusts the producer's sizes. */
	if (formats->value.type == SPA_TYPE_Choice &&
		formats->value.size < sizeof(struct spa_pod_choice_body)) {
		return false;
	}
	uint32_t count = 0;
	uint32_t choice = SPA_CHOICE_None;
	const struct spa_pod *values = spa_pod_get_values(&formats->value, &count, &choice);
	if (values->type != SPA_TYPE_Id || values->size != sizeof(uint32_t)) {
		return false;
	}
	const uint32_t *ids = SPA_POD_BODY_CONST(values);
	bool fits = false;
	/* A choice starts with its default, which is repeated among the alternatives. */
	for (uint32_t i = choice == SPA_CHOICE_Enum && count > 1 ? 1 : 0; i < count; i++) {
		enum pixel_order order;
		char name[64];
		snprintf(name, sizeof(name), "%s%s", short_name(spa_type_video_format, ids[i]),
			dmabuf_only ? " as DMA-BUF only" : "");
		append(text, size, name);
		fits = fits || (!dmabuf_only && find_order(ids[i], &order));
	}
	return fits;
}
