# What with-desktop --shell sway preloads into the portal: tests/desktop/xdpw_shm.c says why.
XDPW_SHM := $(B)/release/tests/desktop/xdpw_shm.so
$(XDPW_SHM): tests/desktop/xdpw_shm.c $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(CC) $(BASE_CFLAGS) -O2 $(CFLAGS) -fPIC -shared -o $@ $<
.PHONY: sway-programs
sway-programs: programs $(XDPW_SHM)
