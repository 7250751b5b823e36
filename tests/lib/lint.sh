#!/bin/sh
# Arrows between rooms run downward only; formatting, cppcheck and clang-tidy are clean; shell scripts parse.
# usage: lint.sh (from the top folder); JOBS=2 clang-tidy processes at once
set -u
failed=0

# What git has or would take: a new file is judged before it is added.
files() {
    git ls-files --cached --others --exclude-standard "$@" | sort -u
}

# Rooms from the bottom up; a file may include rooms of lower rank, or its own.
rank() {
    case $1 in
    lib/base) echo 0 ;;
    lib/doc | lib/net) echo 1 ;;
    lib/jinja | lib/plan | inventory) echo 2 ;;
    lib/play) echo 3 ;;
    lib/cluster) echo 4 ;;
    providers | providers/*) echo 5 ;;
    lib/check) echo 6 ;;
    lib/drill) echo 7 ;;
    lib/deploy) echo 8 ;;
    cmd) echo 9 ;;
    *) echo 10 ;; # no room of the house: nobody may include it
    esac
}

# lib/play/modules/apt.c: lib/play; providers/provider.h: providers; providers/local/host.c: providers/local
room() {
    case $1 in
    lib/*/* | providers/*/*) echo "$1" | cut -d/ -f1-2 ;;
    *) echo "${1%%/*}" ;;
    esac
}

# Prints an include that the house does not allow. A driver is known to itself and to cmd/main.c alone.
judge_include() {
    from=$(room "$1") to=$(room "$2")
    [ "$from" = "$to" ] && return
    case $from:$to in
    providers/*:providers) return ;;
    *:providers/*) [ "$1" = cmd/main.c ] && return ;;
    *) [ "$(rank "$to")" -lt "$(rank "$from")" ] && return ;;
    esac
    echo "$1 includes $2"
}

arrows=$(files '*.c' '*.h' | grep -v '^tests/' | xargs grep -HE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
    sed 's/:[^"]*"/ /; s/".*//' |
    while read -r file included; do judge_include "$file" "$included"; done)
if [ -n "$arrows" ]; then
    echo "arrows that run upward or sideways:"
    echo "$arrows"
    failed=1
fi

files '*.c' '*.h' | xargs clang-format --dry-run -Werror || failed=1
for script in $(files '*.sh' '*.t'); do
    case $(head -1 "$script") in *sh) sh -n "$script" || failed=1 ;; esac
done

# varFuncNullUB: NULL may be a plain 0 in C, not in POSIX.
files 'lib/*.c' 'cmd/*.c' 'providers/*.c' 'inventory/*.c' 'tests/*.c' |
    xargs cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=varFuncNullUB -I. -D_GNU_SOURCE || failed=1

# A file's findings in one piece, and nothing about a clean one.
tidy='found=$(clang-tidy --quiet "$file" -- "$@" 2>&1) || { printf "%s\n" "$found"; exit 1; }'
flags=$(pkg-config --cflags $(make -s pkgs))
# shellcheck disable=SC2016,SC2086
files 'lib/*.c' 'cmd/*.c' 'providers/*.c' 'inventory/*.c' 'tests/*.c' |
    xargs -P"${JOBS:-2}" -I{} env file={} sh -c "$tidy" clang-tidy -std=c11 -D_GNU_SOURCE -DPGHA_VERSION='"lint"' -I. $flags || failed=1

[ "$failed" = 0 ] && echo "lint: clean"
exit "$failed"
