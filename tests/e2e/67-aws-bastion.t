#!/bin/sh
# AWS, from outside: a bastion with a public address is the way to hosts that have none.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
. tests/lib/cloud.sh
need_root

cloud_start t-way 10.81.68.0/24 10.81.68.254 10.81.68.100
ok $? "an AWS with hosts in it"
mkdir "$work/t-way"
file=$work/t-way/cluster.yaml
cat >"$file" <<END
cluster: t-way
provider: {name: aws, region: eu-central-1, zones: [a], nat: off, bastion: on}
network: {cidr: 10.81.68.0/24}
nodes: {db: {count: 1}, lb: {count: 0}}
access: {ssh: [198.51.100.7/32]}
failover: {preset: fast}
END
p() { "$pgha" -f "$file" "$@"; }
bastion() { ec2 describe-instances --filters Name=tag:pgha-resource,Values=bastion.t-way Name=instance-state-name,Values=running \
    --query "Reservations[0].Instances[0].$1" --output text; }

succeeds "up" p up --yes
[ "$status" = 0 ] || tail -n 30 "$work/cloud/log" >&2
like "says that it is verified" "$out" 'is up and verified'
is "two instances run" "$(cloud_hosts)" 2
like "the bastion has a public address" "$(bastion PublicIpAddress)" '^127\.'
is "the host was logged in to from the bastion" "$(p ssh db1 'echo $SSH_CONNECTION' | cut -d' ' -f1)" "$(bastion PrivateIpAddress)"
is "nobody else has" "$(p ssh db1 'journalctl -o cat -u ssh --no-pager' | sed -n 's/^Accepted publickey for root from \([0-9.]*\) .*/\1/p' | sort -u)" \
    "$(bastion PrivateIpAddress)"
succeeds "verify" p verify
unchanged "a second up changes nothing" p up --yes

is "AWS took every request" "$(aws_violations)" ''
succeeds "down" p down --yes
is "no address is left" "$(ec2 describe-addresses --query 'length(Addresses)')" 0
no_hosts() { [ "$(cloud_hosts)" = 0 ]; }
succeeds "no host" wait_for 20 no_hosts
cloud_down
is "nothing on this machine" "$(traces t-way)$(ip -br link | grep pgha-t-way)" ''
finish
