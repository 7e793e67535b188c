# The fake PipeWire screen: tests/fake/producer.c says what it can do.
FAKE_PRODUCER := $(O)/tests/fake/producer
$(FAKE_PRODUCER): $(wildcard tests/fake/*.c tests/fake/*.h) host/source/pw_api.h $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(CC) $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CFLAGS) $$($(PKG_CONFIG) --cflags libpipewire-0.3) \
		-o $@ $(sort $(filter %.c,$^)) $(VARIANT_LDFLAGS) $$($(PKG_CONFIG) --libs libpipewire-0.3)
-include $(wildcard $(O)/tests/fake/*.d)
