# light.sh - many hosts that are hardly more than an sshd: each in a network, mount and pid namespace of its own, over the
# image of a lab's host, on the lab's bridge. They have no systemd, and what they write is in memory. After tap.sh.
#
#   light_lab NAME CIDR    a lab with one host, whose image and network (a /21) the others share; one a test
#   light_hosts N          makes l001 .. of them, and $work/light.ini, their inventory; waits until they take logins
#
# They end with the test.
# shellcheck shell=sh

light_lab() {
    lab "$1" "$2" 'nodes: {db: {count: 1}, lb: {count: 0}}'
    "$pgha" -f "$file" -q up --hosts-only --yes >/dev/null || return 1
    light_lab=$1
    light_network=${2%.*}
    light_mask=${2#*/}
    light_key=${file%/*}/.pgha/$1/id_ed25519
    light_image=$(sed -n "s|^overlay [^ ]*/$1/db1/root .*lowerdir=\([^,]*\),.*|\1|p" /proc/mounts)
    light_bridge=$(ip -4 -brief address show to "$light_network.1" | cut -d' ' -f1)
    trap 'light_down; cleanup' EXIT
}

# The lab's own are in the first 256.
light_address() { echo "${light_network%.*}.$((${light_network##*.} + $1 / 250 + 1)).$(($1 % 250 + 1))"; }

# In the host's own mount namespace. Its disk is an overlay in memory, whose mounts end with the process.
light_boot='
    mount -t tmpfs tmpfs "$2" && mkdir "$2/upper" "$2/work" "$2/root" &&
    mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root" && cd "$2/root" &&
    mount -t proc proc proc && mount --bind /dev dev && mkdir -p run/sshd root/.ssh &&
    cp "$3/key.pub" root/.ssh/authorized_keys && cp "$3/host-key" etc/ssh/ && hostname "$4" &&
    exec chroot . /usr/sbin/sshd -D -e -h /etc/ssh/host-key -o PermitRootLogin=yes -o UsePAM=no -o PidFile=none'

light_start() { # light_start NUMBER NAME
    space=pgha-$light_lab-$2
    ip netns add "$space"
    ip link add "pgl$1" master "$light_bridge" type veth peer name eth0 netns "$space"
    ip link set "pgl$1" up
    ip -n "$space" link set lo up
    ip -n "$space" link set eth0 up
    ip -n "$space" address add "$(light_address "$1")/$light_mask" dev eth0
    mkdir -p "$work/light/$2"
    ip netns exec "$space" unshare --mount --pid --uts --fork --kill-child \
        sh -c "$light_boot" sh "$light_image" "$work/light/$2" "$work/light" "$2" 2>"$work/light/$2.log" &
    servers="$servers $!"
}

light_down() {
    # unshare(1) passes over SIGTERM while it waits for its child, which ends with it.
    # shellcheck disable=SC2086
    [ -z "$servers" ] || kill -KILL $servers 2>/dev/null
    wait
    servers=
    for space in $(ip netns list | sed -n "s/^\(pgha-$light_lab-l[0-9]*\).*/\1/p"); do
        ip netns delete "$space"
    done
}

light_ready() {
    for number in $(seq "$1"); do
        ssh-keyscan -T 2 "$(light_address "$number")" 2>/dev/null | grep -q ed25519 || return 1
    done
}

light_hosts() {
    mkdir -p "$work/light"
    [ -e "$work/light/host-key" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/light/host-key"
    ssh-keygen -y -f "$light_key" >"$work/light/key.pub"
    : >"$work/light/known_hosts"
    echo '[light]' >"$work/light.ini"
    for number in $(seq "$1"); do
        name=$(printf 'l%03d' "$number")
        [ -e "$work/light/$name.log" ] || light_start "$number" "$name"
        echo "$name ansible_host=$(light_address "$number")" >>"$work/light.ini"
        echo "$(light_address "$number") $(cut -d' ' -f1,2 "$work/light/host-key.pub")" >>"$work/light/known_hosts"
    done
    cat >>"$work/light.ini" <<END

[light:vars]
ansible_user=root
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_private_key_file=$light_key
ansible_ssh_common_args="-o UserKnownHostsFile=$work/light/known_hosts"
END
    wait_for 60 light_ready "$1"
}
