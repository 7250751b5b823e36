#!/bin/sh
# Blocks, includes, tags, --start-at-task, vars_files: the same playbooks by ansible-playbook and by ours, each host
# being this machine. Both must do the same tasks in the same order and count them the same.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
need_root
[ -x "$ansible_root/usr/bin/ansible-playbook" ] || { echo "1..0 # SKIP no ansible-core in $ansible_root"; exit 0; }

ours=$work/play-local
helper tests/e2e/play-local.c "$ours" || exit 1
mkdir -p "$work/files/tasks" "$work/files/vars"
printf '%s\n' 'h1 ansible_connection=local' 'h2 ansible_connection=local' '[all:vars]' \
    'ansible_python_interpreter=/usr/bin/python3' "trace=$work/trace" >"$work/files/hosts"

# What each host did, and the recap. Two hosts write at once, so each is told alone.
told() {
    for host in h1 h2; do
        grep "^$host " "$work/trace" 2>/dev/null
    done
    printf '%s\n' "$out" | sed -n 's/^\(h[0-9]\) *: */\1: /p' | tr -s ' ' | sed 's/ *$//'
}
by_ansible() {
    rm -f "$work/trace"
    run in_ansible ansible-playbook -i "$work/files/hosts" "$work/files/site.yml" "$@"
    told >"$work/theirs"
}
by_ours() {
    rm -f "$work/trace"
    run "$ours" "$@" "$work/files/site.yml" "$work/files/hosts"
    told >"$work/ours"
}
alike() {
    is "$1: same tasks, same recap" "$(cat "$work/ours")" "$(cat "$work/theirs")"
    like "$1: it did something" "$(cat "$work/theirs")" '^h1'
}
both() { # "what", with the playbook on stdin
    what=$1
    cat >"$work/files/site.yml"
    by_ansible
    by_ours
    alike "$what"
}
put() { cat >"$work/files/$1"; }

put tasks/say.yml <<'end'
- shell: echo "{{ inventory_hostname }} say {{ letter }} {{ place | default('-') }} {{ given | default('-') }}" >>"{{ trace }}"
- shell: echo "{{ inventory_hostname }} second {{ letter }}" >>"{{ trace }}"
  tags: [inner]
end
put tasks/fail-at-2.yml <<'end'
- name: fails at 2
  command: test {{ item }} != 2
- shell: echo "{{ inventory_hostname }} after {{ item }}" >>"{{ trace }}"
end
put tasks/on-h1.yml <<'end'
- shell: echo "{{ inventory_hostname }} on h1" >>"{{ trace }}"
end
put tasks/on-h2.yml <<'end'
- shell: echo "{{ inventory_hostname }} on h2" >>"{{ trace }}"
- block:
    - command: "false"
  rescue:
    - shell: echo "{{ inventory_hostname }} rescued in an include" >>"{{ trace }}"
end
put tasks/flag.yml <<'end'
- set_fact: {flag: false}
end

both "a rescue" <<'end'
- hosts: all
  gather_facts: false
  handlers:
    - name: told
      shell: echo "{{ inventory_hostname }} handler" >>"{{ trace }}"
  tasks:
    - block:
        - shell: echo "{{ inventory_hostname }} one" >>"{{ trace }}"
          notify: told
        - name: fails on {{ inventory_hostname }}
          command: test {{ inventory_hostname }} = h2
          changed_when: false
        - shell: echo "{{ inventory_hostname }} two" >>"{{ trace }}"
      rescue:
        - shell: echo "{{ inventory_hostname }} rescue {{ ansible_failed_task.name }} {{ ansible_failed_task.action }} {{ ansible_failed_result.rc }}" >>"{{ trace }}"
          notify: told
      always:
        - shell: echo "{{ inventory_hostname }} always" >>"{{ trace }}"
        - meta: flush_handlers
    - shell: echo "{{ inventory_hostname }} goes on" >>"{{ trace }}"
- hosts: all
  gather_facts: false
  tasks:
    - shell: echo "{{ inventory_hostname }} next play {{ ansible_failed_task.name | default('none') }}" >>"{{ trace }}"
end

both "blocks in each other, failures in rescue and always" <<'end'
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - block:
            - fail: {msg: inner}
          always:
            - shell: echo "{{ inventory_hostname }} inner always" >>"{{ trace }}"
            - command: "false"
            - shell: echo "{{ inventory_hostname }} not this" >>"{{ trace }}"
          ignore_errors: "{{ inventory_hostname == 'h2' }}"
      rescue:
        - shell: echo "{{ inventory_hostname }} rescued" >>"{{ trace }}"
        - command: "false"
        - shell: echo "{{ inventory_hostname }} nor this" >>"{{ trace }}"
      always:
        - shell: echo "{{ inventory_hostname }} outer always" >>"{{ trace }}"
        - block:
            - fail: {msg: again}
          rescue:
            - shell: echo "{{ inventory_hostname }} rescued in always" >>"{{ trace }}"
    - shell: echo "{{ inventory_hostname }} goes on" >>"{{ trace }}"
    - block:
        - command: "false"
      rescue: []
      always:
        - shell: echo "{{ inventory_hostname }} last always" >>"{{ trace }}"
    - shell: echo "{{ inventory_hostname }} never" >>"{{ trace }}"
