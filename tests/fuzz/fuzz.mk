# libFuzzer targets for the parsers, each with a corpus in tests/fuzz/corpus/NAME. What a run discovers stays in build/.
FUZZ_SECONDS ?= 60
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_CFLAGS := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined

# What the helper reads of a producer's.
FUZZ_SOURCES_format := host/source/format.c
FUZZ_SOURCES_buffer := host/source/buffer.c host/picture/damage.c
# What portlight-rooms reads of its clients'.
FUZZ_SOURCES_rooms_wire := $(wildcard host/rooms/wire/*.c)
FUZZ_SOURCES_rooms_token := host/rooms/session/token.c $(wildcard host/rooms/wire/*.c)
# The whole server, over a socket.
FUZZ_SOURCES_rooms_net := $(filter-out host/rooms/main.c,$(wildcard host/rooms/*/*.c host/tool/*.c))
FUZZ_SOURCES_rooms_lesson := $(wildcard host/rooms/dialect/*.c host/rooms/hub/*.c host/rooms/wire/*.c) host/rooms/session/token.c
FUZZ_SOURCES_rooms_sse := $(FUZZ_SOURCES_rooms_lesson)
FUZZ_PKG := $(PKG_wire) libpipewire-0.3
FUZZ_PKG_rooms_net := $(PKG_rooms/net) $(PKG_rooms/server)
FUZZ_LIBS_rooms_net := $(LIB_rooms/net)

$(B)/fuzz/%_fuzz: tests/fuzz/%_fuzz.c $(wildcard tests/fuzz/*.h host/base/*.[ch] host/wire/*.[ch] host/wire/errors.def host/source/*.[ch] host/rooms/*/*.[ch] host/rooms/wire/errors.def) \
		$(B)/gen/config.h
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	clang $(filter-out -MMD -MP -Wmissing-prototypes,$(BASE_CFLAGS)) $(FUZZ_CFLAGS) \
		$$($(PKG_CONFIG) --cflags $(FUZZ_PKG) $(FUZZ_PKG_$*) | sed 's/-I/-isystem /g') -o $@ $< $(FUZZ_SOURCES_$*) \
		$(wildcard host/base/*.c host/wire/*.c) $$($(PKG_CONFIG) --libs $(FUZZ_PKG) $(FUZZ_PKG_$*)) $(FUZZ_LIBS_$*)

FUZZ_LIMITS := -timeout=5 -rss_limit_mb=512
.PHONY: fuzz fuzz-programs fuzz-replay $(FUZZ_NAMES:%=replay-%) $(FUZZ_NAMES:%=fuzz-%)
fuzz-programs: $(FUZZ_NAMES:%=$(B)/fuzz/%_fuzz)
fuzz: $(FUZZ_NAMES:%=fuzz-%) ## Fuzz the parsers, FUZZ_SECONDS each (60)
$(FUZZ_NAMES:%=fuzz-%): fuzz-%: $(B)/fuzz/%_fuzz
	@mkdir -p $(B)/fuzz/found-$*
	$< -max_total_time=$(FUZZ_SECONDS) $(FUZZ_LIMITS) -print_final_stats=1 -artifact_prefix=$(B)/fuzz/$*- \
		$(B)/fuzz/found-$* tests/fuzz/corpus/$* >$(B)/fuzz/$*.log 2>&1 || { tail -n 40 $(B)/fuzz/$*.log; exit 1; }
	@printf '  fuzz-%s: %s\n' '$*' "$$(grep -E 'number_of_executed_units' $(B)/fuzz/$*.log | tr -s ' ')"

fuzz-replay: $(FUZZ_NAMES:%=replay-%) ## Run every fuzzer once over each file of its corpus
$(FUZZ_NAMES:%=replay-%): replay-%: $(B)/fuzz/%_fuzz
	files=$$(find tests/fuzz/corpus/$* -type f | sort); \
	[ -n "$$files" ] || { echo 'tests/fuzz/corpus/$* is empty' >&2; exit 1; }; \
	$< $(FUZZ_LIMITS) -artifact_prefix=$(B)/fuzz/$*- $$files >$(B)/fuzz/$*-replay.log 2>&1 || \
		{ tail -n 40 $(B)/fuzz/$*-replay.log; exit 1; }
	@printf '  replay-%s: %s inputs\n' '$*' "$$(grep -c '^Executed ' $(B)/fuzz/$*-replay.log)"
