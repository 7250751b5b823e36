#!/bin/sh
# What may happen to a host, or to the state folder, while `up` is at work: the connection cut, scripts killed, disks full, a host
# that hangs. Each time old files stay whole, the error says what is in the way, and the next `up` ends well.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-lost 10.81.123.0/24 'nodes: {db: {count: 1}, lb: {count: 1}}
failover: {preset: fast}'
state=${file%/*}/.pgha
disk=/var/lib/pgha-deploy/local/t-lost/lb1/upper
config=/etc/haproxy/haproxy.cfg
p() { "$pgha" -f "$file" "$@"; }
on() { # on HOST SCRIPT
    p -q ssh "$1" "$2" </dev/null 2>&1
}
sum() { on lb1 "sha256sum <$config"; }
cgroup() {
    for group in /sys/fs/cgroup/pgha-t-lost-"$1" /sys/fs/cgroup/unified/pgha-t-lost-"$1"; do
        [ -d "$group" ] && echo "$group"
    done
}
# Of the host's processes those whose command line matches: processes HOST REGEX
processes() {
    find "$(cgroup "$1")" -name cgroup.procs -exec cat {} + | while read -r pid; do
        tr '\0\n' '  ' <"/proc/$pid/cmdline" 2>/dev/null | grep -Eq "$2" && echo "$pid"
    done
}
# The next `up` has a file to write on lb1, and gets no further than to sync what it wrote.
hold_up() {
    on lb1 "rm -f /var/tmp/held; echo '# by hand' >>$config
        printf '%s\n' '#!/bin/sh' 'touch /var/tmp/held; exec sleep 300' >/usr/local/bin/sync; chmod 755 /usr/local/bin/sync"
    before=$(sum)
}
up_until_held() {
    "$pgha" -f "$file" -q up --yes >/dev/null 2>"$work/held.err" &
    up=$!
    wait_for 20 test -e "$disk/var/tmp/held"
}
let_go() {
    on lb1 'rm -f /usr/local/bin/sync /var/tmp/held'
    # shellcheck disable=SC2046
    kill $(processes lb1 '^sleep 300') 2>/dev/null
}
ended() { # ended STATUS
    wait $up
    is "up ends" "$?" "$1"
    err=$(cat "$work/held.err")
}
temporary() { find "$disk" -name '.pgha-*'; }
ends_well() {
    succeeds "the next up ends well" p up --yes
    unlike "with the file as it should be" "$(on lb1 "tail -n 1 $config")" 'by hand'
    is "and nothing of ours beside it, or in /tmp" "$(temporary)" ""
}

succeeds "up" p up --yes

# ---- the connection is cut in the middle of a script
hold_up
up_until_held
# shellcheck disable=SC2046
kill -9 $(processes lb1 '^sshd[a-z-]*: root@notty')
ended 1
like "and names the host, and what it was at" "$err" "lb1.*haproxy.*connection was lost"
like "with what to do next" "$err" 'run the same command again'
is "the old file is whole" "$(sum)" "$before"
let_go
ends_well

# ---- the script is killed, as by a power loss
hold_up
up_until_held
# shellcheck disable=SC2046
kill -9 $(processes lb1 '^sh -c pgha_script=')
ended 1
like "and names the host" "$err" 'lb1'
is "the old file is whole" "$(sum)" "$before"
like "a part of the new one is beside it" "$(temporary)" '/etc/haproxy/\.pgha-[0-9]+-'
let_go
ends_well

# ---- a host hangs
hold_up
on db1 'echo "# by hand" >>/etc/security/limits.d/60-pgha-deploy.conf'
up_until_held
began=$(date +%s)
echo 1 >"$(cgroup lb1)/cgroup.freeze"
ended 1
took=$(($(date +%s) - began))
ok "$([ $took -le 60 ]; echo $?)" "within a minute: $took s"
like "and says which host hangs, and where" "$err" "lb1.*haproxy.*hangs"
unlike "the others' work went on" "$(on db1 'cat /etc/security/limits.d/60-pgha-deploy.conf')" 'by hand'
echo 0 >"$(cgroup lb1)/cgroup.freeze"
is "thawed, its old file is whole" "$(sum)" "$before"
let_go
ends_well

# ---- a host's disk is full
on lb1 "cp -a /etc/haproxy /var/tmp/haproxy && mount -t tmpfs -o size=64k none /etc/haproxy &&
    cp -a /var/tmp/haproxy/. /etc/haproxy && echo '# by hand' >>$config; head -c 1M /dev/zero >/etc/haproxy/filler" >/dev/null
before=$(sum)
exits "no room for a file" 1 p up --yes
like "names host, task, file and reason" "$err" 'lb1: .*: .*No space left on device'
like "and the file" "$err" "$config"
is "the old file is whole" "$(sum)" "$before"
is "and nothing is beside it" "$(on lb1 'find /etc/haproxy -name ".pgha-*"')" ""
on lb1 'rm /etc/haproxy/filler'
ends_well
on lb1 'cp -a /etc/haproxy/. /var/tmp/haproxy && umount /etc/haproxy && cp -a /var/tmp/haproxy/. /etc/haproxy && rm -r /var/tmp/haproxy'
on lb1 "mount -t tmpfs -o nr_inodes=1 none /tmp; echo '# by hand' >>$config"
exits "no room in /tmp" 1 p up --yes
like "names host, folder and reason" "$err" 'lb1: .*/tmp/.*No space left on device'
on lb1 'umount /tmp'
ends_well

# ---- the state folder's disk is full
cp -a "$state" "$work/kept"
mount -t tmpfs -o size=1m none "$state"
cp -a "$work/kept/." "$state"
head -c 2M /dev/zero >"$state/filler" 2>/dev/null
# The lock and the log of the run are no state.
state_sums() { find "$state" -type f ! -name lock ! -path '*/log/*' ! -name filler -exec sha256sum {} + | sort; }
sums=$(state_sums)
exits "no room for the state" 1 p up --yes
like "names file and reason" "$err" "$state/.*No space left on device"
is "no file of it is lost or torn" "$(state_sums)" "$sums"
rm "$state/filler"
succeeds "the next up ends well" p up --yes
umount "$state"
succeeds "verify" p verify
echo 1 >"$(cgroup lb1)/cgroup.freeze"
succeeds "down takes a frozen host away, too" p down --yes
is "nothing is left" "$(traces t-lost)" ""
finish
