#!/bin/sh
# Runs unit test programs one after the other; each prints cmocka's lines. RUNNER goes in front of each (valgrind).
set -u
failed=0
for program in "$@"; do
    # shellcheck disable=SC2086
    if ! ${RUNNER:-} "$program" >"$program.log" 2>&1; then
        echo "FAILED $program"
        tail -n 60 "$program.log"
        failed=$((failed + 1))
    else
        grep -hE 'PASSED|SKIPPED' "$program.log" | sed "s|^|$(basename "$program"): |"
    fi
done
echo "$(($# - failed)) passed, $failed failed"
[ "$failed" = 0 ]
