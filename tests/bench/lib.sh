# lib.sh - what the benchmarks share. After tap.sh.
# shellcheck shell=sh

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }

# take NAME COMMAND...: one measurement more, into $work/NAME.ms and $work/NAME.kib
take() {
    name=$1
    shift
    python3 tests/bench/measure.py "$@" >"$work/measured" || echo "failed: $*" >&2
    cut -d' ' -f1 "$work/measured" >>"$work/$name.ms"
    cut -d' ' -f2 "$work/measured" >>"$work/$name.kib"
}
ms() { median <"$work/$1.ms"; }
mib() { echo $((($(sort -n "$work/$1.kib" | tail -n 1) + 1023) / 1024)); }
