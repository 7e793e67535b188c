#include "workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "moving.h"
#include "page.h"

#define JUMP_STEPS 8
#define SLIDE_STEPS 45u
/* The number of the step: blocks of this side, in so many rows and columns; a bit each, the lowest
 * first, of which the upper four are a check. */
#define MARK_BLOCK 16u
#define MARK_COLUMNS 8u
#define MARK_ROWS 2u
#define MARK_BITS 12u
#define SLIDES 4u

struct workload;

struct workload_kind {
	const char *name;
	bool (*begin)(struct workload *workload);
	size_t (*step)(struct workload *workload, struct area *areas);
};

struct workload {
	const struct workload_kind *kind;
	uint32_t width;
	uint32_t height;
	double scale;
	double share; /* of the pixels, 0 to 1 */
	uint32_t index;
	cairo_surface_t *canvas;
	uint32_t *pixels; /* the canvas's */
	/* What the kinds keep. */
	cairo_surface_t *pages[SLIDES];
	struct moving moving;
	struct area place;
	uint32_t column;
	uint32_t line;
	uint32_t random;
};

static uint32_t *row_of(cairo_surface_t *surface, uint32_t y) {
	return (uint32_t *)(void *)(cairo_image_surface_get_data(surface) +
				    (size_t)y * (uint32_t)cairo_image_surface_get_stride(surface));
}

/* Copies from `page` at (x, y) to the canvas. */
static void blit(struct workload *workload, cairo_surface_t *page, uint32_t x, uint32_t y,
	const struct area *to) {
	for (int32_t row = 0; row < to->height; row++) {
		memcpy(workload->pixels + (size_t)(to->y + row) * workload->width + to->x,
			row_of(page, y + (uint32_t)row) + x, (size_t)to->width * 4);
	}
}

static struct area whole(const struct workload *workload) {
	return (struct area){0, 0, (int32_t)workload->width, (int32_t)workload->height};
}

static uint32_t scaled(const struct workload *workload, double value) {
	/* Even, so that what moves stays on the chroma's grid as windows of a desktop do. */
	return (uint32_t)(value * workload->scale) & ~1u;
}

static uint32_t mark_of(uint32_t step) {
	uint32_t number = step & ((1u << MARK_BITS) - 1);
	uint32_t check = (number ^ number >> 4 ^ number >> 8 ^ 5) & 15;
	return number | check << MARK_BITS;
}

static void draw_mark(struct workload *workload) {
	uint32_t mark = mark_of(workload->index);
	for (uint32_t y = 0; y < MARK_ROWS * MARK_BLOCK; y++) {
		for (uint32_t x = 0; x < MARK_COLUMNS * MARK_BLOCK; x++) {
			uint32_t bit = y / MARK_BLOCK * MARK_COLUMNS + x / MARK_BLOCK;
			workload->pixels[y * workload->width + x] =
				(mark >> bit & 1) != 0 ? 0xffffff : 0;
		}
	}
}

/* Adds the mark to what changed. */
static size_t add_mark(struct workload *workload, struct area *areas, size_t count) {
	const struct area mark = {0, 0, MARK_COLUMNS * MARK_BLOCK, MARK_ROWS * MARK_BLOCK};
	draw_mark(workload);
	bool covered = areas[0].x == 0 && areas[0].y == 0 && areas[0].width >= mark.width &&
		       areas[0].height >= mark.height;
	if (!covered) {
		areas[count++] = mark;
	}
	return count;
}

static bool begin_page(struct workload *workload, enum page_kind kind, uint32_t rows) {
	workload->pages[0] = page_create(kind, workload->width, rows, workload->scale, 1);
	struct area area = whole(workload);
	blit(workload, workload->pages[0], 0, 0, &area);
	return true;
}

static bool begin_still(struct workload *workload) {
	return begin_page(workload, PAGE_PROSE, workload->height);
}

static size_t step_still(struct workload *workload, struct area *areas) {
	(void)workload;
	(void)areas;
	return 0;
}

static bool begin_typing(struct workload *workload) {
	workload->line = 10;
	workload->column = 12;
	return begin_page(workload, PAGE_CODE, workload->height);
}

static void fill(cairo_t *context, const struct area *area, double grey) {
	cairo_rectangle(context, area->x, area->y, area->width, area->height);
	cairo_set_source_rgb(context, grey, grey, grey);
	cairo_fill(context);
}

