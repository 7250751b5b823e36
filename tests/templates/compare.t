#!/bin/sh
# Every file of every host, rendered by us and by the real Jinja2: the same bytes.
. "${0%/*}/../lib/tap.sh"

try() { # try "what" 'more of the cluster file'
    lab tpl 10.81.9.0/24 "$2"
    rm -rf "$work/out"
    succeeds "$1: render" "$pgha" -f "$file" -q render "$work/out"
    "$pgha" -f "$file" inventory show --show-secrets --format json >"$work/inventory.json"
    "$pgha" -f "$file" inventory show --show-secrets --format yaml >"$work/inventory.yml"
    run /usr/bin/python3 tests/templates/compare.py "$work/inventory.json" "$work/inventory.yml" "$work/out"
    is "$1: as Jinja2 renders it" "$status" 0
    [ "$status" = 0 ] || note "$out$err"
    note "$out"
}

run /usr/bin/python3 tests/templates/render.py templates tests/templates/vars.json "$work/samples"
is "the sample variables render too" "$status" 0
try "defaults" ''
try "fast, synchronous on" 'failover: {preset: fast}
postgres: {synchronous: on, parameters: {work_mem: 64MB, log_line_prefix: "it'\''s %m \"x\" "}}'
try "relaxed, quorum, etcd of its own" 'failover: {preset: relaxed}
postgres: {synchronous: quorum}
nodes: {etcd: {count: 3}}'
try "strict, no balancers" 'postgres: {synchronous: strict}
nodes: {lb: {count: 0}}'
try "one of each" 'nodes: {db: {count: 1}, lb: {count: 1}}'
try "other ports and access" 'ports: {primary: 6000, stats: 7070}
access: {postgres: [10.0.0.0/8, 192.168.0.0/16]}'
finish
