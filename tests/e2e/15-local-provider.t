#!/bin/sh
# The local provider alone: hosts that answer SSH, whatever happened to them before.
. "$(dirname "$0")/../lib/tap.sh"
need_root

drive=$work/local-provider
helper tests/e2e/local-provider.c "$drive" || exit 1

cluster() { # cluster FOLDER NAME NETWORK: a cluster file; sets $file
    lab "$1" "$3" 'nodes: {db: {count: 1}, lb: {count: 2}}'
    sed -i "s/^cluster: .*/cluster: $2/" "$file"
}
shell() { # shell FILE NAME ADDRESS COMMAND
    ssh -o BatchMode=yes -o ConnectTimeout=3 -o StrictHostKeyChecking=yes \
        -i "$(dirname "$1")/.pgha/$2/id_ed25519" \
        -o UserKnownHostsFile="$(dirname "$1")/.pgha/$2/known_hosts" "root@$3" "$4"
}

cluster a tpa 10.79.101.0/24
a=$file
cluster b tpb 10.79.102.0/24
b=$file
db=10.79.101.11

succeeds 'hosts come up' "$drive" "$a" up
like 'the plan creates a bridge and hosts' "$out" '^create bridge\.tpa'
is 'a host answers with the planted key and its name' "$(shell "$a" tpa "$db" hostname)" db1
is 'its units run' "$(shell "$a" tpa "$db" 'systemctl is-system-running --wait')" running
is "no service of the image's packages runs by itself" \
    "$(shell "$a" tpa "$db" 'systemctl is-active patroni etcd haproxy keepalived pgbouncer postgresql' | sort -u)" inactive
is 'it may set its own network parameters' \
    "$(shell "$a" tpa "$db" 'sysctl -w net.ipv4.ip_nonlocal_bind=1')" 'net.ipv4.ip_nonlocal_bind = 1'
is 'and not those of the machine' "$(cat /proc/sys/net/ipv4/ip_nonlocal_bind)" 0
# PostgreSQL's disk is the host's own: full for it, and nothing of this machine's.
folder=/var/lib/pgha-deploy/local/tpa
disk_of() { shell "$a" tpa "$1" 'stat -f -c %T /var/lib/postgresql'; }
is 'a db host has a file system for PostgreSQL' "$(disk_of "$db")" ext2/ext3
is 'with the owner and mode that the packages gave its place' \
    "$(shell "$a" tpa "$db" 'stat -c "%U %G %a" /var/lib/postgresql; ls -A /var/lib/postgresql')" 'postgres postgres 755'
is 'a balancer has none' "$(disk_of 10.79.101.51)$(ls -d $folder/lb1/volume* 2>/dev/null)" overlayfs
before=$(stat -c %b $folder/db1/volume.img)
[ "$(disk_of "$db")" = ext2/ext3 ] || exit 1 # or this machine would be filled
shell "$a" tpa "$db" 'fallocate -l 100T /var/lib/postgresql/full 2>/dev/null
    fallocate -l $(df -B1 --output=avail /var/lib/postgresql | tail -n 1) /var/lib/postgresql/full 2>/dev/null'
exits 'it can be full' 1 shell "$a" tpa "$db" 'echo 1 >/var/lib/postgresql/more'
is 'and takes none of the space of this machine' "$((($(stat -c %b $folder/db1/volume.img) - before) / 2048 < 32))" 1
succeeds 'and be empty again' shell "$a" tpa "$db" 'rm /var/lib/postgresql/*; echo kept >/var/lib/postgresql/written'
is 'it has no way out' "$(shell "$a" tpa "$db" 'ip route show default')" ''
succeeds 'a second run' "$drive" "$a" up
is 'changes nothing' "$out" ''

# Two clusters.
succeeds 'a second cluster beside it' "$drive" "$b" up
cluster c tpc 10.79.101.128/25
exits 'an overlapping network is refused' 1 "$drive" "$file" up
like 'naming who has it' "$err" "cluster 'tpa'"
like 'and a free one' "$err" 'such as [0-9.]+/24'
is 'with nothing made' "$(traces tpc)" ''
cluster d tpa 10.79.103.0/24
exits 'the same name in another file is refused' 1 "$drive" "$file" up
exits 'for down, too' 1 "$drive" "$file" down
like 'naming the file' "$err" "$a"

# Power and cable.
shell "$a" tpa "$db" 'echo kept >/root/written; ip address add 10.79.101.99/24 dev eth0'
succeeds 'power off' "$drive" "$a" off db1
is 'leaves no process' "$(pgrep -f -- '--machine pgha-tpa-db1')" ''
run "$drive" "$a" plan
like 'is seen by plan' "$out" '^update host\.db1 .*running: false -> true'
succeeds 'power on' "$drive" "$a" on db1
wait_for 10 shell "$a" tpa "$db" true
is 'starts it on the same disk' "$(shell "$a" tpa "$db" 'cat /root/written /var/lib/postgresql/written')" 'kept
kept'
is 'and without the addresses that its last life took' "$(shell "$a" tpa "$db" 'hostname -I')" "$db "
succeeds 'a cut' "$drive" "$a" cut db1
exits 'takes the network away' 255 shell "$a" tpa "$db" true
succeeds 'and heal' "$drive" "$a" heal db1
succeeds 'brings it back' shell "$a" tpa "$db" true
exits 'a host that is not there' 1 "$drive" "$a" off db9

