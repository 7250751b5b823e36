#!/bin/sh
# A Patroni cluster that somebody set up by hand: found member by member, and made into a cluster file, without its secrets.
. "${0%/*}/../lib/tap.sh"
. tests/lib/handmade.sh
need_root

handmade_lab t-hand 10.81.37.0/24
ok $? "hosts with packages"
handmade_parameters="archive_command: 'env KEY=fake-archive-7 true'"
handmade_dcs='synchronous_mode: true'
handmade_cluster
ok $? "a cluster set up by hand"
mkdir "$work/own"
{
    printf '10.81.37.%s\n' 11 12 13 51
    handmade_vars
} >"$work/own/hosts.ini"
secrets="$handmade_superuser|$handmade_replicator|$handmade_rewind|$handmade_rest|$handmade_vrrp|$handmade_owner|fake-archive"
discover() { "$pgha" inventory discover "$@"; }
written() { on "$1" 'find /etc /root /tmp /var/tmp -newer /tmp/before -type f'; }

# ---- what runs ----

for host in db1 lb1; do on $host 'touch /tmp/before'; done
succeeds "discover" discover -i "$work/own/hosts.ini"
like "tells what a host is, and PostgreSQL" "$out" '^10\.81\.37\.11 +Debian 13 [a-z0-9]+ +eth0 10\.81\.37\.11/24 +PostgreSQL 17 port 5432 under Patroni$'
like "Patroni" "$out" '^ +Patroni scope legacy member node3$'
like "etcd" "$out" '^ +etcd node2$'
like "HAProxy" "$out" '^10\.81\.37\.51 .* HAProxy port 5000 5001$'
like "keepalived" "$out" ' keepalived vrid 51 10\.81\.37\.100$'
like "the cluster, member by member" "$out" \
    '^Patroni cluster legacy: node1 \(10\.81\.37\.11\), node2 \(10\.81\.37\.12\), node3 \(10\.81\.37\.13\)$'
unlike "and no password" "$out$err" "$secrets"
is "nothing was written on the hosts" "$(written db1)$(written lb1)" ''

succeeds "as JSON" discover -i "$work/own/hosts.ini" --json
is "which says the same" "$(printf '%s' "$out" | jq -r '.clusters[] | "\(.scope) \(.ours) \([.members[].member] | join(","))"')" \
    'legacy false node1,node2,node3'
is "one PostgreSQL, by its system identifier" \
    "$(printf '%s' "$out" | jq '[.hosts[].runs[] | select(.service == "postgresql") | .system_id] | unique | length')" 1
is "with the proposal" "$(printf '%s' "$out" | jq -c '[.proposal | .cluster, (.groups.db | length), .settings.network.vip]')" \
    '["legacy",3,"10.81.37.100"]'
unlike "and no password" "$out$err" "$secrets"

# ---- a cluster file of it ----

mkdir -p "$work/home/.ssh"
cp "$lab_key" "$lab_known_hosts" "$work/home/.ssh"
addresses='root@10.81.37.11 root@10.81.37.12 root@10.81.37.13 root@10.81.37.51'
# shellcheck disable=SC2086
succeeds "discover, with a cluster file" env HOME="$work/home" "$pgha" inventory discover $addresses --output "$work/found"
unlike "no password is said" "$out$err" "$secrets"
is "none is written" "$(grep -rE "$secrets" "$work/found")" ''
found=$work/found/cluster.yaml
succeeds "it is valid" "$pgha" -f "$found" validate
like "called as Patroni's scope" "$(cat "$found")" '^cluster: legacy$'
like "with the VIP" "$(cat "$found")" '^  vip: 10\.81\.37\.100$'
like "the version" "$(cat "$found")" '^  version: 17$'
like "the synchronous mode" "$(cat "$found")" '^  synchronous: "on"$'
like "a parameter" "$(cat "$found")" '^    max_connections: 120$'
unlike "but none that is the default" "$(cat "$found")" '^ +work_mem:'
like "nor one that may hold a secret, and that is said" "$(tr -d '\n#' <"$found" | tr -s ' ')" 'may hold secrets: archive_command'
like "the way on" "$(cat "$found")" 'up --adopt'
is "members are called as Patroni does, by their roles" \
    "$("$pgha" inventory show -i "$work/found/inventory.yml" --list | jq -c '[.db.hosts, .etcd.hosts, .lb.hosts]')" \
    '[["node1","node2","node3"],["node1","node2","node3"],["lb1"]]'
# shellcheck disable=SC2086
exits "a file that is there is not overwritten" 1 env HOME="$work/home" "$pgha" inventory discover $addresses --output "$work/found"

# ---- a host that is down ----

# Not the leader's, which is asked for rows by SSH below.
leads_elsewhere() { [ "$(handmade_leader)" != db3 ] && handmade_complete; }
[ "$(handmade_leader)" != db3 ] || on db1 'patronictl -c /etc/patroni/config.yml switchover legacy --candidate node1 --force' >/dev/null 2>&1
succeeds "another host leads" wait_for 60 leads_elsewhere
on db3 'systemctl stop ssh.socket ssh' >/dev/null 2>&1
exits "a host that does not answer" 1 discover -i "$work/own/hosts.ini" --output "$work/less"
is "is told once" "$(printf '%s\n' "$err" | grep -c '^pgha-deploy: .*10\.81\.37\.13')" 1
like "in the table, too" "$out" '^10\.81\.37\.13 +no answer$'
like "the others are what they are" "$out" '^Patroni cluster legacy: node1 \(10\.81\.37\.11\), node2 \(10\.81\.37\.12\)$'
like "the file says so" "$(cat "$work/less/cluster.yaml")" '10\.81\.37\.13 did not answer'
exits "nobody answers" 1 discover root@10.81.37.98 root@10.81.37.99 --accept-new-host-keys
is "the cluster is as it was" "$(handmade_sql shop 'select count(*) from orders')" 1000

# ---- of a cluster file ----

exits "the hosts of a cluster file" 1 "$pgha" -f "$lab_file" inventory discover
like "are called as it does" "$out" '^Patroni cluster legacy: node1 \(db1\), node2 \(db2\)$'
succeeds "down" "$pgha" -f "$lab_file" down --yes
exits "hosts that are not made" 65 "$pgha" -f "$lab_file" inventory discover
like "it says so" "$err" 'the hosts of t-hand are not made yet'

# ---- a cluster of pgha-deploy's ----

succeeds "up" "$pgha" -f "$lab_file" up --yes
succeeds "discover" "$pgha" -f "$lab_file" inventory discover --output "$work/ours"
like "it is known" "$out" '^Patroni cluster t-hand \(ours\): db1, db2, db3$'
is "on each host" "$(printf '%s\n' "$out" | grep -c '^ *ours: cluster t-hand$')" 4
succeeds "its file is valid" "$pgha" -f "$work/ours/cluster.yaml" validate
like "and says whose it is" "$(cat "$work/ours/cluster.yaml")" "t-hand is pgha-deploy's already"
unlike "with nothing to do" "$(cat "$work/ours/cluster.yaml")" '^# *network:|left out|which user|parameters:$'
succeeds "down" "$pgha" -f "$lab_file" down --yes
finish
