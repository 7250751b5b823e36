#!/bin/sh
# A cluster without balancers is drilled, too: by clients with a list of its members, as drivers take it.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-list 10.81.126.0/24 'nodes: {db: {count: 3}, lb: {count: 0}}
postgres: {synchronous: on}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
report=$work/report.json
channel() { jq -r ".results[] | select(.scenario == \"$1\") | .channels[] | select(.name == \"$2\") | $3" "$report"; }

succeeds "up" p up --yes
run p drill --yes switchover primary-cut haproxy-killed --report "$report"
is "a drill" "$status" 0
[ "$status" = 0 ] || complain "$(echo "$out$err" | grep -A 3 '^FAILED')" "$err"
note "$out"
is "what needs balancers is skipped" "$(jq -c '[.results[] | [.scenario, .outcome]]' "$report")" \
    '[["switchover","passed"],["primary-cut","passed"],["haproxy-killed","skipped"]]'
like "saying so" "$out" 'it needs two balancers'
is "clients have a list" "$(channel switchover primary .address)" 10.81.126.11:5432
is "as plain libpq has" "$(channel switchover 'plain libpq' .address)" 10.81.126.11,10.81.126.12,10.81.126.13:5432
is "writers are answered by the next primary" "$(channel primary-cut primary '.answered > 100 and .gap_ms > 1000')" true
is "readers by whoever is there" "$(channel primary-cut 'any member' '.answered > 100 and .gap_ms < 5000')" true
is "no acknowledged write is missing, on any member" "$(jq '[.results[].copies[]?.missing] | add' "$report")" 0
succeeds "the page" p drill --yes switchover --html "$work/report.html"
succeeds "is there" grep -q '<svg' "$work/report.html"
succeeds "down" p down --yes
finish
