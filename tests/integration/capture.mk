# portlight-capture against a real PipeWire daemon and the fake producer.
CAPTURE_TESTS := $(O)/tests/integration/capture_test $(O)/tests/integration/capture_life_test $(O)/tests/integration/capture_engine_test $(O)/tests/integration/capture_hostile_test
$(CAPTURE_TESTS): $(O)/tests/integration/%: tests/integration/%.c tests/integration/capture_rig.c \
		tests/integration/capture_helper.c tests/integration/capture_rig.h $(O)/libwire.a $(O)/libbase.a $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(CC) $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CFLAGS) -DRIG_HELPER='"$(BIN)/portlight-capture"' \
		-DRIG_PRODUCER='"$(O)/tests/fake/producer"' -DRIG_PIPEWIRE_CONF='"$(CURDIR)/tests/fake/pipewire.conf"' \
		-o $@ $(filter %.c,$^) $(VARIANT_LDFLAGS) $(O)/libwire.a $(O)/libbase.a \
		$$(pkg-config --libs cmocka vpx json-c)

.PHONY: capture-programs integration-capture
capture-programs: $(CAPTURE_TESTS) $(O)/tests/fake/producer $(BIN)/portlight-capture
integration-capture: $(CAPTURE_TESTS) $(O)/tests/fake/producer $(BIN)/portlight-capture ## Test the capture helper against PipeWire
	@set -e; for t in $(CAPTURE_TESTS); do echo "== $$t"; $$t; done