end

both "what a block gives its parts" <<'end'
- hosts: all
  gather_facts: false
  tasks:
    - vars: {word: block, guarded: yes}
      when: inventory_hostname == 'h1' or guarded == 'no'
      block:
        - shell: echo "{{ inventory_hostname }} {{ word }}" >>"{{ trace }}"
        - fail:
      rescue:
        - shell: echo "{{ inventory_hostname }} rescue {{ word }}" >>"{{ trace }}"
          vars: {word: own}
      always:
        - shell: echo "{{ inventory_hostname }} always {{ word }}" >>"{{ trace }}"
    - block:
        - shell: echo "{{ inventory_hostname }} {{ item }} {{ number }}" >>"{{ trace }}"; test {{ item }} != b
          loop: [a, b, c]
          loop_control: {index_var: number}
          register: loop
      rescue:
        - shell: echo "{{ inventory_hostname }} {{ loop.results | length }} {{ loop.failed }} {{ ansible_failed_result.msg }}" >>"{{ trace }}"
end

both "a handler that fails, and run_once" <<'end'
- hosts: all
  gather_facts: false
  handlers:
    - name: breaks
      command: "false"
  tasks:
    - block:
        - shell: echo "{{ inventory_hostname }} one" >>"{{ trace }}"
          notify: breaks
        - meta: flush_handlers
        - shell: echo "{{ inventory_hostname }} not this" >>"{{ trace }}"
      rescue:
        - shell: echo "{{ inventory_hostname }} rescued" >>"{{ trace }}"
    - block:
        - command: test {{ inventory_hostname }} = h2
        - shell: echo "{{ inventory_hostname }} only the one left" >>"{{ trace }}"
          run_once: true
      rescue:
        - shell: echo "{{ inventory_hostname }} was late" >>"{{ trace }}"
end

both "includes" <<'end'
- hosts: all
  gather_facts: false
  vars: {letters: [a, b, c], which: say}
  tasks:
    - include_tasks: tasks/say.yml
      loop: "{{ letters }}"
      loop_control: {loop_var: letter, index_var: place, label: "letter {{ letter }}"}
      when: letter != 'b'
      vars: {given: "{{ letter }}{{ place }}"}
    - include_tasks: tasks/say.yml
      when: false
    - include_tasks: tasks/{{ which }}.yml
      vars: {letter: z}
    - include_tasks: tasks/say.yml
      loop: []
    - include_tasks: {file: tasks/say.yml, apply: {vars: {letter: applied}}}
    - include_tasks: "tasks/on-{{ inventory_hostname }}.yml"
    - block:
        - include_tasks: tasks/fail-at-2.yml
          loop: [1, 2, 3]
      rescue:
        - shell: echo "{{ inventory_hostname }} {{ ansible_failed_task.name }}" >>"{{ trace }}"
    - set_fact: {flag: true}
    - include_tasks: tasks/flag.yml
      loop: [1, 2]
      when: flag
    - shell: echo "tasks/say.yml"
      register: named
      changed_when: false
    - include_tasks: "tasks/{{ named.stdout | basename }}"
      vars: {letter: late}
end

cat >"$work/files/site.yml" <<'end'
- hosts: all
  gather_facts: false
  tasks:
    - name: first
      shell: echo "{{ inventory_hostname }} first" >>"{{ trace }}"
    - name: always
      shell: echo "{{ inventory_hostname }} always" >>"{{ trace }}"
      tags: [always]
    - name: never
      shell: echo "{{ inventory_hostname }} never" >>"{{ trace }}"
      tags: [never, asked]
    - tags: [part]
      block:
        - name: fails
          command: "false"
        - name: after
          shell: echo "{{ inventory_hostname }} after" >>"{{ trace }}"
      rescue:
        - name: rescue
          shell: echo "{{ inventory_hostname }} rescue" >>"{{ trace }}"
    - include_tasks: tasks/say.yml
      vars: {letter: t}
      tags: [part]
- hosts: h1
  gather_facts: false
  tasks:
    - name: second play
      shell: echo "{{ inventory_hostname }} second play" >>"{{ trace }}"
      tags: [inner]
