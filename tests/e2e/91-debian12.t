#!/bin/sh
# Bare Debian 12 hosts: PostgreSQL 15, Patroni 3.0, etcd 3.4, HAProxy 2.6 and keepalived 2.2 of the distribution.
. "${0%/*}/../lib/tap.sh"
. tests/lib/bare.sh
need_root

bare_lab t-deb12 10.81.35.0/24 '{db: {count: 3}, lb: {count: 2}}' bookworm
ok $? "bare hosts"
lab=$file
package_proxy $lab_gateway
ok $? "a proxy for their packages"
mkdir "$work/own"
file=$work/own/cluster.yaml
p() { "$pgha" -f "$file" "$@"; }
on() { "$pgha" -f "$lab" -q ssh "$@"; }
uri() { p conninfo --json | jq -r ".uris.$1"; }
cat >"$work/own/hosts.ini" <<END
[db]
db1 ansible_host=10.81.35.11
db2 ansible_host=10.81.35.12
db3 ansible_host=10.81.35.13

[lb]
lb1 ansible_host=10.81.35.51
lb2 ansible_host=10.81.35.52

[all:vars]
ansible_user=root
ansible_ssh_private_key_file=$lab_key
ansible_ssh_common_args="-o UserKnownHostsFile=$lab_known_hosts"
END
cat >"$file" <<END
cluster: own
provider: {name: existing, inventory: hosts.ini}
network: {vip: 10.81.35.100}
postgres: {version: 15, parameters: {max_connections: 200}, databases: [{name: app, owner: app}], users: [{name: app}]}
packages: {proxy: "http://$lab_gateway:3142"}
failover: {preset: fast}
END

# ---- up ----

is "Debian 12" "$(on db1 '. /etc/os-release; echo $VERSION_CODENAME')" bookworm
succeeds "up from bare hosts" p up --yes
like "is verified" "$out" 'is up and verified'
is "PostgreSQL 15" "$(psql -XAtqc 'show server_version_num' "$(uri primary)" | cut -c1-2)" 15
like "a Patroni that says running of what streams" "$(on db1 'dpkg-query -W -f "\${Version}" patroni')" '^3\.0'
succeeds "verify" p verify
like "status" "$(p status)" ': healthy$'
unchanged "a second up changes nothing" p up --yes
for port in 2379 2380; do
    like "etcd: TLS 1.2 at least, port $port" "$(on db1 "openssl s_client -connect 10.81.35.11:$port -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null 2>&1")" 'alert|no protocols|unsupported'
done

# ---- changes ----

sed -i 's/max_connections: 200/max_connections: 150/' "$file"
succeeds "a lowered parameter, which the primary has to have first" p up --yes
is "is there" "$(psql -XAtqc 'show max_connections' "$(uri primary)") $(psql -XAtqc 'show max_connections' "$(uri replicas)")" '150 150'
sed -i 's/max_connections: 150/max_connections: 250/' "$file"
succeeds "a raised one, which replicas have to have first" p up --yes
is "is there, too" "$(psql -XAtqc 'show max_connections' "$(uri primary)") $(psql -XAtqc 'show max_connections' "$(uri replicas)")" '250 250'
succeeds "passwords and certificates are rotated" p secrets rotate --yes
succeeds "verify" p verify
sed -i 's/^postgres: {/&synchronous: quorum, /' "$file"
exits "quorum commit, which Patroni 3.0 has not" 1 p up --yes
like "is refused with what to choose" "$err" 'choose on or strict'
sed -i 's/synchronous: quorum, /synchronous: on, /' "$file"
succeeds "synchronous" p up --yes
like "has one standby" "$(p status)" 'sync'

# ---- failover ----

primary=$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')
on "$primary" 'systemctl kill -s KILL patroni; pkill -KILL -o postgres; systemctl stop patroni'
another() { [ "$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')" != "$primary" ]; }
ok "$(wait_for 60 another; echo $?)" "another one leads"
on "$primary" 'systemctl start patroni'
healthy() { p status | grep -q ': healthy$'; }
ok "$(wait_for 60 healthy; echo $?)" "the old primary is a replica again"

# ---- down ----

succeeds "down with the data" p down --yes --delete-data
is "it is gone" "$(on db1 'ls -A /var/lib/postgresql/15 /var/lib/etcd' | grep -v :)" ''
finish
