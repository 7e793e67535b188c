# The benchmark: Portlight's engine beside its competitors, on the same frames, in one run.
BENCH_BIN := $(O)/tests/bench
BENCH_PKG := libpipewire-0.3 vpx pangocairo gstreamer-app-1.0 json-c
BENCH_OBJ = $(patsubst %.c,$(O)/%.o,$(wildcard tests/bench/*.c))
$(O)/tests/bench/%.o: tests/bench/%.c $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(CC) $(BASE_CFLAGS) -Itests/bench $(VARIANT_CFLAGS) $(CFLAGS) \
		$$($(PKG_CONFIG) --cflags $(BENCH_PKG) | sed 's/-I/-isystem /g') -c -o $@ $<
-include $(wildcard $(O)/tests/bench/*.d)

bench_objects = $(1:%=$(O)/tests/bench/%.o)
BENCH_DRAWING := workload page moving
$(BENCH_BIN)/bench-producer: $(call bench_objects,producer $(BENCH_DRAWING))
$(BENCH_BIN)/bench-vpx: $(call bench_objects,engine_vpx sender) $(O)/libwire.a $(O)/libbase.a
$(BENCH_BIN)/bench-gst: $(call bench_objects,engine_gst sender) $(O)/libwire.a $(O)/libbase.a
$(BENCH_BIN)/bench-cell: $(call bench_objects,cell cell_engines cell_result cell_serve process quality $(BENCH_DRAWING)) $(O)/libwire.a $(O)/libbase.a
$(BENCH_BIN)/bench-producer $(BENCH_BIN)/bench-vpx $(BENCH_BIN)/bench-gst $(BENCH_BIN)/bench-cell:
	$(call say,LINK,$@)
	$(CC) $(VARIANT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS_$(@F)) -lm
$(BENCH_BIN)/bench-probe.so: tests/bench/probe.c tests/bench/probe.h host/source/pw_api.h $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(CC) $(BASE_CFLAGS) -Itests/bench -O2 -fPIC -shared $(CFLAGS) $$($(PKG_CONFIG) --cflags libpipewire-0.3) -o $@ $<
BENCH_LIBS_bench-producer = $$($(PKG_CONFIG) --libs pangocairo libpipewire-0.3)
BENCH_LIBS_bench-vpx = $$($(PKG_CONFIG) --libs vpx) -lyuv
# PipeWire is here for the probe: what only a plugin loads it would not find.
BENCH_LIBS_bench-gst = $$($(PKG_CONFIG) --libs gstreamer-app-1.0) -Wl,--no-as-needed $$($(PKG_CONFIG) --libs libpipewire-0.3)
BENCH_LIBS_bench-cell = $$($(PKG_CONFIG) --libs vpx pangocairo json-c) -lyuv
$(BENCH_BIN)/workload_test: $(call bench_objects,workload_test $(BENCH_DRAWING))
	$(call say,TEST,$@)
	$(CC) $(VARIANT_LDFLAGS) $(LDFLAGS) -o $@ $^ $$($(PKG_CONFIG) --libs pangocairo cmocka) -lm
UNIT_TESTS += $(BENCH_BIN)/workload_test
BENCH_PROGRAMS := $(addprefix $(BENCH_BIN)/,bench-producer bench-vpx bench-gst bench-cell bench-probe.so)

.PHONY: bench bench-quick bench-programs bench-times
bench-programs: programs $(BENCH_PROGRAMS)
bench: ## Measure Portlight beside its competitors (takes up to two hours)
	packaging/install-deps --npm build desktop run chromium bench
	$(MAKE) --no-print-directory bench-programs extension
	node tests/bench/bench.js
bench-quick: ## The same table in under five minutes, less exact
	packaging/install-deps --npm build desktop run chromium bench
	$(MAKE) --no-print-directory bench-programs extension
	node tests/bench/bench.js --quick
bench-times: ## Judge what the tests of the last `make check` told of time
	node tests/bench/times.js