static size_t step_typing(struct workload *workload, struct area *areas) {
	uint32_t advance;
	uint32_t line;
	page_measure_code(workload->scale, &advance, &line);
	/* Where the cursor was there is a character now, with the cursor behind it. */
	if (++workload->column >= workload->width / advance - 4) {
		workload->column = 12;
		workload->line = 2 + (workload->line + 7) % (workload->height / line - 6);
	}
	areas[0] = (struct area){(int32_t)(workload->column * advance),
		(int32_t)(workload->line * line), (int32_t)(2 * advance), (int32_t)line};
	cairo_t *context = cairo_create(workload->canvas);
	fill(context, &areas[0], 0.12);
	cairo_set_source_rgb(context, 0.83, 0.83, 0.83);
	char text[2] = {(char)('a' + page_random(&workload->random) % 26)};
	page_write_code(context, areas[0].x, areas[0].y, workload->scale, text);
	cairo_rectangle(context, areas[0].x + advance, areas[0].y, 2, line);
	cairo_fill(context);
	cairo_destroy(context);
	cairo_surface_flush(workload->canvas);
	return 1;
}

static bool begin_scroll(struct workload *workload) {
	return begin_page(workload, PAGE_PROSE, workload->height * 4);
}

/* Down and up again. */
static uint32_t scroll_offset(const struct workload *workload, uint32_t range) {
	uint32_t way = workload->index * scaled(workload, 24) % (2 * range);
	return way < range ? way : 2 * range - way;
}

static size_t scroll_to(struct workload *workload, struct area *areas, uint32_t offset) {
	int32_t bar = (int32_t)scaled(workload, 80);
	areas[0] = whole(workload);
	areas[0].y = bar;
	areas[0].height -= bar;
	blit(workload, workload->pages[0], 0, (uint32_t)bar + offset, &areas[0]);
	return 1;
}

static size_t step_scroll(struct workload *workload, struct area *areas) {
	return scroll_to(workload, areas, scroll_offset(workload, 3 * workload->height));
}

/* 25 steps down, 15 up again. */
static size_t step_turns(struct workload *workload, struct area *areas) {
	uint32_t round = workload->index / 40;
	uint32_t step = workload->index % 40;
	uint32_t steps = 10 * round + (step < 25 ? step : 50 - step);
	return scroll_to(workload, areas, steps * scaled(workload, 24) % (3 * workload->height));
}

static size_t step_jumps(struct workload *workload, struct area *areas) {
	uint32_t offset = workload->index / JUMP_STEPS * scaled(workload, 120);
	return workload->index % JUMP_STEPS == 0
		       ? scroll_to(workload, areas, offset % (3 * workload->height))
		       : 0;
}

static struct area drag_place(const struct workload *workload) {
	double angle = workload->index * 0.05;
	int32_t width = (int32_t)scaled(workload, 800);
	int32_t height = (int32_t)scaled(workload, 600);
	double x = (1 + sin(angle)) / 2 * ((int32_t)workload->width - width);
	double y = (1 + cos(angle * 0.7)) / 2 * ((int32_t)workload->height - height);
	return (struct area){(int32_t)x, (int32_t)y, width, height};
}

static bool begin_drag(struct workload *workload) {
	workload->pages[1] = page_create(
		PAGE_CODE, scaled(workload, 800), scaled(workload, 600), workload->scale, 2);
	begin_page(workload, PAGE_PROSE, workload->height);
	workload->place = drag_place(workload);
	blit(workload, workload->pages[1], 0, 0, &workload->place);
	return true;
}

static size_t step_drag(struct workload *workload, struct area *areas) {
	areas[0] = workload->place;
	areas[1] = drag_place(workload);
	blit(workload, workload->pages[0], (uint32_t)areas[0].x, (uint32_t)areas[0].y, &areas[0]);
	blit(workload, workload->pages[1], 0, 0, &areas[1]);
	workload->place = areas[1];
	return 2;
}

static bool begin_slides(struct workload *workload) {
	for (uint32_t i = 0; i < SLIDES; i++) {
		workload->pages[i] = page_create(
			PAGE_SLIDE, workload->width, workload->height, workload->scale, i + 1);
	}
	struct area area = whole(workload);
	blit(workload, workload->pages[0], 0, 0, &area);
	return true;
}

static size_t step_slides(struct workload *workload, struct area *areas) {
	if (workload->index % SLIDE_STEPS != 1) {
		return 0;
	}
	areas[0] = whole(workload);
	uint32_t slide = (workload->index / SLIDE_STEPS + 1) % SLIDES;
	blit(workload, workload->pages[slide], 0, 0, &areas[0]);
	return 1;
}

static size_t step_video(struct workload *workload, struct area *areas) {
	areas[0] = workload->place;
	moving_draw(&workload->moving, workload->index,
		workload->pixels + (size_t)areas[0].y * workload->width + areas[0].x,
		workload->width);
	return 1;
}

static bool begin_video(struct workload *workload, const struct area *place) {
	struct area areas[WORKLOAD_AREAS_MAX];
	workload->place = *place;
	if (!moving_init(&workload->moving, (uint32_t)place->width, (uint32_t)place->height)) {
		return false;
	}
	step_video(workload, areas);
	return true;
}

