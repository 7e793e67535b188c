#include "rooms_dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	return fuzz_dialect(&dialect_sse, data, size);
}
