#!/bin/sh
# run-fuzz.sh seeds PROGRAM...: every seed once. run-fuzz.sh long: libFuzzer (clang), FUZZ_SECONDS (60) a harness.
set -eu
mode=$1
shift
if [ "$mode" = seeds ]; then
    for program in "$@"; do
        name=$(basename "$program")
        [ -d "tests/fuzz/corpus/$name" ] || continue
        "$program" "tests/fuzz/corpus/$name"/*
        echo "$name: $(find "tests/fuzz/corpus/$name" -type f | wc -l) seeds"
    done
    exit 0
fi
flags=$(pkg-config --cflags --libs $(make -s pkgs))
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    mkdir -p build/fuzz "tests/fuzz/corpus/$name" "build/fuzz/$name.corpus"
    # shellcheck disable=SC2086,SC2046
    clang -std=c11 -D_GNU_SOURCE -DPGHA_VERSION='"fuzz"' -I. -g -O1 -fsanitize=fuzzer,address,undefined -o "build/fuzz/$name" \
        "$source" $(find lib/base lib/doc lib/jinja lib/play lib/cluster lib/check lib/drill inventory lib/net -name '*.c') build/embed.c $flags -lm -pthread
    "build/fuzz/$name" -max_total_time="${FUZZ_SECONDS:-60}" -rss_limit_mb=2048 -timeout=10 "build/fuzz/$name.corpus" "tests/fuzz/corpus/$name"
done
