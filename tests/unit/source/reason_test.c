#include "unit.h"

#include <string.h>

#include "source/reason.h"

#define OFFERED "NV12, I420"

/* Errors of PipeWire's daemon, its client library and WirePlumber. */
static void test_stream(void **state) {
	const struct {
		const char *error;
		const char *code;
		const char *detail;
	} rows[] = {
		{"no more input formats", "format-unsupported",
			"no more input formats; offered: " OFFERED},
		{"error set output format: -22 (Invalid argument)", "format-unsupported",
			"error set output format: -22 (Invalid argument); offered: " OFFERED},
		{"no target node available", "source-gone", "no target node available"},
		{"defined target not found", "source-gone", "defined target not found"},
		/* The target exists, but no format matches. */
		{"no format for target", "format-unsupported",
			"no format for target; offered: " OFFERED},
		{"connection error", "pipewire-lost", "connection error"},
		{"no node available", "pipewire-lost", "no node available"},
		{"", "pipewire-lost", ""},
		{NULL, "pipewire-lost", "unknown stream error"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char detail[128] = "before";
		enum error_code code =
			reason_stream(rows[i].error, OFFERED, detail, sizeof(detail));
		assert_string_equal(error_code_string(code), rows[i].code);
		assert_string_equal(detail, rows[i].detail);
	}
}

/* A long text is truncated, never written past the end. */
static void test_stream_long(void **state) {
	char detail[24];
	memset(detail, '#', sizeof(detail));
	assert_int_equal(reason_stream("no more input formats", OFFERED, detail, 20),
		ERROR_FORMAT_UNSUPPORTED);
	assert_string_equal(detail, "no more input forma");
	assert_memory_equal(detail + 20, "####", 4);
	memset(detail, '#', sizeof(detail));
	assert_int_equal(
		reason_stream("a connection error", OFFERED, detail, 13), ERROR_PIPEWIRE_LOST);
	assert_string_equal(detail, "a connection");
	assert_memory_equal(detail + 13, "####", 4);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_stream_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
