#!/bin/sh
# The other peer: ansible-playbook in its root. usage: ansible.sh WORK ARGUMENT...; what it reads is in the folder WORK.
. tests/lib/ansible.sh
work=$1
shift
in_ansible ansible-playbook "$@"
