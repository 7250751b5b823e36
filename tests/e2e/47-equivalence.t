#!/bin/sh
# Each module and key: the same tasks by the real ansible-playbook on one host and by ours on its twin, from the same
# start states. Both end in the same state with the same results; then each engine goes over what the other has made,
# and changes nothing. The cases are in tests/equivalence; EQUIVALENCE="file copy" takes only those. Without PGHA_LONG
# it is every third case of a file, and ansible-playbook runs once: no check mode of it, and ours goes over what it has
# made, not the other way round.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
. tests/lib/bare.sh
need_root
ansible_ready || { echo "1..0 # SKIP no Ansible: its Debian 13 root cannot be made"; exit 0; }

suite=tests/equivalence/equivalence.py
eq=$work/equivalence
bare_lab t-equal 10.81.120.0/24 '{db: {count: 1}, lb: {count: 1}}'
ok $? "two equal hosts"
package_proxy "$lab_gateway"
ok $? "a proxy for packages"
setpriv --pdeathsig TERM python3 $suite serve "$lab_gateway" 8080 &
servers="$servers $!"
wait_for 10 curl --silent --noproxy '*' --output /dev/null "http://$lab_gateway:8080/file/x"
ok $? "a server to ask"

step=3 cases=
[ -z "${PGHA_LONG:-}" ] || step=1
for one in ${EQUIVALENCE:-$(basename -a -s .yml tests/equivalence/*.yml)}; do
    cases="$cases tests/equivalence/$one.yml"
done
mkdir "$eq"
# shellcheck disable=SC2086
succeeds "the cases" python3 $suite write "$eq" "http://$lab_gateway:8080" "$step" $cases

inventory() { # inventory HOST
    cat >"$eq/$1.ini" <<END
target ansible_host=$(in_host "$1" hostname -I | cut -d' ' -f1)
[all:vars]
ansible_user=root
ansible_ssh_private_key_file=$lab_key
ansible_ssh_common_args="-o UserKnownHostsFile=$lab_known_hosts"
ansible_python_interpreter=/usr/bin/python3
END
}
prepare() { # prepare HOST: as bare hosts are, with the programs that modules need, and under one name
    bare_proxy "$1"
    in_host "$1" 'hostname start && echo start >/etc/hostname && apt-get -q update &&
        DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install cron curl e2fsprogs gpg python3-apt python3-debian'
    in_host "$1" sh <"$eq/before.sh"
}
manifest() { # manifest PASS HOST...
    pass=$1
    shift
    for host in "$@"; do
        in_host "$host" "python3 - manifest" <$suite >"$eq/$pass.$host"
    done
}
# A run over a host; what the tasks have registered, and what ours has changed, are left in $eq.
by_ansible() { # by_ansible PASS HOST PLAYBOOK [OPTIONS]
    pass=$1 host=$2 playbook=$3
    shift 3
    in_ansible env ANSIBLE_TASK_TIMEOUT=60 ansible-playbook -i "$eq/$host.ini" "$eq/$playbook.yml" "$@" >"$eq/$pass.ansible.log" 2>&1 &&
        in_host "$host" 'cat /run/equivalence.json && rm /run/equivalence.json' >"$eq/$pass.ansible"
}
by_ours() {
    pass=$1 host=$2 playbook=$3
    shift 3
    "$pgha" -q play -i "$eq/$host.ini" "$eq/$playbook.yml" --json "$@" >"$eq/$pass.changes" 2>"$eq/$pass.ours.log" &&
        in_host "$host" 'cat /run/equivalence.json && rm /run/equivalence.json' >"$eq/$pass.ours"
}
both() { # both PASS HOST_OF_ANSIBLE HOST_OF_OURS PLAYBOOK [OPTIONS]: at once
    pass=$1 theirs=$2 ours=$3
    shift 3
    by_ansible "$pass" "$theirs" "$@" &
    by_ours "$pass" "$ours" "$@"
    ok $? "$pass: ours ends"
    wait $!
    ok $? "$pass: ansible-playbook ends"
}

for host in db1 lb1; do
    inventory $host
    run prepare $host
    is "start states on $host" "$status $(printf '%s\n' "$out" | grep 'before failed')" '0 '
done
for refused in "$eq"/refused-*.yml; do
    [ ! -e "$refused" ] || "$pgha" play -i "$eq/db1.ini" "$refused" --list-tasks >"${refused%.yml}.out" 2>&1
done

manifest before db1 lb1
if [ -n "${PGHA_LONG:-}" ]; then
    both check db1 lb1 checked --check --diff
    manifest check db1 lb1
    both apply db1 lb1 playbook
    manifest apply db1 lb1
    both again lb1 db1 playbook
    manifest again db1 lb1
else # ansible-playbook runs once
    by_ours check lb1 checked --check --diff
    ok $? "check: ours ends"
    manifest check lb1
    both apply db1 lb1 playbook
    manifest apply db1 lb1
    by_ours again db1 playbook
    ok $? "again: ours ends"
    manifest again db1
fi

python3 $suite judge "$eq" >"$work/judged"
ok $? "all cases are judged"
judged "$work/judged"
finish
