#!/bin/sh
# AWS, each of whose calls takes CALL_MS (200): RUNS (5) of `up --hosts-only` against the longest chain of calls that depend on
# each other, and the calls of a plan without changes. Medians. Prints Markdown.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
. tests/bench/lib.sh
need_root

call_ms=${CALL_MS:-200}
mkdir "$work/bench"
file=$work/bench/cluster.yaml
printf 'cluster: bench\nprovider: {name: aws}\nnetwork: {cidr: 10.3.0.0/16}\n' >"$file"
p() { "$pgha" -f "$file" "$@"; }
calls() { aws_calls | wc -l; }

aws_start || exit 1
for _ in $(seq "${RUNS:-5}"); do
    aws_set delay_ms="$call_ms"
    take up "$pgha" -f "$file" up --hosts-only --yes
    aws_calls >"$work/calls"
    up_calls=$(calls)
    chain=$(python3 tests/bench/aws_chain.py "$work/bench/.pgha/bench/resources.json" <"$work/calls")
    aws_reset
    aws_set delay_ms="$call_ms"
    take plan "$pgha" -f "$file" plan --hosts-only
    plan_calls=$(calls)
    aws_reset
    aws_set delay_ms="$call_ms"
    take down "$pgha" -f "$file" down --yes
    aws_clear
    take none "$pgha" -f "$file" up --hosts-only --yes
    "$pgha" -f "$file" -q down --yes >/dev/null 2>&1
    aws_reset
done
length=${chain%% *}
cat <<END
## AWS's API

Three members with etcd on them, two balancers, three zones, from nothing, against the stand-in of the tests, each of whose calls takes
$call_ms ms. The longest chain of calls that depend on each other, by what AWS asks for and not by the order chosen: ${chain#* }.
Goals: \`up --hosts-only\` within 1.2x of it; a plan without changes asks once for each kind of thing.

| | : chain | calls | ms |
|---|---|---|---|
| the longest chain of calls | 1 | $length | $((length * call_ms)) |
| \`up --hosts-only\` | $(ratio "$(ms up)" "$((length * call_ms))") | $up_calls | $(ms up) |
| the same, calls taking no time: the stand-in's own, which does one after another | | | $(ms none) |
| \`plan --hosts-only\` without changes | | $plan_calls | $(ms plan) |
| \`down\` | | | $(ms down) |
END
