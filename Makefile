# machdeck. `make help` lists the targets; V=1 shows the commands, B= names the build folder.

B       ?= build
V       ?= 0
PREFIX  ?= /usr/local
DESTDIR ?=
CFLAGS  ?= -O1 -g
SAN     ?=

PROGRAMS := $(B)/machdeck $(B)/machdeck-unit $(B)/machdeck-init $(B)/machdeck-generator
PKG      := libsystemd libmnl jansson libseccomp
VERSION  := 0.1
PKG_CFLAGS := $(shell pkg-config --cflags $(PKG) 2>/dev/null)

# As many at once as there are cores, unless somebody says how many.
ifeq ($(MAKELEVEL)$(findstring j,$(firstword -$(MAKEFLAGS))),0)
MAKEFLAGS += --jobs=$(shell nproc 2>/dev/null || echo 1)
endif

accepts = $(shell $(CC) -Werror $(1) -E -x c /dev/null >/dev/null 2>&1 && echo '$(1)')
WARN := -Wall -Wextra -Wformat=2 -Werror=format-security -Wconversion -Wsign-conversion -Wshadow -Wvla \
	-Wcast-qual -Wstrict-prototypes -Wnull-dereference -Wimplicit-fallthrough -Wdouble-promotion \
	-Werror=implicit-function-declaration -Werror=int-conversion -Werror=incompatible-pointer-types
HARDEN := -fPIE -fstack-protector-strong -fno-strict-aliasing -fno-delete-null-pointer-checks -fwrapv -fno-common \
	$(foreach f,-fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero,$(call accepts,$(f)))
FORTIFY := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)

override CFLAGS   += -std=c17 $(WARN) $(HARDEN) -ffunction-sections $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
override CPPFLAGS += -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(FORTIFY) -Isrc -I. $(PKG_CFLAGS)
override LDFLAGS  += -pie $(if $(SAN),-fsanitize=$(SAN)) -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed,--gc-sections

ifeq ($(V),0)
say = @printf '  %-4s %s\n' $(1) $@;
else
say =
endif

obj = $(patsubst %.c,$(B)/%.o,$(1))

