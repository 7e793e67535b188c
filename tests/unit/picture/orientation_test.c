#include "unit.h"

#include <stdlib.h>

#include "picture/orientation.h"

/* Where an upright pixel lies in the buffer, as the contract says it: mirrored left to right, then
 * rotated counter-clockwise. */
static void into_buffer(
	enum orientation orientation, int32_t width, int32_t height, int32_t *x, int32_t *y) {
	if (orientation >= ORIENTATION_MIRRORED) {
		*x = width - 1 - *x;
	}
	for (int turns = orientation % 4; turns > 0; turns--) {
		int32_t turned = *y;
		*y = width - 1 - *x;
		*x = turned;
		int32_t side = width;
		width = height;
		height = side;
	}
}

static void test_all_eight(void **state) {
	(void)state;
	for (int n = 0; n < 8; n++) {
		enum orientation orientation = (enum orientation)n;
		for (int chroma = 0; chroma < 2; chroma++) {
			struct picture from = {0};
			struct picture to = {0};
			assert_true(picture_resize(&from, 70, 38, (enum packet_chroma)chroma));
			uint32_t width = 70;
			uint32_t height = 38;
			orientation_size(orientation, &width, &height);
			assert_true(picture_resize(&to, width, height, (enum packet_chroma)chroma));
			for (int plane = 0; plane < 3; plane++) {
				uint32_t shift = picture_shift(&from, plane);
				for (int32_t y = 0; y < 38 >> shift; y++) {
					for (int32_t x = 0; x < 70 >> shift; x++) {
						from.planes[plane][y * from.strides[plane] + x] =
							(uint8_t)rand();
					}
				}
			}
			/* In pieces, like damage. */
			for (int32_t x = 0; x < 70; x += 14) {
				struct damage damage = {0};
				damage_add(&damage, &(struct rect){x, 0, 14, 17});
				orientation_apply(orientation, &from, &to, &damage);
				assert_int_equal(damage.count, 1);
				damage_clear(&damage);
				damage_add(&damage, &(struct rect){x, 17, 14, 21});
				orientation_apply(orientation, &from, &to, &damage);
			}
			for (int plane = 0; plane < 3; plane++) {
				uint32_t shift = picture_shift(&to, plane);
				int32_t wide = (int32_t)(width >> shift);
				int32_t high = (int32_t)(height >> shift);
				for (int32_t i = 0; i < wide * high; i++) {
					int32_t x = i % wide;
					int32_t y = i / wide;
					uint8_t got = to.planes[plane][y * to.strides[plane] + x];
					into_buffer(orientation, wide, high, &x, &y);
					assert_int_equal(got,
						from.planes[plane][y * from.strides[plane] + x]);
				}
			}
			picture_finish(&from);
			picture_finish(&to);
		}
	}
}

/* A rectangle comes back from the buffer unchanged. */
static void test_rectangles_return(void **state) {
	(void)state;
	for (int n = 0; n < 8; n++) {
		enum orientation orientation = (enum orientation)n;
		uint32_t width = 71;
		uint32_t height = 38;
		const struct rect upright = {7, 5, 11, 3};
		struct rect buffer =
			orientation_rect(orientation_inverse(orientation), width, height, &upright);
		orientation_size(orientation, &width, &height);
		struct rect again = orientation_rect(orientation, width, height, &buffer);
		assert_memory_equal(&again, &upright, sizeof(again));
		int32_t x = upright.x;
		int32_t y = upright.y;
		into_buffer(orientation, 71, 38, &x, &y);
		assert_true(rect_contains(&buffer, &(struct rect){x, y, 1, 1}));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_eight), cmocka_unit_test(test_rectangles_return)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
