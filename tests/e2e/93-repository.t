#!/bin/sh
# Packages from a repository of the user's own, laid out and signed as PostgreSQL's is: its key, its faults, a cluster.
. "${0%/*}/../lib/tap.sh"
. tests/lib/bare.sh
. tests/lib/repository.sh
need_root

bare_lab t-pgdg 10.81.38.0/24 '{db: {count: 3}, lb: {count: 1}}'
ok $? "bare hosts"
lab=$file
pgdg_repository $lab_gateway 2>/dev/null
ok $? "a repository like PostgreSQL's own"
package_proxy $lab_gateway
ok $? "a proxy for it and the distribution's"
mkdir "$work/own"
file=$work/own/cluster.yaml
p() { "$pgha" -f "$file" "$@"; }
on() { "$pgha" -f "$lab" -q ssh "$@"; }
cat >"$work/own/hosts.ini" <<END
[db]
db1 ansible_host=10.81.38.11
db2 ansible_host=10.81.38.12
db3 ansible_host=10.81.38.13

[lb]
lb1 ansible_host=10.81.38.51

[all:vars]
ansible_user=root
ansible_ssh_private_key_file=$lab_key
ansible_ssh_common_args="-o UserKnownHostsFile=$lab_known_hosts"
END
cluster() { # cluster URI KEY
    cat >"$file" <<END
cluster: own
provider: {name: existing, inventory: hosts.ini}
network: {vip: 10.81.38.100}
failover: {preset: fast}
packages:
  proxy: "http://$lab_gateway:3142"
  repositories:
    - {name: pgdg, uri: "$1", suite: trixie-pgdg, components: [main], key: $2}
END
}
begun() { # what would be there had the cluster been begun; /var/lib/postgresql is a disk of the lab's own
    on "$1" "dpkg-query -W -f '\${Package}\n' | grep -E '^(postgresql|patroni|etcd|haproxy|keepalived)'
        ls -d /etc/patroni /etc/etcd /var/lib/postgresql/*[0-9]* 2>/dev/null"
}

# ---- the key ----

cluster "$repository_uri" missing.asc
exits "a key that is not there" 65 p validate
like "is told with its place" "$err" 'cluster\.yaml:8:[0-9]+: packages\.repositories\[\]\.key: .*missing\.asc.*No such file'
gpg --homedir "$work/gpg" --batch --export >"$work/own/pgdg.gpg" 2>/dev/null
cluster "$repository_uri" pgdg.gpg
exits "a key in another format" 65 p validate
like "is told, too" "$err" 'cluster\.yaml:8:[0-9]+: .*pgdg\.gpg is no key in ASCII armour'

(umask 077 && mkdir "$work/stranger")
gpg --homedir "$work/stranger" --batch --quiet --passphrase '' --quick-generate-key stranger ed25519 sign 1d 2>/dev/null
gpg --homedir "$work/stranger" --batch --armor --export >"$work/own/stranger.asc"
gpgconf --homedir "$work/gpg" --kill all
gpgconf --homedir "$work/stranger" --kill all
cluster "$repository_uri" stranger.asc
exits "doctor, with a key that did not sign it" 1 p doctor
like "tells what apt says" "$out" '^db1 +sources +blocker +apt cannot read the repository pgdg: .*(NO_PUBKEY|Missing key)'
is "has left the host as it was" "$(on db1 'ls -A /var/lib/apt/lists /etc/apt/sources.list.d; ls -A /tmp' | grep -E '10\.81|look|^tmp\.')" ''
exits "up with a key that did not sign it" 1 p up --yes
like "tells host and task" "$err" '^failed +db1: common : Package lists: '
like "and what apt says" "$err" "$repository_uri trixie-pgdg InRelease.*(NO_PUBKEY|Missing key)"
is "nothing of the cluster is begun" "$(begun db1)$(begun lb1)" ''

# ---- a repository that does not answer ----

cp "$repository_key" "$work/own/pgdg.asc"
cluster http://10.81.38.99 pgdg.asc
sed -i '/proxy:/d' "$file"
exits "doctor, with a repository that nobody serves" 1 p doctor
like "tells it" "$out" '^lb1 +sources +blocker +apt cannot read the repository pgdg: .*http://10\.81\.38\.99'
began=$(date +%s)
exits "up with a repository that nobody serves" 1 p up --yes
took=$(($(date +%s) - began))
note "$took s"
is "does not take for ever" "$((took < 150))" 1
like "names it" "$err" 'http://10\.81\.38\.99'
is "nothing of the cluster is begun" "$(begun db1)$(begun lb1)" ''
is "no proxy is left that is not in the file any more" "$(on db1 'ls /etc/apt/apt.conf.d/60pgha-deploy 2>/dev/null')" ''

# ---- the cluster ----

cluster "$repository_uri" pgdg.asc
succeeds "doctor, when all is right" p doctor -v
like "has read it" "$out" '^db3 +sources +ok +apt can read the repository pgdg'
succeeds "up, after all that went wrong before" p up --yes
like "is verified" "$out" 'is up and verified'
for host in db1 db3 lb1; do
    is "$host: the source names its key" "$(on $host "grep ^Signed-By: /etc/apt/sources.list.d/pgha-pgdg.sources")" \
        'Signed-By: /etc/apt/keyrings/pgha-pgdg.asc'
    is "$host: the key came as it is" "$(on $host 'cat /etc/apt/keyrings/pgha-pgdg.asc')" "$(cat "$repository_key")"
    like "$host: apt takes PostgreSQL from there" "$(on $host 'apt-cache policy postgresql-17')" " $repository_uri trixie-pgdg/main"
done
unchanged "a second up changes nothing" p up --yes
succeeds "doctor" p doctor
succeeds "down with the data" p down --yes --delete-data
is "takes the repository off again" "$(on db1 'ls /etc/apt/sources.list.d /etc/apt/keyrings /etc/apt/apt.conf.d' | grep pgha)" ''
finish
