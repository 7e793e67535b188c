/* Any pod whose outer size is right, as PipeWire's demarshaller guarantees: parsing and describing
 * its formats never reads outside it. */
#include <stdlib.h>
#include <string.h>

#include "source/format.h"
#include "source/pw_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < sizeof(struct spa_pod)) {
		return 0;
	}
	struct spa_pod *pod = malloc(size);
	if (pod == NULL) {
		return 0;
	}
	memcpy(pod, data, size);
	pod->size = (uint32_t)(size - sizeof(*pod));
	enum pixel_order order;
	uint32_t width = 0;
	uint32_t height = 0;
	if (format_parse(pod, &order, &width, &height) &&
		(width < 1 || width > FORMAT_SIDE_MAX || height < 1 || height > FORMAT_SIDE_MAX)) {
		abort();
	}
	char text[384] = "";
	(void)format_describe(pod, text, sizeof(text));
	if (memchr(text, '\0', sizeof(text)) == NULL) {
		abort();
	}
	free(pod);
	return 0;
}
