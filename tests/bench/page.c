#include "page.h"

#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdio.h>

static const char *const words[] = {"portal", "screen", "stream", "buffer", "frame", "damage",
	"region", "of", "the", "a", "and", "window", "monitor", "when", "page", "asks", "for", "is",
	"encoded", "pixels", "in", "time", "desktop", "compositor", "sends", "only", "what",
	"changed", "with", "session", "track", "browser", "it", "text", "reads", "well"};
#define WORDS (sizeof(words) / sizeof(words[0]))

uint32_t page_random(uint32_t *state) {
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static PangoLayout *make_layout(cairo_t *context, const char *family, double pixels) {
	PangoLayout *layout = pango_cairo_create_layout(context);
	PangoFontDescription *font = pango_font_description_from_string(family);
	pango_font_description_set_absolute_size(font, pixels * PANGO_SCALE);
	pango_layout_set_font_description(layout, font);
	pango_font_description_free(font);
	return layout;
}

static void show(cairo_t *context, PangoLayout *layout, double x, double y, const char *text) {
	cairo_move_to(context, x, y);
	pango_layout_set_text(layout, text, -1);
	pango_cairo_show_layout(context, layout);
}

static void make_line(char *line, size_t size, uint32_t count, uint32_t *state) {
	size_t used = 0;
	line[0] = '\0';
	for (uint32_t i = 0; i < count && used + 16 < size; i++) {
		used += (size_t)snprintf(line + used, size - used, "%s%s", i > 0 ? " " : "",
			words[page_random(state) % WORDS]);
	}
}

static void draw_prose(
	cairo_t *context, uint32_t width, uint32_t height, double scale, uint32_t *state) {
	cairo_set_source_rgb(context, 1, 1, 1);
	cairo_paint(context);
	PangoLayout *text = make_layout(context, "DejaVu Sans", 15 * scale);
	PangoLayout *title = make_layout(context, "DejaVu Serif Bold", 26 * scale);
	pango_layout_set_width(text, (int)((width - 160 * scale) * PANGO_SCALE));
	pango_layout_set_ellipsize(text, PANGO_ELLIPSIZE_END);
	double y = 24 * scale;
	for (uint32_t line = 0; y < height; line++) {
		char words_of_line[512];
		bool heading = line % 14 == 0;
		make_line(words_of_line, sizeof(words_of_line), heading ? 5 : 40, state);
		bool link = page_random(state) % 9 == 0;
		cairo_set_source_rgb(
			context, link ? 0.1 : 0.13, link ? 0.25 : 0.13, link ? 0.8 : 0.15);
		show(context, heading ? title : text, 80 * scale, y, words_of_line);
		y += (heading ? 44 : 22) * scale;
	}
	g_object_unref(title);
	g_object_unref(text);
}

static void draw_code(
	cairo_t *context, uint32_t height, double scale, uint32_t columns, uint32_t *state) {
	static const double colours[][3] = {
		{0.83, 0.83, 0.83}, {0.34, 0.61, 0.84}, {0.81, 0.57, 0.47}, {0.42, 0.6, 0.33}};
	cairo_set_source_rgb(context, 0.12, 0.12, 0.12);
	cairo_paint(context);
	uint32_t advance;
	uint32_t line_height;
	page_measure_code(scale, &advance, &line_height);
	PangoLayout *layout = make_layout(context, "DejaVu Sans Mono", 15 * scale);
	for (uint32_t line = 0; line * line_height < height; line++) {
		char text[16];
		snprintf(text, sizeof(text), "%5u", line + 1);
		cairo_set_source_rgb(context, 0.5, 0.5, 0.5);
		show(context, layout, 0, line * line_height, text);
		uint32_t column = 7 + 4 * (page_random(state) % 4);
		uint32_t end = page_random(state) % 6 == 0 ? 0 : page_random(state) % columns;
		while (column < end) {
			const char *word = words[page_random(state) % WORDS];
			const double *colour = colours[page_random(state) % 4];
			cairo_set_source_rgb(context, colour[0], colour[1], colour[2]);
			show(context, layout, column * advance, line * line_height, word);
			column += (uint32_t)g_utf8_strlen(word, -1) + 1;
		}
	}
	g_object_unref(layout);
}

static void draw_slide(
	cairo_t *context, uint32_t width, uint32_t height, double scale, uint32_t *state) {
	cairo_pattern_t *sky = cairo_pattern_create_linear(0, 0, 0, height);
	double tint = page_random(state) % 100 / 300.0;
	cairo_pattern_add_color_stop_rgb(sky, 0, 0.95 - tint, 0.97, 1);
	cairo_pattern_add_color_stop_rgb(sky, 1, 0.75, 0.85 - tint, 0.95);
	cairo_set_source(context, sky);
	cairo_paint(context);
	cairo_pattern_destroy(sky);
	PangoLayout *title = make_layout(context, "DejaVu Serif Bold", 64 * scale);
	PangoLayout *text = make_layout(context, "DejaVu Sans", 34 * scale);
	char line[256];
	cairo_set_source_rgb(context, 0.1, 0.12, 0.3);
	make_line(line, sizeof(line), 4, state);
	show(context, title, 100 * scale, 80 * scale, line);
	for (uint32_t i = 0; i < 9; i++) {
		make_line(line, sizeof(line), 7, state);
		show(context, text, 140 * scale, (240 + 80 * i) * scale, line);
		double bar = page_random(state) % 500 * scale;
		cairo_rectangle(
			context, width - 80 * scale - bar, (250 + 80 * i) * scale, bar, 30 * scale);
		cairo_fill(context);
	}
	g_object_unref(text);
	g_object_unref(title);
}

cairo_surface_t *page_create(
	enum page_kind kind, uint32_t width, uint32_t height, double scale, uint32_t seed) {
	cairo_surface_t *surface =
		cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
	cairo_t *context = cairo_create(surface);
	uint32_t state = seed;
	uint32_t advance;
	uint32_t line_height;
	switch (kind) {
	case PAGE_PROSE:
		draw_prose(context, width, height, scale, &state);
		break;
	case PAGE_CODE:
		page_measure_code(scale, &advance, &line_height);
		draw_code(context, height, scale, width / advance * 2 / 3, &state);
		break;
	case PAGE_SLIDE:
		draw_slide(context, width, height, scale, &state);
		break;
	}
	cairo_destroy(context);
	cairo_surface_flush(surface);
	return surface;
}

void page_write_code(cairo_t *context, double x, double y, double scale, const char *text) {
	PangoLayout *layout = make_layout(context, "DejaVu Sans Mono", 15 * scale);
	show(context, layout, x, y, text);
	g_object_unref(layout);
}

void page_measure_code(double scale, uint32_t *width, uint32_t *height) {
	*width = (uint32_t)(9 * scale + 0.5);
	*height = (uint32_t)(20 * scale + 0.5);
}
