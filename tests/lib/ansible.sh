# ansible.sh - the real ansible-core 2.19 with its collections, from a Debian 13 root that is made once and cached.
#
#   ansible_ready            makes it when missing (needs root)
#   in_ansible COMMAND...    runs inside, with this tree and $work at their own paths
# shellcheck shell=sh
ansible_root=${ANSIBLE_ROOT:-/var/cache/pgha-deploy/tests/ansible-trixie}

ansible_ready() {
    [ -d "$ansible_root/usr/lib/python3/dist-packages/ansible_collections/ansible/posix" ] && return 0
    mkdir -p "$(dirname "$ansible_root")"
    rm -rf "$ansible_root.new"
    mirror=${PGHA_MIRROR:-$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null)}
    # shellcheck disable=SC2086
    mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --include=ansible,openssh-client \
        trixie "$ansible_root.new" ${mirror:-} >&2 && rm -rf "$ansible_root" && mv "$ansible_root.new" "$ansible_root"
}

in_ansible() {
    # shellcheck disable=SC2016
    unshare --mount --propagation private sh -c '
        root=$1 work=$2
        shift 2
        for dir in "$PWD" "$work"; do
            mkdir -p "$root$dir"
            mount --bind "$dir" "$root$dir"
        done
        mount -t proc proc "$root/proc"
        mount --bind /dev "$root/dev"
        exec chroot "$root" /usr/bin/env -C "$PWD" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            LC_ALL=C.UTF-8 ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_PIPELINING=True ANSIBLE_NOCOLOR=1 "$@"
    ' sh "$ansible_root" "$work" "$@"
}
