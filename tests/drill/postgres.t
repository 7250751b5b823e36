#!/bin/sh
# The clients of a drill against a real PostgreSQL on this machine: it loses nothing when it crashes, and what a trigger
# makes away with is missing.
. "${0%/*}/../lib/tap.sh"

for bin in /usr/lib/postgresql/*/bin; do # the newest is the last
    [ ! -x "$bin/initdb" ] || newest=$bin
done
bin=${newest:-}
if [ -z "$bin" ] || [ "$(id -u)" != 0 ] || ! id postgres >/dev/null 2>&1; then
    echo "1..0 # SKIP needs root, and a PostgreSQL server"
    exit 0
fi
helper tests/drill/clients.c "$work/clients-program" || exit 1

data=$work/data
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as_postgres() { (cd "$data" && setpriv --reuid postgres --regid postgres --clear-groups "$@"); }
server() { as_postgres "$bin/pg_ctl" -D "$data" -l "$data/log" -w "$@" >"$work/server" 2>&1; }
sql() { psql -XAtq -h 127.0.0.1 -p "$port" -U postgres -d postgres -c "$1"; }
chmod 755 "$work"
mkdir "$data" && chown postgres "$data"
as_postgres "$bin/initdb" -D "$data" -A trust >"$work/initdb" 2>&1
printf "port = %s\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n" "$port" >>"$data/postgresql.conf"
server start
ok $? "a server"
stop() {
    server -m immediate stop
    cleanup
}
trap stop EXIT

measure() { # in the background: measure WRITERS READERS PLAIN WRITES
    "$work/clients-program" "$port" "$@" >"$work/out" 2>"$work/stderr" &
    program=$!
}
measured() {
    status=0
    wait $program || status=$?
    is "the clients come to their end" "$status$(cat "$work/stderr")" 0
    out=$(cat "$work/out")
}
value() { printf '%s\n' "$out" | awk -v name="$1" '$1 == name {print $2}'; }
told() { printf '%s\n' "$out" | sed -n "s/^$1.told //p"; }
counted() { # counted NAME WANTED...
    while [ $# -gt 0 ]; do
        is "$1: $2" "$(value "$1")" "$2"
        shift 2
    done
}
written() { [ "$(sql "select count(*) from pgha_drill")" -ge "$1" ]; }

note "an honest server"
measure 8 2 1 2000
measured
counted writers.failed 0 readers.failed 0 plain.failed 0 missing 0 unknown 0 doubled 0 reordered 0 altered 0 invented 0
counted went-back 0 went-elsewhere 0 acknowledged "$(sql "select count(*) from pgha_drill")"

note "the same, which crashes and comes back"
sql "delete from pgha_drill"
measure 8 2 1 4000
wait_for 30 written 500
server -m immediate restart
ok $? "the server has crashed and recovered"
measured
counted missing 0 doubled 0 reordered 0 altered 0 invented 0 went-back 0 went-elsewhere 0
like "writers saw it go" "$(told writers)" 'terminating connection|server closed the connection'
like "and were refused" "$(told writers)" 'Connection refused|starting up|not yet accepting connections|recovery'
is "every failure has a text" "$(told writers | awk '{n += $1} END {print n}')" "$(value writers.failed)"
note "$(told writers)"
note "a gap of $(value writers.gap-ms) ms for writers, $(value plain.gap-ms) ms for the plain client"

note "the same, which is read-only for a while"
sql "delete from pgha_drill"
measure 4 1 0 2000
wait_for 30 written 500
sql "alter system set default_transaction_read_only = on"
sql "select pg_reload_conf()" >"$work/reloaded"
refused() { grep -q 'cannot execute INSERT in a read-only transaction' "$data/log"; }
wait_for 20 refused
ok $? "it refuses writes"
sql "alter system reset default_transaction_read_only"
sql "select pg_reload_conf()" >"$work/reloaded"
measured
like "writers were told on their connections" "$(told writers)" '25006 ERROR:  cannot execute INSERT in a read-only'
counted missing 0 unknown-kept 0 readers.failed 0
note "$(told writers)"

note "a server whose trigger makes away with rows, keeps them twice, and changes them"
sql "delete from pgha_drill"
sql "create function lie() returns trigger language plpgsql as \$\$begin
    if new.number = 10 then return null; end if;
    if new.number = 20 and pg_trigger_depth() = 1 then
        insert into pgha_drill (run, writer, number, previous, hash) values (new.run, new.writer, 20, new.previous, new.hash);
    end if;
    if new.number = 30 then new.hash = 7; end if;
    return new;
end\$\$"
sql "create trigger lie before insert on pgha_drill for each row execute function lie()"
measure 4 1 0 400
measured
counted missing 4 doubled 4 altered 4 invented 0 reordered 0 unknown 0

note "the readers' question of a large table looks into the index"
sql "drop trigger lie on pgha_drill"
sql "insert into pgha_drill (run, writer, number, previous, hash)
    select 5, w, n, 0, 0 from generate_series(0, 7) w, generate_series(1, 20000) n"
like "for each writer" "$(sql "explain select coalesce((select max(number) from pgha_drill where run = 5 and writer = w), 0)
    from generate_series(0, 8 - 1) w order by w")" 'Index Only Scan Backward using pgha_drill_number'
finish
