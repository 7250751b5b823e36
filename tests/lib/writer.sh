# writer.sh - a client that writes without a pause while something is done to the cluster. After tap.sh.
#
#   writer_build                compiles it
#   writes_over COMMAND...      as run; then $gap (ms, the longest between two acknowledged writes) and $lost (rows)
#   switchover_bound            ms: the longest that a switchover may take, by the cluster's timers
#
# p is the test's `pgha-deploy -f FILE`.
# shellcheck shell=sh
writer_uri() { p conninfo --json | jq -r .uris.primary; }

writer_build() {
    helper tests/e2e/writer.c "$work/writer" && mkfifo "$work/stop"
}

writes_over() {
    "$work/writer" "$(writer_uri)" <"$work/stop" >"$work/written" &
    writer=$!
    exec 9>"$work/stop"
    wait_for 10 psql -XAtqc 'select 1 from written limit 1' "$(writer_uri)"
    run "$@"
    echo >&9
    exec 9>&-
    wait $writer
    psql -XAtqc 'drop table written' "$(writer_uri)"
    gap=$(sed -n 's/.*gap \([0-9]*\) ms.*/\1/p' "$work/written") lost=$(sed -n 's/.*lost //p' "$work/written")
    note "$*: $(cat "$work/written")"
}

switchover_bound() {
    p drill --list | sed -n '/^switchover/,/at most/s/.*at most \([0-9.]*\) s.*/\1/p' | awk '{print $1 * 1000; exit}'
}