static bool begin_video_window(struct workload *workload) {
	begin_page(workload, PAGE_PROSE, workload->height);
	const struct area place = {(int32_t)scaled(workload, 500), (int32_t)scaled(workload, 300),
		(int32_t)scaled(workload, 854), (int32_t)scaled(workload, 480)};
	return begin_video(workload, &place);
}

static bool begin_video_full(struct workload *workload) {
	const struct area place = whole(workload);
	return begin_video(workload, &place);
}

static bool begin_share(struct workload *workload) {
	double side = sqrt(workload->share);
	workload->place = (struct area){0, 0, (int32_t)(workload->width * side + 0.5),
		(int32_t)(workload->height * side + 0.5)};
	return begin_page(workload, PAGE_PROSE, workload->height * 4);
}

static size_t step_share(struct workload *workload, struct area *areas) {
	areas[0] = workload->place;
	uint32_t offset = scroll_offset(workload, 3 * workload->height);
	blit(workload, workload->pages[0], 0, offset, &areas[0]);
	return 1;
}

static const struct workload_kind kinds[] = {
	{"still", begin_still, step_still},
	{"typing", begin_typing, step_typing},
	{"scroll", begin_scroll, step_scroll},
	{"scroll-turns", begin_scroll, step_turns},
	{"scroll-jumps", begin_scroll, step_jumps},
	{"drag", begin_drag, step_drag},
	{"slides", begin_slides, step_slides},
	{"video-window", begin_video_window, step_video},
	{"video-full", begin_video_full, step_video},
	{"share=", begin_share, step_share},
};

static const struct workload_kind *find_kind(const char *name, double *share) {
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].name);
		if (kinds[i].begin == begin_share && strncmp(name, kinds[i].name, length) == 0) {
			*share = strtod(name + length, NULL) / 100;
			return *share > 0 && *share <= 1 ? &kinds[i] : NULL;
		}
		if (strcmp(kinds[i].name, name) == 0) {
			return &kinds[i];
		}
	}
	return NULL;
}

struct workload *workload_create(const char *name, uint32_t width, uint32_t height) {
	double share = 0;
	const struct workload_kind *kind = find_kind(name, &share);
	struct workload *workload = kind != NULL ? calloc(1, sizeof(*workload)) : NULL;
	if (workload == NULL) {
		return NULL;
	}
	workload->kind = kind;
	workload->width = width;
	workload->height = height;
	workload->scale = height / 1080.0;
	workload->share = share;
	workload->canvas = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
	workload->pixels = row_of(workload->canvas, 0);
	/* Rows of 4-byte pixels have no padding in cairo. */
	if (workload->pixels == NULL || !kind->begin(workload)) {
		workload_destroy(workload);
		return NULL;
	}
	draw_mark(workload);
	cairo_surface_mark_dirty(workload->canvas);
	return workload;
}

void workload_destroy(struct workload *workload) {
	if (workload == NULL) {
		return;
	}
	for (uint32_t i = 0; i < SLIDES; i++) {
		cairo_surface_destroy(workload->pages[i]);
	}
	cairo_surface_destroy(workload->canvas);
	moving_finish(&workload->moving);
	free(workload);
}

const uint32_t *workload_pixels(const struct workload *workload) {
	return workload->pixels;
}

size_t workload_step(struct workload *workload, struct area areas[WORKLOAD_AREAS_MAX]) {
	workload->index++;
	size_t count = workload->kind->step(workload, areas);
	return count > 0 ? add_mark(workload, areas, count) : 0;
}

static uint32_t mean_of_block(const uint8_t *luma, int stride, uint32_t column, uint32_t row) {
	uint32_t sum = 0;
	for (uint32_t y = MARK_BLOCK / 4; y < MARK_BLOCK * 3 / 4; y++) {
		for (uint32_t x = MARK_BLOCK / 4; x < MARK_BLOCK * 3 / 4; x++) {
			sum += luma[(int)(row * MARK_BLOCK + y) * stride +
				    (int)(column * MARK_BLOCK + x)];
		}
	}
	return sum / (MARK_BLOCK * MARK_BLOCK / 4);
}

bool workload_read_step(const uint8_t *luma, int stride, uint32_t *step) {
	uint32_t mark = 0;
	for (uint32_t bit = 0; bit < MARK_COLUMNS * MARK_ROWS; bit++) {
		uint32_t mean = mean_of_block(luma, stride, bit % MARK_COLUMNS, bit / MARK_COLUMNS);
		mark |= (uint32_t)(mean > 125) << bit;
	}
	*step = mark & ((1u << MARK_BITS) - 1);
	return mark == mark_of(*step);
}
