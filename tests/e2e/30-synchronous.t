#!/bin/sh
# Synchronous replication, etcd on hosts of its own, and a failover: every port still leads to the right role.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-sync 10.81.5.0/24 'nodes: {db: {count: 3}, lb: {count: 2}, etcd: {count: 3}}
postgres: {synchronous: on}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
healthy() { p verify; }

succeeds "up with synchronous replication and etcd of its own" p up --yes
run p verify --json
note "$(printf '%s' "$out" | jq -r '.checks[] | select(.check == "ports") | .text')"
is "one port leads to the synchronous replica" "$(printf '%s' "$out" | jq -r '.checks[] | select(.check == "ports") | .text' | grep -c '5002 (sync) leads to db[0-9], sync_standby')" 1
is "one to the asynchronous one" "$(printf '%s' "$out" | jq -r '.checks[] | select(.check == "ports") | .text' | grep -c '5003 (async) leads to db[0-9], replica')" 1

leader=$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')
p ssh "$leader" systemctl stop patroni
new() { [ "$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')" != "$leader" ] && p psql -- -XAtqc 'create table if not exists x()'; }
wait_for 60 new
ok $? "another member takes over when Patroni stops on $leader"
exits "verify finds the fault and exits with 3" 3 p verify
p ssh "$leader" systemctl start patroni
wait_for 90 healthy
ok $? "the old primary comes back as a replica and verify passes"

holder=$(p status --json | jq -r '.balancers[] | select(.holds_vip) | .name')
p ssh "$holder" systemctl stop haproxy
moved() { p status --json | jq -e --arg old "$holder" '[.balancers[] | select(.holds_vip) | .name] | length == 1 and .[0] != $old'; }
wait_for 30 moved
ok $? "the VIP leaves a balancer whose HAProxy stopped"
run p up --yes
is "up starts it again" "$status" 0
like "and says what it changed" "$err$out" 'haproxy|[1-9][0-9]* changed'
is "the VIP stays where it went" "$(p status --json | jq -r --arg old "$holder" '[.balancers[] | select(.holds_vip) | .name][0] != $old')" true

sed -i 's/synchronous: on/synchronous: off/' "$file"
succeeds "turned off on the running cluster" p up --yes
is "nobody is synchronous" "$(p status --json | jq -r '[.members[] | select(.role == "sync_standby")] | length')" 0
sed -i 's/synchronous: off/synchronous: strict/' "$file"
succeeds "and on again" p up --yes
is "one is" "$(p status --json | jq -r '[.members[] | select(.role == "sync_standby")] | length')" 1
succeeds "down" p down --yes
finish
