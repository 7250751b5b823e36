#!/bin/sh
# The right doors open to the right networks, and no others; nobody is shut out of his own hosts.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-fw 10.81.12.0/24 'nodes: {db: {count: 1}, lb: {count: 1}, etcd: {count: 1}}
access: {ssh: [10.81.113.0/24], postgres: [10.81.114.0/24]}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
space=t-fw-scan
trap 'ip netns del $space 2>/dev/null; cleanup' EXIT

# A host of the test's own on the bridge, with an address in none of the networks, one of each, and a member's neighbour.
neighbour() {
    bridge=$(ip -o link show | awk -F'[ :]+' '/alias pgha t-fw$/ {print $2}')
    ip netns add $space
    ip link add tfw-scan type veth peer name eth0 netns $space
    ip link set tfw-scan master "$bridge" up
    ip -n $space link set lo up
    ip -n $space link set eth0 up
    for net in 12 112 113 114; do ip -n $space address add 10.81.$net.222/24 dev eth0; done
    for host in db1 lb1 etcd1; do p ssh $host 'for net in 112 113 114; do ip route add 10.81.$net.0/24 dev eth0; done'; done
}
# Open ports of an address as seen from another, every port tried.
open_ports() { # FROM TO
    ip netns exec $space nmap -n -Pn -sS -p- -T5 --min-rate 30000 --max-retries 1 -S "$1" -e eth0 -oG - "$2" 2>/dev/null |
        grep -oE '[0-9]+/open/tcp' | cut -d/ -f1 | sort -n | tr '\n' ' '
}

succeeds "hosts" p up --hosts-only --yes
for host in db1 lb1 etcd1; do p ssh $host 'nft add table inet somebody; nft add chain inet somebody input "{ type filter hook input priority 10; policy accept; }"'; done
succeeds "up" p up --yes
neighbour
db=10.81.12.11 lb=10.81.12.51
etcd=$(p inventory show --format json | jq -r ._meta.hostvars.etcd1.address)
while read -r who from dbs lbs etcds; do
    is "$who: ports of a database host" "$(open_ports "$from" $db)" "$(echo "$dbs" | tr , ' ' | sed 's/-//;s/\(.\)$/\1 /')"
    is "$who: ports of a balancer" "$(open_ports "$from" $lb)" "$(echo "$lbs" | tr , ' ' | sed 's/-//;s/\(.\)$/\1 /')"
    is "$who: ports of an etcd member" "$(open_ports "$from" "$etcd")" "$(echo "$etcds" | tr , ' ' | sed 's/-//;s/\(.\)$/\1 /')"
done <<EOF
stranger 10.81.112.222 - - -
administrator 10.81.113.222 22,8008 22,7000 22,2379
client 10.81.114.222 5432 5000,5001,5002,5003 -
own-network 10.81.12.222 22,5432,8008 22,5000,5001,5002,5003,7000 22,2379
EOF
is "VRRP only from other balancers" "$(p ssh lb1 nft list chain inet pgha_deploy input | grep -c 'vrrp ip saddr @lb_hosts accept')" 1
for host in db1 lb1 etcd1; do
    is "$host: a table of somebody else is untouched" "$(p ssh $host nft list tables | grep -c 'inet somebody')" 1
done
succeeds "a member of the network reaches PostgreSQL through pg_hba too" p verify

# Nobody shuts himself out.
p inventory show --show-secrets >"$work/inventory.yml"
table() { p ssh lb1 nft list table inet pgha_deploy | sha256sum; }
before=$(table)
run "$pgha" play playbooks/patroni.yml -i "$work/inventory.yml" --tags firewall --limit lb1 -e '{"admin_networks": ["192.0.2.0/24"]}'
is "a firewall that shuts us out fails" "$status" 1
like "and says whom" "$out$err" 'would shut out 10.81.12.1 '
is "the table is what it was" "$(table)" "$before"
succeeds "and we come in" p ssh lb1 true
succeeds "up puts the file right" p up --yes

# A connection that is lost after the change: the timer takes the change back.
succeeds "a timer of two seconds" "$pgha" play playbooks/patroni.yml -i "$work/inventory.yml" --tags firewall --limit lb1 -e firewall_confirm_s=2
before=$(table)
p ssh lb1 'sed -i "s/dport 22 ip/dport { 22, 23 } ip/" /etc/pgha-deploy/firewall.nft && /etc/pgha-deploy/firewall.sh load' >/dev/null 2>&1
unlike "the change is in force at once" "$(table)" "$before"
back() { [ "$(table)" = "$before" ]; }
wait_for 15 back
is "and taken back when nobody confirms it" "$(table)" "$before"
# systemd lets timers elapse together: the one that looks after the table comes while it is put back.
# shellcheck disable=SC2016
succeeds "nor does who mends take away what is just put back" p ssh lb1 'for i in $(seq 30); do
    /etc/pgha-deploy/firewall.sh load
    /etc/pgha-deploy/firewall.sh mend & /etc/pgha-deploy/firewall.sh rollback
    wait
    nft list table inet pgha_deploy >/dev/null || exit 1
done'
# Whoever stops the timer next has to find it.
# shellcheck disable=SC2016
is "the timer runs by the time that the table is loaded" "$(p ssh lb1 'for i in $(seq 30); do
    systemctl stop pgha-firewall-rollback.timer
    systemctl restart pgha-firewall
    systemctl is-active pgha-firewall-rollback.timer
done; systemctl stop pgha-firewall-rollback.timer' | sort | uniq -c | tr -s ' ')" ' 30 active'
succeeds "up" p up --yes
before=$(table)
succeeds "a timer of two seconds again" "$pgha" play playbooks/patroni.yml -i "$work/inventory.yml" --tags firewall --limit lb1 -e firewall_confirm_s=2
p ssh lb1 'nft delete table inet pgha_deploy && /etc/pgha-deploy/firewall.sh load' >/dev/null 2>&1
gone() { ! p ssh lb1 nft list table inet pgha_deploy; }
wait_for 15 gone
ok $? "a table that nobody confirms is taken away, its file as it should be"
succeeds "up loads it again" p up --yes
is "as it was" "$(table)" "$before"
is "and for good" "$(p ssh lb1 systemctl is-active pgha-firewall pgha-firewall-rollback.timer | tr '\n' ' ')" 'active inactive '
succeeds "after which nothing is to be done" p plan --detailed-exitcode
succeeds "down" p down --yes
finish
