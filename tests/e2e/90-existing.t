#!/bin/sh
# Machines that somebody else made: a cluster from bare Debian 13 hosts, found, brought up, taken off again.
. "${0%/*}/../lib/tap.sh"
. tests/lib/bare.sh
need_root

bare_lab t-own 10.81.34.0/24 '{db: {count: 3}, lb: {count: 2}}'
ok $? "bare hosts"
lab=$file
package_proxy $lab_gateway
ok $? "a proxy for their packages"
mkdir "$work/own"
file=$work/own/cluster.yaml
p() { "$pgha" -f "$file" "$@"; }
on() { "$pgha" -f "$lab" -q ssh "$@"; }
inventory() { # inventory [OPTIONS OF SSH]
    cat <<END
[db]
alpha ansible_host=10.81.34.11
beta  ansible_host=10.81.34.12
gamma.example.net ansible_host=10.81.34.13

[lb]
front[1:2]

[all:vars]
ansible_user=root
ansible_ssh_private_key_file=$lab_key
ansible_ssh_common_args="-o UserKnownHostsFile=$lab_known_hosts ${1:-}"
END
}
inventory >"$work/own/hosts.ini"
mkdir "$work/own/host_vars"
echo 'ansible_host: 10.81.34.51' >"$work/own/host_vars/front1.yml"
echo 'ansible_host: 10.81.34.52' >"$work/own/host_vars/front2"
cat >"$file" <<END
cluster: own
provider: {name: existing, inventory: hosts.ini}
network: {vip: 10.81.34.100}
postgres: {databases: [{name: app, owner: app}], users: [{name: app}]}
packages: {proxy: "http://$lab_gateway:3142"}
failover: {preset: fast}
END

# ---- the addresses that members use ----

for host in db1 db2 db3 lb1 lb2; do # a network of guests, and an address that no other host has
    on $host "ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up; ip addr add 2001:db8::${host#??}/64 dev eth0"
done
on db1 'ip link add public0 type veth peer name public1; ip addr add 198.51.100.7/32 dev public0; ip link set public0 up'
succeeds "plan" p plan
like "tells each host's address, and why" "$err" 'alpha.*address 10\.81\.34\.11 on eth0: all hosts share its network'
like "and what installs packages" "$out" 'apt.*patroni'
like "the cluster comes last" "$out" 'start it, with its roles'
is "nothing was changed" "$(on db1 'ls -d /etc/patroni /etc/pgha-deploy 2>/dev/null')" ''

# ---- doctor, and what is somebody else's ----

succeeds "doctor" p doctor
like "tells what it found" "$out" '0 blockers'
is "as JSON" "$(p doctor --json | jq -r '.ok, (.findings | map(.host) | unique | length)' | tr '\n' ' ')" 'true 6 '
on db2 'mkdir -p /var/lib/postgresql/17/main; echo 17 >/var/lib/postgresql/17/main/PG_VERSION; echo precious >/var/lib/postgresql/17/main/data'
exits "up over somebody's data" 1 p up --yes
like "names what is in the way" "$err" 'beta: postgresql: /var/lib/postgresql/17/main'
is "changes nothing" "$(on db1 'ls -d /etc/pgha-deploy 2>/dev/null'; on db2 'cat /var/lib/postgresql/17/main/data')" precious
exits "doctor says so, too" 1 p doctor
exits "a host to wipe that is none" 64 p up --wipe nobody --yes

# ---- up ----

succeeds "up from bare hosts, one of them wiped" p up --wipe beta --yes
is "what was there is gone" "$(on db2 'ls /var/lib/postgresql/17/main/data 2>/dev/null')" ''
like "is verified" "$out" 'is up and verified'
is "hosts keep their names" "$(on db1 hostname)" db1
is "nothing listens for docker0" "$(on db1 'ss -Hltn' | grep -c 172.17)" 0
is "psql connects" "$(psql -XAtqc 'select current_user' "$(p conninfo --json | jq -r .uris.primary)")" app
succeeds "verify" p verify
unchanged "a second up changes nothing" p up --yes
psql -XAtqc 'create table kept as select 42 as x' "$(p conninfo --json | jq -r .uris.primary)"

# ---- a machine that has lost its disks ----

exits "a machine of somebody else is not made anew" 64 p up --replace alpha --yes
like "but there is a way" "$err" 'give alpha a new system'
lose_host t-own db1
"$pgha" -f "$lab" -q up --hosts-only --yes >/dev/null
succeeds "a new one with its name and address" on db1 '! test -e /etc/patroni'
succeeds "up" p up --yes
like "it joins again" "$out" 'is up and verified'
is "etcd as well" "$(p status --json | jq '[.etcd[] | select(.healthy)] | length')" 3
is "and has the data" "$(on db1 "runuser -u postgres -- psql -XAtqc 'select x from kept' app")" 42
unchanged "which is all" p up --yes

# ---- no direct route ----

for n in 11 12 13 51 100; do ip route add unreachable 10.81.34.$n; done
inventory '-J root@10.81.34.52' >"$work/own/hosts.ini"
sed -i '/^front/d' "$work/own/hosts.ini"
sed -i 's/^\[lb\]/&\nfront1\nfront2 ansible_ssh_common_args="-o UserKnownHostsFile='"$(echo "$lab_known_hosts" | sed 's/[/]/\\&/g')"'"/' "$work/own/hosts.ini"
like "through a bastion: status" "$(p status)" ': healthy$'
succeeds "verify" p verify
like "up" "$(p up --yes 2>/dev/null)" 'verified'
is "ssh" "$(p ssh alpha hostname)" db1
for n in 11 12 13 51 100; do ip route del unreachable 10.81.34.$n; done
inventory >"$work/own/hosts.ini"

# ---- hosts that do not answer ----

sed 's/ansible_host=10.81.34.13/ansible_host=10.81.34.99/' "$work/own/hosts.ini" >"$work/own/down.ini"
mv "$work/own/hosts.ini" "$work/own/hosts.kept"
cp "$work/own/down.ini" "$work/own/hosts.ini"
on db1 'rm /etc/security/limits.d/60-pgha-deploy.conf'
exits "a host that does not answer" 1 p up --yes
is "is told once" "$(printf '%s\n' "$err" | grep -c '^failed.*gamma')" 1
like "with what to do when it is back" "$err" 'up --limit gamma.example.net'
like "the others' work went on" "$(on db1 'ls /etc/security/limits.d')" pgha-deploy
succeeds "up of the others only" p up --limit alpha,beta,front1 --yes
exits "a host that the inventory does not have" 65 p up --limit delta --yes
mv "$work/own/hosts.kept" "$work/own/hosts.ini"

# ---- down ----

succeeds "down" p down --yes
like "keeps the data" "$out" 'kept'
is "nothing runs any more" "$(on db1 'ps -eo comm=' | grep -cE '^(etcd|patroni|postgres|haproxy|keepalived)$')" 0
is "no file of ours is left" "$(on db1 'find /etc -xdev -type f -print0 | xargs -0 grep -l "Written by pgha-deploy" 2>/dev/null')" ''
is "no firewall" "$(on db1 'nft list tables' | grep -c pgha)" 0
succeeds "up again" p up --yes
is "over the kept data" "$(psql -XAtqc 'select x from kept' "$(p conninfo --json | jq -r .uris.primary)")" 42
succeeds "down with the data" p down --yes --delete-data
is "it is gone" "$(on db1 'ls -A /var/lib/postgresql/17 /var/lib/etcd' | grep -v :)" ''
is "the state folder, too" "$(ls -A "$work/own/.pgha" 2>/dev/null)" ''
finish
