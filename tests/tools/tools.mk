# Tools of the tests: webm-from-dump turns the bytes that portlight-host sent into a WebM file.
TOOLS_PKG := libavformat libavcodec libavutil json-c glib-2.0
$(B)/tests/webm-from-dump: tests/tools/webm-from-dump.c $(O)/host/record/webm.o $(O)/libwire.a $(O)/libbase.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(CC) $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CFLAGS) $$($(PKG_CONFIG) --cflags $(TOOLS_PKG)) -o $@ $(filter %.c %.o %.a,$^) \
		$(VARIANT_LDFLAGS) $(LDFLAGS) $$($(PKG_CONFIG) --libs $(TOOLS_PKG))
-include $(B)/tests/webm-from-dump.d

.PHONY: tools
tools: $(B)/tests/webm-from-dump
