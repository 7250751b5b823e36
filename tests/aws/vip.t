#!/bin/sh
# The address that moves on AWS: the script that keepalived calls brings it, and stops when keepalived wants something else.
. "${0%/*}/../lib/tap.sh"

# What a shell does with the script, what its programs are told, and what they say: all of it is looked at.
mkdir "$work/bin"
cat >"$work/bin/curl" <<END
#!/bin/sh
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>$work/arguments
exec $(command -v curl) "\$@"
END
printf '#!/bin/sh\nshift 3\necho "$*" >>%s/journal\n' "$work" >"$work/bin/logger"
chmod 755 "$work/bin/curl" "$work/bin/logger"

setpriv --pdeathsig TERM /usr/bin/python3 tests/aws/vip.py serve "$work/port" &
servers=$!
wait_for 10 test -s "$work/port"
ok $? "an instance's metadata and EC2"
at=http://127.0.0.1:$(cat "$work/port")

set_world() { # what EC2 has, JSON; the script's state is as keepalived leaves it
    curl -s -d "${1:-"{}"}" "$at/_control"
    rm -rf "$work/state"
    mkdir "$work/state"
    touch -d '1 hour' "$work/state/alive"
    : >"$work/journal"
}
world() { curl -s "$at/_control" | jq -r "$1"; }
actions() { world '[.calls[].action] | join(" ")'; }
wrong() { world '.wrong | join("\n")'; }
vip() { PATH=$work/bin:$PATH timeout 30 "$shell" "$work/$mode.sh" "$@"; }
keepalived() { vip INSTANCE demo "$1" 199; } # says STATE
own=eni-0a1b2c3d4e5f60001
other=eni-0a1b2c3d4e5f60002

# ---- templates ----

helper tests/jinja/render.c "$work/render" || exit 1
for mode in private-ip route eip; do
    /usr/bin/python3 tests/aws/vip.py render $mode lb1 "{\"aws_endpoint_url\": \"$at/\", \"aws_metadata_url\": \"$at\"}" \
        vip-move.sh.j2 keepalived.conf.j2 check_haproxy.sh.j2 >"$work/$mode.json"
    "$work/render" <"$work/$mode.json" >"$work/$mode.ours"
    is "$mode: rendered as by Jinja2" "$(jq -c '[.[].text]' "$work/$mode.ours")" "$(jq -c '[.[].text]' "$work/$mode.json")"
    jq -j '.[0].text' "$work/$mode.json" | sed "s,/run/pgha-vip,$work/state,g" >"$work/$mode.sh"
    if command -v shellcheck >/dev/null; then succeeds "$mode: shellcheck" shellcheck "$work/$mode.sh"; fi
done
for mode in private-ip route eip; do
    is "$mode: the documented policy allows its calls, and no others" \
        "$(sed -n "/^### $mode\$/,/^### /p" docs/aws-vip.md | sed '/^[`#]/d' | jq -r '.Statement[].Action' | grep -o 'ec2:[A-Za-z]*' | sort)" \
        "$(grep -oE '(call|verb=|\*=\) verb=) ?[A-Z][A-Za-z]+' "$work/$mode.sh" | grep -oE '[A-Z][a-z][A-Za-z]+$' | sed 's/^/ec2:/' | sort)"
done
endpoint() { # as rendered for a region
    /usr/bin/python3 tests/aws/vip.py render eip lb1 "{\"aws_region\": \"$1\"}" vip-move.sh.j2 | jq -r '.[0].text' | sed -n 's/^endpoint=//p'
}
is "AWS's own endpoint" "$(endpoint eu-west-3)" https://ec2.eu-west-3.amazonaws.com/
is "China's" "$(endpoint cn-north-1)" https://ec2.cn-north-1.amazonaws.com.cn/

# ---- moves, in each mode and by each shell ----