ENGINE := $(wildcard src/base/*.c src/words/*.c src/decide/*.c src/drivers/*.c src/engine/*.c)
VERBS  := $(wildcard src/verbs/*.c)
UI     := $(filter-out ui/term.c ui/main.c,$(wildcard ui/*.c))
TOOLS  := $(patsubst tests/tools/%.c,$(B)/tests/tools/%,$(wildcard tests/tools/*.c))
UNIT   := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(PROGRAMS) ## the programs (the default)

$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libengine.a: $(call obj,$(ENGINE))
$(B)/libui.a: $(call obj,$(UI))
$(B)/lib%.a:
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

$(B)/machdeck: $(call obj,ui/main.c ui/term.c $(VERBS)) $(B)/libui.a $(B)/libengine.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(PKG) ncursesw)

$(B)/machdeck-generator: $(call obj,src/generator.c) $(B)/libengine.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(PKG))

# What units call, static where that can be done: each library that a start loads costs it time.
UNIT_LIBS := $(if $(SAN),,$(wildcard $(shell $(CC) -print-file-name=libjansson.a)))
$(B)/machdeck-unit: $(call obj,src/unit.c src/verbs/phases.c $(if $(UNIT_LIBS),src/mnl.c)) $(B)/libengine.a
	$(call say,LD)$(CC) $(if $(UNIT_LIBS),$(filter-out -pie,$(LDFLAGS)) -static-pie,$(LDFLAGS)) -o $@ $^ \
		$(or $(UNIT_LIBS),$(shell pkg-config --libs libmnl jansson))

# PID 1 of a container: static, since the guest need not have a single library.
INIT := $(addprefix src/,init.c mnl.c base/buf.c base/err.c base/gate.c base/text.c base/num.c base/strs.c words/addr.c words/name.c \
	words/netop.c drivers/nl.c drivers/rtnl.c drivers/rtnl_apply.c)
$(B)/machdeck-init: $(call obj,$(INIT))
	$(call say,LD)$(CC) $(if $(SAN),$(LDFLAGS),$(filter-out -pie,$(LDFLAGS)) -static-pie -s) -o $@ $^

# A terminal for tests, static: it also runs on lab hosts.
$(B)/tests/tools/ptydrive: VTERM := -l:libvterm.a
$(B)/tests/tools/%: $(B)/tests/tools/%.o $(B)/libengine.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(PKG)) $(VTERM)

$(B)/tests/unit/test_term: $(call obj,ui/term.c)
$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(B)/libui.a $(B)/libengine.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(shell pkg-config --libs $(PKG) cmocka $(if $(filter %/term.o,$^),ncursesw)) -lm

# Everything is made again when a flag changes, and only then. What names an installed file hangs on PREFIX alone.
$(B)/.flags: now := $(CC) $(CPPFLAGS) $(CFLAGS)
$(B)/.prefix: now := $(PREFIX)
$(B)/.flags $(B)/.prefix: FORCE
	@mkdir -p $(B)
	@echo '$(now)' | cmp -s - $@ || echo '$(now)' >$@
.PHONY: FORCE
FORCE:

PLACED := $(call obj,$(shell grep -lsE 'LIBEXECDIR|BINDIR' src/*/*.c src/*.c tests/unit/*.c))
$(PLACED): $(B)/.prefix
$(PLACED): override CPPFLAGS += -DLIBEXECDIR='"$(PREFIX)/libexec/machdeck"' -DBINDIR='"$(PREFIX)/bin"'

# ---- installing: MODE:FILE:PLACE, the place below PREFIX

UNITS := $(patsubst data/%,$(B)/data/%,$(wildcard data/*.service))
FILES := 755:$(B)/machdeck:bin/machdeck \
	755:$(B)/machdeck-init:libexec/machdeck/machdeck-init \
	755:$(B)/machdeck-unit:libexec/machdeck/machdeck-unit \
	755:$(B)/machdeck-generator:lib/systemd/system-generators/machdeck-generator \
	$(foreach u,$(UNITS),644:$(u):lib/systemd/system/$(notdir $(u))) \
	644:data/machdeck.rules:lib/udev/rules.d/70-machdeck.rules \
	644:data/modules-load.conf:lib/modules-load.d/machdeck.conf \
	644:data/dhcpcd.conf:share/machdeck/dhcpcd.conf \
	755:data/demo:share/machdeck/demo \
	755:tests/lab/lab:share/machdeck/lab \
	644:tests/lab/image-packages:share/machdeck/image-packages \
	644:data/machdeck.1:share/man/man1/machdeck.1 \
	644:data/nixos-container.1:share/man/man1/nixos-container.1 \
	644:data/machdeck-json.7:share/man/man7/machdeck-json.7 \
	644:data/machdeck-dashboard.1:share/man/man1/machdeck-dashboard.1 \
	644:data/machdeck-container.5:share/man/man5/machdeck-container.5 \
	644:data/machdeck-causes.7:share/man/man7/machdeck-causes.7 \
	644:data/machdeck.conf.5:share/man/man5/machdeck.conf.5 \
	644:data/machdeck.bash:share/bash-completion/completions/machdeck

$(B)/data/%: data/% $(B)/.prefix
	@mkdir -p $(@D)
	$(call say,SED)sed 's,@bindir@,$(PREFIX)/bin,g; s,@libexecdir@,$(PREFIX)/libexec/machdeck,g' $< >$@

.PHONY: install uninstall stage
install: all $(UNITS) ## the programs, units and documents into DESTDIR and PREFIX; COMPAT=1: nixos-container, too
	@set -e; IFS=:; for f in $(FILES); do set -- $$f; install -D -m $$1 $$2 '$(DESTDIR)$(PREFIX)'/$$3; done
	@test -z '$(COMPAT)' || for i in bin share/bash-completion/completions; do ln -sf machdeck '$(DESTDIR)$(PREFIX)'/$$i/nixos-container; done

uninstall: ## removes what install made
	@IFS=:; for f in $(FILES); do set -- $$f; rm -f '$(DESTDIR)$(PREFIX)'/$$3; done
	@for i in bin share/bash-completion/completions; do \
		test "$$(readlink '$(DESTDIR)$(PREFIX)'/$$i/nixos-container)" != machdeck || rm '$(DESTDIR)$(PREFIX)'/$$i/nixos-container; done
	@rmdir '$(DESTDIR)$(PREFIX)'/share/machdeck '$(DESTDIR)$(PREFIX)'/libexec/machdeck 2>/dev/null || true

# What else was asked for comes first: both would write the same objects, for another prefix.
stage: | $(filter all tests,$(MAKECMDGOALS)) ## an install tree in B/stage, for the lab
	@rm -rf $(B)/stage
	@+$(MAKE) --no-print-directory install DESTDIR=$(abspath $(B))/stage PREFIX=/usr

# ---- tests and the rest

TESTS = $(B)/machdeck $(B)/machdeck-generator $(TOOLS) $(UNIT)
SOURCES := $(wildcard src/*.[ch] src/*/*.[ch] ui/*.[ch] tests/unit/*.[ch] tests/tools/*.[ch])

.PHONY: deps check lab demo picture tests asan memcheck tidy format
deps: ## installs by apt what building, testing and the lab need
	@tests/deps

# In a make of its own: what is found of compilers and libraries may only be there since `deps`.
check: deps ## all tests; those of the lab need root
	@+$(MAKE) --no-print-directory PREFIX=/usr tests
	@+$(MAKE) --no-print-directory stage
	@tests/run $(B)

lab: deps ## the tests on disposable hosts, as root; T= names some (test-network)
	@+$(MAKE) --no-print-directory PREFIX=/usr $(TOOLS)
	@+$(MAKE) --no-print-directory stage
	@B=$(abspath $(B)) STAGE=$(abspath $(B))/stage tests/lab/run $(T)

demo: deps ## the dashboard on a disposable host with six sample containers
	@+$(MAKE) --no-print-directory stage
	@$(B)/stage/usr/share/machdeck/demo

picture: $(B)/machdeck ## the pictures of the README
	@tests/check/pictures $(B)/machdeck

tests: $(TESTS)

asan: ## unit tests and others without root, with gcc's address and undefined behaviour sanitizers
	@+$(MAKE) --no-print-directory B=$(B)/asan SAN=address,undefined CFLAGS='-O1 -g' tests
	@LEAVING=5 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 tests/run $(B)/asan tty unit golden conformance

# Leaks are asan's to find: here each child of a test would count what is its parent's as lost.
memcheck: tests ## unit tests under valgrind
	@WRAP='valgrind --quiet --error-exitcode=99 --leak-check=no' tests/run $(B) unit

tidy: $(patsubst %.c,$(B)/%.tidy,$(filter %.c,$(SOURCES))) ## clang-tidy on all sources; findings are errors
$(B)/%.tidy: %.c $(filter %.h,$(SOURCES)) $(B)/.flags
	@mkdir -p $(@D)
	$(call say,TIDY)clang-tidy --quiet $< -- $(CPPFLAGS) -DLIBEXECDIR='""' -DBINDIR='""' -std=c17 2>/dev/null && touch $@

format: ## clang-format on all sources
	clang-format -i $(SOURCES)

.PHONY: clean help
clean: ## what was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

.SECONDARY:
-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
