#!/bin/sh
# A play over SIZES hosts, with everything to do and with nothing to do, against as many parallel `ssh HOST true` in the
# same run and, at ANSIBLE_SIZES, the real ansible-playbook with a fork for each host. Medians of SCALE_ROUNDS (3), the most
# memory. Prints Markdown.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
. tests/lib/light.sh
. tests/bench/lib.sh
need_root

playbook=tests/bench/scale.yml
known_hosts=$work/light/known_hosts
undo='rm -rf /srv/service; userdel service; sed -i /service/d /etc/security/limits.conf'

measure_size() {
    rm -f "$work"/*.ms "$work"/*.kib
    addresses=$(for number in $(seq "$1"); do light_address "$number"; done)
    for _ in $(seq "${SCALE_ROUNDS:-3}"); do # in turn, so that all see the same machine
        # shellcheck disable=SC2086
        sh tests/bench/ssh-all.sh "$light_key" "$known_hosts" "$undo" $addresses 2>/dev/null
        take first "$pgha" -q play $playbook -i "$work/light.ini"
        # shellcheck disable=SC2086
        take ssh sh tests/bench/ssh-all.sh "$light_key" "$known_hosts" true $addresses
        take second "$pgha" -q play $playbook -i "$work/light.ini"
    done
    case " ${ANSIBLE_SIZES:-10 50} " in
        *" $1 "*) take ansible sh tests/bench/ansible.sh "$work" -f "$1" -i "$work/light.ini" $playbook ;;
    esac
}

put_row() {
    cells="$1 | $(ratio "$(ms second)" "$(ms ssh)") | $(ratio "$(ms first)" "$(ms ssh)")"
    if [ -e "$work/ansible.ms" ]; then
        echo "| $cells | $(ratio "$(ms ansible)" "$(ms second)") | $(ms ssh) | $(ms second) | $(ms first) | $(ms ansible) | $(mib second) | $(mib ansible) |"
    else
        echo "| $cells | | $(ms ssh) | $(ms second) | $(ms first) | | $(mib second) | |"
    fi
}

ansible_ready || exit 1
light_lab t-scale 10.81.240.0/21 || exit 1
cat <<END
## A play over many hosts

\`tests/bench/scale.yml\`, $(grep -c '^    - name:' $playbook) tasks, by \`pgha-deploy play\`; beside it as many \`ssh HOST true\` at once, and ansible-playbook
with pipelining and a fork for each host, with nothing to do. The hosts are sshd in namespaces of the same machine, which
does their half of each login, too. Goals: nothing to do within 1.5x of ssh; 200 hosts in less than 64 MiB.

| hosts | nothing to do : ssh | everything to do : ssh | ansible : nothing to do | ssh, ms | nothing to do, ms | everything to do, ms | ansible, ms | MiB | ansible, MiB |
|---|---|---|---|---|---|---|---|---|---|
END
for size in ${SIZES:-10 50 100 200}; do
    light_hosts "$size" || { echo "not all of $size hosts listen" >&2; exit 1; }
    measure_size "$size"
    put_row "$size"
done
