#!/bin/sh
# Machines of a user's own that come to a cluster, and leave it: by their inventory.
. "${0%/*}/../lib/tap.sh"
. tests/lib/writer.sh
need_root

lab t-members 10.81.69.0/24 'nodes: {db: {count: 5}, lb: {count: 2}}'
machines=$file
"$pgha" -f "$machines" -q up --hosts-only --yes >/dev/null
ok $? "seven machines"
state=${machines%/*}/.pgha/t-members
on() { "$pgha" -f "$machines" -q ssh "$@"; }
mkdir "$work/own"
file=$work/own/cluster.yaml
p() { "$pgha" -f "$file" "$@"; }
sql() { psql -XAtqc "$1" "$(writer_uri)"; }
hosts() { # hosts "1 2 3" "1 2": which of the machines are in the inventory
    printf '%s\n' '[db]' "$(printf 'alpha%s\n' $1)" '' '[lb]' "$(printf 'front%s\n' $2)" '' '[all:vars]' ansible_user=root \
        "ansible_ssh_private_key_file=$state/id_ed25519" "ansible_ssh_common_args=\"-o UserKnownHostsFile=$state/known_hosts\"" >"$work/own/hosts.ini"
}
mkdir "$work/own/host_vars"
for n in 1 2 3 4 5; do echo "ansible_host: 10.81.69.1$n" >"$work/own/host_vars/alpha$n.yml"; done
for n in 1 2; do echo "ansible_host: 10.81.69.5$n" >"$work/own/host_vars/front$n.yml"; done
cat >"$file" <<END
cluster: own
provider: {name: existing, inventory: hosts.ini}
network: {vip: 10.81.69.100}
failover: {preset: fast}
END
members() { p status --json | jq -r '"\([.members[].name] | sort | join(" ")), \([.etcd[] | select(.healthy)] | length) of etcd"'; }
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }

hosts "1 2 3" 1
succeeds "up of three, one balancer" p up --yes
succeeds "a writer" writer_build
bound=$(switchover_bound)
sql 'create table kept as select generate_series(1, 1000) as x'

# ---- they come ----

hosts "1 2 3 4 5" "1 2"
succeeds "plan of two more" p plan
like "installs what they need" "$out" 'alpha4'
writes_over p up --yes
is "up" "$status" 0
is "they are members" "$(members)" 'alpha1 alpha2 alpha3 alpha4 alpha5, 5 of etcd'
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le 3000 ]; echo $?)" "and hardly noticed: $gap ms"
is "the new ones have all rows" "$(on db5 "runuser -u postgres -- psql -XAtqc 'select count(*) from kept'")" 1000
unchanged "a second up changes nothing" p up --yes

# ---- they leave ----

p ssh alpha5 "patronictl -c /etc/patroni/config.yml switchover --leader $(leader) --candidate alpha5 --force" >/dev/null
wait_for 30 p verify
is "the last one leads" "$(leader)" alpha5
hosts "1 2 3" 1
run p plan
like "plan of two and a balancer less" "$out" '^alpha4,alpha5,front2$'
like "tells what becomes of them" "$out" 'leave the cluster +\[stopped there, its data stays; a primary gives way before'
like "and does nothing" "$(members)" 'alpha1 alpha2 alpha3 alpha4 alpha5,'
p ssh alpha2 systemctl stop patroni
not_well() { ! p verify; }
wait_for 30 not_well
exits "while one that stays is not well" 1 p up --yes
like "nobody leaves" "$err" 'alpha4, alpha5 cannot leave now: alpha2 is not well'
hosts "1 2 3 4 5" "1 2"
p ssh alpha2 systemctl start patroni
wait_for 30 p verify
hosts "1 2 3" 1
writes_over p up --yes
is "up" "$status" 0
is "the others are the cluster" "$(members)" 'alpha1 alpha2 alpha3, 3 of etcd'
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le "$bound" ]; echo $?)" "and waited no longer than a switchover may take: $gap ms of $bound"
is "nothing of it runs where it was" "$(for host in db4 db5 lb2; do on $host 'ps -eo comm='; done | grep -cE '^(etcd|patroni|postgres|haproxy|keepalived)$')" 0
is "no file of ours is left there" "$(on db5 'find /etc -xdev -type f -print0 | xargs -0 grep -l "Written by pgha-deploy" 2>/dev/null')" ''
like "the data is" "$(on db5 ls /var/lib/postgresql/17/main)" PG_VERSION
unchanged "a second up changes nothing" p up --yes

# ---- one that is lost, and another one in its place ----

lose_host t-members db3
hosts "1 2 4" 1
sql 'insert into kept select generate_series(1001, 2000)'
writes_over p up --yes
is "a machine with its data of before: up" "$status" 0
like "tells what it could not do" "$err" 'alpha3: what the cluster has put there stays, for there is no answer'
is "it is in the other one's place" "$(members)" 'alpha1 alpha2 alpha4, 3 of etcd'
is "the writer lost nothing" "$lost" 0
is "it has all rows" "$(on db4 "runuser -u postgres -- psql -XAtqc 'select count(*) from kept'")" 2000
unchanged "a second up changes nothing" p up --yes

# ---- after down, the inventory is what it is ----

succeeds "down" p down --yes
hosts "1 2 4" "1 2"
succeeds "up, with a balancer more" p up --yes
is "over the kept data" "$(sql 'select count(*) from kept')" 2000
succeeds "down, with the data" p down --yes --delete-data
finish
