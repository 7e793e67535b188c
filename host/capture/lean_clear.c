#include "capture/lean_clear.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/sanitizer.h"

/* What of a block is whole pages; nothing when `*end` is not past `*begin`. */
static void whole_pages(uint8_t **begin, uint8_t **end) {
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	*begin += (page - (uintptr_t)*begin % page) % page;
	*end -= (uintptr_t)*end % page;
}

void lean_drop(void *at, size_t length) {
	uint8_t *begin = at;
	uint8_t *end = begin + length;
	whole_pages(&begin, &end);
	if (end > begin) {
		(void)madvise(begin, (size_t)(end - begin), MADV_DONTNEED);
	}
}

#if defined(__GLIBC__) && !WITH_ADDRESS_SANITIZER

#define LEAN_MIN ((size_t)64 * 1024)
#define GREY 128
#define GREY_MIN ((size_t)1024 * 1024)

/* The C library's own one, under the name that fortified programs call. */
void *__memset_chk(void *at, int value, size_t length, size_t room);
void *memset(void *at, int value, size_t length);

/* No bound. SIZE_MAX itself would be none as well, but clang makes a plain call of memset() of
 * that: of the one below, which would then call itself. */
#define ANY_ROOM (SIZE_MAX - 1)

static _Thread_local bool lean;

void lean_clear(bool on) {
	lean = on;
}

static void *clear(void *at, size_t length) {
	uint8_t *begin = at;
	uint8_t *end = begin + length;
	uint8_t *first = begin;
	uint8_t *last = end;
	whole_pages(&first, &last);
	if (madvise(first, (size_t)(last - first), MADV_DONTNEED) != 0) {
		return __memset_chk(at, 0, length, ANY_ROOM);
	}
	__memset_chk(begin, 0, (size_t)(first - begin), ANY_ROOM);
	__memset_chk(last, 0, (size_t)(end - last), ANY_ROOM);
	return at;
}

/* Stands in for the C library's in the whole program, the libraries included. */
void *memset(void *at, int value, size_t length) {
	if (lean && value == 0 && length >= LEAN_MIN) {
		return clear(at, length);
	}
	if (lean && value == GREY && length >= GREY_MIN) {
		return at;
	}
	return __memset_chk(at, value, length, ANY_ROOM);
}

#else

void lean_clear(bool on) {
	(void)on;
}

#endif
