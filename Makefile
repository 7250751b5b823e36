# pgha-deploy. `make demo` and `make check` install what is missing (as root, on Debian 12 and 13).
#
#   make            build ./pgha-deploy             make check       every test
#   make demo       a cluster on this machine       make check-unit  unit tests, no root
#   make install    into $(DESTDIR)$(PREFIX)        make bench       figures against peers
#   make lint asan tsan valgrind coverage fuzz      make V=1 ...     show the commands

PREFIX  ?= /usr/local
CC      ?= cc
BUILD   ?= build
PKGS    := libssh libcurl yaml-0.1 jansson libpq libcrypto
VERSION := 0.1.0

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wwrite-strings -Wvla -Wformat=2 -Wundef
ifdef DEVELOPER
WARN += -Werror
endif
CFLAGS   ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -DPGHA_VERSION='"$(VERSION)"' -I. \
            $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
ALL_CFLAGS = -std=c11 $(WARN) -fstack-protector-strong -pthread $(CFLAGS) $(SANITIZE)
LIBS      = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm -pthread

# Every .c of these rooms belongs to the program; main.c alone stays out of the library.
SOURCES := $(sort $(wildcard lib/*/*.c lib/*/*/*.c inventory/*.c providers/*.c providers/*/*.c cmd/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/embed.o
LIBRARY := $(BUILD)/libpgha.a
ASSETS  := $(sort $(shell find playbooks templates -type f \( -name '*.yml' -o -name '*.j2' \)))
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

.PHONY: all clean install demo deps test-deps check check-unit lint format asan tsan valgrind coverage fuzz bench
all: pgha-deploy

pgha-deploy: $(BUILD)/cmd/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out $(BUILD)/cmd/main.o,$(OBJECTS))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# playbooks/ and templates/ ride in the binary: one table, sorted by path (lib/base/assets.h).
$(BUILD)/embed.c: lib/base/embed.sh $(ASSETS) playbooks templates
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D) && sh lib/base/embed.sh $(ASSETS) >$@.tmp && mv $@.tmp $@

$(BUILD)/embed.o: $(BUILD)/embed.c $(ASSETS)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) -lcmocka $(LIBS)

clean:
	rm -rf $(BUILD) pgha-deploy

install: pgha-deploy
	install -D -m 0755 pgha-deploy $(DESTDIR)$(PREFIX)/bin/pgha-deploy

-include $(OBJECTS:.o=.d) $(UNIT:=.d)
