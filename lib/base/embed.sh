#!/bin/sh
# Writes the C table of embedded files (lib/base/assets.h) for the files named, sorted by path.
# The bytes are brought in by the assembler's .incbin, so any size compiles at once.
set -eu
export LC_ALL=C

paths() {
    [ "$#" -eq 0 ] || printf '%s\n' "$@" | sort
}

echo '#include "lib/base/assets.h"'
i=0
paths "$@" | while read -r path; do
    printf '__asm__(".section .rodata\\n.global embed_%d\\nembed_%d: .incbin \\"%s\\"\\n.byte 0\\n.previous\\n");\n' \
        "$i" "$i" "$path"
    printf 'extern const char embed_%d[];\n' "$i"
    i=$((i + 1))
done
echo 'const struct embedded_file embedded_files[] = {'
i=0
paths "$@" | while read -r path; do
    printf '    {"%s", embed_%d, %d},\n' "$path" "$i" "$(wc -c <"$path")"
    i=$((i + 1))
done
printf '    {NULL, NULL, 0}\n};\nconst size_t embedded_files_count = %d;\n' "$#"
