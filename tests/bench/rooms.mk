# The rooms' benchmark: portlight-rooms beside ws on Node and a bare relay on epoll, under the same load, in one run.
ROOMS_BENCH_BIN := $(O)/tests/bench/rooms
ROOMS_BENCH_OBJ = $(patsubst %.c,$(O)/%.o,$(wildcard tests/bench/rooms/*.c))
$(ROOMS_BENCH_BIN)/%.o: tests/bench/rooms/%.c $(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(CC) $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CFLAGS) $$($(PKG_CONFIG) --cflags glib-2.0) -c -o $@ $<
-include $(wildcard $(ROOMS_BENCH_BIN)/*.d)
$(ROOMS_BENCH_BIN)/bench-rooms-load: $(addprefix $(ROOMS_BENCH_BIN)/,load.o client.o speak.o users.o phases.o)
$(ROOMS_BENCH_BIN)/bench-rooms-epoll: $(ROOMS_BENCH_BIN)/relay_epoll.o
$(ROOMS_BENCH_BIN)/bench-rooms-load $(ROOMS_BENCH_BIN)/bench-rooms-epoll:
	$(call say,LINK,$@)
	$(CC) $(VARIANT_LDFLAGS) $(LDFLAGS) -o $@ $^ $$($(PKG_CONFIG) --libs glib-2.0)

.PHONY: bench-rooms bench-rooms-programs
bench-rooms-programs: $(BIN)/portlight-rooms $(ROOMS_BENCH_BIN)/bench-rooms-load $(ROOMS_BENCH_BIN)/bench-rooms-epoll
bench-rooms: ## Measure the rooms' server beside ws and a bare relay, and calls between browsers (ROOMS_BENCH=--quick)
	packaging/install-deps --npm build desktop run chromium firefox bench
	$(MAKE) --no-print-directory bench-rooms-programs all tools
	node tests/bench/rooms/bench.js $(ROOMS_BENCH)
