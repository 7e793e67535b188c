/*
 * The formats that we take and what we ask of a stream, as SPA parameters; and what others offer,
 * in words. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture/convert.h"

struct spa_pod;
struct spa_pod_builder;

#define FORMAT_SIDE_MAX 16384u
#define FORMAT_PARAMS_MAX 8u

/* The one format offer: the four packed formats in shared memory, of any size. A producer that
 * heeds rates sends about twice max_fps at most. */
const struct spa_pod *format_offer(struct spa_pod_builder *builder, uint32_t max_fps);

/* True when an offer for `offered_fps` does not do for `max_fps`: it lets too few pictures through,
 * or more than twice what it should. */
bool format_needs_offer(uint32_t offered_fps, uint32_t max_fps);

/* What follows a negotiated format: buffers and metadata. Returns how many were put in `params`
 * (room for FORMAT_PARAMS_MAX). */
uint32_t format_buffer_params(struct spa_pod_builder *builder, const struct spa_pod **params);

/* Reads a negotiated format. False when it is none of ours. */
bool format_parse(
	const struct spa_pod *format, enum pixel_order *order, uint32_t *width, uint32_t *height);

/*
 * Appends to `text` (`size` bytes, a C string) what the EnumFormat parameter `offer` offers, as in
 * "NV12 or I420". True when it has a format that we take in shared memory.
 */
bool format_describe(const struct spa_pod *offer, char *text, size_t size);
