# machdeck. `make help` lists the targets; V=1 shows the commands, B= names the build folder.

B       ?= build
V       ?= 0
PREFIX  ?= /usr/local
DESTDIR ?=
CFLAGS  ?= -O2 -g
SAN     ?=

PROGRAMS := $(B)/machdeck $(B)/machdeck-init $(B)/machdeck-generator
PKG      := libsystemd libmnl jansson
VERSION  := 0.1

accepts = $(shell $(CC) -Werror $(1) -E -x c /dev/null >/dev/null 2>&1 && echo '$(1)')
WARN := -Wall -Wextra -Wformat=2 -Werror=format-security -Wconversion -Wsign-conversion -Wshadow -Wvla \
	-Wcast-qual -Wstrict-prototypes -Wnull-dereference -Wimplicit-fallthrough -Wdouble-promotion \
	-Werror=implicit-function-declaration -Werror=int-conversion -Werror=incompatible-pointer-types
HARDEN := -fPIE -fstack-protector-strong -fno-strict-aliasing -fno-delete-null-pointer-checks -fwrapv -fno-common \
	$(foreach f,-fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero,$(call accepts,$(f)))
FORTIFY := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)

override CFLAGS   += -std=c17 $(WARN) $(HARDEN) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
override CPPFLAGS += -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(FORTIFY) -Isrc -I. $(shell pkg-config --cflags $(PKG) 2>/dev/null)
override LDFLAGS  += -pie $(if $(SAN),-fsanitize=$(SAN)) -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed

ifeq ($(V),0)
say = @printf '  %-4s %s\n' $(1) $@;
else
say =
endif

obj = $(patsubst %.c,$(B)/%.o,$(1))

ENGINE := $(wildcard src/base/*.c src/words/*.c src/decide/*.c src/drivers/*.c src/engine/*.c)
VERBS  := $(wildcard src/verbs/*.c)
UI     := $(filter-out ui/term.c ui/main.c,$(wildcard ui/*.c))
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

# PID 1 of a container: static, since the guest need not have a single library.
INIT := src/init.c $(addprefix src/,base/err.c base/text.c base/num.c base/strs.c words/addr.c words/netop.c \
	drivers/nl.c drivers/rtnl.c)
$(B)/machdeck-init: $(call obj,$(INIT))
	$(call say,LD)$(CC) $(filter-out -pie -fsanitize%,$(LDFLAGS)) -static-pie -s -o $@ $^ -lmnl

$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(B)/libui.a $(B)/libengine.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(PKG) cmocka)

# Everything is made again when a flag changes, and only then.
$(B)/.flags: FORCE
	@mkdir -p $(B)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS)' >$@
.PHONY: FORCE
FORCE:

.PHONY: clean help
clean: ## what was built
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