for shell in dash bash; do
    mode=private-ip
    set_world
    succeeds "$shell: master" keepalived MASTER
    is "the address is here" "$(world .address)" $own
    is "asked, taken, confirmed" "$(actions)" "DescribeNetworkInterfaces AssignPrivateIpAddresses DescribeNetworkInterfaces"
    like "and told" "$(cat "$work/journal")" '^the address is here, [0-9]+ s after it was asked for$'
    is "every request was as it must be" "$(wrong)" ''
    set_world "{\"address\": \"$own\"}"
    keepalived MASTER
    is "$shell: who has it already changes nothing" "$(actions) $(cat "$work/journal")" "DescribeNetworkInterfaces "

    mode=route
    set_world
    succeeds "$shell: routes" keepalived MASTER
    is "lead here" "$(world '.tables | join(" ")')" "$own $own"
    is "one was replaced, one was made" "$(actions)" "DescribeRouteTables ReplaceRoute CreateRoute DescribeRouteTables"
    is "every request was as it must be" "$(wrong)" ''
    set_world "{\"tables\": {\"rtb-0aaa\": \"$own\", \"rtb-0bbb\": \"$own\"}}"
    keepalived MASTER
    is "$shell: routes that lead here stay" "$(actions)" DescribeRouteTables
    set_world "{\"tables\": {\"rtb-0aaa\": \"$own\", \"rtb-0bbb\": \"$other\", \"rtb-0ccc\": \"$own\"}}"
    keepalived MASTER
    is "$shell: only what leads elsewhere is changed" "$(actions)" "DescribeRouteTables ReplaceRoute DescribeRouteTables"

    mode=eip
    set_world
    succeeds "$shell: elastic IP" keepalived MASTER
    is "is here" "$(world .elastic)" $own
    is "asked, taken, confirmed" "$(actions)" "DescribeAddresses AssociateAddress DescribeAddresses"
    is "every request was as it must be" "$(wrong)" ''
    set_world "{\"elastic\": \"\"}"
    keepalived MASTER
    is "$shell: one that nobody has" "$(world .elastic)" $own
    set_world "{\"elastic\": \"$own\"}"
    keepalived MASTER
    is "$shell: who has it changes nothing" "$(actions)" DescribeAddresses
done

# Route tables by their ids instead of the tag.
mode=route
/usr/bin/python3 tests/aws/vip.py render route lb1 "{\"aws_endpoint_url\": \"$at/\", \"aws_metadata_url\": \"$at\",
    \"aws_route_tables\": [\"rtb-0aaa\", \"rtb-0ccc\"]}" vip-move.sh.j2 | jq -j '.[0].text' | sed "s,/run/pgha-vip,$work/state,g" >"$work/route.sh"
set_world "{\"tables\": {\"rtb-0aaa\": \"\", \"rtb-0bbb\": \"$other\", \"rtb-0ccc\": \"$other\"}}"
shell=dash keepalived MASTER
is "given route tables, and no others" "$(world '.tables | join(" ")') $(wrong)" "$own $other $own "

# ---- when AWS does not answer, or not yet ----

mode=private-ip
for shell in dash bash; do
    set_world '{"faults": ["error 503 RequestLimitExceeded", "bare 500", "reset", "ok", "error 503 Unavailable", "ok"]}'
    succeeds "$shell: throttled, failed, cut off" keepalived MASTER
    is "it is asked until it is here" "$(world .address) $(wrong)" "$own "
    like "what stays wrong is told" "$(cat "$work/journal")" '^DescribeNetworkInterfaces: curl: \(.*; trying on$'
    set_world '{"faults": ["junk 3000000", "half", "ok", "half", "half"]}'
    keepalived MASTER
    is "$shell: junk, and half an answer" "$(world .address) $(actions | sed 's/NetworkInterfaces\|PrivateIpAddresses//g') $(wrong)" \
        "$own Describe Describe Describe Assign Describe Describe "
    refused='"error 403 UnauthorizedOperation"'
    set_world "{\"faults\": [$refused, $refused, $refused, $refused, $refused]}"
    keepalived MASTER
    is "$shell: a refusal is told once, with its request" "$(grep -c . "$work/journal") $(head -n 1 "$work/journal")" \
        "2 DescribeNetworkInterfaces: UnauthorizedOperation (request fake-3); trying on"
    set_world '{"unseen": 3}'
    keepalived MASTER
    is "$shell: what EC2 does not show yet is asked again" "$(world .address) $(actions | tr ' ' '\n' | grep -c Describe)" "$own 5"
    set_world '{"faults": ["hang 5"]}'
    started=$(date +%s)
    keepalived MASTER
    is "$shell: no answer is waited for longer than three seconds" "$(world .address) $(($(date +%s) - started <= 5))" "$own 1"
    set_world '{"faults": ["ok", "rotate"]}'
    keepalived MASTER
    is "$shell: new keys after the old ones expired" "$(world '[.calls[].key] | unique | length') $(world .address) $(wrong)" "2 $own "
    set_world '{"absent": true}'
    keepalived MASTER &
    mover=$!
    wait_for 10 grep -q . "$work/journal"
    is "$shell: without metadata" "$(cat "$work/journal")" "no answer of the instance's metadata; trying on"
    keepalived BACKUP
    wait $mover
    is "nothing is asked of EC2" "$(actions)" ''
done

# ---- orders ----

