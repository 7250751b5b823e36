#!/bin/sh
# Installs the Debian packages that are missing for a purpose: build, run (the local provider), test, lint.
# usage: packages.sh build|run|test|lint ...
set -eu

build="gcc make pkg-config libc6-dev libssh-dev libcurl4-openssl-dev libyaml-dev libjansson-dev libpq-dev libssl-dev libxml2-dev"
run="openssh-client mmdebstrap systemd-container iproute2 e2fsprogs postgresql-client"
test="libcmocka-dev libc6-dev python3 python3-yaml python3-jinja2 ansible-core perl openssh-server procps jq openssl curl ca-certificates faketime iproute2 nmap apt-cacher-ng apt-utils gpg python3-botocore awscli"
lint="git clang clang-tidy clang-format cppcheck libcmocka-dev"

missing=
for purpose in "$@"; do
    eval "list=\$$purpose"
    # shellcheck disable=SC2154
    for package in $list; do
        if ! dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$'; then
            missing="$missing $package"
        fi
    done
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "missing packages; as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# A package's own services stay off: the tests start what they need.
off="apt-cacher-ng.service"
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    made=1
fi
rc=0
log=$(mktemp)
# shellcheck disable=SC2086
{ apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1 || rc=$?
[ -z "$made" ] || rm -f $policy
for service in $off; do
    case " $missing " in *" ${service%.service} "*) systemctl disable --quiet "$service" >>"$log" 2>&1 || rc=$? ;; esac
done
[ "$rc" = 0 ] || tail -n 20 "$log" >&2
rm -f "$log"
exit "$rc"
