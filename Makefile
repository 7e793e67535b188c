# Portlight. `make help` lists the targets.
VERSION := 0.1.0
prefix ?= /usr/local
DESTDIR ?=

HOST_NAME := org.portlight.host

ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
WERROR ?= $(CI)
B := build
V ?= release
O := $(B)/$(V)

# Short lines instead of whole commands; VERBOSE=1 shows these.
ifndef VERBOSE
.SILENT:
endif
say = @printf '  %-5s %s\n' '$(1)' '$(2)'

WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-unused-parameter -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
# A package's own level of fortification stays.
HARDEN := -fstack-protector-strong -fPIE \
	$(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
BASE_CFLAGS := -std=c11 -D_GNU_SOURCE -g $(WARN) -Ihost -I$(B)/gen -MMD -MP
ifeq ($(V),asan)
CC := clang
VARIANT_CFLAGS := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
VARIANT_LDFLAGS := -Wl,--as-needed -fsanitize=address,undefined
else ifeq ($(V),fuzz)
CC := clang
VARIANT_CFLAGS := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
VARIANT_LDFLAGS := -Wl,--as-needed -fsanitize=address,undefined
else ifeq ($(V),tsan)
CC := clang
VARIANT_CFLAGS := -O1 -fno-omit-frame-pointer -fsanitize=thread
VARIANT_LDFLAGS := -Wl,--as-needed -fsanitize=thread
else ifeq ($(V),coverage)
CC := clang
# Counters that live in a mapped file also count for what is killed, and in the sandbox: `make coverage`.
VARIANT_CFLAGS := -O1 -fprofile-instr-generate -fcoverage-mapping -mllvm -runtime-counter-relocation
VARIANT_LDFLAGS := -Wl,--as-needed -fprofile-instr-generate
else
# A program has the functions that it uses, not all that share a file with them.
VARIANT_CFLAGS := -O2 $(HARDEN) -ffunction-sections -fdata-sections
VARIANT_LDFLAGS := -pie -Wl,--as-needed -Wl,-z,relro,-z,now -Wl,--gc-sections
endif

# What each folder may use: the layering is enforced here, since a folder sees no other folder's packages.
PKG_base :=
PKG_wire := json-c glib-2.0
PKG_control := gio-unix-2.0
PKG_picture :=
PKG_source := libpipewire-0.3
PKG_encode := vpx
PKG_capture := libseccomp
PKG_tool := glib-2.0
PKG_browsers := gio-unix-2.0 json-c
PKG_profiles := gio-unix-2.0 json-c
PKG_install := gio-unix-2.0 json-c
PKG_doctor := gio-unix-2.0 json-c
PKG_record := gio-unix-2.0 libavformat libavcodec libavutil
PKG_cli := gio-unix-2.0
PKG_rooms := glib-2.0
PKG_rooms/wire := json-c glib-2.0
PKG_rooms/session := glib-2.0
PKG_rooms/hub := glib-2.0
PKG_rooms/dialect := json-c glib-2.0
PKG_rooms/settings := glib-2.0
PKG_rooms/net := libwebsockets libuv libssl glib-2.0
PKG_rooms/state := libcrypto glib-2.0
PKG_rooms/clients := glib-2.0
PKG_rooms/http := json-c glib-2.0
PKG_rooms/server := glib-2.0
LIB_picture := -lyuv -lm
# What libwebsockets reads by: net_tap.c.
LIB_rooms/net := -Wl,--export-dynamic-symbol=recv -Wl,--export-dynamic-symbol=SSL_read
# Libraries that a folder's code is linked with, beside its own; archives, most dependent first.
USE_base :=
USE_wire := base
USE_control := wire base
USE_picture := wire base
USE_source := picture wire base
USE_encode := picture wire base
USE_capture := source encode picture wire base
USE_tool := wire base
USE_browsers := control wire base
USE_profiles := browsers control wire base
USE_install := browsers tool control wire base
USE_doctor := profiles browsers tool control wire base
USE_record := tool control wire base
USE_cli := install doctor profiles browsers tool control wire base
USE_rooms/wire := wire base
USE_rooms/session := rooms/wire wire base
USE_rooms/hub := rooms/session rooms/wire wire base
USE_rooms/dialect := rooms/wire wire base
USE_rooms/settings := rooms/session rooms/wire tool wire base
USE_rooms/net := base
USE_rooms/state := rooms/net rooms/dialect rooms/hub rooms/settings rooms/session rooms/wire tool wire base
USE_rooms/clients := rooms/state $(USE_rooms/state)
USE_rooms/http := rooms/clients $(USE_rooms/clients)
USE_rooms/server := rooms/http $(USE_rooms/http)
USE_rooms := rooms/server $(USE_rooms/server)
FOLDERS := base wire picture source encode capture control tool browsers profiles install doctor record cli \
	rooms/wire rooms/session rooms/hub rooms/dialect rooms/settings rooms/net \
	rooms/state rooms/clients rooms/http rooms/server rooms

# ROOMS=no leaves the server out, and with it libwebsockets.
PROGRAMS := $(foreach p,portlight-host:control portlight-capture:capture portlight-record:record portlight:cli $(if $(filter no,$(ROOMS)),,portlight-rooms:rooms),$(if $(wildcard host/$(word 2,$(subst :, ,$(p)))/main.c),$(p)))

# The release programs land in build/bin, other variants beside their objects.
BIN := $(if $(filter release,$(V)),$(B)/bin,$(O)/bin)

.DEFAULT_GOAL := all
.PHONY: all programs extension
all: programs extension ## Build the programs, the extension for both browsers and the man pages
programs: $(foreach p,$(PROGRAMS),$(BIN)/$(word 1,$(subst :, ,$(p))))

# pkg-config is asked when a folder's flags are first needed, once for each folder.
pkgs = $(foreach f,$(1) $(USE_$(1)),$(PKG_$(f)))
ask = $(if $(2),$(shell $(PKG_CONFIG) $(1) $(2)))
define flags
CFLAGS_$(1) = $$(eval CFLAGS_$(1) := $$(call ask,--cflags,$(PKG_$(1))))$$(CFLAGS_$(1))
TEST_CFLAGS_$(1) = $$(eval TEST_CFLAGS_$(1) := $$(call ask,--cflags,$(call pkgs,$(1))))$$(TEST_CFLAGS_$(1))
LIBS_$(1) = $$(eval LIBS_$(1) := $(foreach f,$(1) $(USE_$(1)),$(LIB_$(f))) $$(call ask,--libs,$(call pkgs,$(1))))$$(LIBS_$(1))
endef
$(foreach f,$(FOLDERS),$(eval $(call flags,$(f))))

$(B)/gen/config.h: Makefile manifest/extensions
	@mkdir -p $(@D)
	@{ printf '%s\n' '/* Generated by the Makefile. */' '#pragma once' \
		'#define PORTLIGHT_VERSION "$(VERSION)"' '#define PORTLIGHT_HOST_NAME "$(HOST_NAME)"' \
		'#define PORTLIGHT_EXTENSIONS \'; \
	sed '/^#/d; s/.*/\t"&\\n" \\/' manifest/extensions; echo; } > $@

# The archives of folders: build/…/librooms-hub.a is host/rooms/hub's.
archive = $(foreach f,$(1),$(O)/lib$(subst /,-,$(f)).a)

# One folder of host/: objects, and an archive of everything but its main.c.
define folder
SRC_$(1) := $$(wildcard host/$(1)/*.c)
OBJ_$(1) := $$(SRC_$(1):%.c=$(O)/%.o)
$(O)/host/$(1)/%.o: host/$(1)/%.c $(B)/gen/config.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$$(CC) $(BASE_CFLAGS) $(VARIANT_CFLAGS) $(CPPFLAGS) $(CFLAGS) $$(CFLAGS_$(1)) -c -o $$@ $$<
# The folder itself tells of files that are gone.
host/$(1): ;
$(call archive,$(1)): $$(filter-out %/main.o,$$(OBJ_$(1))) host/$(1)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$(filter %.o,$$^)
-include $$(wildcard $(O)/host/$(1)/*.d)

# Its unit tests: tests/unit/FOLDER/NAME_test.c, each one program.
$(O)/tests/unit/$(1)/%_test: tests/unit/$(1)/%_test.c $(call archive,$(1)) $$(call archive,$$(USE_$(1)))
	@mkdir -p $$(@D)
	$$(call say,TEST,$$@)
	$$(CC) $(BASE_CFLAGS) -Itests/unit $(VARIANT_CFLAGS) $(CPPFLAGS) $(CFLAGS) $$(TEST_CFLAGS_$(1)) \
		-o $$@ $$< $(VARIANT_LDFLAGS) $(LDFLAGS) $(call archive,$(1)) $$(call archive,$$(USE_$(1))) -lcmocka $$(LIBS_$(1))
UNIT_TESTS += $$(patsubst %.c,$(O)/%,$$(wildcard tests/unit/$(1)/*_test.c))
-include $$(wildcard $(O)/tests/unit/$(1)/*.d)
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$(f))))

define program
$(BIN)/$(1): $(O)/host/$(2)/main.o $(call archive,$(2) $(USE_$(2)))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(CC) $(VARIANT_LDFLAGS) $(LDFLAGS) -o $$@ $$^ $$(LIBS_$(2))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(word 1,$(subst :, ,$(p))),$(word 2,$(subst :, ,$(p))))))

-include $(sort $(wildcard tests/*/*.mk packaging/*.mk))

.PHONY: unit unit-host unit-programs thread-programs unit-threads tools
unit-programs: $(UNIT_TESTS)
unit: $(UNIT_TESTS) ## Run the unit tests of this variant (V=asan for the sanitizers)
	@set -e; for t in $(sort $^); do echo "== $$t"; $$t; done
unit-host: $(filter $(O)/tests/unit/%,$(UNIT_TESTS)) ## Only those of host/, as packages do
	@set -e; for t in $(sort $^); do echo "== $$t"; $$t; done
# Where two threads of ours meet.
THREAD_TESTS := $(filter %_threads_test,$(UNIT_TESTS))
thread-programs: $(THREAD_TESTS)
unit-threads: thread-programs ## Run the unit tests with threads (V=tsan for the sanitizer)
	@set -e; for t in $(THREAD_TESTS); do echo "== $$t"; $$t; done

# The man pages, from scdoc.
MAN := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))
$(B)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@
.PHONY: man
man: $(MAN)
all: man

# Set-up, then the main job; a machine with a Wayland session uses it, any other an embedded desktop.
DESKTOP ?= $(if $(WAYLAND_DISPLAY),session,embedded)
BROWSER ?= firefox
CAPTURE ?= native
RUN_DESKTOP := $(if $(filter browser,$(CAPTURE)),xvfb,$(if $(filter embedded,$(DESKTOP)),desktop))
.PHONY: run rooms check check-all deps
run: ## Share the desktop with a page in a real browser (BROWSER=firefox|chromium DESKTOP=session|embedded CAPTURE=native|browser)
	packaging/install-deps --npm build run $(BROWSER) $(RUN_DESKTOP)
	$(MAKE) --no-print-directory all tools
	DESKTOP=$(DESKTOP) BROWSER=$(BROWSER) CAPTURE=$(CAPTURE) node tests/e2e/run.js
ROOMS_OPTIONS ?= --open=yes
rooms: ## Start the rooms' server and open its pages (ROOMS_OPTIONS=…), or play a call, a conference and a share (DESKTOP=embedded)
ifeq ($(DESKTOP),embedded)
	packaging/install-deps --npm --pages build run firefox chromium desktop
	$(MAKE) --no-print-directory all tools
	node tests/e2e/rooms.js
else
	packaging/install-deps --pages build
	$(MAKE) --no-print-directory $(B)/bin/portlight-rooms
	packaging/rooms $(ROOMS_OPTIONS)
endif
check: ## Run the tests: ten minutes on two cores (installs what they need)
	packaging/install-deps --npm --web-ext --pages
	tests/run-checks
check-all: ## Run everything at full length, as before a release (an hour; as root with Debian 13 too)
	packaging/install-deps --npm --web-ext --pages
	packaging/install-deps kde rpm packages rooms
	tests/run-checks --all
deps: ## Install everything that packaging/deps and the npm lock files name
	packaging/install-deps --npm --web-ext --pages

# Lint: C by clang-format, clang-tidy, cppcheck and the layering rules; JavaScript by eslint, tsc and web-ext.
C_FILES = $(shell git ls-files --cached --others --exclude-standard 'host/*.[ch]' 'tests/*.[ch]')
TIDY := $(FOLDERS:%=tidy-%)
# How far clang's analyzer follows a function: deep (nine tenths of the time that lint takes) or shallow, as in the gate.
TIDY_DEPTH ?= deep
TIDY_ANALYZER := $(foreach o,-analyzer-config mode=$(TIDY_DEPTH),-Xclang $(o))
.PHONY: lint lint-c lint-deps lint-js lint-layers $(TIDY)
lint: lint-layers lint-c lint-js ## Check layout, types, layering and common mistakes
lint-deps:
	packaging/install-deps --npm --web-ext lint
lint-c lint-js $(TIDY): | lint-deps
lint-layers:
	packaging/lint-layers
lint-c: $(B)/gen/config.h $(TIDY)
	clang-format --dry-run --Werror $(C_FILES)
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance --inline-suppr \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Ihost -I$(B)/gen host
define tidy
tidy-$(1): $(B)/gen/config.h
	$$(call say,TIDY,host/$(1))
	$$(if $$(wildcard host/$(1)/*.c),clang-tidy --quiet $$(wildcard host/$(1)/*.c) -- -std=c11 -D_GNU_SOURCE $(TIDY_ANALYZER) -Ihost -I$(B)/gen \
		$$(CFLAGS_$(1)) 2>$(B)/tidy-$(subst /,-,$(1)).log || { cat $(B)/tidy-$(subst /,-,$(1)).log; exit 1; })
endef
$(foreach f,$(FOLDERS),$(eval $(call tidy,$(f))))
lint-js: extension
	cd tests && npm run --silent lint && npm run --silent types
	packaging/web-ext/node_modules/.bin/web-ext lint --no-config-discovery --warnings-as-errors -s $(B)/extension-firefox

# Installation. The native host's manifests go where the browsers of manifest/browsers.tsv look for system-wide ones.
.PHONY: install uninstall
install: all ## Install programs, man pages, extensions and native host manifests (DESTDIR, prefix, INSTALL, STRIP, SHIPS)
	packaging/install '$(DESTDIR)' '$(prefix)' '$(HOST_NAME)'
uninstall: ## Remove what `make install` installed
	packaging/install --remove '$(DESTDIR)' '$(prefix)' '$(HOST_NAME)'

.PHONY: clean help
clean: ## Remove what was built
	rm -rf $(B)
help: ## Show this list
	@echo 'Portlight $(VERSION). Programs land in $(B)/bin, the extensions in $(B)/extension-chromium and $(B)/extension-firefox.'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 24
