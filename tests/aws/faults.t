#!/bin/sh
# A call of `up` or `down` fails, or the run is killed right after it: the same command again ends as if nothing had been.
# Nothing is made twice, and after `down` nothing is left. Each fault at some calls; with PGHA_LONG=1 at each.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
need_root

aws_start
ok $? "moto and the proxy are up"
mkdir "$work/shop"
file=$work/shop/cluster.yaml
printf 'cluster: shop\nprovider: {name: aws, default_tags: {team: data}}\nnetwork: {cidr: 10.3.0.0/16}\n' >"$file"
up="up --hosts-only" down=down
# shellcheck disable=SC2086
p() { "$pgha" -f "$file" -q $1 --yes >"$work/out" 2>&1 </dev/null; }
calls() { aws_calls | wc -l; }
slow=: # what each round sets again, for a reset forgets it

# ---- without a fault ----

p "$up" || complain "$(cat "$work/out")"
up_calls=$(calls)
aws_census >"$work/wanted"
is "as asked" "$(cut -d' ' -f1 "$work/wanted" | sort | uniq -c | awk '{printf "%s%s %s", sep, $1, $2; sep = ", "}')" \
    '1 address, 3 group, 6 instance, 6 interface, 1 internet, 1 key, 1 nat, 1 role, 2 route, 6 subnet, 5 volume, 1 vpc'
is "nothing held against it" "$(aws_violations)" ''
aws_reset
p "$down" || complain "$(cat "$work/out")"
down_calls=$(calls)
is "and nothing after down" "$(aws_census)" ''
is "nothing held against that" "$(aws_violations)" ''
note "calls of up: $up_calls, of down: $down_calls"

# ---- no answer at all, beside the others: it takes its time ----

# It hangs for longer than a call may take, 30 s: a VPC is looked for, an instance asked for again with its token.
hang() {
    work=$work/hang servers=
    mkdir -p "$work/shop"
    file=$work/shop/cluster.yaml
    cp "${work%/hang}/shop/cluster.yaml" "$file"
    aws_start || return 1
    aws_fault 1 'hang 40' CreateVpc
    aws_fault 1 'hang 40' RunInstances
    p "$up" || complain "a call hangs: $(cat "$work/out")"
    aws_census >"$work/got"
    # shellcheck disable=SC2086
    kill $servers
    diff "${work%/hang}/wanted" "$work/got"
}
hang >"$work/hang.out" 2>&1 &
hanging=$!

# ---- rounds ----

rounds=0 again=0 bad=0 begun=$(date +%s)

# killed K COMMAND: after its K-th call, before its answer; or it ends before that
killed() {
    aws_fault "$1" hold
    # shellcheck disable=SC2086
    "$pgha" -f "$file" -q $2 --yes >"$work/out" 2>&1 </dev/null &
    victim=$!
    until aws_held || ! kill -0 $victim 2>/dev/null; do sleep 0.02; done
    kill -KILL $victim 2>/dev/null
    wait $victim 2>/dev/null
    aws_control '{"release": true}'
}
# spoilt K KIND COMMAND: once with the fault, and when that fails, once more without
spoilt() {
    aws_reset
    $slow
    if [ "$2" = kill ]; then
        killed "$1" "$3"
        failed=1
    else
        aws_fault "$1" "$2"
        p "$3"
        failed=$?
    fi
    rounds=$((rounds + 1))
    [ $failed = 0 ] && return 0
    again=$((again + 1))
    p "$3"
}
blame() { # blame WHAT
    bad=$((bad + 1))
    complain "$1" "$(tail -n 3 "$work/out")" "$(aws_violations)"
}
# up_round K KIND: to the cluster as asked, and away
up_round() {
    spoilt "$1" "$2" "$up" || blame "up, call $1, $2: the second one failed"
    aws_census >"$work/got"
    cmp -s "$work/wanted" "$work/got" || blame "up, call $1, $2: not as asked: $(diff "$work/wanted" "$work/got")"
    [ -z "$(aws_violations)" ] || blame "up, call $1, $2"
    away "up, call $1, $2"
}
away() {
    p "$down" || blame "$1: down failed"
    [ -z "$(aws_census)" ] || { blame "$1: still there: $(aws_census)"; aws_clear; }
}
down_round() {
    aws_reset
    p "$up" || blame "up before down"
    spoilt "$1" "$2" "$down" || blame "down, call $1, $2: the second one failed"
    [ -z "$(aws_violations)" ] || blame "down, call $1, $2"
    [ -z "$(aws_census)" ] || { blame "down, call $1, $2: still there: $(aws_census)"; aws_clear; }
}
# kind_of N: the N-th in turn
kind_of() {
    case $(($1 % 7)) in
        0) echo kill ;;
        1) echo lost ;;
        2) echo 'error 503 Unavailable' ;;
        3) echo malformed ;;
        4) echo throttle ;;
        5) echo 'junk 10000000' ;;
        6) echo reset ;;
    esac
}
# sweep ROUND CALLS STEP: every STEP-th call, with a kind in turn; STEP 0: every call with every kind
sweep() {
    call=1 turn=0
    while [ $call -le "$2" ]; do
        if [ "$3" = 0 ]; then
            for turn in 0 1 2 3 4 5 6; do "$1" $call "$(kind_of $turn)"; done
            call=$((call + 1))
        else
            "$1" $call "$(kind_of $turn)"
            turn=$((turn + 1)) call=$((call + $3))
        fi
    done
}
told() { # told WHAT
    is "$1" "$bad" 0
    note "$1: $rounds rounds, of which $again had to be run again, $(($(date +%s) - begun)) s"
    rounds=0 again=0 bad=0 begun=$(date +%s)
}

sweep up_round "$up_calls" "${PGHA_LONG:+0}${UP_STEP:-5}"
told "up, whatever call fails"
sweep down_round "$down_calls" "${PGHA_LONG:+0}${DOWN_STEP:-8}"
told "down, whatever call fails"

# ---- what AWS does not show at once ----

# What was made is not seen for 1.5 s, nor known to other calls for 1 s.
late() { aws_set hidden_ms=1500 unknown_ms=1000; }
slow=late
# away_at_once K: killed after the K-th call of `up`, and `down` while that is not seen
away_at_once() {
    aws_reset
    late
    killed "$1" "$up"
    rounds=$((rounds + 1))
    away "up killed at call $1, then down"
}
# In the middle of what is made: a spread of calls, each killed. Later calls come after waits.
for call in ${LATE_CALLS:-13 16 40}; do
    up_round "$call" kill
    away_at_once "$call"
done
up_round 0 'error 503 Unavailable' # none
told "up and down, when AWS is late"

wait $hanging
is "calls without an answer: as asked, nothing twice" "$? $(cat "$work/hang.out")" '0 '
finish
