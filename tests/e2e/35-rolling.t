#!/bin/sh
# Settings that only a restart changes, over a running cluster: one member after the other, and a writer hardly notices.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-roll 10.81.44.0/24 'postgres: {parameters: {max_connections: 100}}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
uri() { p conninfo --json | jq -r ".uris.$1"; }
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }
gap_goal=2500 # ms, of a planned switchover with this preset

succeeds "up" p up --yes
ok "$(helper tests/e2e/writer.c "$work/writer"; echo $?)" "a writer"
mkfifo "$work/stop"

# writes_over COMMAND...: $gap and $lost of a writer meanwhile
writes_over() {
    "$work/writer" "$(uri primary)" <"$work/stop" >"$work/written" &
    writer=$!
    exec 9>"$work/stop"
    wait_for 10 psql -XAtqc 'select 1 from written limit 1' "$(uri primary)"
    run "$@"
    echo >&9
    exec 9>&-
    wait $writer
    psql -XAtqc 'drop table written' "$(uri primary)"
    gap=$(sed -n 's/.*gap \([0-9]*\) ms.*/\1/p' "$work/written") lost=$(sed -n 's/.*lost //p' "$work/written")
    note "$*: $(cat "$work/written")"
}

before=$(leader)
sed -i 's/max_connections: 100/max_connections: 150/' "$file"
writes_over p up --yes
is "up restarts every member" "$status $(psql -XAtqc 'show max_connections' "$(uri primary)")" '0 150'
like "the primary by switchover" "$out$err" "$before: restart PostgreSQL as a replica|$before.*restart PostgreSQL as a replica"
unlike "so another one leads" "$(leader)" "^$before\$"
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le $gap_goal ]; echo $?)" "and waited no longer than for a switchover: $gap ms of $gap_goal"

sed -i 's/max_connections: 150/max_connections: 120/' "$file"
before=$(leader)
writes_over p up --yes
is "a lowered one, which the primary has to have first" "$status $(psql -XAtqc 'show max_connections' "$(uri primary)")" '0 120'
is "restarts it where it is" "$(leader)" "$before"
is "the writer lost nothing" "$lost" 0
succeeds "nothing is to be done after that" p plan --detailed-exitcode
succeeds "down" p down --yes
finish
