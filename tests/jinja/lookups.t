#!/bin/sh
# A playbook with every lookup, the loops made of them, and filters newer than compare.t's ansible-core: real ansible-playbook
# and ours leave the same files.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
need_root

helper tests/jinja/play.c "$work/play" || exit 1
ansible_ready || exit 1
mkdir "$work/ours" "$work/theirs"
chmod 0755 "$work"
succeeds "ours runs it" "$work/play" ./tests/jinja/site/site.yml out="$work/ours"
succeeds "ansible-playbook runs it" in_ansible ansible-playbook -i one, -e ansible_connection=local \
    -e ansible_python_interpreter=/usr/bin/python3 -e out="$work/theirs" "$PWD/tests/jinja/site/site.yml"
is "both leave the same files" "$(diff -r "$work/theirs" "$work/ours")" ""
is "how many files there are" "$(find "$work/ours" -type f | wc -l)" 28
finish
