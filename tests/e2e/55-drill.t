#!/bin/sh
# Every scenario once, on real hosts: no acknowledged write is lost, every gap is within its bound, the cluster is whole
# after each. Then what keeps a drill from doing harm: it asks, it refuses a cluster that is not well, and it heals
# whatever becomes of it. PGHA_LONG=1: each scenario three times, and five minutes at random.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-drill 10.81.124.0/24 'nodes: {db: {count: 3}, lb: {count: 2}}
postgres: {synchronous: on}
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
report=$work/report.json
result() { jq -r ".results[] | select(.scenario == \"$1\") | $2" "$report"; }
repeat=1
[ -z "${PGHA_LONG:-}" ] || repeat=3

succeeds "every scenario is explained" p drill --list
for name in $(p drill --list | awk '/^[a-z]/ {print $1}'); do scenarios="${scenarios:-} $name"; done
like "with its bound" "$out" 'at most 2[0-9]\.[0-9] s = ttl 20\.0 s \+ '

exits "a cluster that was not brought up" 1 p drill --yes switchover
succeeds "up" p up --yes
exits "without a terminal it does not break what is not marked" 64 p drill switchover
like "saying how to mark it" "$err" 'drill: \{allowed: on\}'
exits "a scenario that there is not" 64 p drill --yes switchovr

# An election of etcd's leader renews the dead primary's lease: etcd is led elsewhere.
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }
primary=$(leader)
ctl='etcdctl --cacert=/etc/etcd/tls/ca.crt --cert=/etc/etcd/tls/host.crt --key=/etc/etcd/tls/host.key --endpoints'
members="https://10.81.124.11:2379,https://10.81.124.12:2379,https://10.81.124.13:2379"
id=$(p ssh "$primary" "$ctl $members member list" | awk -F', ' -v name="$primary" '$3 == name {print $1}')
leads_etcd() { [ "$(p ssh "$primary" "$ctl https://127.0.0.1:2379 endpoint status" | cut -d, -f5)" = " $1" ]; }
leads_etcd true || succeeds "etcd's leader is put where the primary is" p ssh "$primary" "$ctl $members move-leader $id"
succeeds "it does not stay there" wait_for 20 leads_etcd false

run p drill --yes --all --repeat "$repeat" --report "$report" --html "$work/report.html" --junit "$work/report.xml"
is "every scenario passes" "$status" 0
[ "$status" = 0 ] || complain "$(echo "$out$err" | grep -A 3 '^failed')" "$err"
note "$out"
for name in $scenarios; do
    is "$name passed" "$(result "$name" .outcome | sort -u)" passed
done
is "no acknowledged write is missing, on any member" "$(jq '[.results[].copies[].missing] | add' "$report")" 0
is "writers were answered in every one" "$(jq '[.results[].channels[] | select(.name == "primary") | .answered] | min > 100' "$report")" true
is "a planned switchover moved the leader" "$(result switchover '[.events[].kind] | index("promoted") != null' | sort -u)" true
is "a lost balancer moved the address" "$(result balancer-lost '[.events[].kind] | index("balancer") != null' | sort -u)" true
is "a full disk moves no leader while the log goes on" "$(result disk-full '[.events[].kind] | index("promoted")' | sort -u)" null
is "a log without space does" "$(result wal-full '[.events[].kind] | index("promoted") != null' | sort -u)" true
succeeds "the page is there" grep -q '<svg' "$work/report.html"
succeeds "JUnit's file too" python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$work/report.xml"
succeeds "nothing is worse than in itself" p drill compare "$report" "$report"
succeeds "the cluster is whole" p verify

# ---- a limit that is not kept
cp "$file" "$work/cluster.yaml"
echo 'drill: {max_rto: {switchover: 1}}' >>"$file"
exits "a switchover takes more than a second" 3 p drill --yes switchover --markdown "$work/report.md" --report "$work/slow.json"
mv "$work/cluster.yaml" "$file"
journals=$(jq -r '.results[].faults[] | select(test("journals: ")) | sub(".*: "; "")' "$work/slow.json")
is "the journals of all hosts are kept" "$(cd "$journals" && ls | tr '\n' ' ')" 'db1.log db2.log db3.log lb1.log lb2.log '
succeeds "with what Patroni said" grep -q 'promoted self to leader' "$journals"/db?.log
like "the table in Markdown" "$(cat "$work/report.md")" '^\| switchover '

# ---- harm
old=$(leader)
"$pgha" -f "$file" -q drill --yes host-lost >/dev/null 2>"$work/killed" &
pid=$!
is_off() { ! pgrep -f -- "--machine pgha-t-drill-$old " >/dev/null; }
wait_for 60 is_off
ok $? "a drill has taken the primary's power"
exits "an up beside it is refused or waits" 1 timeout -s INT 3 "$pgha" -f "$file" up --yes
kill -9 $pid
wait $pid 2>/dev/null
succeeds "when it is killed its guard gives the power back" wait_for 60 p verify
"$pgha" -f "$file" -q drill --yes haproxy-frozen >/dev/null 2>&1 &
pid=$!
wait_for 60 sh -c "$pgha -f $file ssh lb1 'ls /run/pgha-drill' | grep -q . || $pgha -f $file ssh lb2 'ls /run/pgha-drill' | grep -q ."
ok $? "a drill has frozen HAProxy"
kill -INT $pid
wait $pid
is "Ctrl-C ends it as a failure" "$?" 1
succeeds "healed" wait_for 30 p verify
is "no timer of a fault is left" "$(for h in lb1 lb2; do p ssh $h 'systemctl list-timers --all "pgha-drill-*" --no-legend; ls /run/pgha-drill 2>/dev/null'; done)" ""

primary=$(leader)
free_blocks() { p ssh "$primary" "stat -f -c %a /var/lib/postgresql"; }
is_full() { [ "$(free_blocks)" -lt 4 ]; }
"$pgha" -f "$file" -q drill --yes disk-full >/dev/null 2>&1 &
pid=$!
wait_for 60 is_full
ok $? "a drill has filled the primary's disk"
kill -9 $pid
wait $pid 2>/dev/null
succeeds "its timer is there" p ssh "$primary" 'systemctl list-units --plain --no-legend "pgha-drill-*.timer" | cut -d" " -f1 | grep . >/root/timers'
succeeds "and heals, which need not wait for five minutes here" p ssh "$primary" 'systemctl start $(sed s/timer/service/ /root/timers)'
is "there is space again" "$(($(free_blocks) > 1000000))" 1
is "nothing is left of the fault" "$(p ssh "$primary" 'ls -A /run/pgha-drill; ls -A /var/lib/postgresql/17/main | grep drill; systemctl is-active pgha-drill-filler')" inactive
succeeds "the cluster is whole" wait_for 30 p verify

p ssh "$(leader)" systemctl stop patroni
exits "a cluster that is not well is not broken further" 1 p drill --yes switchover
like "saying so" "$err" 'not healthy'
p ssh "$old" systemctl start patroni 2>/dev/null
if [ -n "${PGHA_LONG:-}" ]; then
    for h in db1 db2 db3; do p ssh $h systemctl start patroni; done
    wait_for 60 p verify
    succeeds "five minutes at random" p drill --yes --random --seed 7 --for 5m
fi
finish
