#!/bin/sh
# What may go wrong around a cluster: two side by side, overlaps, kill -9, a reboot, lost state, a second run at once.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-one 10.81.2.0/24 'nodes: {db: {count: 1}, lb: {count: 1}}'
one=$file
lab t-two 10.81.3.0/24 'nodes: {db: {count: 3}, lb: {count: 0}}
failover: {preset: fast}'
two=$file
lab t-over 10.81.2.0/25
over=$file
on() { cluster=$1; shift; "$pgha" -f "$cluster" "$@"; }
sql() { psql -XAtq "$(on "$1" conninfo --json | jq -r .uris.primary)" -c "$2"; }

# kill -9 after growing times: every next up goes on, the last ends well.
for delay in 0.05 0.2 0.5 1 1.6 2.4 3.5 5; do
    "$pgha" -f "$one" up --yes >/dev/null 2>"$work/stderr" &
    pid=$!
    sleep $delay # the point of the test: a kill at an arbitrary moment
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
done
succeeds "up ends well after it was killed at eight moments" on "$one" up --yes
unchanged "and again changes nothing" on "$one" up --yes

on "$one" up --yes >/dev/null 2>&1 &
pid=$!
run on "$one" up --yes
wait $pid
first=$?
# Whichever took the lock ends well; the other came after it, or was told who holds the lock.
is "two runs at once: one of them ends well" "$([ "$status" = 0 ] || [ "$first" = 0 ] && echo yes)" yes
if [ "$status" != 0 ]; then like "and the other says who holds the lock" "$err" 'lock|pid'; else ok 0 "and the other was not in its way"; fi

"$pgha" -f "$one" up --yes >/dev/null 2>"$work/int.err" &
pid=$!
sleep 0.1
kill -INT $pid
wait $pid
like "after Ctrl-C the next up goes on" "$(on "$one" up --yes 2>&1)" 'is up and verified'

succeeds "a second cluster beside it, without balancers" on "$two" up --yes
succeeds "verify of the first" on "$one" verify
succeeds "verify of the second" on "$two" verify
exits "an overlapping network is refused" 1 on "$over" up --yes
like "naming who has it" "$err" 't-one'

mkdir -p "$work/elsewhere"
sed 's/10.81.2/10.81.4/' "$one" >"$work/elsewhere/cluster.yaml"
exits "the same name from another file is refused" 1 on "$work/elsewhere/cluster.yaml" up --yes
like "naming the other file" "$err" 't-one/cluster.yaml'

sql "$two" 'create table kept(i int); insert into kept values (42)'
# A reboot of the machine: processes, namespaces, mounts and the bridge are gone; disks are kept.
for kill in /sys/fs/cgroup/pgha-t-two-*/cgroup.kill /sys/fs/cgroup/unified/pgha-t-two-*/cgroup.kill; do [ -w "$kill" ] && echo 1 >"$kill"; done
wait_for 10 sh -c '! pgrep -f "machine pgha-t-two"'
for ns in $(ip netns | awk '/pgha-t-two/ {print $1}'); do ip netns del "$ns"; done
awk '$2 ~ "local/t-two/" {print $2}' /proc/mounts | sort -r | while read -r mount; do umount "$mount" || umount -l "$mount"; done
bridge=$(ip -o link show | awk -F'[ :]+' '/alias pgha t-two$/ {print $2}')
[ -z "$bridge" ] || ip link del "$bridge"
rm -rf /run/pgha-deploy/t-two
exits "status after the reboot tells that nothing is well" 3 on "$two" status
succeeds "up after the reboot starts the hosts again" on "$two" up --yes
is "with their data" "$(sql "$two" 'select i from kept')" 42

rm -rf "$work/t-two/.pgha"
succeeds "down works when the state is lost" on "$two" down --yes
is "no file of it is left" "$(ls -d /var/lib/pgha-deploy/local/t-two /run/pgha-deploy/t-two 2>/dev/null | wc -l)" 0
is "no process of it is left" "$(pgrep -f 'pgha-t-two' | wc -l)" 0
succeeds "the first cluster was not touched" on "$one" verify
succeeds "down of a cluster that is not there" on "$two" down --yes
succeeds "down of the first" on "$one" down --yes
finish
