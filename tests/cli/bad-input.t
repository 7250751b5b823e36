#!/bin/sh
# Bad cluster files: exit 65, every fault with line and column, nothing touched.
. "${0%/*}/../lib/tap.sh"

bad() { # bad "what" 'regex of stderr', for what is in bad.yaml
    exits "$1: exit 65" 65 "$pgha" -f "$work/bad.yaml" up --yes
    like "$1: is told" "$err" "$2"
    is "$1: nothing is touched" "$(ls -A "$work" | grep -c '^\.pgha$')" 0
}

: >"$work/bad.yaml"
bad "empty" 'empty'
head -c 4096 /dev/urandom >"$work/bad.yaml"
bad "binary" 'bad.yaml:[0-9]+:[0-9]+'
head -c 6000000 /dev/zero | tr '\0' 'a' >"$work/bad.yaml"
bad "huge" 'bad.yaml'
head -c 100000 /dev/zero | tr '\0' '[' >"$work/bad.yaml"
bad "deeply nested" 'bad.yaml:1:'
printf 'cluster: a\ncluster: b\nprovider: {name: local}\n' >"$work/bad.yaml"
bad "duplicate key" 'bad.yaml:2:1:'
printf 'cluster: a\nprovider: {name: local}\nnodse: {}\n' >"$work/bad.yaml"
bad "unknown key" 'bad.yaml:3:1: .*nodse.*did you mean "nodes"'
printf 'cluster: a\nprovider: {name: local}\nnodes: {db: {count: x}}\n' >"$work/bad.yaml"
bad "wrong type" 'bad.yaml:3:21: .*integer'
printf 'cluster: "a; rm -rf /"\nprovider: {name: local}\n' >"$work/bad.yaml"
bad "shell characters" 'no valid name'
printf 'cluster: a\nprovider: {name: local}\nnetwork: {vip: 10.1.1.1}\n' >"$work/bad.yaml"
bad "VIP outside" 'outside network.cidr'
printf 'cluster: a\nprovider: {name: local}\nnodes: {etcd: {count: 2}}\n' >"$work/bad.yaml"
bad "even etcd" 'even number'
printf 'cluster: a\nprovider: {name: local}\nnodes: {etcd: {count: 0}}\n' >"$work/bad.yaml"
bad "no etcd" 'range'
printf 'cluster: a\nprovider: {name: local}\nnetwork: {cidr: 10.0.0.0/30}\n' >"$work/bad.yaml"
bad "small network" 'too small'
printf 'cluster: A\nprovider: {name: nope}\nx: 1\n' >"$work/many.yaml"
run "$pgha" -f "$work/many.yaml" validate
is "every fault is listed at once" "$(printf '%s\n' "$err" | grep -c '^.*many.yaml:[0-9]*:[0-9]*:')" 3
run "$pgha" -f "$work/many.yaml" validate --json
is "and counted in JSON" "$(printf '%s' "$out" | jq '.faults | length')" 3
finish
