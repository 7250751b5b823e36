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
# Nothing here ends the machine, and a disk of many users makes a commit take longer than the clients wait.
printf "fsync = off\nport = %s\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n" "$port" >>"$data/postgresql.conf"
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
unanswered() { told writers | awk '/^[0-9]+  no answer in time$/ {n += $1} END {print n + 0}'; } # statements
written() { [ "$(sql "select count(*) from pgha_drill")" -ge "$1" ]; }

note "an honest server"
measure 8 2 1 2000
measured
counted plain.failed 0 missing 0 unknown "$(unanswered)" doubled 0 reordered 0 altered 0 invented 0
counted went-back 0 went-elsewhere 0
is "what is acknowledged or came late is there" "$(($(value acknowledged) + $(value unknown-kept)))" "$(sql "select count(*) from pgha_drill")"

note "the same, which crashes and comes back"
sql "delete from pgha_drill"
measure 8 2 1 4000
wait_for 30 written 2200
server -m immediate restart
ok $? "the server has crashed and recovered"
measured
counted missing 0 doubled 0 reordered 0 altered 0 invented 0 went-back 0 went-elsewhere 0
like "writers saw it go" "$(told writers)" 'terminating connection|server closed the connection'
like "and were refused" "$(told writers)" 'Connection refused|starting up|not yet accepting connections|recovery'
is "every failure has a text" "$(told writers | awk '{n += $1} END {print n}')" "$(value writers.failed)"
note "$(told writers)"
like "for all of them it is a gap" "$(value writers.gap-ms) $(value readers.gap-ms) $(value plain.gap-ms)" \
    '^[0-9]{3,5} [0-9]{3,5} [0-9]{3,5}$'
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
counted missing 0 doubled 0 altered 0 invented 0
note "$(told writers)"

note "the same, whose commits wait for a synchronous standby that is not there"
sql "delete from pgha_drill"
measure 4 0 1 800
wait_for 30 written 200
sql "alter system set synchronous_standby_names = 'nobody'"
sql "select pg_reload_conf()" >"$work/reloaded"
# The clients leave after 0.5 s and after 1 s more; their backends stay.
waiting() { [ "$(sql "select count(*) from pg_stat_activity where wait_event = 'SyncRep'")" -ge "$1" ]; }
wait_for 20 waiting 13
ok $? "each writer has three backends that wait, the plain client one"
sql "alter system reset synchronous_standby_names"
sql "select pg_reload_conf()" >"$work/reloaded"
measured
like "writers gave up twice each, or once more" "$(unanswered)" '^(8|9|1[0-2])$'
counted unknown "$(unanswered)" unknown-kept "$(unanswered)" missing 0 doubled 0 plain.failed 0

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
counted missing 4 doubled 4 altered 4 invented 0 reordered 0

note "the readers' question of a large table looks into the index"
sql "drop trigger lie on pgha_drill"
sql "insert into pgha_drill (run, writer, number, previous, hash)
    select 5, w, n, 0, 0 from generate_series(0, 7) w, generate_series(1, 20000) n"
like "for each writer" "$(sql "explain select coalesce((select max(number) from pgha_drill where run = 5 and writer = w), 0)
    from generate_series(0, 8 - 1) w order by w")" 'Index Only Scan Backward using pgha_drill_number'
finish
