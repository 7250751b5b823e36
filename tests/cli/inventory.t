#!/bin/sh
# `inventory show` of any Ansible inventory, and `inventory import`: a cluster file and an inventory from what is there.
. "${0%/*}/../lib/tap.sh"

import() { "$pgha" inventory import "$@"; }
sources=tests/inventory/import
made=$work/made
file=$made/cluster.yaml

succeeds "a list of addresses" import $sources/addresses.txt --output "$made"
like "says what it guessed" "$err" '3 db, 2 lb'
like "and what it wrote" "$err" "wrote $made/cluster.yaml and $made/inventory.yml"
like "the guesses are comments of the cluster file" "$(cat "$file")" '^#   - nothing tells what the hosts are for'
like "a VIP is not made up" "$(cat "$file")" '^# network: \{vip: 192.0.2.100\}'
exits "so the file is not valid yet" 65 "$pgha" -f "$file" validate
sed -i 's/^# network: .*/network: {vip: 10.0.0.100}/' "$file"
succeeds "with one it is" "$pgha" -f "$file" validate
like "and has five hosts" "$out" '5 hosts: valid'
is "the inventory is nobody else's to read" "$(stat -c %a "$made/inventory.yml")" 600

exits "what is there is not overwritten" 1 import $sources/aws.tfstate --output "$made"
like "but by --force" "$err" '--force overwrites it'
like "and is as it was" "$(cat "$file")" '^network: \{vip: 10.0.0.100\}'
succeeds "with --force it is" import $sources/aws.tfstate --output "$made" --force --name shop
like "the name is the cluster's" "$(cat "$file")" '^cluster: shop$'
succeeds "the inventory shows" "$pgha" inventory show -i "$made/inventory.yml" --host pg-1
is "public and private address told apart" "$(printf %s "$out" | jq -r '.ansible_host + " " + .address')" "3.0.0.1 10.0.1.11"
unlike "no secret of the state is in a file" "$(cat "$made"/*)" 'hunter2|S3CRET|TOPSECRET'

(mkdir "$work/here" && cd "$work/here" && "$pgha" inventory import "$OLDPWD/$sources/ssh_config" -q)
is "without --output the files are in the current folder" "$(cd "$work/here" && echo *)" "cluster.yaml inventory.yml"
run "$pgha" inventory show -i "$work/here/inventory.yml" --host pg3
is "of an ssh_config: the first value wins" "$(printf %s "$out" | jq -r .ansible_user)" special
is "jumps are worked out" "$(printf %s "$out" | jq -r .ansible_ssh_common_args)" "-o ProxyJump=jump@203.0.113.5:2222"

(cd "$work" && "$pgha" inventory import "$OLDPWD/$sources/clouds.tfstate" --json >"$work/json")
is "--json shows the proposal" "$(jq -r '.groups | [.db, .lb, .etcd] | map(length) | join(" ")' "$work/json")" "3 2 3"
exits "and writes nothing" 2 ls "$work/cluster.yaml"
succeeds "a user's own groups" import $sources/inventory.ini --output "$work/own"
run "$pgha" inventory show -i "$work/own/inventory.yml" --list
is "stay, below ours" "$(printf %s "$out" | jq -c '[.db.children, .lb.children, .app.children]')" '[["postgres_servers"],["haproxy"],["web"]]'

exits "an unknown kind" 64 import $sources/addresses.txt --from trraform --output "$work/x"
like "has its nearest named" "$err" 'did you mean "terraform"'
exits "a name that no cluster can have" 64 import $sources/addresses.txt --name 'A b' --output "$work/x"
exits "nothing to import" 65 import /dev/null --output "$work/x"
exits "a file that is not there" 65 import "$work/none" --output "$work/x"
exits "the wrong kind" 65 import $sources/addresses.txt --from terraform --output "$work/x"
exits "no source" 64 import
exits "an unknown action" 64 "$pgha" inventory improt x
printf 'Host a\nMatch all\n' >"$work/match"
exits "what is not followed is refused" 65 import "$work/match" --output "$work/x"
like "with its place" "$err" "match:2:1: Match is not followed"
exits "and nothing was written" 2 ls "$work/x"

succeeds "a program that prints an inventory" "$pgha" inventory show -i tests/inventory/cases/dynamic --list
is "is run when it was named" "$(printf %s "$out" | jq -c .db.hosts)" '["db1","db2"]'
mkdir "$work/folder" && cp tests/inventory/cases/dynamic "$work/folder"
exits "but not when it lies in a folder" 65 "$pgha" inventory show -i "$work/folder" --list
like "which is said" "$err" 'scripts in a folder are not run'
succeeds "names with a comma are an inventory" "$pgha" inventory show -i a,b --list
finish
