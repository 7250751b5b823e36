# tap.sh - for tests that read as a manual: `. tests/lib/tap.sh` from the top of the tree.
#
#   is "what" "$got" "$wanted"          like "what" "$got" 'regex'        run COMMAND... (fills $out, $err, $status)
#   succeeds "what" COMMAND...          exits "what" STATUS COMMAND...     lab NAME CIDR (a cluster file, cleaned up at exit)
# shellcheck shell=sh
set -u
cd "$(dirname "$0")/../.." || exit 1
LC_ALL=C.UTF-8
NO_COLOR=1
export LC_ALL NO_COLOR
pgha=${PGHA:-$PWD/pgha-deploy}
work=$(mktemp -d "${TMPDIR:-/tmp}/pgha-test.XXXXXX")
XDG_CONFIG_HOME=$work/config # a key of the test's own seals the secrets of its clusters
export XDG_CONFIG_HOME
tap_n=0
tap_failed=0
labs=
servers= # process ids of what the test started for its labs; ended with it

cleanup() {
    # shellcheck disable=SC2086
    [ -z "$servers" ] || kill $servers 2>/dev/null
    for file in $labs; do
        "$pgha" -f "$file" -q down --yes >/dev/null 2>&1
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP PIPE

ok() { # ok STATUS "what"
    tap_n=$((tap_n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tap_n - $2"
    else
        echo "not ok $tap_n - $2"
        complain "failed: $tap_n - $2"
        tap_failed=$((tap_failed + 1))
    fi
}
note() { printf '%s\n' "$*" | sed 's/^/# /'; }
complain() { # what prove shows of a test that fails, and `make check` once more at its end
    note "$@" >&2
    [ -z "${PGHA_COMPLAINTS:-}" ] || printf '%s\n' "$*" | sed "s|^|${0#"$PWD"/}: |" >>"$PGHA_COMPLAINTS"
}
is() {
    if [ "$2" = "$3" ]; then ok 0 "$1"; else
        ok 1 "$1"
        complain "got:    $2"
        complain "wanted: $3"
    fi
}
like() {
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then ok 0 "$1"; else
        ok 1 "$1"
        complain "got: $2"
        complain "wanted a line like: $3"
    fi
}
unlike() {
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then
        ok 1 "$1"
        complain "got: $2"
        complain "wanted no line like: $3"
    else ok 0 "$1"; fi
}
run() {
    status=0
    out=$("$@" 2>"$work/stderr" </dev/null) || status=$?
    err=$(cat "$work/stderr")
}
exits() {
    what=$1 wanted=$2
    shift 2
    run "$@"
    if [ "$status" = "$wanted" ]; then ok 0 "$what"; else
        ok 1 "$what"
        complain "exit status $status, wanted $wanted: $*"
        complain "$out"
        complain "$err"
    fi
}
succeeds() {
    what=$1
    shift
    exits "$what" 0 "$@"
}
# A run of ours that has nothing to do: unchanged "what" COMMAND... What it changed is told.
unchanged() {
    what=$1
    shift
    run "$@"
    like "$what" "$out" ' 0 changed'
    case $out in *' 0 changed'*) ;; *) complain "$err" ;; esac
}
# Asks through the primary's port without a pause, a login each, until clients_stop: what failed is left in $work/clients. Each
# attempt is bounded, for a client that outlives its lab would go on sending.
clients_start() { # p is the test's `pgha-deploy -f FILE`
    : >"$work/asking"
    while [ -e "$work/asking" ]; do
        timeout 20 psql -XAtqc 'select 1' "$(p conninfo | awk '/^primary/ {print $2}')" || echo failed
    done 2>&1 | grep -v '^1$' >"$work/clients" &
    clients=$!
}
clients_stop() {
    rm "$work/asking"
    wait $clients
}
# Polls until the command succeeds: wait_for SECONDS COMMAND...
wait_for() {
    limit=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$limit" ] || return 1
        sleep 0.1
    done
}
# A cluster file of its own, taken down at the end: lab NAME CIDR [more YAML]; sets $file.
lab() {
    # What a run of this test left that was killed: its cluster file is still there.
    old=$(sed -n 's/^ *"file": "\(.*pgha-test\..*\)",$/\1/p' "/var/lib/pgha-deploy/local/$1/cluster.json" 2>/dev/null)
    if [ -n "$old" ] && [ -f "$old" ]; then
        "$pgha" -f "$old" -q down --yes >/dev/null 2>&1
        rm -rf "${old%/*/*}"
    fi
    mkdir -p "$work/$1"
    file=$work/$1/cluster.yaml
    printf 'cluster: %s\nprovider: {name: local}\nnetwork: {cidr: %s}\n%s\n' "$1" "$2" "${3:-}" >"$file"
    labs="$labs $file"
}
# Everything on this machine that carries a local cluster's name or is in its folders: traces NAME
traces() {
    ls -d /run/netns/pgha-"$1"-* /sys/fs/cgroup/pgha-"$1"-* /sys/fs/cgroup/*/pgha-"$1"-* \
        /var/lib/pgha-deploy/local/"$1" /run/systemd/nspawn/*/pgha-"$1"-* 2>/dev/null
    ip -details link | grep "alias pgha $1"
    grep "/local/$1/" /proc/self/mountinfo
    grep "/local/$1/" /sys/block/loop*/loop/backing_file 2>/dev/null
    pgrep -af -- "--machine pgha-$1-"
    ls /run/pgha-deploy.lock 2>/dev/null
}
# A local host is lost for good, disks included, and nobody asked for it: lose_host CLUSTER HOST
lose_host() {
    for group in $(find /sys/fs/cgroup -maxdepth 2 -name "pgha-$1-$2"); do
        [ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
    done
    awk -v at="/local/$1/$2/" 'index($5, at) {print $5}' /proc/self/mountinfo | sort -r | xargs -r umount -l
    rm -rf "/var/lib/pgha-deploy/local/$1/$2"
}
need_root() {
    if [ "$(id -u)" != 0 ]; then
        echo "1..0 # SKIP needs root"
        exit 0
    fi
}
# What a judge of many cases has written, a line each: "ok WHAT", "differs WHAT", "note TEXT": judged FILE
judged() {
    while read -r verdict text; do
        case $verdict in
            ok) ok 0 "$text" ;;
            differs) ok 1 "$text" ;;
            *) note "$text" ;;
        esac
    done <"$1"
}
finish() {
    echo "1..$tap_n"
    [ "$tap_failed" = 0 ]
}
# A small program of a test, linked with the library: helper SOURCE PROGRAM. BUILD, CFLAGS and SANITIZE as for make.
helper() {
    make -s "${BUILD:-build}/libpgha.a" >&2 || return 1
    # shellcheck disable=SC2046,SC2086
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -I. ${CFLAGS:-} ${SANITIZE:-} -o "$2" "$1" "${BUILD:-build}/libpgha.a" \
        $(pkg-config --cflags --libs $(make -s pkgs)) -lcrypt -lm -pthread
}
