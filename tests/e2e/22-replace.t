#!/bin/sh
# Hosts that are lost, and hosts that are made anew: members join etcd and Patroni again while the others serve.
. "${0%/*}/../lib/tap.sh"
. tests/lib/writer.sh
need_root

lab t-repl 10.81.62.0/24 'postgres: {synchronous: "on"}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
sql() { psql -XAtqc "$1" "$(writer_uri)"; }
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }
replicas() { p status --json | jq -r '.members[] | select(.role != "leader") | .name'; }
etcd_id() { p ssh "$1" "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/tls/ca.crt --cert=/etc/etcd/tls/host.crt \
    --key=/etc/etcd/tls/host.key member list" | awk -F', ' -v name="$1" '$3 == name {print $1}'; }
machine() { p ssh "$1" 'ls -id /etc/machine-id; stat -c %W /etc/patroni/config.yml'; }

succeeds "up" p up --yes
succeeds "a writer" writer_build
bound=$(switchover_bound)
sql 'create table kept as select generate_series(1, 1000) as x'

# ---- a member that has lost etcd's data ----

host=$(replicas | head -n 1)
before=$(etcd_id "$host")
p ssh "$host" '. /etc/default/etcd; systemctl stop etcd; rm -rf "$ETCD_DATA_DIR"/*; systemctl start --no-block etcd'
wait_for 30 p verify
succeeds "etcd without its data joins again by itself" p verify
like "it is another member now" "$before $(etcd_id "$host")" '^([0-9a-f]+) [0-9a-f]+$'
unlike "of the same name" "$(etcd_id "$host")" "^$before\$"
is "which its next start is no matter to" "$(p ssh "$host" 'systemctl restart etcd; ls /etc/etcd/join.env 2>&1 | grep -c cannot')" 1
unchanged "for up it is as it should be" p up --yes

# ---- what is refused ----

exits "a host that the cluster does not have" 64 p up --replace nobody --yes
exits "hosts only" 64 p up --replace db1 --hosts-only --yes
like "no" "$err" 'for a whole `up`'
set -- $(replicas)
p ssh "$1" systemctl stop patroni
not_well() { p status --json | jq -e --arg name "$1" '.members[] | select(.name == $name) | .state == "stopped"'; }
wait_for 30 not_well "$1"
exits "while another member is not well" 1 p up --replace "$2" --yes
like "names it" "$err" "$2 cannot leave now: $1 is not well"
succeeds "the one that is not well itself" p up --replace "$1" --yes
like "is verified" "$out" 'is up and verified'
p ssh "$1" systemctl stop etcd
two_lead() { p status --json | jq -e '[.etcd[] | select(.healthy)] | length == 2'; } # once they have a leader
wait_for 20 two_lead
exits "etcd's majority is in the way, too" 1 p up --replace "$2" --yes
like "and says how many are left" "$err" 'without it 1 of 3 members of etcd are well'
p ssh "$1" systemctl start etcd
wait_for 30 p verify

# ---- the primary's host, under a writer ----

first=$(leader)
before=$(machine "$first")
id=$(etcd_id "$first")
like "a plan of it" "$(p plan --replace "$first")" 'replace: asked for +\[joins the cluster and copies its data'
writes_over p up --replace "$first" --yes
is "the primary's host is made anew" "$status" 0
like "another one leads" "$(leader)" "^($(echo "$@" | tr ' ' '|'))\$"
unlike "the machine is a new one" "$(machine "$first")" "^$before\$"
unlike "a new member of etcd, too" "$(etcd_id "$first")" "^$id\$"
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le "$bound" ]; echo $?)" "and waited no longer than a switchover may take: $gap ms of $bound"
is "its copy has all rows" "$(p ssh "$first" "runuser -u postgres -- psql -XAtqc 'select count(*) from kept'")" 1000
unchanged "a second up changes nothing" p up --yes

# ---- killed on the way ----

host=$(replicas | head -n 1)
"$pgha" -f "$file" up --replace "$host" --yes >/dev/null 2>&1 &
pid=$!
gone() { [ ! -e "/var/lib/pgha-deploy/local/t-repl/$host/host.json" ]; }
wait_for 30 gone
kill -9 $pid
wait $pid 2>/dev/null
succeeds "up completes what was killed when the host was gone" p up --yes
is "all members of etcd are well" "$(p status --json | jq '[.etcd[] | select(.healthy)] | length')" 3

# ---- lost for good: nobody asked for it ----

host=$(replicas | head -n 1)
lose_host t-repl "$host"
like "a host that is gone is seen" "$(p plan)" "host.$host\$|create +\[joins the cluster"
writes_over p up --yes
is "up makes it again" "$status" 0
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le 3000 ]; echo $?)" "and hardly noticed: $gap ms"
is "its copy has all rows" "$(p ssh "$host" "runuser -u postgres -- psql -XAtqc 'select count(*) from kept'")" 1000

# ---- a balancer that holds the address ----

holder() { p status --json | jq -r '.balancers[] | select(.holds_vip) | .name'; }
host=$(holder)
writes_over p up --replace "$host" --yes
is "the balancer that holds the address is made anew" "$status" 0
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le 3000 ]; echo $?)" "and hardly noticed: $gap ms"
succeeds "down" p down --yes
finish
