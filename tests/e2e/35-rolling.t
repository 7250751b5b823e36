#!/bin/sh
# Settings that only a restart changes, over a running cluster: one member after the other, and a writer hardly notices.
. "${0%/*}/../lib/tap.sh"
. tests/lib/writer.sh
need_root

lab t-roll 10.81.44.0/24 'postgres: {parameters: {max_connections: 100}}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
uri() { p conninfo --json | jq -r ".uris.$1"; }
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }
gap_goal=2500 # ms, of a planned switchover with this preset

succeeds "up" p up --yes
succeeds "a writer" writer_build

before=$(leader)
sed -i 's/max_connections: 100/max_connections: 150/' "$file"
writes_over p up --yes
is "up restarts every member" "$status $(psql -XAtqc 'show max_connections' "$(uri primary)")" '0 150'
like "the primary by switchover" "$out$err" "$before: restart PostgreSQL as a replica|$before.*restart PostgreSQL as a replica"
unlike "so another one leads" "$(leader)" "^$before\$"
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le $gap_goal ]; echo $?)" "and waited no longer than for a switchover: $gap ms of $gap_goal"

sed -i 's/max_connections: 150/max_connections: 120/' "$file"
before=$(leader)
writes_over p up --yes
is "a lowered one, which the primary has to have first" "$status $(psql -XAtqc 'show max_connections' "$(uri primary)")" '0 120'
is "restarts it where it is" "$(leader)" "$before"
is "the writer lost nothing" "$lost" 0
succeeds "nothing is to be done after that" p plan --detailed-exitcode

for host in db1 db2 db3; do p ssh $host 'echo "# by hand" >>/etc/default/etcd'; done
elected() { for host in db1 db2 db3; do p ssh $host 'systemctl show -p ActiveEnterTimestampMonotonic --value etcd'; done; }
began=$(elected)
writes_over p up --yes
is "up restarts every member of etcd" "$status $(elected | grep -cxF "$began")" '0 0'
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le 1000 ]; echo $?)" "and hardly noticed: $gap ms"

mkfifo "$work/session"
psql -XAtq "$(uri primary)" <"$work/session" >"$work/said" &
exec 8>"$work/session"
echo 'select pg_backend_pid();' >&8
wait_for 10 test -s "$work/said"
echo 'ports: {stats: 7070}' >>"$file"
run p up --yes
like "up reloads both balancers" "$(printf '%s\n' "$out$err" | grep -c 'lb[12].*Reload HAProxy')" '^[1-9]'
echo 'select pg_backend_pid();' >&8
exec 8>&-
wait $!
is "a session through them stays" "$(wc -l <"$work/said") $(sort -u "$work/said" | wc -l)" '2 1'
succeeds "down" p down --yes
finish
