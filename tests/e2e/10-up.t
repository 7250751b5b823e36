#!/bin/sh
# From a cluster file to a verified cluster, every question one asks of it, and down again.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-up 10.81.1.0/24 'postgres:
  parameters: {work_mem: 8MB}
  databases: [{name: app, owner: app, extensions: [pg_stat_statements]}]
  users: [{name: app}]
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
sql() { psql -XAtq "$(p conninfo --json | jq -r ".uris.${2:-primary}")" -c "$1"; }

succeeds "plan before anything exists" p plan
like "plan names the hosts to create" "$out" 'create'
exits "plan --detailed-exitcode says that changes are pending" 2 p plan --detailed-exitcode

start=$(date +%s%N)
succeeds "up" p up --yes
note "up took $((($(date +%s%N) - start) / 1000000)) ms"
like "up says that it is verified" "$out" 'is up and verified'
like "and how to connect" "$out" 'postgresql://app@10.81.1.100:5000/app'
unlike "without showing a password" "$out$err" "$(p conninfo --json | jq -r .password)"

start=$(date +%s%N)
unchanged "a second up changes nothing" p up --yes
note "the second took $((($(date +%s%N) - start) / 1000000)) ms"
succeeds "plan has nothing to change" p plan --detailed-exitcode

succeeds "verify" p verify --json
is "every check passes" "$(printf '%s' "$out" | jq -c '[.ok, .failed]')" '[true,0]'
for check in members timelines lag etcd vip write replication ports; do
    is "verify has looked at $check" "$(printf '%s' "$out" | jq "[.checks[] | select(.check == \"$check\")] | length > 0")" true
done

is "psql with what conninfo prints writes through the VIP" \
    "$(sql 'create table t(i int); insert into t values (7); select i from t')" 7
is "the replicas' port leads to a replica" "$(sql 'select pg_is_in_recovery()' replicas)" t
is "conninfo --env connects" "$(eval "$(p conninfo --env)"; psql -XAtqc 'select current_user')" app
is "the extension is there" "$(sql "select count(*) from pg_extension where extname = 'pg_stat_statements'")" 1
is "a parameter of the cluster file holds" "$(sql 'show work_mem')" 8MB
is "data checksums are on" "$(sql 'show data_checksums')" on
is "passwords are SCRAM" "$(p psql -- -XAtqc "select count(*) from pg_authid where rolpassword is not null and rolpassword not like 'SCRAM-SHA-256%'")" 0

succeeds "status" p status
like "status has a leader" "$out" 'leader +running'
like "status has two streaming replicas" "$out" 'replica +streaming'
like "status knows who holds the VIP" "$out" 'VIP +10.81.1.100 on lb[12]$'
succeeds "status --json" p status --json
is "is healthy" "$(printf '%s' "$out" | jq .healthy)" true

for format in yaml ini json ssh-config hosts; do
    succeeds "inventory as $format" p inventory show --format $format
    unlike "holds no secret" "$out" 'secret_superuser'
done
is "ssh runs a command" "$(p ssh db2 hostname)" db2
like "logs shows a unit's journal" "$(p logs db1 patroni)" 'db1'

succeeds "render" p render "$work/rendered"
is "renders what is on the host" "$(p ssh lb1 cat /etc/haproxy/haproxy.cfg | sha256sum)" \
    "$(sha256sum <"$work/rendered/lb1/etc/haproxy/haproxy.cfg")"
for host in db1 db2 db3; do
    succeeds "patroni accepts the configuration of $host" p ssh $host patroni --validate-config --ignore-listen-port /etc/patroni/config.yml
done
for host in lb1 lb2; do
    succeeds "haproxy accepts the configuration of $host" p ssh $host haproxy -c -f /etc/haproxy/haproxy.cfg
    succeeds "keepalived accepts the configuration of $host" p ssh $host keepalived -t -f /etc/keepalived/keepalived.conf
done
tls="--cacert $work/t-up/.pgha/t-up/pki/ca.crt"
stats=$(p inventory show --show-secrets --format json | jq -r '._meta.hostvars.lb1.secret_stats')
is "statistics need the password" "$(curl -s $tls -o /dev/null -w '%{http_code}' https://10.81.1.100:7000/)" 401
is "metrics are there with it" "$(curl -s $tls -o /dev/null -w '%{http_code}' -u "stats:$stats" https://10.81.1.100:7000/metrics)" 200

# A changed parameter: shown with its consequence, applied, and nothing else happens.
sed -i 's/work_mem: 8MB/work_mem: 16MB, max_connections: 150/' "$file"
succeeds "plan with changed parameters" p plan
like "a parameter that is reloaded" "$out" 'work_mem: "8MB" -> "16MB".*\[reload\]'
like "a lowered one that restarts the primary first" "$out" 'max_connections: 200 -> 150.*\[restart, the primary first'
succeeds "up applies them" p up --yes
is "work_mem" "$(sql 'show work_mem')" 16MB
is "max_connections on the primary" "$(sql 'show max_connections')" 150
is "max_connections on a replica" "$(sql 'show max_connections' replicas)" 150
sed -i 's/max_connections: 150/max_connections: 250/' "$file"
like "a raised one restarts the replicas first" "$(p plan 2>&1)" 'max_connections: 150 -> 250.*\[restart, the replicas first'
succeeds "a plan in a file" p plan --out "$work/plan"
p ssh lb1 'echo "# by hand" >>/etc/haproxy/haproxy.cfg'
exits "up with a plan over which the world has moved" 1 p up --yes "$work/plan"
like "tells what is different" "$err" 'does not hold any more: it would be changed, too: lb1: template /etc/haproxy/haproxy.cfg'
is "and changes nothing" "$(sql 'show max_connections')" 150
succeeds "a new plan" p plan --out "$work/plan"
succeeds "up does what it says" p up --yes "$work/plan"
is "max_connections on the primary" "$(sql 'show max_connections')" 250
succeeds "what happens, for programs" p up --yes --events "$work/events"
is "is JSON, a line an event" "$(jq -rs 'map(select(.kind == "stage_end") | .stage) | join(" ")' "$work/events")" 'hosts converge ready dcs sql verify'
log=$(ls "$work"/t-up/.pgha/t-up/log/*.jsonl | tail -1)
is "and kept" "$(jq -s length "$log")" "$(jq -s length "$work/events")"
is "for nobody else to read" "$(stat -c %a "$log")" 600
exits "a plan that is done is over" 1 p up --yes "$work/plan"
like "which is told" "$err" 'nothing is to be changed any more'
echo '{"pgha_plan": 1}' >"$work/plan"
exits "a file that is no plan" 65 p up --yes "$work/plan"
is "the row is still there" "$(sql 'select i from t')" 7
succeeds "and plan is empty again" p plan --detailed-exitcode

# A balancer comes and goes; 23-grow.t has members with data.
echo 'nodes: {lb: {count: 1}}' >>"$file"
like "plan with one balancer less" "$(p plan 2>&1)" '^host.lb2$'
succeeds "up takes it away" p up --yes
is "the other has the VIP" "$(p status | sed -n "s,^VIP.* on ,,p")" lb1
sed -i '/^nodes:/d' "$file"
succeeds "up with both balancers again" p up --yes

succeeds "down" p down --yes
like "says what it took away" "$out" 'is gone'
is "no process" "$(pgrep -f 'pgha-t-up' | wc -l)" 0
is "no namespace" "$(ip netns | grep -c 'pgha-t-up')" 0
is "no mount" "$(grep -c 'local/t-up/' /proc/mounts)" 0
is "no bridge" "$(ip -d link show 2>/dev/null | grep -c 'pgha t-up')" 0
is "no file" "$(ls -d /var/lib/pgha-deploy/local/t-up /run/pgha-deploy/t-up "$work/t-up/.pgha" 2>/dev/null | wc -l)" 0
finish
