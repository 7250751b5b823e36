#!/bin/sh
# Every inventory of tests/inventory/cases means here what it means to ansible-inventory of ansible-core 2.19, to the
# byte: as it is, and after it was written as YAML, INI and JSON. What `inventory import` writes, Ansible reads.
. "${0%/*}/../lib/tap.sh"
. tests/lib/ansible.sh
need_root
ansible_ready || { echo "1..0 # SKIP no ansible-core: its Debian 13 root cannot be made"; exit 0; }

cases=tests/inventory/cases
names=host1,host2:22,10.0.0.3 # a list of names is an inventory, too
show() { "$pgha" inventory show "$@"; }
same() { # same "what" WANTED GOT: two files; nothing to compare is a failure
    if [ -s "$2" ] && cmp -s "$2" "$3"; then ok 0 "$1"; else
        ok 1 "$1"
        note "$(diff "$2" "$3" 2>&1 | head -n 20)"
    fi
}
base() { printf '%s' "${1##*/}" | tr , -; } # a comma in a file's name would make it a list of names
written() { # written CASE FORMAT: the file, named so that Ansible knows the format; JSON it takes from programs only
    case $2 in
    yaml) echo "$work/$1.yaml.yml" ;;
    ini) echo "$work/$1.ini" ;;
    json) echo "$work/$1.json.sh" ;;
    esac
}
write() { # write PATH CASE FORMAT; some formats cannot say everything, and refuse: then there is no file
    file=$(written "$2" "$3")
    show -i "$1" --format "$3" >"$work/text" 2>"$work/$2.$3.why" || return
    if [ "$3" = json ]; then
        printf '#!/bin/sh\ncat <<\\END\n%s\nEND\n' "$(cat "$work/text")" >"$file"
        chmod +x "$file"
    else
        cp "$work/text" "$file"
    fi
    show -i "$file" --list >"$work/$2.$3.again" 2>&1
}
for path in "$cases"/* "$names"; do
    name=$(base "$path")
    show -i "$path" --list >"$work/$name.ours"
    for format in yaml ini json; do
        write "$path" "$name" $format
    done
done
show -i "$cases/tree.yml" --host db1 >"$work/host.ours"

# Variables beside the inventory and in the current folder, which is the playbook's to ansible-inventory.
mkdir -p "$work/project/inventory/group_vars" "$work/project/group_vars" "$work/project/host_vars"
printf '[db]\nh1\n[db:vars]\nx=inventory\n' >"$work/project/inventory/hosts"
printf 'x: beside the inventory\ny: beside the inventory\n' >"$work/project/inventory/group_vars/db.yml"
printf 'x: beside the playbook\nz: all\n' >"$work/project/group_vars/all.yml"
printf 'y: beside the playbook\n' >"$work/project/group_vars/db.yml"
printf 'h: 1\n' >"$work/project/host_vars/h1.yml"
(cd "$work/project" && show -i inventory/hosts --list) >"$work/project.ours"

for source in tests/inventory/import/*; do
    made=$work/made-${source##*/}
    succeeds "import ${source##*/}" "$pgha" inventory import "$source" --output "$made" --name shop
    show -i "$made/inventory.yml" --list >"$made.ours"
done

# One way into Ansible's root for all.
cat >"$work/all.sh" <<'END_OF_SCRIPT'
set -u
list() { ansible-inventory -i "$1" --list >"$2" 2>/dev/null; }
for path in "$cases"/* "$names"; do
    name=$(printf "%s" "${path##*/}" | tr , -)
    list "$path" "$work/$name.ansible"
    for file in "$work/$name.yaml.yml" "$work/$name.ini" "$work/$name.json.sh"; do
        [ ! -f "$file" ] || list "$file" "$file.ansible"
    done
done
for made in "$work"/made-*/; do
    list "$made/inventory.yml" "${made%/}.ansible"
done
ansible-inventory -i "$cases/tree.yml" --host db1 >"$work/host.ansible"
cd "$work/project" && list inventory/hosts "$work/project.ansible"
END_OF_SCRIPT
succeeds "ansible-inventory reads them all" in_ansible env cases="$cases" names="$names" work="$work" sh "$work/all.sh"

for path in "$cases"/* "$names"; do
    name=$(base "$path")
    same "$name: --list" "$work/$name.ansible" "$work/$name.ours"
    for format in yaml ini json; do
        file=$(written "$name" $format)
        if [ ! -f "$file" ]; then
            like "$name as $format is refused, with a reason" "$(cat "$work/$name.$format.why")" \
                'has no way to write|cannot be written'
            continue
        fi
        case $name.$format in keys.yml.json) continue ;; esac # has Infinity, which is JSON to Python only
        same "$name as $format loses nothing" "$work/$name.ours" "$work/$name.$format.again"
        same "$name as $format is the same to Ansible" "$work/$name.ansible" "$file.ansible"
    done
done
same "--host" "$work/host.ansible" "$work/host.ours"
same "group_vars beside the inventory and in the current folder" "$work/project.ansible" "$work/project.ours"
for source in tests/inventory/import/*; do
    name=made-${source##*/}
    same "what import makes of ${source##*/} is the same to Ansible" "$work/$name.ansible" "$work/$name.ours"
done
finish
