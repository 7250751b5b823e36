#!/bin/sh
# AWS, clients outside of the VPC: the balancers are in public subnets of two zones, and the address is an elastic IP, which is known when
# it was allocated, follows its holder, and goes with the cluster.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
. tests/lib/cloud.sh
need_root

cloud_start t-eip 10.81.68.0/24 10.81.68.254 ''
ok $? "an AWS with hosts in it"
mkdir "$work/t-eip"
file=$work/t-eip/cluster.yaml
cat >"$file" <<END
cluster: t-eip
provider: {name: aws, region: eu-central-1, zones: [a, b], nat: off}
network: {cidr: 10.81.68.0/24}
vip: {mode: eip}
nodes: {db: {count: 3}, lb: {count: 2}}
access: {postgres: [198.51.100.0/24]}
failover: {preset: fast}
END
p() { "$pgha" -f "$file" "$@"; }
sql() { p psql -- -XAtqc "$1"; }
address() { ec2 describe-addresses --query "Addresses[0].$1" --output text; }
# Who has the elastic IP, by EC2 as the CLI tells it.
holder() {
    ec2 describe-instances --filters Name=instance-state-name,Values=running | jq -r --arg eni "$(address NetworkInterfaceId)" '.Reservations[].Instances[] |
        select(.NetworkInterfaces[0].NetworkInterfaceId == $eni) | .Tags[] | select(.Key == "pgha-resource") | .Value | sub("instance."; "")'
}
is_at() { [ "$(holder)" = "$1" ]; }
other() { if [ "$1" = lb1 ]; then echo lb2; else echo lb1; fi; }

start=$(date +%s%N)
succeeds "up" p up --yes
note "up took $((($(date +%s%N) - start) / 1000000)) ms"
[ "$status" = 0 ] || tail -n 30 "$work/cloud/log" >&2
vip=$(address PublicIp)
is "clients are told of the elastic IP" "$(p conninfo --json | jq -r .vip)" "$vip"
like "one balancer has it" "$(holder)" '^lb[12]$'
is "it is the one that keepalived chose" "$(p status --json | jq -r '[.balancers[] | select(.holds_vip) | .name] | join(" ")')" "$(holder)"
is "what the balancers have asked" "$(aws_calls | jq -r 'select(.key != "AKIDEXAMPLE") | .action' | sort -u | tr '\n' ' ')" 'AssociateAddress DescribeAddresses '
is "a client writes through it, by a certificate that has it" "$(psql -XAtqc 'create table t(i int); insert into t values (7); select i from t' "$(p conninfo --json | jq -r .uris.primary)")" 7
unchanged "a second up changes nothing" p up --yes
succeeds "plan has nothing to change" p plan --detailed-exitcode

old=$(holder)
succeeds "a drill: HAProxy frozen where the address is" p drill --yes haproxy-frozen
is "it is at the other one" "$(holder)" "$(other "$old")"

old=$(holder) new=$(other "$(holder)")
start=$(date +%s%N)
cloud_off "$old"
succeeds "the holder's zone is dark: it is at the other one" wait_for 15 is_at "$new"
note "seen by the CLI after $((($(date +%s%N) - start) / 1000000)) ms"
succeeds "clients write again" wait_for 10 sql 'insert into t values (8)'
cloud_on "$old"
succeeds "the balancer comes back" wait_for 60 p verify
is "the address stays" "$(holder)" "$new"

ec2 disassociate-address --association-id "$(address AssociationId)"
succeeds "taken away by hand: its master takes it back" wait_for 30 is_at "$new"
succeeds "clients write" wait_for 10 sql 'insert into t values (9)'
is "all rows are there" "$(sql 'select distinct i from t order by i' | tr '\n' ' ')" '7 8 9 '
is "AWS took every request" "$(aws_violations)" ''

succeeds "down" p down --yes
for what in vpcs:Vpcs subnets:Subnets security-groups:SecurityGroups network-interfaces:NetworkInterfaces volumes:Volumes; do
    is "no ${what%:*}" "$(ec2 describe-"${what%:*}" --filters Name=tag:pgha-cluster,Values=t-eip --query "length(${what#*:})")" 0
done
is "no elastic IP" "$(ec2 describe-addresses --query 'length(Addresses)')" 0
no_hosts() { [ "$(cloud_hosts)" = 0 ]; }
succeeds "no host" wait_for 20 no_hosts
cloud_down
is "nothing on this machine" "$(traces t-eip)$(ip -br link | grep pgha-t-eip)" ''
finish
