#!/bin/sh
# A Patroni cluster that somebody set up by hand is taken over while it runs: PostgreSQL is not restarted, nothing is lost.
. "${0%/*}/../lib/tap.sh"
. tests/lib/handmade.sh
need_root

handmade_lab t-adopt 10.81.41.0/24
handmade_kill_mode=control-group # a unit that would take PostgreSQL with it
handmade_dcs='ignore_slots: [{name: keepme}]'
handmade_cluster
ok $? "a cluster set up by hand"
leader=$(handmade_leader)
handmade_sql postgres "select pg_create_physical_replication_slot('keepme', true)" >/dev/null
p() { "$pgha" -f "$file" "$@"; }
starts() { # of the postmasters
    for host in db1 db2 db3; do on $host 'stat -c "%n %Y" /proc/$(head -n 1 /var/lib/postgresql/17/main/postmaster.pid)'; done
}
before=$(starts)
mkdir "$work/own"
file=$work/own/cluster.yaml
{
    printf '[db]\n'
    for n in 1 2 3; do echo "db$n ansible_host=$lab_prefix.1$n"; done
    printf '[lb]\nlb1 ansible_host=%s.51\n' "$lab_prefix"
    handmade_vars
} >"$work/own/hosts.ini"
cat >"$file" <<END
cluster: own
provider: {name: existing, inventory: hosts.ini}
network: {vip: $lab_vip}
postgres: {version: 17, parameters: {max_connections: 120, work_mem: 8MB}}
failover: {preset: fast}
END

# ---- what cannot be taken over is left alone ----

exits "up without --adopt" 1 p up --yes
like "tells the way on" "$err" 'up --adopt'
sed -i 's/version: 17/version: 16/' "$file"
exits "another version" 1 p up --adopt --yes
like "is refused" "$err" 'its data is in /var/lib/postgresql/17/main, not in /var/lib/postgresql/16/main'
sed -i 's/version: 16/version: 17/' "$file"
on db2 'ETCDCTL_API=3 etcdctl put /service/others/config "{}"' >/dev/null
exits "an etcd that others use" 1 p up --adopt --yes
like "is refused" "$err" 'its etcd holds more than /service/legacy/: /service/others/config'
on db2 'ETCDCTL_API=3 etcdctl del /service/others/config' >/dev/null
cp "$work/own/hosts.ini" "$work/own/hosts.kept"
sed -i '/^db3 /d; $a [etcd]\ndb1' "$work/own/hosts.ini"
exits "a member that the inventory does not have" 1 p up --adopt --yes
like "is refused" "$err" 'its member node3 is on none'
mv "$work/own/hosts.kept" "$work/own/hosts.ini"
is "nothing was changed" "$(starts; on db1 'ls -d /etc/pgha-deploy 2>/dev/null')" "$before"
like "it is healthy" "$(handmade_members)" 'streaming'

# ---- taken over ----

session() { # one connection to the primary that writes all the while: it fails when PostgreSQL ends or is demoted
    on "$leader" 'i=0; { echo "create table seen (at timestamptz);"
        while [ $i -lt 600 ] && [ ! -e /tmp/enough ]; do echo "insert into seen values (clock_timestamp());"; i=$((i + 1)); sleep 0.1; done; } |
        timeout 90 runuser -u postgres -- psql -qd shop -v ON_ERROR_STOP=1'
}
session >"$work/session" 2>&1 &
writer=$!
succeeds "up --adopt" p up --adopt --yes
like "is verified" "$out" 'is up and verified'
on "$leader" 'touch /tmp/enough'
wait $writer
is "a session that wrote all the while has seen nothing of it" "$? $(cat "$work/session")" '0 '
is "no PostgreSQL was restarted" "$(starts)" "$before"
is "the primary is the same" "$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')" "$leader"
is "what was in it is there" "$(on "$leader" "runuser -u postgres -- psql -XAtqd shop -c 'select count(*) from orders'")" 1000
is "a slot of somebody's own, too" "$(on "$leader" "runuser -u postgres -- psql -XAtqc \"select slot_name from pg_replication_slots where slot_name = 'keepme'\"")" keepme
is "the superuser kept its password" "$(p secrets show superuser --yes 2>/dev/null)" "$handmade_superuser"
is "nothing is paused" "$(on db1 'patronictl -c /etc/patroni/config.yml show-config' | grep -c pause)" 0
is "files that gave way are kept" "$(on db1 'ls /etc/patroni/config.yml.before-pgha-deploy'; on lb1 'ls /etc/haproxy/haproxy.cfg.before-pgha-deploy' | wc -l)" "/etc/patroni/config.yml.before-pgha-deploy
1"
is "and nothing else" "$(on db1 'ls -d /etc/pgha-deploy/adopt /etc/systemd/system/patroni.service.d/pgha-adopt.conf 2>/dev/null')$(ls "$work/own/.pgha/own" | grep adopt)" ''
succeeds "verify" p verify
succeeds "up, which restarts what new settings want" p up --yes
unchanged "and then changes nothing" p up --yes
succeeds "down" p down --yes
finish
