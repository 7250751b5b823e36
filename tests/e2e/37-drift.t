#!/bin/sh
# What was changed by hand, of every kind: plan finds and shows it, up right after it does exactly that, and nothing is left.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-drift 10.81.46.0/24 'postgres: {databases: [{name: shop, owner: keeper, extensions: [pg_trgm]}], users: [{name: keeper}]}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
by_hand() { p ssh "$@" >/dev/null 2>&1; }
uri() { p conninfo --json | jq -r ".uris.$1"; }
changes() { jq -r '.changes[] | "\(.where): \(.what)"' | sort; }
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }

succeeds "up" p up --yes
succeeds "plan finds nothing" p plan --detailed-exitcode

leader=$(leader)
by_hand db1 'echo "# by hand" >>/etc/security/limits.d/60-pgha-deploy.conf'
by_hand db2 'chmod 666 /etc/etcd/etcd.env /etc/default/etcd; chown postgres /etc/etcd'
by_hand db2 'rm /etc/sysctl.d/60-pgha-deploy.conf'
by_hand lb1 'systemctl stop keepalived; systemctl disable haproxy'
by_hand lb2 'nft delete table inet pgha_deploy'
by_hand "$leader" "patronictl -c /etc/patroni/config.yml edit-config --force -s loop_wait=7 -p work_mem=99MB"
by_hand "$leader" "runuser -u postgres -- psql -h /var/run/postgresql -d shop -c 'drop extension pg_trgm'"

run p plan --json
plan=$(printf '%s' "$out" | changes)
note "$plan"
like "a changed file" "$plan" '^db1: .*60-pgha-deploy.conf'
like "a mode" "$plan" '^db2: .*etcd'
like "a missing file" "$plan" '^db2: .*sysctl.d/60-pgha-deploy.conf'
like "a stopped unit" "$plan" '^lb1: .*keepalived'
like "a disabled unit" "$plan" '^lb1: .*haproxy'
like "Patroni's dynamic configuration" "$plan" '^dcs: loop_wait: 7 -> '
like "a parameter in it" "$plan" '^dcs: postgresql.parameters.work_mem: "99MB" -> '
like "an extension" "$plan" '^sql: .*pg_trgm'

run p up --yes --json
is "up does exactly that" "$(printf '%s' "$out" | changes)" "$plan"
succeeds "nothing is left" p plan --detailed-exitcode

for lb in lb1 lb2; do by_hand $lb systemctl stop haproxy; done
exits "plan needs no balancer to see the SQL objects" 2 p plan --detailed-exitcode
unlike "and they are right" "$out" '^sql'
succeeds "up starts the balancers" p up --yes
is "the same leads" "$(leader)" "$leader"
succeeds "a firewall taken away is put back by its host" wait_for 60 p ssh lb2 nft list table inet pgha_deploy
cp "$file" "$work/as-it-was"
sed -i 's|10.81.46.0/24|10.81.47.0/24|' "$file"
exits "another network, with which members would be made anew" 65 p up --yes
like "is refused" "$err" 'db1 is a member of the running cluster and would be made anew, without its data'
cp "$work/as-it-was" "$file"
leader=$(leader)
succeeds "with the old one it goes on" p up --yes
is "under the same leader" "$(leader)" "$leader"
succeeds "down" p down --yes
finish
