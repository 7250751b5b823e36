#!/bin/sh
# The same playbook by the real ansible-playbook and by ours: on fresh hosts both end in the same files, and over what
# the other has made each finds nothing to do.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
need_root
ansible_ready || { echo "1..0 # SKIP no ansible-core: its Debian 13 root cannot be made"; exit 0; }

lab t-ans 10.81.6.0/24 'nodes: {db: {count: 1}, lb: {count: 2}}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
by_ansible() { run in_ansible ansible-playbook -i "$work/inventory.yml" playbooks/patroni.yml; }
inventory() { p inventory show --show-secrets --format yaml >"$work/inventory.yml"; }
recap() { printf '%s\n' "$out" | grep -c "$1"; }

# What the playbook has left on a host, but for the secrets in it: files' modes and owners, units, users, settings.
traces() {
    files=$(cd "$work/rendered/$1" && find . -type f | sort)
    # shellcheck disable=SC2086,SC2016
    p ssh "$1" 'cd / && stat -c "%n %a %U:%G" '$files'; stat -c "%n %a %U:%G" /etc/patroni /etc/haproxy /etc/etcd 2>&1
        systemctl list-unit-files --state=enabled --no-legend --plain | cut -d" " -f1; systemctl is-active etcd patroni haproxy keepalived
        hostname; getent passwd keepalived_script | cut -d: -f1,6,7; sysctl vm.swappiness net.ipv4.ip_nonlocal_bind' 2>&1
}
contents() { # rendered here, and on the host
    (cd "$work/rendered/$1" && find . -type f | sort | xargs sha256sum)
}
contents_there() {
    # shellcheck disable=SC2046
    p ssh "$1" "cd / && sha256sum" $(cd "$work/rendered/$1" && find . -type f | sort)
}

succeeds "syntax check by ansible-playbook" in_ansible ansible-playbook --syntax-check -i localhost, playbooks/patroni.yml

succeeds "hosts, and nothing on them" p up --hosts-only --yes
inventory
by_ansible
is "ansible-playbook on fresh hosts ends well" "$status" 0
is "on all three" "$(recap 'unreachable=0 .*failed=0')" 3
succeeds "render" p render "$work/rendered"
for host in db1 lb1 lb2; do
    is "the files on $host are those that ours renders" "$(contents_there $host)" "$(contents $host)"
    traces $host >"$work/$host.ansible"
done
succeeds "ours over what Ansible has made" "$pgha" -q play playbooks/patroni.yml -i "$work/inventory.yml" --json
is "changes nothing" "$(printf '%s' "$out" | jq -c '[.[] | .changed] | add')" 0
is "in one trip a host" "$(printf '%s' "$out" | jq -c '[.[] | .trips] | max')" 1
succeeds "and up goes on from there to a verified cluster" p up --yes --json
is "having changed no host" "$(printf '%s' "$out" | jq -c '[.changes[] | select(.where != "dcs" and .where != "sql")] | length')" 0
succeeds "down" p down --yes

succeeds "up by ours" p up --yes
rm -rf "$work/rendered"
succeeds "render" p render "$work/rendered"
for host in db1 lb1 lb2; do
    is "ours leaves on $host what Ansible did" "$(traces $host)" "$(cat "$work/$host.ansible")"
done
inventory
by_ansible
is "ansible-playbook over what ours made ends well" "$status" 0
is "and changes nothing" "$(recap 'changed=0 .*failed=0')" 3
finish
