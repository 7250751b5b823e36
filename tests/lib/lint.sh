#!/bin/sh
# Arrows between rooms run downward only; formatting, clang-tidy and cppcheck are clean; shell scripts parse.
set -u
failed=0

# Rooms from the bottom up; a file may include rooms of lower rank, or its own.
rank() {
    case $1 in
    lib/base) echo 0 ;;
    lib/doc | lib/net) echo 1 ;;
    lib/jinja | lib/plan | inventory) echo 2 ;;
    lib/play) echo 3 ;;
    lib/cluster) echo 4 ;;
    providers) echo 5 ;;
    lib/check) echo 6 ;;
    lib/deploy) echo 7 ;;
    cmd) echo 8 ;;
    esac
}
room() {
    case $1 in
    lib/*/*) echo "$1" | cut -d/ -f1-2 ;;
    providers/*/*) echo "$1" | cut -d/ -f1-2 ;;
    *) echo "${1%%/*}" ;;
    esac
}
arrows=$(git ls-files '*.c' '*.h' | grep -v '^tests/' | xargs grep -nE '^#include "' | sed 's/:[0-9]*:#include "/ /; s/"$//' |
    while read -r from to; do
        a=$(room "$from") b=$(room "$to")
        [ "$a" = "$b" ] && continue
        ra=$(rank "${a%%/[a-z]*}") rb=$(rank "${b%%/[a-z]*}")
        case $a in lib/*) ra=$(rank "$a") ;; esac
        case $b in lib/*) rb=$(rank "$b") ;; esac
        case $a:$b in providers/*:providers) continue ;; providers*:providers/*) echo "$from includes $to" && continue ;; esac
        { [ -n "$ra" ] && [ -n "$rb" ] && [ "$rb" -lt "$ra" ]; } || echo "$from includes $to"
    done)
if [ -n "$arrows" ]; then
    echo "arrows that run upward or sideways:"
    echo "$arrows"
    failed=1
fi

files=$(git ls-files '*.c' '*.h')
# shellcheck disable=SC2086
clang-format --dry-run -Werror $files || failed=1
for script in $(git ls-files '*.sh' '*.t'); do
    case $(head -1 "$script") in *sh) sh -n "$script" || failed=1 ;; esac
done
# shellcheck disable=SC2046
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -I. -D_GNU_SOURCE \
    $(git ls-files 'lib/*.c' 'cmd/*.c' 'providers/*.c' 'inventory/*.c') || failed=1
flags=$(pkg-config --cflags libssh libcurl yaml-0.1 jansson libpq libcrypto)
# shellcheck disable=SC2046,SC2086
clang-tidy --quiet $(git ls-files 'lib/*.c' 'cmd/*.c' 'providers/*.c' 'inventory/*.c') -- \
    -std=c11 -D_GNU_SOURCE -DPGHA_VERSION='"lint"' -I. $flags 2>/dev/null || failed=1
[ "$failed" = 0 ] && echo "lint: clean"
exit "$failed"
