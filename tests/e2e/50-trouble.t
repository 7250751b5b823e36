#!/bin/sh
# Things that are in the way: each a clear error, and nothing half-done that the next up cannot mend.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-bad 10.81.7.0/24 'nodes: {db: {count: 1}, lb: {count: 0}}'
p() { "$pgha" -f "$file" "$@"; }
# The image cache in a file system of its own that only the command sees.
with_cache() { # with_cache SIZE COMMAND...
    size=$1
    shift
    # shellcheck disable=SC2016
    unshare --mount --propagation private sh -c '
        mkdir -p /var/cache/pgha-deploy && mount -t tmpfs -o "size=$1" tmpfs /var/cache/pgha-deploy && shift && exec "$@"' sh "$size" "$@"
}

chmod 755 "$work" "$work/t-bad"
chmod 644 "$file"
run setpriv --reuid 65534 --regid 65534 --clear-groups "$pgha" -f "$file" up --yes
[ "$status" = 77 ] || cp "$pgha" "$work/pgha" # the tree may be out of nobody's reach
if [ "$status" != 77 ]; then
    chmod 755 "$work/pgha"
    run setpriv --reuid 65534 --regid 65534 --clear-groups "$work/pgha" -f "$file" up --yes
fi
is "not root: exit 77" "$status" 77

mkdir "$work/empty"
exits "missing programs" 1 env PATH="$work/empty" "$pgha" -f "$file" up --yes
like "are named with the packages that have them" "$err" 'systemd-container'

exits "no room for the image" 1 with_cache 20m "$pgha" -f "$file" up --yes
like "says where and how much" "$err" '/var/cache/pgha-deploy.*[0-9.]+ ?(G|M)'
run with_cache 3g env PGHA_MIRROR=http://127.0.0.1:9/debian "$pgha" -f "$file" up --yes
is "no network for the image: exit 1" "$status" 1
like "shows what the builder said" "$err" '127\.0\.0\.1|mmdebstrap'

ip link add t-taken type bridge
ip address add 10.81.7.1/24 dev t-taken
p -q down --yes >/dev/null 2>&1
exits "the network is taken" 1 "$pgha" -f "$file" up --yes
like "by whom is told" "$err" 't-taken'
ip link del t-taken

succeeds "up, when all that is gone" p up --yes
p ssh db1 'systemctl stop patroni; systemctl mask patroni' >/dev/null 2>&1
exits "status of a cluster that is not well" 3 p status
exits "verify of a cluster that is not well" 3 p verify
p ssh db1 'systemctl unmask patroni' >/dev/null 2>&1
succeeds "up mends it" p up --yes

p ssh db1 'echo "# by hand" >>/etc/security/limits.d/60-pgha-deploy.conf'
run p plan
like "a file changed by hand is shown" "$out" '-# by hand'
succeeds "and put right" p up --yes
succeeds "after which nothing is left to do" p plan --detailed-exitcode
p ssh db1 'echo "{" >/etc/patroni/config.yml'
succeeds "a broken file is put right" p up --yes
succeeds "down" p down --yes
finish
