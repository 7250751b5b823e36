#!/bin/sh
# The same playbook by the real ansible-playbook and by ours, on hosts of the same kind: the same files, and each finds
# nothing to do where the other has been.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
need_root
ansible_ready || { echo "1..0 # SKIP no ansible-core: its Debian 13 root cannot be made"; exit 0; }

# Mode, owner and content of every file that the playbook writes on a host, passwords left out.
fingerprint() {
    (cd "$work/rendered/$1" && find . -type f | sed 's/^\.//' | sort) >"$work/paths"
    "$pgha" -f "$file" ssh "$1" "for path in $(tr '\n' ' ' <"$work/paths"); do
            stat -c '%n %a %U:%G' \$path
            grep -Ev 'password:|insecure-password|auth_pass' \$path | sha256sum
        done
        systemctl is-enabled etcd patroni haproxy keepalived 2>/dev/null"
}

lab t-ans 10.81.6.0/24 'failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
state=$work/t-ans/.pgha/t-ans

succeeds "syntax check by ansible-playbook" in_ansible ansible-playbook --syntax-check -i localhost, playbooks/patroni.yml
succeeds "up by ours" p up --yes
p inventory show --show-secrets --format yaml >"$work/inventory.yml"
mkdir -p "$work/ours"
p -q render "$work/rendered"
for host in db1 db2 db3 lb1 lb2; do fingerprint $host >"$work/ours/$host"; done
run in_ansible ansible-playbook -i "$work/inventory.yml" playbooks/patroni.yml
is "ansible-playbook over what ours made: it ends well" "$status" 0
is "and changes nothing" "$(printf '%s\n' "$out" | grep -c 'changed=0 .*failed=0')" 5

# Fresh hosts of the same name and address, made by ours, converged by Ansible alone.
succeeds "down" p down --yes
cat >"$work/nothing.yml" <<'Y'
- hosts: all
  gather_facts: false
  tasks: []
Y
mkdir -p "$work/empty"
cp "$work/nothing.yml" "$work/empty/patroni.yml"
p --playbooks "$work/empty" -q up --yes >/dev/null 2>&1 &
pid=$!
reachable() { for host in db1 db2 db3 lb1 lb2; do p ssh $host true || return 1; done; }
wait_for 90 reachable
kill -INT $pid 2>/dev/null
wait $pid 2>/dev/null
p inventory show --show-secrets --format yaml >"$work/inventory.yml"
run in_ansible ansible-playbook -i "$work/inventory.yml" playbooks/patroni.yml
is "ansible-playbook on fresh hosts ends well" "$status" 0
[ "$status" = 0 ] || note "$out$err"
succeeds "ours over what Ansible made" p play playbooks/patroni.yml -i "$work/inventory.yml" --json
is "changes nothing" "$(printf '%s' "$out" | jq -c '[.[] | .changed] | add')" 0
is "in one trip a host" "$(printf '%s' "$out" | jq -c '[.[] | .trips] | max')" 1
for host in db1 db2 db3 lb1 lb2; do
    is "$host: the same files, modes, owners and units" "$(fingerprint $host)" "$(cat "$work/ours/$host")"
done
is "which are several a host" "$([ "$(wc -l <"$work/paths")" -gt 5 ] && echo yes)" yes
[ -d "$state" ] && succeeds "down again" p down --yes
finish
