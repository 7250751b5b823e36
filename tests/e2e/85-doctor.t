#!/bin/sh
# The preflight: healthy hosts are a line each; what is in the way is named, with who it is, and nothing of it is touched.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-doc 10.81.30.0/24 'nodes: {db: {count: 1}, lb: {count: 1}}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
bridge() { ip -o link show | awk -F'[ :]+' '/alias pgha t-doc$/ {print $2}'; }
adverts=
trap 'kill $adverts 2>/dev/null; cleanup' EXIT

succeeds "before the hosts are made there is nothing in the way" p -v doctor
like "and that is said" "$out" 'this machine +hosts +ok +not made yet'

succeeds "hosts" p up --hosts-only --yes
succeeds "new hosts are healthy" p doctor
is "a line each" "$(printf '%s\n' "$out" | grep -Ec '^(db1|lb1|this machine) +ok +[0-9]+ checks$')" 3
succeeds "-v shows every check" p -v doctor
like "the disk was measured" "$out" '^db1 +fsync +ok +a synchronous write takes [0-9.]+ ms'
like "ports of others were tried" "$out" '^lb1 +reach +ok +2 ports of others answer'
like "the VIP was looked for" "$out" '^lb1 +vip +ok +10\.81\.30\.100 is free'
succeeds "as JSON" p --json doctor
is "which says the same" "$(printf '%s' "$out" | jq -r '"\(.ok) \(.blockers) \(.warnings)"')" "true 0 0"
is "and nothing was left on the hosts" "$(p ssh db1 'ls -A /var/lib' | grep -c pgha-survey)" 0

# Somebody else was there first.
p ssh db1 'mkdir -p /var/lib/postgresql/17/main && echo 17 >/var/lib/postgresql/17/main/PG_VERSION
    printf "scope: prod\nname: a\n" >/etc/patroni/prod.yml
    mkdir -p /var/lib/etcd/t-doc/member
    systemd-run -q --unit=squatter socat TCP-LISTEN:5432,fork,reuseaddr OPEN:/dev/null'
p ssh lb1 'nft "add table inet x; add chain inet x out { type filter hook output priority 0; }; add rule inet x out tcp dport 8008 drop"
    echo "# mine" >/etc/haproxy/haproxy.cfg'
ip address add 10.81.30.100/32 dev "$(bridge)"
python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.81.30.1"))
for _ in range(100):
    s.sendto(bytes([0x21, 48, 100, 1, 0, 1, 0, 0, 10, 81, 30, 100]), ("224.0.0.18", 0))
    time.sleep(0.2)' &
adverts=$!
exits "what is in the way is a blocker" 1 p doctor
like "a data directory" "$out" '^db1 +postgresql +blocker +/var/lib/postgresql/17/main: PostgreSQL 17'
like "a Patroni" "$out" '^db1 +patroni +blocker +/etc/patroni/prod.yml: Patroni of somebody else, scope prod'
like "data of an etcd" "$out" '^db1 +etcd +blocker +/var/lib/etcd/t-doc holds data'
like "a taken port, and by whom" "$out" '^db1 +ports +blocker +port 5432 taken on 0\.0\.0\.0 by socat \(pid [0-9]+\)'
like "a way that is shut" "$out" '^lb1 +reach +blocker +db1 at 10\.81\.30\.11 does not answer on port 8008'
like "a HAProxy" "$out" '^lb1 +balancer +blocker +/etc/haproxy/haproxy.cfg: HAProxy of somebody else'
like "a VIP in use" "$out" '^lb1 +vip +blocker +10\.81\.30\.100 is in use by [0-9a-f:]+'
like "a virtual_router_id in use" "$out" '^lb1 +vrrp +blocker +virtual_router_id 48 is in use by 10\.81\.30\.1'
like "each with a cure" "$out" '^ +-> stop it, or let it listen elsewhere'
kill $adverts
ip address del 10.81.30.100/32 dev "$(bridge)"

# A host that does not let us in.
p ssh db1 'systemctl stop ssh.socket ssh' >/dev/null 2>&1
exits "a host that is down is a blocker" 1 p doctor
is "one" "$(printf '%s\n' "$out" | grep -c '^db1 ')" 1
like "and the others are looked at" "$out" '^lb1 +balancer +blocker'
succeeds "down" p down --yes

# A running cluster is its own.
succeeds "up" p up --yes
succeeds "nothing of the cluster's own is in the way" p -v doctor
like "its ports" "$out" '^db1 +ports +ok +0 free, 4 the cluster.s own'
like "its VIP" "$out" '^lb1 +vip +ok +10\.81\.30\.100 is held by lb1'
like "its data" "$out" "^db1 +postgresql +ok +the cluster's own"
succeeds "down" p down --yes
finish
