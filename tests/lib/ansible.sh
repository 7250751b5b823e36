# ansible.sh - the real ansible-core 2.19 with its collections, from a Debian 13 root that is made once and cached.
#
#   ansible_ready            makes it when missing (needs root)
#   in_ansible COMMAND...    runs inside, with this tree and $work at their own paths
# shellcheck shell=sh
. tests/lib/root.sh
ansible_root=${ANSIBLE_ROOT:-/var/cache/pgha-deploy/tests/ansible-trixie}

ansible_ready() {
    root_ready "$ansible_root" usr/lib/python3/dist-packages/ansible_collections/ansible/posix ansible,openssh-client
}

in_ansible() {
    in_root "$ansible_root" "$work" env ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_PIPELINING=True ANSIBLE_NOCOLOR=1 "$@"
}
