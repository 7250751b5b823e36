#!/bin/sh
# A setting that PostgreSQL does not start with: the change stops at the first member, the others serve on, and the way on
# and the way back are told and lead there.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-back 10.81.45.0/24 'postgres: {parameters: {shared_buffers: 64MB}}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
uri() { p conninfo --json | jq -r ".uris.$1"; }
running() { p status --json | jq -r '[.members[] | select(.state == "running" or .state == "streaming")] | length'; }

succeeds "up" p up --yes
before=$(running)
leader=$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')
sed -i 's/64MB/1000GB/' "$file" # more than the machine has
began=$(date +%s)
run p up --yes
is "up with more memory than there is fails" "$status" 1
note "after $(($(date +%s) - began)) s: $(printf '%s\n' "$err" | sed -n '/^pgha-deploy: /,$p')"
like "names the member" "$err" 'db[123] does not come back from its restart'
like "and the reason" "$err" 'could not map anonymous shared memory|Cannot allocate memory'
like "and the ways on and back" "$err" '-> .*On: mend db[123].*back: the old value into the cluster file'
lost_one() { [ "$(running)" = $((before - 1)) ]; } # each tells its state in its turn
succeeds "one member is lost, the others serve" wait_for 10 lost_one
is "the primary leads on" "$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')" "$leader"
is "and takes writes" "$(psql -XAtqc 'create table t (n int); select 1' "$(uri primary)")" 1

began=$(date +%s)
run p up --yes
is "up again fails likewise" "$status" 1
note "after $(($(date +%s) - began)) s: $(printf '%s\n' "$err" | sed -n '/^pgha-deploy: /,$p')"
like "and why" "$err" 'could not map anonymous shared memory|Cannot allocate memory'
like "and says what helps" "$err" '-> give it settings that it starts with'
is "no other member is touched" "$(running)" $((before - 1))

sed -i 's/1000GB/80MB/' "$file"
succeeds "with a value that works, up ends well" p up --yes
is "on all members" "$(running)" "$before"
is "which have it" "$(psql -XAtqc 'show shared_buffers' "$(uri primary)")" 80MB
succeeds "down" p down --yes
finish
