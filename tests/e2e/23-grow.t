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
runs() { p ssh db1 systemctl show -P MainPID etcd; } # what of etcd runs there
nodes() { sed -i "s/^nodes: .*/nodes: $1/" "$file"; }

succeeds "up of one server" p up --yes
succeeds "a writer" writer_build
bound=$(switchover_bound)
sql 'create table kept as select generate_series(1, 1000) as x'

grow() { # grow DATABASE-HOSTS
    nodes "{db: {count: $1}, lb: {count: 2}}"
    succeeds "plan of $1" p plan
    like "new hosts join" "$out" 'host.db2|new ones join'
    ran=$(runs)
    writes_over p up --yes
    is "up of $1" "$status" 0
    is "a member of etcd that was there goes on" "$(runs)" "$ran"
    like "is verified" "$out" 'is up and verified'
    is "all members of etcd are well" "$(well)" "$1"
    is "the writer lost nothing" "$lost" 0
    ok "$([ "$gap" -le 5000 ]; echo $?)" "and hardly noticed: $gap ms"
    is "the last host has all rows" "$(p ssh "db$1" "runuser -u postgres -- psql -XAtqc 'select count(*) from kept'")" 1000
    unchanged "a second up changes nothing" p up --yes
}
grow 3
grow 5

nodes '{db: {count: 5}, lb: {count: 2}, etcd: {count: 3}}'
exits "etcd does not move to other hosts" 65 p up --yes
like "and why" "$err" 'db1 would be a member of etcd no more'

# ---- and back ----

shrink() { # shrink DATABASE-HOSTS
    nodes "{db: {count: $1}, lb: {count: 2}}"
    like "a plan of $1 tells who leaves" "$(p plan)" 'destroy +\[leaves the cluster; its data is lost'
    ran=$(runs)
    writes_over p up --yes
    is "up of $1" "$status" 0
    is "a member of etcd that was there goes on" "$(runs)" "$ran"
    like "is verified" "$out" 'is up and verified'
    is "all members of etcd are well" "$(well)" "$1"
    is "the writer lost nothing" "$lost" 0
    ok "$([ "$gap" -le "$bound" ]; echo $?)" "and waited no longer than a switchover may take: $gap ms of $bound"
    unchanged "a second up changes nothing" p up --yes
}
nodes '{db: {count: 5}, lb: {count: 2}}'
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }
lead() { # lead HOST: by Patroni's own way
    p ssh "$1" "patronictl -c /etc/patroni/config.yml switchover --leader $(leader) --candidate $1 --force" >/dev/null
    wait_for 30 p verify
}
lead db5
is "who leaves is the primary" "$(leader)" db5
shrink 3
like "another one leads" "$(leader)" '^db[123]$'
lead db3
p ssh db1 systemctl stop patroni
not_well() { ! p verify; }
wait_for 30 not_well
nodes '{db: {count: 1}, lb: {count: 2}}'
exits "while one that stays is not well" 1 p up --yes
like "nobody leaves" "$err" 'db2, db3 cannot leave now: no member'
p ssh db1 systemctl start patroni
nodes '{db: {count: 3}, lb: {count: 2}}'
wait_for 30 p verify
shrink 1
succeeds "verify" p verify
is "all rows are there" "$(sql 'select count(*) from kept')" 1000
succeeds "down" p down --yes
finish
