#!/bin/sh
# Hosts that stand for machines of a user's own: Debian 13 and 12, nothing of the cluster on them, and packages from this
# machine only.
. "$(dirname "$0")/../lib/tap.sh"
need_root
. tests/lib/bare.sh
. tests/lib/repository.sh

one='{db: {count: 1}, lb: {count: 0}}'
ours='^(postgresql|libpq|patroni|etcd|haproxy|keepalived|pgbouncer|nftables)'

bare_host() { # bare_host RELEASE: what is true of db1 before anything is deployed
    is "$1: it is that release" "$(in_host db1 '. /etc/os-release; echo $VERSION_CODENAME')" "$1"
    is "$1: its units run" "$(in_host db1 'systemctl is-system-running --wait')" running
    is "$1: it has none of the cluster's packages" \
        "$(in_host db1 "dpkg-query -W -f '\${Package}\n'" | grep -E "$ours")" ''
    succeeds "$1: Ansible could manage it" in_host db1 'sudo -n true && python3 -c "import apt"'
    is "$1: its sources are the release's, with updates and security" \
        "$(in_host db1 "sed -n 's/^Suites: //p' /etc/apt/sources.list.d/debian.sources" | tr '\n' ' ')" \
        "$1 $1-updates $1-security "
    is "$1: it has no way out" "$(in_host db1 'ip route show default')" ''
    exits "$1: to no address" 2 in_host db1 'ip route get 198.51.100.1'
    like "$1: for it knows no route" "$err" 'Network is unreachable'
}
with_packages() { # with_packages RELEASE POSTGRESQL
    bare_proxy db1
    succeeds "$1: apt-get update, through the proxy" in_host db1 'apt-get -q -o APT::Update::Error-Mode=any update'
    succeeds "$1: a package is installed" in_host db1 'DEBIAN_FRONTEND=noninteractive apt-get -q -y install hello && hello'
    like "$1: PostgreSQL $2 could be" "$(in_host db1 "apt-cache policy postgresql-$2")" 'Candidate: [0-9]'
}

bare_lab t-bare 10.81.31.0/24 "$one"
ok $? 'a bare host comes up'
trixie=$file address=$lab_gateway
bare_host trixie
bare_lab t-bare12 10.81.32.0/24 "$one" bookworm
ok $? 'and one of the release before'
bookworm=$file
bare_host bookworm

# Packages.
file=$trixie
pgdg_repository "$address" 2>/dev/null
ok $? "a repository like PostgreSQL's own"
package_proxy "$address" "$lab_gateway"
ok $? 'a proxy for both'
is 'serves what it is for, and nothing else' \
    "$(curl --silent --output /dev/null --write-out '%{http_code}' --proxy "http://$address:3142" http://example.invalid/)" 403
file=$bookworm
with_packages bookworm 15
file=$trixie lab_gateway=$address
with_packages trixie 17
in_host db1 "echo '$(cat "$repository_key")' >/etc/apt/keyrings/pgdg.asc"
in_host db1 "echo 'deb [signed-by=/etc/apt/keyrings/pgdg.asc] $repository_uri $repository_suite main' >/etc/apt/sources.list.d/pgdg.list"
succeeds 'the repository is taken, with its key' in_host db1 'apt-get -q -o APT::Update::Error-Mode=any update'
like 'and has PostgreSQL' "$(in_host db1 'apt-cache policy postgresql-17')" " http://$address trixie-pgdg/main"

# A file that cannot be.
lab t-bare13 10.81.33.0/24
sed -i 's/^provider: .*/provider: {name: local, release: bookworm}/' "$file"
exits 'Debian 12 with the packages of all is no host of ours' 65 "$pgha" -f "$file" up --hosts-only --yes
like 'it says what there is' "$err" 'set provider.image to bare'

for cluster in "$trixie" "$bookworm"; do
    succeeds 'down' "$pgha" -f "$cluster" down --yes
done
is 'leaves nothing' "$(traces t-bare)$(traces t-bare12)" ''
finish
