# root.sh - Debian 13 roots with what a test needs from there, made once each and cached; as root.
#
#   root_ready FOLDER PATH PACKAGE,...      makes it when PATH is missing in it
#   in_root FOLDER WORK COMMAND...          runs inside, with this tree and the folder WORK at their own paths
# shellcheck shell=sh
root_ready() {
    [ -e "$1/$2" ] && return 0
    mkdir -p "$(dirname "$1")"
    rm -rf "$1.new"
    mirror=${PGHA_MIRROR:-$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null)}
    # shellcheck disable=SC2086
    mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --include="$3" \
        trixie "$1.new" ${mirror:-} >&2 && rm -rf "$1" && mv "$1.new" "$1"
}

# The command takes the place of the shell that readies its mounts, and ends with the shell that called.
in_root() {
    # shellcheck disable=SC2016
    setpriv --pdeathsig TERM unshare --mount --propagation slave sh -c '
        root=$1 work=$2
        shift 2
        for dir in "$PWD" "$work"; do
            mkdir -p "$root$dir"
            mount --bind "$dir" "$root$dir"
        done
        mount -t proc proc "$root/proc"
        mount --bind /dev "$root/dev"
        exec chroot "$root" /usr/bin/env -C "$PWD" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
    ' sh "$@"
}
