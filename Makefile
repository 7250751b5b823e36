# pgha-deploy. `make demo` and `make check` install what is missing (as root, on Debian 12 and 13).
#
#   make            build ./pgha-deploy             make check       every test
#   make demo       a cluster on this machine       make check-unit  unit tests, no root
#   make install    into $(DESTDIR)$(PREFIX)        make check-long  every case of the sweeps, too
#   make bench      figures against peers           make V=1 ...     show the commands
#   make lint asan tsan valgrind coverage fuzz

PREFIX  ?= /usr/local
CC      ?= cc
BUILD   ?= build
PKGS    := libssh libcurl yaml-0.1 jansson libpq libcrypto libxml-2.0
VERSION := 0.1.0

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wwrite-strings -Wvla -Wformat=2 -Wundef
ifdef DEVELOPER
WARN += -Werror
endif
CFLAGS   ?= -O2 -g
CPPFLAGS ?= -D_FORTIFY_SOURCE=2
ALL_CPPFLAGS = -D_GNU_SOURCE -DPGHA_VERSION='"$(VERSION)"' -I. \
            $(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) -fstack-protector-strong -pthread $(CFLAGS) $(SANITIZE)
LIBS      = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcrypt -lm -pthread

# Every .c of these rooms belongs to the program; main.c alone stays out of the library.
SOURCES := $(sort $(wildcard lib/*/*.c lib/*/*/*.c inventory/*.c providers/*.c providers/*/*.c cmd/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/embed.o
LIBRARY := $(BUILD)/libpgha.a
ASSETS  := $(sort $(shell find playbooks templates providers -type f \( -name '*.yml' -o -name '*.j2' -o -name '*.py' \)))
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

.PHONY: all pkgs clean install demo docs check check-long check-unit run-unit run-fuzz-seeds lint format asan tsan valgrind coverage \
        fuzz bench
all: pgha-deploy

pgha-deploy: $(BUILD)/cmd/main.o $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out $(BUILD)/cmd/main.o,$(OBJECTS))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# playbooks/, templates/ and tables ride in the binary: one table, sorted by path (lib/base/assets.h).
$(BUILD)/embed.c: lib/base/embed.sh Makefile $(ASSETS) playbooks templates
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D) && sh lib/base/embed.sh $(ASSETS) >$@.tmp && mv $@.tmp $@

$(BUILD)/embed.o: $(BUILD)/embed.c $(ASSETS)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) -lcmocka $(LIBS)

# ---- for people ----

demo:
	$(Q)sh tests/lib/packages.sh build run
	$(Q)$(MAKE) --no-print-directory pgha-deploy
	./pgha-deploy -f examples/local.yaml up --yes

clean:
	rm -rf $(BUILD) pgha-deploy

install: pgha-deploy
	install -D -m 0755 pgha-deploy $(DESTDIR)$(PREFIX)/bin/pgha-deploy
	./pgha-deploy docs man >$(BUILD)/pgha-deploy.1
	install -D -m 0644 $(BUILD)/pgha-deploy.1 $(DESTDIR)$(PREFIX)/share/man/man1/pgha-deploy.1

# For what is built besides: tests' helpers, fuzzers, lint.
pkgs: ; @echo $(PKGS)

# Pages that come from the tables; a test holds them against the binary.
docs: pgha-deploy
	for page in ansible cluster-file commands drill events modules parameters; do ./pgha-deploy docs $$page >docs/$$page.md; done

# ---- tests ----

# A test that hangs is ended; what it has said by then tells where. Seconds.
TEST_LIMIT := $(if $(PGHA_LONG),7200,900)

check:
	$(Q)sh tests/lib/packages.sh build run test
	$(Q)$(MAKE) --no-print-directory pgha-deploy
	$(Q)$(MAKE) --no-print-directory check-unit
	$(Q)PGHA_COMPLAINTS=$(abspath $(BUILD))/complaints sh tests/lib/check.sh $(TEST_LIMIT) $(sort $(dir $(wildcard tests/*/*.t)))

# With every case of the sweeps and the equivalence suite, of which check takes a part.
check-long: ; $(Q)PGHA_LONG=1 $(MAKE) --no-print-directory check

# Unit tests, and the fuzzers' seed corpus, under AddressSanitizer and UndefinedBehaviorSanitizer.
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
check-unit:
	$(Q)$(MAKE) --no-print-directory BUILD=build/asan CFLAGS='-O1 -g' CPPFLAGS='-U_FORTIFY_SOURCE' SANITIZE='$(SAN)' run-unit run-fuzz-seeds

run-unit: $(UNIT)
	$(Q)sh tests/lib/run-unit.sh $(UNIT)

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
run-fuzz-seeds: $(FUZZERS)
	$(Q)sh tests/lib/run-fuzz.sh seeds $(FUZZERS)

# Without libFuzzer a small main feeds the seeds, so that every compiler can run them.
$(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/main.c $(LIBRARY)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -o $@ $< tests/fuzz/main.c $(LIBRARY) $(LIBS)

fuzz: ; $(Q)sh tests/lib/run-fuzz.sh long

tsan:
	$(Q)$(MAKE) --no-print-directory BUILD=build/tsan CFLAGS='-O1 -g' CPPFLAGS='-U_FORTIFY_SOURCE' SANITIZE='-fsanitize=thread' \
	    UNIT='build/tsan/unit/test_pool build/tsan/unit/test_plan build/tsan/unit/test_vault build/tsan/unit/test_ssh' run-unit
	$(Q)BUILD=build/tsan CFLAGS='-O1 -g' CPPFLAGS='-U_FORTIFY_SOURCE' SANITIZE='-fsanitize=thread' prove tests/drill/clients.t

asan: check-unit

valgrind:
	$(Q)$(MAKE) --no-print-directory BUILD=build/valgrind CFLAGS='-O1 -g' \
	    RUNNER='valgrind -q --leak-check=full --error-exitcode=99' run-unit

export RUNNER

coverage:
	$(Q)$(MAKE) --no-print-directory BUILD=build/coverage CFLAGS='-O0 -g --coverage' run-unit
	gcovr -r . --object-directory build/coverage --print-summary -o build/coverage/report.txt

lint:
	$(Q)sh tests/lib/packages.sh build lint
	$(Q)sh tests/lib/lint.sh

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

bench: pgha-deploy
	$(Q)sh tests/bench/run.sh

-include $(OBJECTS:.o=.d) $(UNIT:=.d)
