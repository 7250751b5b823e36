#!/bin/sh
# SIGKILL at every file that is about to be written, program started, trip, request and statement of `up`, of a change,
# and of `down`: nothing is torn, no lock is stale, and the next run ends well. PGHA_LONG=1: every point, else a spread.
. "${0%/*}/../lib/tap.sh"
need_root

preload=$work/kill-at.so
# shellcheck disable=SC2046
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -shared -fPIC -o "$preload" tests/e2e/kill-at.c $(pkg-config --cflags libpq libssh) -ldl || exit 1

lab t-kill 10.81.122.0/24 'nodes: {db: {count: 1}, lb: {count: 1}}
failover: {preset: fast}'
state=${file%/*}/.pgha/t-kill
hosts=/var/lib/pgha-deploy/local/t-kill
p() { "$pgha" -f "$file" "$@"; }

# The kinds of call that COMMAND makes, a line each, in $calls.
count_calls() {
    calls=$work/calls
    rm -f "$calls"
    succeeds "$1" env LD_PRELOAD="$preload" KILL_LOG="$calls" "$pgha" -f "$file" -q "$2" --yes
    note "$(sort "$calls" | uniq -c | awk '{printf "%s%d x %s", (NR > 1 ? ", " : ""), $1, $2}')"
}
# points KIND=MOST... prints KIND:N, for every N of a kind, or a spread of MOST of them with the first and the last.
points() {
    for kind in "$@"; do
        most=${kind#*=}
        [ -z "${PGHA_LONG:-}" ] || most=1000000
        grep -cx "${kind%=*}" "$calls" | awk -v kind="${kind%=*}" -v most="$most" '{
            if (most > $1) most = $1
            for (i = 0; i < most; i++) print kind ":" (most > 1 ? 1 + int(i * ($1 - 1) / (most - 1)) : $1)
        }'
    done
}
killed=0
# kill_at POINT COMMAND. How many requests a run makes depends on how long it waits: a late point may not be reached.
kill_at() {
    run env LD_PRELOAD="$preload" KILL_AT="$1" "$pgha" -f "$file" -q "$2" --yes 2>/dev/null # "Killed"
    [ "$status" = 137 ] && killed=$((killed + 1))
    [ "$status" = 137 ] || [ "$status" = 0 ]
}
# What is torn: files of the state folder that cannot be read, one a line. secrets.vault is read by every command.
torn() {
    find "$state" -name '.*' -prune -o -name '*.json*' -type f -print 2>/dev/null | while read -r json; do
        jq -es . "$json" >/dev/null 2>&1 || echo "$json"
    done
    find "$state" -name '.*' -prune -o -name '*.y*ml' -type f -print 2>/dev/null | while read -r yaml; do
        python3 -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))' "$yaml" 2>/dev/null || echo "$yaml"
    done
}
# Temporary files, in the state folder and on the hosts' disks.
temporary() {
    find "$state" $hosts -name '.*.pgha-??????' 2>/dev/null
    find $hosts/*/upper \( -name '.pgha-*' -o -name '.*.pgha' \) 2>/dev/null
}
# One point is one test: its steps say what went wrong.
fault() { faults="$faults$*
"; }
expect() { # expect "what" STATUSES COMMAND...
    what=$1 wanted=$2
    shift 2
    run "$@"
    case " $wanted " in *" $status "*) ;; *) fault "$what: exit $status: $err" ;; esac
}
look() {
    torn=$(torn)
    [ -z "$torn" ] || fault "torn: $torn"
    expect validate 0 p validate
    expect status "0 1 3" p status
}
go_on() {
    expect "the next up" 0 p -q up --yes
    left=$(temporary; find "$XDG_CONFIG_HOME" -name '.*.pgha-??????')
    [ -z "$left" ] || fault "left after up: $left"
}
go_down() {
    expect down 0 p -q down --yes
    left=$(traces t-kill; temporary; find "${file%/*}/.pgha" 2>/dev/null)
    [ -z "$left" ] || fault "left after down: $left"
}
judge() { # judge "what"
    is "$1" "$faults" ""
}

start=$(date +%s)

# ---- up, from nothing
count_calls "up" up
succeeds "down" p -q down --yes
turn=0
for point in $(points write=3 remove=1 call=2 trip=2 sent=3 api=2 sql=1); do
    faults=
    turn=$((turn + 1))
    kill_at "$point" up || fault "the run itself: exit $status: $err"
    look
    if [ $((turn % 3)) != 2 ]; then
        [ $((turn % 6)) != 1 ] || expect plan 0 p plan
        go_on
    fi
    go_down
    judge "up killed at $point"
done

# ---- a change of a running cluster
succeeds "up" p -q up --yes
printf 'postgres: {parameters: {max_connections: 110}}\n' >>"$file"
count_calls "a change" up
connections=110
for point in $(points write=1 trip=2 sent=2 api=2 sql=1); do
    faults=
    connections=$((connections == 110 ? 120 : 110))
    sed -i "s/max_connections: .*}}/max_connections: $connections}}/" "$file"
    kill_at "$point" up || fault "the run itself: exit $status: $err"
    look
    go_on
    now=$(psql -XAtqc 'show max_connections' "$(p conninfo --json | jq -r .uris.primary)" 2>&1)
    [ "$now" = "$connections" ] || fault "max_connections: $now"
    judge "a change killed at $point"
done
succeeds "verify" p verify
rm "$state/known_hosts" # as after a kill right before this file
succeeds "plan writes lost host keys again" p plan
rm "$state/pki/ca.crt" # or between the vault and this one
succeeds "up writes a lost certificate of the authority again" p -q up --yes
succeeds "verify goes by it" p verify
succeeds "nothing is left to do" p plan --detailed-exitcode

# ---- down
count_calls "down" down
turn=0
for point in $(points write=1 remove=1 call=2); do
    faults=
    expect up 0 p -q up --yes
    kill_at "$point" down || fault "the run itself: exit $status: $err"
    turn=$((turn + 1)) # what is left is made a cluster again, or removed
    [ $((turn % 2)) = 0 ] || go_on
    go_down
    judge "down killed at $point"
done
note "$killed runs killed, $(($(date +%s) - start)) s"
finish