for shell in dash bash; do
    for state in BACKUP FAULT STOP; do
        set_world '{"faults": ["ok", "error 503 Unavailable", "hold"]}'
        keepalived MASTER &
        mover=$!
        wait_for 10 eval '[ "$(world ".calls | length")" = 3 ]'
        keepalived $state
        curl -s -d '{"release": true}' "$at/_control"
        wait $mover
        is "$shell: $state ends it before it takes the address" "$(world .address) $(actions)" \
            "$other DescribeNetworkInterfaces AssignPrivateIpAddresses DescribeNetworkInterfaces"
    done

    set_world '{"faults": ["hold"]}'
    keepalived MASTER &
    first=$!
    wait_for 10 eval '[ "$(world ".calls | length")" = 1 ]'
    keepalived MASTER &
    second=$!
    sleep 0.5
    is "$shell: two orders at once, one mover" "$(world '.calls | length')" 1
    curl -s -d '{"release": true}' "$at/_control"
    wait $first $second
    is "the later one brings the address, the earlier one ends" "$(world .address) $(actions)" \
        "$own DescribeNetworkInterfaces DescribeNetworkInterfaces AssignPrivateIpAddresses DescribeNetworkInterfaces"

    # An order that was given first gets here last: its process was started earlier.
    set_world
    echo "99999999999999999 BACKUP" >"$work/state/order"
    keepalived MASTER
    is "$shell: an order that a later one has overtaken" "$(actions) $(cat "$work/state/order")" " 99999999999999999 BACKUP"

    set_world '{"absent": true}'
    for _ in $(seq 20); do
        PATH=$work/bin:$PATH $shell "$work/$mode.sh" INSTANCE demo MASTER 199 &
        earlier=$!
        PATH=$work/bin:$PATH $shell "$work/$mode.sh" INSTANCE demo BACKUP 199 &
        later=$!
        wait $later $earlier
        cut -d' ' -f2 "$work/state/order"
    done >"$work/orders"
    is "$shell: two orders, one upon the other: the later one counts" "$(sort "$work/orders" | uniq -c | tr -s ' ')" " 20 BACKUP"

    set_world '{"faults": ["error 503 Unavailable"]}'
    touch -d '1 hour ago' "$work/state/alive"
    keepalived MASTER
    is "$shell: a keepalived that hangs is master of nothing" "$(actions)" ''
done

# ---- by the timer ----

for shell in dash bash; do
    set_world
    succeeds "$shell: on a host without orders" vip check
    keepalived BACKUP
    succeeds "$shell: on a backup" vip check
    is "nothing is asked" "$(world .metadata)" 0

    set_world "{\"address\": \"$own\"}"
    keepalived MASTER
    vip check
    is "$shell: on a master that has it" "$(actions) $(cat "$work/journal")" "DescribeNetworkInterfaces DescribeNetworkInterfaces "
    curl -s -d "{\"address\": \"$other\"}" "$at/_control"
    vip check
    is "$shell: moved in the console, taken back" "$(world .address)" $own
    like "and told" "$(cat "$work/journal")" '^the address was moved away from its master'
    curl -s -d "{\"address\": \"$other\"}" "$at/_control"
    vip check
    is "$shell: but not twice in a minute" "$(world .address) $(actions)" "$other DescribeNetworkInterfaces"
    touch -d '2 minutes ago' "$work/state/retaken"
    touch -d '1 hour ago' "$work/state/alive"
    vip check
    is "$shell: nor while keepalived hangs" "$(world .address)" "$other"
    touch -d '1 hour' "$work/state/alive"
    curl -s -d "{\"address\": \"$other\", \"faults\": [\"ok\", \"error 503 Unavailable\"]}" "$at/_control"
    vip check
    is "$shell: asked again when it was refused" "$(world .address) $(wrong)" "$own "

    set_world '{"faults": ["hold"]}'
    keepalived MASTER &
    mover=$!
    wait_for 10 eval '[ "$(world ".calls | length")" = 1 ]'
    vip check
    is "$shell: not beside a mover" "$(world '.calls | length')" 1
    curl -s -d '{"release": true}' "$at/_control"
    wait $mover
done

# ---- secrets ----

like "arguments were seen" "$(grep -ao 'curl -q -sS -K -' "$work/arguments" | grep -c .)" '^[1-9][0-9]+$'
printf '%s\n' only/in AQAEvip ASIAVIPFAKE >"$work/secrets"
is "none held a secret" "$(grep -aoFf "$work/secrets" "$work/arguments" | sort -u)" ''
is "nor did the journal, or a file" "$(grep -rlFf "$work/secrets" "$work/journal" "$work/state")" ''

# The check of HAProxy tells that keepalived lives.
jq -j '.[2].text' "$work/eip.json" | sed "s,/run/pgha-vip,$work/state,g" >"$work/check.sh"
: >"$work/state/alive"
touch -d '1 hour ago' "$work/state/alive"
bash "$work/check.sh" 2>/dev/null
is "alive" "$(find "$work/state/alive" -mmin -1)" "$work/state/alive"
rm -r "$work/state"
is "and does not mind where that cannot be told" "$(bash "$work/check.sh" 2>&1 | grep pgha-vip)" ''
finish
