#!/bin/sh
# Three hundred hosts behind one bastion with sshd as the distribution has it, some of them down. The hosts are 300
# addresses of one machine: what takes time is that machine, so no time is asked for, only memory.
. "${0%/*}/../lib/tap.sh"
. tests/lib/bare.sh
need_root

memory_max_mib=160
all=300
bare_lab t-many 10.81.38.0/23 '{db: {count: 1}, lb: {count: 1}}'
ok $? "a host of many addresses, and a bastion"
lab=$file
on() { "$pgha" -f "$lab" -q ssh "$@"; }
address() { echo "10.81.$((38 + ($1 + 150) / 256)).$((($1 + 150) % 256))"; }
numbers() { seq $all | awk -v down="$1" '(NR % 25 == 0) == down'; } # every 25th is down
names() { numbers 1 | xargs printf 'h%03d,' | sed 's/,$//'; }
give() { # give NUMBERS: addresses to the host
    for n in $1; do echo "addr add $(address "$n")/23 dev eth0"; done >"$work/addresses"
    on db1 "printf '%s\n' '$(cat "$work/addresses")' | ip -batch -"
}
# Runs the command, and sets $took (s) and $memory (MiB at most) as well.
measured() {
    began=$(date +%s)
    run python3 -c 'if True:
        import resource, subprocess, sys
        status = subprocess.run(sys.argv[2:]).returncode
        open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10))
        sys.exit(status)' "$work/memory" "$pgha" "$@"
    took=$(($(date +%s) - began)) memory=$(cat "$work/memory")
    note "$1: $took s, $memory MiB"
}

give "$(numbers 0)"
# The one machine has the logins of 300; the bastion's sshd has its defaults.
on db1 "sed -i 's/^MaxStartups.*/MaxStartups 1000/' /etc/ssh/sshd_config.d/pgha-deploy.conf; pkill -HUP -o -x sshd; mkdir /root/many"
on lb1 "sed -i '/^MaxStartups/d; /^MaxSessions/d; /^PerSource/d' /etc/ssh/sshd_config.d/pgha-deploy.conf; pkill -HUP -o -x sshd"
answers() { on lb1 'sshd -T' >"$work/sshd" && on db1 true; }
wait_for 10 answers
like "the bastion takes ten logins at once" "$(cat "$work/sshd")" '^maxstartups 10:30:100'

key=$(awk '$1 ~ /^db1/ {print $2, $3; exit}' "$lab_known_hosts")
cp "$lab_known_hosts" "$work/known_hosts"
{
    echo '[many]'
    for n in $(seq $all); do
        printf 'h%03d ansible_host=%s\n' "$n" "$(address "$n")"
        echo "$(address "$n") $key" >>"$work/known_hosts"
    done
    cat <<END

[all:vars]
ansible_user=root
ansible_ssh_private_key_file=$lab_key
ansible_ssh_common_args="-o UserKnownHostsFile=$work/known_hosts -J root@10.81.38.51"
END
} >"$work/hosts.ini"
cat >"$work/work.yml" <<'END'
- name: Everybody
  hosts: many
  gather_facts: false
  tasks:
    - name: A file for each
      ansible.builtin.shell: echo "$SSH_CONNECTION" >/root/many/{{ inventory_hostname }}
      args:
        creates: /root/many/{{ inventory_hostname }}
END

# ---- the inventory ----

measured inventory show -i "$work/hosts.ini" --format json
is "inventory: all are there" "$(printf '%s' "$out" | jq '._meta.hostvars | length')" $all
is "at once" "$((took < 5))" 1

# ---- a play ----

measured play "$work/work.yml" -i "$work/hosts.ini"
is "a play: some are down" "$status" 1
is "each is told once" "$(printf '%s\n' "$err" | grep -cE '^failed +h[0-9]+: ')" 12
is "and no other" "$(printf '%s\n' "$err" | sed -nE 's/^failed +(h[0-9]+): .*/\1/p' | sort | tr '\n' ',')" "$(names),"
is "the fault nowhere else" "$(printf '%s\n' "$err" | grep -c 'ssh to')" 12
is "the others' work is done" "$(on db1 'ls /root/many | wc -l')" $((all - 12))
is "all of it through the bastion" "$(on db1 'cat /root/many/*' | cut -d' ' -f1 | sort -u)" 10.81.38.51
like "what failed can be tried again" "$err" "12 of $all hosts failed"
like "with this" "$err" "-> to try again: pgha-deploy play .*work\.yml.* -i .*hosts\.ini.* --limit $(names)\$"
is "memory" "$((memory < memory_max_mib))" 1

# ---- those again, when they are back ----

give "$(numbers 1)"
succeeds "the failed ones again" "$pgha" play "$work/work.yml" -i "$work/hosts.ini" --limit "$(names)"
is "now all is done" "$(on db1 'ls /root/many | wc -l')" $all
measured play "$work/work.yml" -i "$work/hosts.ini" --forks 5
is "with few forks nobody is given up for being late" "$status" 0

# ---- what is on them ----

measured inventory discover -i "$work/hosts.ini" --json
is "discover" "$status" 0
is "has seen all" "$(printf '%s' "$out" | jq '[.hosts[] | select(.answered)] | length')" $all
is "in bounded memory" "$((memory < memory_max_mib))" 1
finish
