# cloud.sh - a cloud with hosts in it: what aws.sh stands in for, and for each of its instances a host on this machine
# (tests/aws/hypervisor.py). After tap.sh and aws.sh; as root. The hosts have no way out.
#
#   cloud_start NAME NETWORK ADDRESS VIP   NETWORK (10.81.40.0/24) is the VPC's, ADDRESS this machine's in it, where the API answers,
#                                          and which no subnet has; VIP the address that moves, inside of NETWORK or not; "": a public
#                                          one
#   cloud_off HOST, cloud_on HOST          pulls the plug of an instance, of which AWS knows nothing, and puts it in again
#   cloud_hosts                            how many bodies there are
#   cloud_down                             everything is taken away; also done at the end of the test
#   cloud_kill ID                          kills what runs of a host (hypervisor.py)
#
# Instances have Debian 13 with the cluster's packages and cloud-init, made once.
# shellcheck shell=sh
cloud_root=${CLOUD_ROOT:-/var/cache/pgha-deploy/tests/cloud-trixie}
cloud_packages=systemd,systemd-sysv,dbus,openssh-server,sudo,python3,python3-apt,ca-certificates,tzdata,procps,psmisc,kmod,curl,openssl,\
socat,iproute2,iputils-ping,nftables,postgresql-17,patroni,python3-etcd,python3-dnspython,python3-psycopg2,etcd-server,etcd-client,haproxy,\
keepalived,cloud-init

# Units that the packages bring are the playbook's to start, but for cloud-init's. The lab gives addresses, as DHCP would: without a client
# for it cloud-init asks for the metadata in its network stage.
cloud_root_ready() {
    [ -e "$cloud_root/etc/cloud/cloud.cfg.d/90-lab.cfg" ] && return 0
    mkdir -p "$(dirname "$cloud_root")"
    rm -rf "$cloud_root.new"
    mirror=${PGHA_MIRROR:-$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null)}
    # shellcheck disable=SC2086,SC2016
    mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
        --customize-hook='chroot "$1" systemctl disable --quiet etcd haproxy keepalived patroni postgresql' \
        --customize-hook='chroot "$1" systemctl mask --quiet getty.target console-getty.service getty@tty1.service apt-daily.timer \
            apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer systemd-pstore.service sys-kernel-debug.mount \
            sys-kernel-tracing.mount dev-hugepages.mount systemd-networkd-wait-online.service' \
        --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname" "$1/usr/sbin/dhcpcd" "$1/etc/resolv.conf" && : >"$1/etc/resolv.conf" && : >"$1/etc/machine-id" && touch "$1/etc/.updated" "$1/var/.updated"' \
        --customize-hook='printf "%s\n" "datasource_list: [Ec2]" "network: {config: disabled}" >"$1/etc/cloud/cloud.cfg.d/90-lab.cfg"' \
        --include="$cloud_packages" trixie "$cloud_root.new" ${mirror:-} >&2 && rm -rf "$cloud_root" && mv "$cloud_root.new" "$cloud_root"
}

cloud_start() {
    cloud_name=$1
    cloud_root_ready || return 1
    cloud_down # what a run left that was killed
    trap 'cloud_down; cleanup' EXIT
    mkdir -p "$work/cloud/off" "$work/cloud/on"
    # With an address of its own a bridge does not take on that of whichever host is there, which the others would look for in vain
    # once it is gone.
    ip link add "pgha-$1" address 06:00:00:00:00:fe type bridge && ip link set "pgha-$1" alias "pgha $1" && ip address add "$3/${2#*/}" dev "pgha-$1" &&
        ip link set "pgha-$1" up && aws_start "$3" || return 1
    setpriv --pdeathsig TERM /usr/bin/python3 -B tests/aws/hypervisor.py "$work/cloud" "$1" "$cloud_root" "$moto" "$AWS_ENDPOINT_URL" "$4" \
        >"$work/cloud/log" 2>&1 &
    hypervisor=$!
    wait_for 30 test -e "$work/cloud/looked" || { complain "$(tail -n 20 "$work/cloud/log")"; return 1; }
}

cloud_off() { : >"$work/cloud/off/$1" && wait_for 20 test ! -e "$work/cloud/on/$1"; }
cloud_on() { rm "$work/cloud/off/$1" && wait_for 20 test -e "$work/cloud/on/$1"; }
cloud_hosts() { ip netns list | grep -c "^pgha-$cloud_name-i-"; }

cloud_groups() { # cloud_groups NAME: control groups of version 2, and what nspawn makes of version 1
    ls -d "/sys/fs/cgroup/$1" "/sys/fs/cgroup/unified/$1" 2>/dev/null
}
cloud_kill() {
    for group in $(cloud_groups "$1"); do
        [ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            grep -q 'populated 1' "$group/cgroup.events" || break
            sleep 0.2
        done
    done
    for group in $(cloud_groups "$1") "/sys/fs/cgroup/systemd/$1"; do
        [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} \;
    done
    for folder in /run/systemd/nspawn/propagate /run/systemd/nspawn/unix-export; do
        [ ! -d "$folder/$1" ] || { umount -l "$folder/$1" 2>/dev/null; rmdir "$folder/$1"; }
    done
}

cloud_down() {
    if [ -n "${hypervisor:-}" ]; then
        kill "$hypervisor" 2>/dev/null
        wait "$hypervisor" 2>/dev/null
        hypervisor=
    fi
    for space in $(ip netns list | sed -n "s/^\(pgha-$cloud_name-[^ ]*\).*/\1/p") \
        $(cd /sys/fs/cgroup && ls -d "pgha-$cloud_name-i-"* 2>/dev/null) $(cd /sys/fs/cgroup/unified 2>/dev/null && ls -d "pgha-$cloud_name-i-"* 2>/dev/null); do
        cloud_kill "$space"
        [ ! -e "/run/netns/$space" ] || ip netns delete "$space"
    done
    for link in $(ip -details link show | awk -v name="$cloud_name" '
        /^[0-9]+:/ {link = $2; sub(/[:@].*/, "", link)} $1 == "alias" && $2 == "pgha" && ($3 == name || index($3, name "/") == 1) {print link}'); do
        ip link delete "$link" 2>/dev/null
    done
    sed -n "s|^overlay \([^ ]*/cloud/$cloud_name/[^ ]*/root\) .*|\1|p" /proc/mounts | while read -r mounted; do
        umount -l "$mounted"
    done
    rm -rf "$work/cloud/$cloud_name"
}
