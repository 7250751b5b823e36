#!/bin/sh
# AWS, three zones: the balancers are in different subnets, and the address, outside of the VPC, is a route that follows its holder.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
. tests/lib/cloud.sh
need_root

vip=10.81.67.100
cloud_start t-zones 10.81.66.0/24 10.81.66.254 $vip
ok $? "an AWS with hosts in it"
mkdir "$work/t-zones"
file=$work/t-zones/cluster.yaml
cat >"$file" <<END
cluster: t-zones
provider: {name: aws, region: eu-central-1, zones: [a, b, c], nat: off}
network: {cidr: 10.81.66.0/24, vip: $vip}
vip: {mode: route}
nodes: {db: {count: 3}, lb: {count: 2}}
failover: {preset: fast}
END
p() { "$pgha" -f "$file" "$@"; }
sql() { p psql -- -XAtqc "$1"; }

# Whose interfaces the routes to the address name, by EC2 as the CLI tells it: one word, if they agree.
holder() {
    enis=$(ec2 describe-route-tables --filters Name=tag:pgha-cluster,Values=t-zones |
        jq --arg vip "$vip/32" '[.RouteTables[].Routes[] | select(.DestinationCidrBlock == $vip) | .NetworkInterfaceId] | unique')
    ec2 describe-instances --filters Name=instance-state-name,Values=running | jq -r --argjson enis "$enis" '[.Reservations[].Instances[] |
        select(.NetworkInterfaces[0].NetworkInterfaceId | IN($enis[])) |
        .Tags[] | select(.Key == "pgha-resource") | .Value | sub("instance."; "")] | join(" ")'
}
is_at() { [ "$(holder)" = "$1" ]; }
other() { if [ "$1" = lb1 ]; then echo lb2; else echo lb1; fi; }

start=$(date +%s%N)
succeeds "up" p up --yes
note "up took $((($(date +%s%N) - start) / 1000000)) ms"
[ "$status" = 0 ] || tail -n 30 "$work/cloud/log" >&2
is "each zone has a subnet, with hosts" "$(ec2 describe-instances --filters Name=instance-state-name,Values=running |
    jq -r '[.Reservations[].Instances[] | "\(.Placement.AvailabilityZone) \(.SubnetId)"] | unique | map(split(" ")[0]) | join(" ")')" \
    'eu-central-1a eu-central-1b eu-central-1c'
like "one balancer has the route" "$(holder)" '^lb[12]$'
is "it is the one that keepalived chose" "$(p status --json | jq -r '[.balancers[] | select(.holds_vip) | .name] | join(" ")')" "$(holder)"
is "what the balancers have asked" "$(aws_calls | jq -r 'select(.key != "AKIDEXAMPLE") | .action' | sort -u | tr '\n' ' ')" 'CreateRoute DescribeRouteTables '
is "a client writes through it" "$(sql 'create table t(i int); insert into t values (7); select i from t')" 7
unchanged "a second up changes nothing" p up --yes

succeeds "plan has nothing to change" p plan --detailed-exitcode

old=$(holder)
succeeds "a drill: HAProxy frozen where the address is" p drill --yes haproxy-frozen
is "the route is to the other one" "$(holder)" "$(other "$old")"

old=$(holder) new=$(other "$(holder)")
start=$(date +%s%N)
cloud_off "$old"
succeeds "the holder's zone is dark: the route is to the other one" wait_for 15 is_at "$new"
note "seen by the CLI after $((($(date +%s%N) - start) / 1000000)) ms"
succeeds "clients write again" wait_for 10 sql 'insert into t values (8)'
cloud_on "$old"
succeeds "it comes back" wait_for 60 p verify
is "the route stays" "$(holder)" "$new"

creations() { aws_calls | jq -r 'select(.key != "AKIDEXAMPLE") | .action' | grep -c CreateRoute; }
made_again() { [ "$(creations)" -gt "$before" ] && is_at "$new"; }
before=$(creations)
for table in $(ec2 describe-route-tables --filters Name=tag:pgha-cluster,Values=t-zones --query 'RouteTables[].RouteTableId' --output text); do
    ec2 delete-route --route-table-id "$table" --destination-cidr-block "$vip/32"
done
succeeds "a route that is taken away by hand is made again by its master" wait_for 30 made_again
succeeds "clients write" wait_for 10 sql 'insert into t values (9)'
is "all rows are there" "$(sql 'select distinct i from t order by i' | tr '\n' ' ')" '7 8 9 '
is "AWS took every request" "$(aws_violations)" ''

succeeds "down" p down --yes
for what in vpcs:Vpcs subnets:Subnets security-groups:SecurityGroups network-interfaces:NetworkInterfaces volumes:Volumes route-tables:RouteTables; do
    is "no ${what%:*}" "$(ec2 describe-"${what%:*}" --filters Name=tag:pgha-cluster,Values=t-zones --query "length(${what#*:})")" 0
done
no_hosts() { [ "$(cloud_hosts)" = 0 ]; }
succeeds "no host" wait_for 20 no_hosts
cloud_down
is "nothing on this machine" "$(traces t-zones)$(ip -br link | grep pgha-t-zones; ip route | grep -F "$vip")" ''
finish
