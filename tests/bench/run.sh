#!/bin/sh
# Figures against peers run beside them, on this machine, medians of several runs: no pass or fail.
#   RUNS (3) of `up` from the cached image, ROUNDS (9) of the second `up` against five parallel `ssh HOST true`,
#   and the same second run by the real ansible-playbook (ansible-core 2.19, pipelining).
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
need_root

lab bench 10.81.8.0/24
p() { "$pgha" -f "$file" "$@"; }
now() { date +%s%N; }
timed() { # prints milliseconds
    t0=$(now)
    "$@" >/dev/null 2>&1 || echo "failed: $*" >&2
    echo $((($(now) - t0) / 1000000))
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
ssh_all() {
    for n in 11 12 13 51 52; do
        ssh -F none -i "$state/id_ed25519" -o IdentitiesOnly=yes -o UserKnownHostsFile="$state/known_hosts" root@10.81.8.$n true &
    done
    wait
}
state=$work/bench/.pgha/bench

uname -srm
grep -m1 'model name' /proc/cpuinfo
nproc | sed 's/$/ cores/'

p up --yes >/dev/null 2>&1 # makes the image when it is not cached
p down --yes >/dev/null 2>&1
i=0
while [ $i -lt "${RUNS:-3}" ]; do
    timed p up --yes >>"$work/up"
    p down --yes >/dev/null 2>&1
    i=$((i + 1))
done
echo "up from the cached image to verified, five hosts: $(median <"$work/up") ms (median of ${RUNS:-3}; goal 25000)"

p up --yes >/dev/null 2>&1
p inventory show --show-secrets --format yaml >"$work/inventory.yml"
i=0
while [ $i -lt "${ROUNDS:-9}" ]; do # in turn, so that both see the same machine
    timed ssh_all >>"$work/ssh"
    timed p play playbooks/patroni.yml -i "$work/inventory.yml" >>"$work/converge"
    timed p up --yes >>"$work/second"
    i=$((i + 1))
done
ssh=$(median <"$work/ssh") converge=$(median <"$work/converge") second=$(median <"$work/second")
echo "five parallel ssh HOST true:                     $ssh ms"
echo "converging with nothing to do (play):            $converge ms, $(ratio "$converge" "$ssh") x ssh"
echo "second up, verify included:                      $second ms, $(ratio "$second" "$ssh") x ssh (goal 1.5)"

ansible_ready || exit 0
in_ansible ansible-playbook -i "$work/inventory.yml" playbooks/patroni.yml >/dev/null 2>&1
i=0
while [ $i -lt "${ANSIBLE_RUNS:-3}" ]; do
    timed in_ansible ansible-playbook -f 5 -i "$work/inventory.yml" playbooks/patroni.yml >>"$work/ansible"
    i=$((i + 1))
done
ansible=$(median <"$work/ansible")
echo "the same playbook by ansible-playbook:           $ansible ms, $(ratio "$ansible" "$converge") x play, $(ratio "$ansible" "$second") x second up (goal 40)"
