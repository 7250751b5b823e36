#!/bin/sh
# Figures of the failover drill, into docs/drill-figures.md: every scenario RUNS times (10) with each of PRESETS (all three), and a
# soak of SOAK seconds (1800) with preset fast: PostgreSQL under all the load that pgbench makes, while one host after the other
# stands still for 200 ms. No pass or fail. A preset takes RUNS x 8 to 20 minutes. REPORTS: a folder that keeps the
# reports, and what is in it is not made again.
. "${0%/*}/../lib/tap.sh"
need_root

page=$PWD/docs/drill-figures.md
reports=${REPORTS:-$work/reports}
soak=${SOAK:-1800}
p() { "$pgha" -f "$file" "$@"; }
uri() { p conninfo --json | jq -r ".uris.$1"; }
lab bench-drill 10.81.9.0/24 'nodes: {db: {count: 3}, lb: {count: 2}}
postgres: {synchronous: on}
drill: {allowed: on}'
mkdir -p "$reports"

preset() { # preset NAME
    sed -i '/^failover:/d' "$file"
    echo "failover: {preset: $1}" >>"$file"
    p up --yes >&2
}
drills() { # drills PRESET: its table, unless there is one
    [ -s "$reports/$1.md" ] && return
    preset "$1" && p drill --all --repeat "${RUNS:-10}" --yes --report "$reports/$1.json" --markdown "$reports/$1.md" >&2
}

# ---- the soak ----

stand_still() { # stand_still HOST: everything on it, as when its hypervisor takes its time
    group=$(find /sys/fs/cgroup -maxdepth 2 -name "pgha-bench-drill-$1" -exec test -e '{}/cgroup.freeze' ';' -print)
    echo 1 >"$group/cgroup.freeze"
    sleep 0.2 # the very thing that is measured
    echo 0 >"$group/cgroup.freeze"
}
where() { p status --json | jq -r '.members[] | select(.role == "leader") | "\(.name) on timeline \(.timeline)"'; }

soak() {
    preset fast || return
    psql -Xqc 'create database bench' "$(uri primary)"
    bench=$(uri primary | sed 's|/postgres?|/bench?|')
    pgbench -iqs 10 "$bench" >/dev/null 2>&1
    before=$(where)
    pgbench -n -c 8 -j 2 -T "$soak" "$bench" >"$work/pgbench" 2>&1 &
    load=$!
    pauses=0
    while kill -0 $load 2>/dev/null; do
        for host in db1 db2 db3 lb1 lb2; do
            stand_still $host
            pauses=$((pauses + 1))
            sleep 2
        done
    done
    wait $load
    cat <<END

## $((soak / 60)) minutes of load and pauses, preset fast

pgbench, 8 clients: $(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$work/pgbench") transactions a second, $(sed -n 's/^number of failed transactions: //p' "$work/pgbench") failed. $pauses times a host stood
still for 200 ms, each in its turn. The primary was $before, and at the end $(where).
END
}

for preset in ${PRESETS:-fast default relaxed}; do drills "$preset"; done
[ "$soak" = 0 ] || [ -s "$reports/soak.md" ] || soak >"$reports/soak.md"
{
    cat <<END
# Figures of the failover drill

Made by \`sh tests/bench/drill.sh\` with version $("$pgha" --version | cut -d' ' -f2), on $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)
with $(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, $(uname -sr), five local hosts, synchronous replication.
END
    for preset in fast default relaxed; do
        [ ! -s "$reports/$preset.md" ] || printf '\n## Preset %s\n\n%s\n' "$preset" "$(cat "$reports/$preset.md")"
    done
    [ "$soak" = 0 ] || cat "$reports/soak.md"
} >"$page.new" && mv "$page.new" "$page"
p down --yes >&2