end
for tags in part asked inner tagged untagged all never always; do
    by_ansible --tags $tags
    by_ours -t $tags
    is "--tags $tags" "$(cat "$work/ours")" "$(cat "$work/theirs")"
done
for tags in part always tagged untagged all never; do
    by_ansible --skip-tags $tags
    by_ours -x $tags
    is "--skip-tags $tags" "$(cat "$work/ours")" "$(cat "$work/theirs")"
done
for task in always after 'second*' include_tasks; do
    by_ansible --start-at-task "$task"
    by_ours -s "$task"
    # Ansible counts the gathering of facts, which a start at a task brings back
    is "--start-at-task $task" "$(sed 's/ok=[0-9]* //' "$work/ours")" "$(sed 's/ok=[0-9]* //' "$work/theirs")"
done

cat >"$work/files/site.yml" <<'end'
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - fail: {msg: foreseen}
        - debug: {msg: not this}
      rescue:
        - assert: {that: "ansible_failed_result.msg == 'foreseen'"}
        - copy: {dest: "{{ trace }}", content: "{{ ansible_failed_task.name }}"}
        - include_tasks: tasks/flag.yml
          loop: [1, 2]
      always:
        - debug: {msg: always}
end
by_ansible --check
by_ours -C
alike "--check"

printf '%s\n' 'from: listed' >"$work/files/vars/second.yml"
printf '%s\n' 'from: h1 file' 'other: "{{ from }} and more"' >"$work/files/vars/of-h1.yml"
printf '%s\n' 'from: default file' >"$work/files/default.yml"
both "vars_files" <<'end'
- hosts: all
  gather_facts: false
  vars: {from: play, other: play, kind: second}
  vars_files:
    - [missing.yml, "{{ kind }}.yml"]
    - ["of-{{ inventory_hostname }}.yml", default.yml]
  tasks:
    - shell: echo "{{ inventory_hostname }} {{ from }} {{ other }}" >>"{{ trace }}"
end
put facts.yml <<'end'
from: a fact's file
end
mv "$work/files/facts.yml" "$work/files/vars/Debian.yml"
cat >"$work/files/site.yml" <<'end'
- hosts: all
  vars_files: ["{{ ansible_facts.os_family }}.yml"]
  tasks:
    - shell: echo "{{ inventory_hostname }} {{ from }}" >>"{{ trace }}"
end
by_ansible
theirs=$(sort "$work/trace")
by_ours
is "vars_files named by a fact" "$(sort "$work/trace")" "$theirs"

mkdir "$work/other" "$work/other/group_vars" "$work/files/group_vars" "$work/files/host_vars"
printf '%s\n' 'h1 mine=second' 'h2 both=second' '[extra]' 'h2' >"$work/other/hosts"
printf '%s\n' 'near: other' 'far: other' >"$work/other/group_vars/all.yml"
printf '%s\n' 'near: playbook' >"$work/files/group_vars/extra.yml"
printf '%s\n' 'mine: host file' >"$work/files/host_vars/h2.yml"
cat >"$work/files/site.yml" <<'end'
- name: all of it
  hosts: all
  gather_facts: false
  tags: [outer]
  tasks:
    - name: shows
      debug: {msg: "{{ inventory_hostname }} {{ mine }} {{ both | default('-') }} {{ near }} {{ far }} {{ group_names }}"}
      tags: [b, a]
    - meta: flush_handlers
    - block:
        - ping:
      rescue:
        - debug:
    - include_tasks: tasks/say.yml
- hosts: extra
  tasks: []
end
cd "$work/files" || exit 1
for list in --list-tasks "--list-tasks --tags b" "--list-tasks --skip-tags a"; do
    # shellcheck disable=SC2086
    run in_ansible ansible-playbook -i hosts -i ../other/hosts site.yml $list
    theirs=$out
    # shellcheck disable=SC2086
    run "$pgha" play site.yml -i hosts -i ../other/hosts $list
    is "$list" "$out" "$theirs"
done
run in_ansible ansible-playbook -i hosts -i ../other/hosts site.yml --list-hosts
theirs=$(printf '%s\n' "$out" | sort)
run "$pgha" play site.yml -i hosts -i ../other/hosts --list-hosts
is "--list-hosts" "$(printf '%s\n' "$out" | sort)" "$theirs"
run in_ansible ansible-playbook -i hosts -i ../other/hosts site.yml --tags b
theirs=$(printf '%s\n' "$out" | sed -n 's/.*"msg": "\(.*\)"$/\1/p' | sort)
run "$ours" -v -t b site.yml hosts ../other/hosts
is "two inventories, and variables beside the playbook" \
    "$(printf '%s\n' "$err" | sed -n 's/^h.: shows: //p' | sort)" "$theirs"
finish
