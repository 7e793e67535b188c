# portlight-capture against a real PipeWire daemon and the fake producer.
CAPTURE_TESTS := $(patsubst %.c,$(O)/%,$(wildcard tests/integration/capture_*test.c))
CAPTURE_RIG := $(addprefix tests/integration/,capture_rig.c capture_helper.c capture_rig.h) tests/unit/unit.h
$(CAPTURE_TESTS): $(O)/tests/integration/%: tests/integration/%.c $(CAPTURE_RIG) $(O)/libwire.a $(O)/libbase.a $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(CC) $(BASE_CFLAGS) -Itests/unit $(VARIANT_CFLAGS) $(CFLAGS) -DRIG_HELPER='"$(BIN)/portlight-capture"' \
		-DRIG_PRODUCER='"$(O)/tests/fake/producer"' -DRIG_PIPEWIRE_CONF='"$(CURDIR)/tests/fake/pipewire.conf"' \
		-o $@ $(filter %.c,$^) $(VARIANT_LDFLAGS) $(O)/libwire.a $(O)/libbase.a \
		$$($(PKG_CONFIG) --libs cmocka vpx json-c)

# All at once, since each mostly waits; the output of each comes as a whole when it is done.
CAPTURE_RUNS := $(CAPTURE_TESTS:%=run-%)
# A helper that was taken over.
$(O)/tests/integration/taker: tests/integration/taker.c host/source/rights.c host/source/format.c host/source/pw_api.h $(O)/libbase.a
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(CC) $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CFLAGS) $$($(PKG_CONFIG) --cflags libpipewire-0.3 | sed 's/-I/-isystem /g') \
		-o $@ $(filter %.c,$^) $(VARIANT_LDFLAGS) $(O)/libbase.a $$($(PKG_CONFIG) --libs libpipewire-0.3)
.PHONY: capture-parts capture-programs integration-capture $(CAPTURE_RUNS)
# What tests with a desktop use too.
capture-parts: $(O)/tests/fake/producer $(O)/tests/integration/taker
capture-programs: $(CAPTURE_TESTS) capture-parts $(BIN)/portlight-capture
integration-capture: capture-programs ## Test the capture helper against PipeWire (V=asan for the sanitizers)
	MAKEFLAGS= $(MAKE) --no-print-directory -k -j4 --output-sync=target V=$(V) $(CAPTURE_RUNS)
$(CAPTURE_RUNS): run-%:
	@echo "== $*"; $*
