# portlight-capture against a real PipeWire daemon and the fake producer.
CAPTURE_TEST := $(O)/tests/integration/capture_test
$(CAPTURE_TEST): tests/integration/capture_test.c tests/integration/capture_rig.c tests/integration/capture_rig.h \
		$(O)/libwire.a $(O)/libbase.a $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(CC) $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CFLAGS) -DRIG_HELPER='"$(BIN)/portlight-capture"' \
		-DRIG_PRODUCER='"$(O)/tests/fake/producer"' -DRIG_PIPEWIRE_CONF='"$(CURDIR)/tests/fake/pipewire.conf"' \
		-o $@ $(filter %.c,$^) $(VARIANT_LDFLAGS) $(O)/libwire.a $(O)/libbase.a \
		$$(pkg-config --libs cmocka vpx json-c)

.PHONY: integration-capture
integration-capture: $(CAPTURE_TEST) $(O)/tests/fake/producer $(BIN)/portlight-capture ## Test the capture helper against PipeWire
	$(CAPTURE_TEST)
