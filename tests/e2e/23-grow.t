#!/bin/sh
# A cluster that begins with one server and becomes one of three, then of five, under a writer.
. "${0%/*}/../lib/tap.sh"
. tests/lib/writer.sh
need_root

lab t-grow 10.81.63.0/24 'nodes: {db: {count: 1}, lb: {count: 1}}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
sql() { psql -XAtqc "$1" "$(writer_uri)"; }
well() { p status --json | jq '[.etcd[] | select(.healthy)] | length'; }
nodes() { sed -i "s/^nodes: .*/nodes: $1/" "$file"; }

succeeds "up of one server" p up --yes
succeeds "a writer" writer_build
sql 'create table kept as select generate_series(1, 1000) as x'

grow() { # grow DATABASE-HOSTS
    nodes "{db: {count: $1}, lb: {count: 2}}"
    succeeds "plan of $1" p plan
    like "new hosts join" "$out" 'host.db2|new ones join'
    writes_over p up --yes
    is "up of $1" "$status" 0
    like "is verified" "$out" 'is up and verified'
    is "all members of etcd are well" "$(well)" "$1"
    is "the writer lost nothing" "$lost" 0
    ok "$([ "$gap" -le 3000 ]; echo $?)" "and hardly noticed: $gap ms"
    is "the last host has all rows" "$(p ssh "db$1" "runuser -u postgres -- psql -XAtqc 'select count(*) from kept'")" 1000
    unchanged "a second up changes nothing" p up --yes
}
grow 3
grow 5

nodes '{db: {count: 5}, lb: {count: 2}, etcd: {count: 3}}'
exits "etcd does not move to other hosts" 65 p up --yes
like "and why" "$err" 'db1 would be a member of etcd no more'
nodes '{db: {count: 3}, lb: {count: 2}}'
exits "members with data are not removed" 65 p up --yes
like "by name" "$err" 'db4 is a host of the running cluster'
succeeds "verify" p verify
succeeds "down" p down --yes
finish
