#!/bin/sh
# The clients of a drill against a server that lies: every lie is counted as what it is, and every gap is seen.
. "${0%/*}/../lib/tap.sh"

helper tests/drill/clients.c "$work/clients-program" || exit 1

# A server that tells these lies; ends when stdin does, which is descriptor 3: liar LIE...
liar() {
    rm -f "$work/port" "$work/truth" "$work/stdin"
    mkfifo "$work/stdin"
    /usr/bin/python3 tests/drill/liar.py "$work/port" "$@" <"$work/stdin" >"$work/truth" &
    liar=$!
    exec 3>"$work/stdin"
    wait_for 20 test -s "$work/port"
}
end_liar() {
    exec 3>&-
    wait "$liar"
}
# The clients' figures, from writers, readers, plain clients and acknowledged writes: measure 4 2 0 600
measure() {
    run "$work/clients-program" "$(cat "$work/port")" "$@" 3>&-
    is "$* against it: the clients come to their end" "$status$err" 0
    end_liar
}
value() { printf '%s\n' "$out" | awk -v name="$1" '$1 == name {print $2}'; }
counted() { # counted NAME WANTED...
    while [ $# -gt 0 ]; do
        is "$1: $2" "$(value "$1")" "$2"
        shift 2
    done
}
between() { # between NAME LOWEST HIGHEST
    got=$(value "$1")
    if [ "${got:--1}" -ge "$2" ] && [ "$got" -le "$3" ]; then ok 0 "$1: $2 to $3"; else
        ok 1 "$1: $2 to $3"
        note "got: $got"
    fi
}
truth() { awk -v name="$1" '$1 == name {print $2}' "$work/truth"; }
told() { printf '%s\n' "$out" | sed -n "s/^$1.told //p"; }

note "an honest server"
liar
measure 8 3 2 1000
counted missing 0 unknown 0 unknown-kept 0 doubled 0 reordered 0 altered 0 invented 0 went-back 0 went-elsewhere 0
counted writers.failed 0 readers.failed 0 plain.failed 0
is "every write that it acknowledged is known" "$(value acknowledged)" "$(truth acknowledged)"
is "they are the writers' and the plain clients'" "$(($(value writers.answered) + $(value plain.answered)))" "$(truth acknowledged)"
for group in writers readers plain; do
    counted "$group.answered-live" "$(value $group.answered)" "$group.answered-in-slots" "$(value $group.answered)" \
        "$group.answered-in-phases" "$(value $group.answered)"
done

note "one that lies in every way"
liar drop:40 double:80 swap:120 alter:160 invent:200 close:240 lose:280 silent:320 readonly:360 late:400:300 drop:440 \
    drop:441 double:480 stale:50 stale:90
measure 4 1 0 600
counted missing 3 unknown 4 unknown-kept 2 doubled 2 reordered 1 altered 1 invented 1 went-back 2 went-elsewhere 0
counted writers.failed 4 readers.failed 0
is "it counts as many acknowledged" "$(value acknowledged)" "$(truth acknowledged)"
like "a writer is told that the server is read-only" "$(told writers)" '^1 25006 ERROR:  cannot execute INSERT'
like "two that the connection is gone" "$(told writers)" '^2  server closed the connection unexpectedly'
like "one gives up" "$(told writers)" '^1  no answer in time'
between writers.longest-answer-ms 300 499
between writers.client-gap-ms 500 1500

note "one that is away for 700 ms"
liar outage:320:700
measure 4 2 1 600
for group in writers readers plain; do
    between $group.gap-ms 700 1500
    between $group.client-gap-ms "$(value $group.gap-ms)" 1500
    # An attempt every 10 ms, no more: 4 writers, 2 readers, 1 plain client.
    between $group.failed 10 600
    like "$group: connections are refused" "$(told $group)" ' Connection refused'
done
counted missing 0 doubled 0 invented 0

note "one that answers nobody's writes for 2 s"
liar stuck:120:2000
measure 1 1 1 200
counted writers.failed 2 unknown 2 unknown-kept 2 missing 0 plain.failed 0 readers.failed 0
is "the writer has given up after 500 ms, and after 1 s" "$(told writers)" "2  no answer in time"
between plain.longest-answer-ms 1500 3000
between writers.gap-ms 1500 3000

note "one that never answers the plain client, which waits until it is stopped"
liar mute:1
measure 1 0 1 100
counted plain.answered 0 plain.failed 0 unknown 1 unknown-kept 1 missing 0

note "Ctrl-C"
liar mute:1
"$work/clients-program" "$(cat "$work/port")" 1 1 1 1000000 2>"$work/stderr" 3>&- &
program=$!
servers="$servers $program"
asked() { [ "$(ss -Htn state established dport = ":$(cat "$work/port")" | wc -l)" -ge 3 ]; }
wait_for 20 asked
ok $? "three clients are connected"
kill -INT $program
status=0
wait $program || status=$?
is "they end, without a failure of their own" "$status: $(sed 's/[0-9]* writes/N writes/' "$work/stderr")" "1: N writes"
end_liar
finish
