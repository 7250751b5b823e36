#!/bin/sh
# A cluster of five hosts: RUNS (3) of `up` from the cached image, ROUNDS (9) of the second `up` against five parallel
# `ssh HOST true`, and the same second run by the real ansible-playbook with pipelining. Medians. Prints Markdown.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
. tests/bench/lib.sh
need_root

lab bench 10.81.8.0/24
p() { "$pgha" -f "$file" "$@"; }
state=$work/bench/.pgha/bench
playbook=playbooks/patroni.yml

p up --yes >/dev/null 2>&1 # makes the image when it is not cached
p down --yes >/dev/null 2>&1
for _ in $(seq "${RUNS:-3}"); do
    take up "$pgha" -f "$file" up --yes
    p down --yes >/dev/null 2>&1
done

p up --yes >/dev/null 2>&1
p inventory show --show-secrets --format yaml >"$work/inventory.yml"
for _ in $(seq "${ROUNDS:-9}"); do # in turn, so that all see the same machine
    take ssh sh tests/bench/ssh-all.sh "$state/id_ed25519" "$state/known_hosts" true 10.81.8.11 10.81.8.12 10.81.8.13 10.81.8.51 10.81.8.52
    take play "$pgha" play $playbook -i "$work/inventory.yml"
    take second "$pgha" -f "$file" up --yes
done
ansible_ready || exit 1
in_ansible ansible-playbook -i "$work/inventory.yml" $playbook >/dev/null 2>&1
for _ in $(seq "${ANSIBLE_RUNS:-3}"); do
    take ansible sh tests/bench/ansible.sh "$work" -f 5 -i "$work/inventory.yml" $playbook
done

cat <<END
## A cluster of five hosts

Three with PostgreSQL, Patroni and etcd, two balancers, made by provider local. Goals: \`up\` in 25 s, the second one
within 1.5x of ssh and 40x faster than Ansible.

| | : ssh | ansible : it | ms |
|---|---|---|---|
| five \`ssh HOST true\` at once | 1 | | $(ms ssh) |
| \`play\` of the cluster's playbook, nothing to do | $(ratio "$(ms play)" "$(ms ssh)") | $(ratio "$(ms ansible)" "$(ms play)") | $(ms play) |
| \`up\` with nothing to do, SQL objects and verify included | $(ratio "$(ms second)" "$(ms ssh)") | $(ratio "$(ms ansible)" "$(ms second)") | $(ms second) |
| the same playbook by ansible-playbook, nothing to do | $(ratio "$(ms ansible)" "$(ms ssh)") | 1 | $(ms ansible) |
| \`up\` from the cached image to verified | | | $(ms up) |
END
