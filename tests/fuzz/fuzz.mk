# libFuzzer targets for the parsers, each with a corpus in tests/fuzz/corpus/NAME. What a run discovers stays in build/fuzz.
FUZZ_SECONDS ?= 60
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))

# The folder of host/ that each reads by; wire where there is none.
FUZZ_FOLDER_format := source
FUZZ_FOLDER_buffer := source
FUZZ_FOLDER_rooms_wire := rooms/wire
FUZZ_FOLDER_rooms_token := rooms/session
# The whole server, over a socket.
FUZZ_FOLDER_rooms_net := rooms/server
# Dialects, in front of what the server does with them.
FUZZ_FOLDER_rooms_lesson := rooms/server
FUZZ_FOLDER_rooms_sse := rooms/server

define fuzzer
$(O)/fuzz/$(1)_fuzz: tests/fuzz/$(1)_fuzz.c $(wildcard tests/fuzz/*.h) $(call archive,$(2) $(USE_$(2)))
	@mkdir -p $$(@D)
	$$(call say,FUZZ,$$@)
	$$(CC) $(filter-out -MMD -MP -Wmissing-prototypes,$(BASE_CFLAGS)) $(VARIANT_CFLAGS) $$(TEST_CFLAGS_$(2)) -fsanitize=fuzzer -o $$@ $$< \
		$(VARIANT_LDFLAGS) $(call archive,$(2) $(USE_$(2))) $$(LIBS_$(2))
endef
$(foreach n,$(FUZZ_NAMES),$(eval $(call fuzzer,$(n),$(or $(FUZZ_FOLDER_$(n)),wire))))

FUZZ_LIMITS := -timeout=5 -rss_limit_mb=512
.PHONY: fuzz fuzz-replay $(FUZZ_NAMES:%=replay-%) $(FUZZ_NAMES:%=fuzz-%)
ifneq ($(V),fuzz)
fuzz: ## Fuzz the parsers, FUZZ_SECONDS each (60)
fuzz $(FUZZ_NAMES:%=fuzz-%):
	$(MAKE) --no-print-directory V=fuzz $@
else
fuzz: $(FUZZ_NAMES:%=fuzz-%)
$(FUZZ_NAMES:%=fuzz-%): fuzz-%: $(O)/fuzz/%_fuzz
	@mkdir -p $(O)/fuzz/found-$*
	$< -max_total_time=$(FUZZ_SECONDS) $(FUZZ_LIMITS) -print_final_stats=1 -artifact_prefix=$(O)/fuzz/$*- \
		$(O)/fuzz/found-$* tests/fuzz/corpus/$* >$(O)/fuzz/$*.log 2>&1 || { tail -n 40 $(O)/fuzz/$*.log; exit 1; }
	@printf '  fuzz-%s: %s\n' '$*' "$$(grep -E 'number_of_executed_units' $(O)/fuzz/$*.log | tr -s ' ')"
endif

# Replaying needs no coverage counters: the archives of the other tests with sanitizers do.
ifneq ($(V),asan)
fuzz-replay: ## Run every fuzzer once over each file of its corpus
fuzz-replay $(FUZZ_NAMES:%=replay-%):
	$(MAKE) --no-print-directory V=asan $@
else
fuzz-replay: $(FUZZ_NAMES:%=replay-%)
$(FUZZ_NAMES:%=replay-%): replay-%: $(O)/fuzz/%_fuzz
	files=$$(find tests/fuzz/corpus/$* -type f | sort); \
	[ -n "$$files" ] || { echo 'tests/fuzz/corpus/$* is empty' >&2; exit 1; }; \
	$< $(FUZZ_LIMITS) -artifact_prefix=$(O)/fuzz/$*- $$files >$(O)/fuzz/$*-replay.log 2>&1 || \
		{ tail -n 40 $(O)/fuzz/$*-replay.log; exit 1; }
	@printf '  replay-%s: %s inputs\n' '$*' "$$(grep -c '^Executed ' $(O)/fuzz/$*-replay.log)"
endif
