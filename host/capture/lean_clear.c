#include "capture/lean_clear.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/sanitizer.h"

#if defined(__GLIBC__) && !WITH_ADDRESS_SANITIZER

#define LEAN_MIN ((size_t)1024 * 1024)

/* The C library's own one, under the name that fortified programs call. */
void *__memset_chk(void *at, int value, size_t length, size_t room);
void *memset(void *at, int value, size_t length);

static _Thread_local bool lean;

void lean_clear(bool on) {
	lean = on;
}

/* Stands in for the C library's in the whole program, the libraries included. */
void *memset(void *at, int value, size_t length) {
	if (!lean || value != 0 || length < LEAN_MIN) {
		return __memset_chk(at, value, length, SIZE_MAX);
	}
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uint8_t *begin = at;
	uint8_t *end = begin + length;
	uint8_t *first = begin + (page - (uintptr_t)begin % page) % page;
	uint8_t *last = end - (uintptr_t)end % page;
	if (madvise(first, (size_t)(last - first), MADV_DONTNEED) != 0) {
		return __memset_chk(at, value, length, SIZE_MAX);
	}
	__memset_chk(begin, 0, (size_t)(first - begin), SIZE_MAX);
	__memset_chk(last, 0, (size_t)(end - last), SIZE_MAX);
	return at;
}

#else

void lean_clear(bool on) {
	(void)on;
}

#endif
