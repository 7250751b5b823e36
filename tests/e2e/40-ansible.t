#!/bin/sh
# The real ansible-playbook over what ours made, with the same playbook and our inventory: it finds nothing to do.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
need_root
ansible_ready || { echo "1..0 # SKIP no ansible-core: its Debian 13 root cannot be made"; exit 0; }

lab t-ans 10.81.6.0/24 'failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }

succeeds "syntax check by ansible-playbook" in_ansible ansible-playbook --syntax-check -i localhost, playbooks/patroni.yml
succeeds "up by ours" p up --yes
p inventory show --show-secrets --format yaml >"$work/inventory.yml"
run in_ansible ansible-playbook -i "$work/inventory.yml" playbooks/patroni.yml
is "ansible-playbook over what ours made: it ends well" "$status" 0
is "and changes nothing" "$(printf '%s\n' "$out" | grep -c 'changed=0 .*failed=0')" 5

succeeds "play with that inventory, without the cluster file" "$pgha" -q play playbooks/patroni.yml -i "$work/inventory.yml" --json
is "changes nothing either" "$(printf '%s' "$out" | jq -c '[.[] | .changed] | add')" 0
is "in one trip a host" "$(printf '%s' "$out" | jq -c '[.[] | .trips] | max')" 1
finish
