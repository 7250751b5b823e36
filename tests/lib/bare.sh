# bare.sh - hosts that stand for machines of a user's own, and packages for them. After tap.sh.
#
#   bare_lab NAME CIDR NODES [RELEASE]   hosts without the cluster's packages; sets $file and the lab_ words below
#   package_proxy ADDRESS...             this machine's Debian mirror, cached, at http://ADDRESS:3142
#   bare_proxy HOST                      the host's apt takes that proxy
#   in_host HOST COMMAND...              runs a command there
#
# The hosts have no route to other networks and get none. The proxy serves the mirror and what is in $proxy_serves when it
# starts (repository.sh), nothing else.
# shellcheck shell=sh
apt_cache=${APT_CACHE:-/var/cache/pgha-deploy/tests/apt}
proxy_port=3142
proxy_serves=

# NODES as in a cluster file: '{db: {count: 3}, lb: {count: 2}}' makes db1 .. db3, lb1, lb2. RELEASE: trixie, bookworm.
bare_lab() {
    lab "$1" "$2" "nodes: $3"
    sed -i "s/^provider: .*/provider: {name: local, image: bare, release: ${4:-trixie}}/" "$file"
    "$pgha" -f "$file" -q up --hosts-only --yes >/dev/null || return 1
    lab_name=$1
    lab_network=${2%/*}
    lab_gateway=${lab_network%.*}.$((${lab_network##*.} + 1))
    lab_key=${file%/*}/.pgha/$1/id_ed25519
    lab_known_hosts=${file%/*}/.pgha/$1/known_hosts
}

in_host() {
    "$pgha" -f "$file" -q ssh "$@"
}

# The archives that a bare host's sources name.
mirrors() (
    mirror=${PGHA_MIRROR:-$(sed -n 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p; s/^deb .*\(http[^ ]*\) .*/\1/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | grep -v security | head -n 1)}
    mirror=${mirror%/}
    echo "$mirror"
    case $mirror in */debian) echo "$mirror-security" ;; esac
)

# What this machine's own apt goes through, if anything.
upstream_proxy() (
    eval "$(apt-config shell found Acquire::http::Proxy)"
    found=${found:-${http_proxy:-}}
    [ "${found:-DIRECT}" = DIRECT ] || echo "Proxy: $found"
)

proxy_config() ( # proxy_config ADDRESS...
    printf '%s\n' "BindAddress: $*" "Port: $proxy_port" "CacheDir: $apt_cache/packages" "LogDir: $apt_cache/log" \
        "SocketPath: $apt_cache/socket" 'SupportDir: /usr/lib/apt-cacher-ng' 'ForeGround: 1' 'ForceManaged: 1' \
        'RedirMax: 5' 'ReportPage:' 'UnbufferLogs: 1'
    for served in $(mirrors) $proxy_serves; do # the name is the folder's in the cache
        echo "Remap-$(echo "${served#*://}" | tr -c 'a-z0-9\n' -): $served ; $served"
    done
    for served in $proxy_serves; do # made anew by each test
        echo "DontCache: ${served#*://}"
    done
    upstream_proxy
)

proxy_answers() ( # proxy_answers ADDRESS...: this machine's own proxies are not asked on the way
    for address in "$@"; do
        curl --silent --noproxy '*' --output /dev/null --max-time 2 "http://$address:$proxy_port/" || return 1
    done
)

# Private to the tests: the system's apt-cacher-ng is left alone. One at a time works with the cache, a second one waits.
# It ends with the test, however that ends.
package_proxy() { # package_proxy ADDRESS...
    mkdir -p "$apt_cache/packages" "$apt_cache/log" "$work/proxy"
    chown -R apt-cacher-ng "$apt_cache"
    proxy_config "$@" >"$work/proxy/acng.conf"
    chmod 711 "$work"
    flock --no-fork --timeout 600 "$apt_cache/lock" setpriv --reuid apt-cacher-ng --regid apt-cacher-ng --init-groups \
        --pdeathsig TERM apt-cacher-ng -c "$work/proxy" >"$work/proxy/log" 2>&1 &
    servers="$servers $!"
    wait_for 600 proxy_decides $! "$@"
    proxy_answers "$@" && return 0
    note "the package proxy does not answer: $(cat "$work/proxy/log")"
    return 1
}

proxy_decides() ( # proxy_decides PID ADDRESS...: it answers, or it has ended and never will
    process=$1
    shift
    proxy_answers "$@" || ! kill -0 "$process"
)

bare_proxy() { # bare_proxy HOST
    in_host "$1" "echo 'Acquire::http::Proxy \"http://$lab_gateway:$proxy_port\";' >/etc/apt/apt.conf.d/proxy"
}