# What a reboot of the machine leaves: disks and nothing else.
for host in db1 lb1 lb2; do
    for mount in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        [ -w "$mount/pgha-tpa-$host/cgroup.kill" ] && echo 1 >"$mount/pgha-tpa-$host/cgroup.kill"
    done
    wait_for 5 umount "/var/lib/pgha-deploy/local/tpa/$host/root"
    ip netns delete "pgha-tpa-$host"
done
wait_for 5 umount $folder/db1/volume/fs
wait_for 5 umount $folder/db1/volume
unused() { [ -z "$(losetup -n -O NAME -j $folder/db1/volume.img)" ]; }
succeeds 'without its mount the volume has no loop device, though other hosts run that saw it' wait_for 5 unused
ip -brief link | awk '/^pgha-/ {print $1}' | while read -r link; do
    [ "$(cat "/sys/class/net/$link/ifalias")" = 'pgha tpa' ] && ip link delete "$link"
done
succeeds 'after a reboot, up' "$drive" "$a" up
like 'starts the hosts again' "$out" '^update host\.db1'
unlike 'and makes none anew' "$out" '^(create|replace|destroy)'
is 'on the same disk' "$(shell "$a" tpa "$db" 'cat /root/written /var/lib/postgresql/written')" 'kept
kept'

# A host that was made by a version without volumes has its data in what is below.
succeeds 'power off' "$drive" "$a" off db1
jq 'del(.volume)' $folder/db1/host.json >"$work/host.json" && cp "$work/host.json" $folder/db1/host.json
succeeds 'power on of a host whose record has no volume' "$drive" "$a" on db1
wait_for 10 shell "$a" tpa "$db" true
is 'hides nothing of its disk' "$(disk_of "$db")" overlayfs

# A lost state folder.
rm -r "$(dirname "$a")/.pgha"
succeeds 'with the state lost, up' "$drive" "$a" up
like 'plants the new login key' "$out" 'login_key: false -> true'
is 'and goes on with the same hosts' "$(shell "$a" tpa "$db" 'cat /root/written')" kept

# Killed anywhere.
rm -r "$(dirname "$a")/.pgha"
succeeds 'with the state lost, down' "$drive" "$a" down
is 'leaves nothing' "$(traces tpa)" ''
: >/run/netns/pgha-tpa-db1 # `ip netns add` that was killed has made the file, and no namespace
succeeds 'up over a namespace that was half made' "$drive" "$a" up
succeeds 'down' "$drive" "$a" down
mkdir -p /var/lib/pgha-deploy/local/tpa # and here the cluster's record
: >/var/lib/pgha-deploy/local/tpa/.cluster.json.pgha-abcdef
: >/run/pgha-deploy.lock # of a run that was killed while it held the lock
succeeds 'down over a record that was half written' "$drive" "$a" down
is 'leaves nothing' "$(traces tpa)" ''
succeeds 'up' "$drive" "$a" up
shell "$a" tpa "$db" 'touch /root/written'
succeeds 'power off' "$drive" "$a" off db1
umount $folder/db1/root # as `down` does, which was killed in the middle of the disk
rm -r $folder/db1/host.json $folder/db1/upper/etc
succeeds 'up over half of a host' "$drive" "$a" up
is 'makes it anew' "$(shell "$a" tpa "$db" 'ls /root; hostname')" db1
for delay in 0.02 0.05 0.1 0.15 0.2 0.3 0.5; do
    "$drive" "$a" up >/dev/null 2>&1 &
    sleep "$delay"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
done
succeeds 'after seven killed runs, up' "$drive" "$a" up
wait_for 10 shell "$a" tpa "$db" true # the run that started it may have been killed before it answered
is 'ends well' "$(shell "$a" tpa "$db" hostname)" db1
for delay in 0.02 0.04 0.08; do
    "$drive" "$a" down >/dev/null 2>&1 &
    sleep "$delay"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
done
succeeds 'after killed downs, down' "$drive" "$a" down
is 'leaves nothing' "$(traces tpa)" ''
for delay in 0.05 0.08 0.1 0.12 0.15 0.2 0.4; do
    "$drive" "$a" up >/dev/null 2>&1 &
    sleep "$delay"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    succeeds "down after an up that was killed at $delay s" "$drive" "$a" down
    is 'leaves nothing' "$(traces tpa)" ''
done

# Where there are no loop devices.
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -shared -fPIC -o "$work/no-loop.so" tests/e2e/no-loop.c -ldl || exit 1
succeeds 'up without loop devices' env LD_PRELOAD="$work/no-loop.so" "$drive" "$a" up
is 'gives its hosts no disk for PostgreSQL' "$(disk_of "$db")" overlayfs
succeeds 'up again with them' "$drive" "$a" up
is 'changes nothing' "$out" ''
succeeds 'power off' "$drive" "$a" off db1
succeeds 'and on' "$drive" "$a" on db1
wait_for 10 shell "$a" tpa "$db" true
is 'nor later' "$(disk_of "$db")" overlayfs
succeeds 'down' "$drive" "$a" down
is 'leaves nothing' "$(traces tpa)" ''

exits 'purge is refused while a cluster stands on the image' 1 "$drive" "$a" purge
run "$drive" "$b" plan
is 'the other cluster noticed nothing' "$out" ''
succeeds 'down of the other' "$drive" "$b" down
is 'leaves nothing' "$(traces tpb)" ''
succeeds 'down of what is not there' "$drive" "$a" down
finish
