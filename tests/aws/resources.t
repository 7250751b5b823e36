#!/bin/sh
# What `up --hosts-only` makes in an account, as the AWS CLI sees it; what `plan` tells of what was changed by hand, and `up` mends;
# what is refused, and with which words; and that `down` leaves nothing.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
need_root

aws_start
ok $? "moto and the proxy are up"

# cluster NAME YAML: its cluster file is $file from now on, for p
cluster() {
    name=$1
    mkdir -p "$work/$1"
    file=$work/$1/cluster.yaml
    state=$work/$1/.pgha/$1
    printf 'cluster: %s\n%s\n' "$1" "$2" >"$file"
}
p() { run "$pgha" -f "$file" "$@"; }
plan() { p -q plan --hosts-only "$@"; }
up() { p -q up --hosts-only --yes; }
down() { p -q down --yes; }
ask() { ec2 "$@" --output text; } # sorted lines where there are several
tagged() { ask "describe-$1" --filters "Name=tag:pgha-resource,Values=$2" --query "$3"; }
vpc() { tagged vpcs "vpc.$1" 'Vpcs[0].VpcId'; }
instance() { # instance NAME QUERY
    ask describe-instances --filters "Name=tag:pgha-resource,Values=instance.$1" "Name=tag:pgha-cluster,Values=$name" Name=instance-state-name,Values=pending,running,stopping,stopped \
        --query "Reservations[].Instances[].$2"
}
changes() { # of the last plan, "what: how"
    printf '%s\n' "$out" | awk '/^[a-z]/ && !/^Cluster/ {name = $0} /^  ~/ {sub("^  ~ ", ""); print name ": " $0}'
}
clean() { # clean WHAT: no mistake of ours, and the log begins anew
    is "every request for $1 was right" "$(aws_violations)" ''
    aws_reset
}

# ---- a cluster ----

cluster shop 'provider: {name: aws, default_tags: {team: data, cost-centre: "4711"}}
network: {cidr: 10.3.0.0/16}'
plan --detailed-exitcode
is "a plan has changes" "$status" 2
is "all of them, once each" "$(changes | awk '{sub("[.].*", ""); print}' | sort | uniq -c | awk '{printf "%s%s %s", sep, $1, $2; sep = ", "}')" \
    '1 elastic_ip, 1 iam_role, 5 instance, 1 instance_profile, 1 internet_gateway, 1 internet_gateway_attachment, 1 key_pair, 1 nat_gateway, 2 route, 2 route_table, 3 security_group, 3 security_rules, 6 subnet, 1 vpc'
plan --json
is "as JSON, too" "$(printf '%s' "$out" | jq -r '[.changes[]? | select(.what == "create" or .action == "create")] | length')" 29
is "a plan makes nothing" "$(aws_census)$(ls -A "$work/shop")" 'cluster.yaml'
is "nor calls anything that would" "$(aws_calls | jq -r .action | grep -Ev '^(Describe|Get)')" ''
aws_reset
up
is "up" "$status" 0
is "none of its requests failed" "$(aws_calls | jq -r 'select(.status != 200) | "\(.action) \(.error)"' | sort -u | tr '\n' ' ')" \
    'GetInstanceProfile NoSuchEntity GetRole NoSuchEntity '
clean up
plan --detailed-exitcode
is "the second plan has none" "$status $(changes)" '0 '
is "with one call of a kind" "$(aws_calls | jq -r '.action + (.params.Attribute // "")' | sort | uniq -c | awk '$1 > 1')" ''
is "twelve of them, the names of a VPC, the policy of a role" "$(aws_calls | wc -l)" 15
note "calls of a plan without changes: $(aws_calls | wc -l)"
up
is "the second up changes nothing" "$status $(aws_calls | jq -r .action | grep -Ev '^(Describe|Get)')" '0 '
clean "nothing to do"

# ---- as asked ----

vpc=$(vpc shop)
is "VPC" "$(ask describe-vpcs --vpc-ids "$vpc" --query 'Vpcs[0].CidrBlock')" 10.3.0.0/16
is "which resolves names, and gives them" "$(for attribute in enableDnsSupport enableDnsHostnames; do
    ec2 describe-vpc-attribute --vpc-id "$vpc" --attribute $attribute | jq -r '.[].Value? // empty'; done | tr '\n' ' ')" 'true true '
is "subnets" "$(ask describe-subnets --filters "Name=vpc-id,Values=$vpc" \
    --query 'sort_by(Subnets, &CidrBlock)[].[CidrBlock, AvailabilityZone, MapPublicIpOnLaunch, Tags[?Key==`Name`].Value | [0]]' | tr '\t' ' ')" \
    "10.3.0.0/19 eu-central-1a False shop-private-1
10.3.128.0/19 eu-central-1a False shop-public-1
10.3.160.0/19 eu-central-1b False shop-public-2
10.3.192.0/19 eu-central-1c False shop-public-3
10.3.32.0/19 eu-central-1b False shop-private-2
10.3.64.0/19 eu-central-1c False shop-private-3"
nat=$(ask describe-nat-gateways --filter "Name=vpc-id,Values=$vpc" --query 'NatGateways[0].NatGatewayId')
gateway=$(ask describe-internet-gateways --filters "Name=attachment.vpc-id,Values=$vpc" --query 'InternetGateways[0].InternetGatewayId')
table() { tagged route-tables "route_table.$1" "$2"; }
is "private subnets go by the NAT gateway" "$(table private 'RouteTables[0].Routes[?DestinationCidrBlock==`0.0.0.0/0`].NatGatewayId') $(table private 'length(RouteTables[0].Associations)')" "$nat 3"
is "public ones by the internet gateway" "$(table public 'RouteTables[0].Routes[?DestinationCidrBlock==`0.0.0.0/0`].GatewayId') $(table public 'length(RouteTables[0].Associations)')" "$gateway 3"
is "the NAT gateway is in a public one, with an elastic address" "$(ask describe-nat-gateways --nat-gateway-ids "$nat" --query 'NatGateways[0].[SubnetId, NatGatewayAddresses[0].AllocationId]')" \
    "$(tagged subnets subnet.public-1 'Subnets[0].SubnetId')	$(tagged addresses elastic_ip.nat 'Addresses[0].AllocationId')"
group() { tagged security-groups "security_group.$1" 'SecurityGroups[0].GroupId'; }
db=$(group db) lb=$(group lb) etcd=$(group etcd)
rules() { # rules GROUP: "tcp 5432 from lb", the cluster's own groups by name
    ask describe-security-group-rules --filters "Name=group-id,Values=$1" \
        --query 'SecurityGroupRules[?IsEgress==`false`].[IpProtocol, FromPort, CidrIpv4, ReferencedGroupInfo.GroupId]' |
        sed "s/$db/db/; s/$lb/lb/; s/$etcd/etcd/; s/	None//g" | tr '\t' ' ' | sort
}
is "rules of db" "$(rules "$db")" 'icmp -1 10.3.0.0/16
tcp 22 10.3.0.0/16
tcp 5432 10.3.0.0/16
tcp 5432 db
tcp 5432 lb
tcp 8008 10.3.0.0/16
tcp 8008 db
tcp 8008 lb'
is "rules of lb" "$(rules "$lb")" '112 -1 lb
icmp -1 10.3.0.0/16
tcp 22 10.3.0.0/16
tcp 5000 10.3.0.0/16
tcp 5001 10.3.0.0/16
tcp 5002 10.3.0.0/16
tcp 5003 10.3.0.0/16
tcp 7000 10.3.0.0/16'
is "rules of etcd" "$(rules "$etcd")" 'icmp -1 10.3.0.0/16
tcp 22 10.3.0.0/16
tcp 2379 10.3.0.0/16
tcp 2379 db
tcp 2379 etcd
tcp 2380 etcd'
is "hosts: address, zone, groups, type" "$(ask describe-instances --filters "Name=vpc-id,Values=$vpc" \
    --query 'Reservations[].Instances[].[Tags[?Key==`Name`].Value | [0], PrivateIpAddress, Placement.AvailabilityZone, join(`,`, sort(SecurityGroups[].GroupName)), InstanceType]' |
    tr '\t' ' ' | sort)" 'shop-db1 10.3.0.11 eu-central-1a shop-db,shop-etcd t3.medium
shop-db2 10.3.32.11 eu-central-1b shop-db,shop-etcd t3.medium
shop-db3 10.3.64.11 eu-central-1c shop-db,shop-etcd t3.medium
shop-lb1 10.3.0.51 eu-central-1a shop-lb t3.medium
shop-lb2 10.3.0.52 eu-central-1a shop-lb t3.medium'
is "no public address, IMDSv2, no way around the source check, the cluster's key" \
    "$(ask describe-instances --filters "Name=vpc-id,Values=$vpc" \
        --query 'Reservations[].Instances[].[PublicIpAddress, MetadataOptions.HttpTokens, SourceDestCheck, KeyName]' | sort -u | tr '\t' ' ')" 'None required True shop'
is "only balancers have a role" "$(for host in db1 lb1 lb2; do instance $host IamInstanceProfile.Arn; done)" \
    "arn:aws:iam::123456789012:instance-profile/pgha-shop-eu-central-1
arn:aws:iam::123456789012:instance-profile/pgha-shop-eu-central-1"
is "which may move an address of this cluster, and no more" \
    "$(iam get-role-policy --role-name pgha-shop-eu-central-1 --policy-name move-address --query PolicyDocument.Statement | jq -c 'map([.Action, .Resource, .Condition])')" \
    '[[["ec2:DescribeNetworkInterfaces"],"*",{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}],[["ec2:AssignPrivateIpAddresses"],"arn:aws:ec2:eu-central-1:*:network-interface/*",{"StringEquals":{"aws:ResourceTag/pgha-cluster":"shop"}}]]'
is "taken by instances" "$(iam get-role --role-name pgha-shop-eu-central-1 --query Role.AssumeRolePolicyDocument.Statement | jq -c 'map([.Action, .Principal])')" \
    '[[["sts:AssumeRole"],{"Service":"ec2.amazonaws.com"}]]'
# Debian's newest for the processor: by the CLI
newest() { # newest OWNER NAME
    ask describe-images --owners "$1" --filters "Name=name,Values=$2" --query 'sort_by(Images, &CreationDate)[-1].ImageId'
}
is "image: the newest of Debian's own" "$(instance db1 ImageId)" "$(newest 136693071363 'debian-13-amd64-*')"
is "disks: encrypted gp3, gone with their instance" "$(ask describe-volumes \
    --query 'Volumes[].[Size, VolumeType, Encrypted, Iops, Throughput, Attachments[0].DeleteOnTermination]' | sort | uniq -c | tr -s '\t ' ' ')" \
    ' 5 20 gp3 True 3000 125 True'
is "everything that can be found by a tag has all of them" "$(for key in pgha-cluster pgha-resource Name team cost-centre; do
    ask describe-tags --filters "Name=key,Values=$key" --query 'length(Tags)'; done | sort -u)" 31
is "the user's tags" "$(ask describe-tags --filters Name=key,Values=cost-centre,team --query 'Tags[].Value' | tr '\t' '\n' | sort -u | tr '\n' ' ')" '4711 data '
is "on role and profile, too" "$(iam list-role-tags --role-name pgha-shop-eu-central-1 --query 'length(Tags)') $(
    iam get-instance-profile --instance-profile-name pgha-shop-eu-central-1 --query 'length(InstanceProfile.Tags)')" '5 5'
is "the key is the state folder's" "$(ask describe-key-pairs --include-public-key --query 'KeyPairs[0].PublicKey' | cut -d' ' -f2)" "$(cut -d' ' -f2 "$state/id_ed25519.pub")"

# User data: cloud-init's, with the host key that known_hosts has.
ask describe-instance-attribute --attribute userData --instance-id "$(instance db2 InstanceId)" --query UserData.Value | base64 -d >"$work/user-data"
is "user data is cloud-init's" "$(head -n 1 "$work/user-data")" '#cloud-config'
python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)' <"$work/user-data" >"$work/user-data.json"
is "in YAML" "$(jq -r .hostname "$work/user-data.json")" db2
is "lets the state folder's key in" "$(jq -r '.ssh_authorized_keys[0]' "$work/user-data.json" | cut -d' ' -f2)" "$(cut -d' ' -f2 "$state/id_ed25519.pub")"
(umask 077; jq -j .ssh_keys.ed25519_private "$work/user-data.json" >"$work/host-key")
is "and plants the host key that is expected" "$(ssh-keygen -y -f "$work/host-key" | cut -d' ' -f2)" "$(awk '$1 == "db2,10.3.32.11" {print $3}' "$state/known_hosts")"
is "which nobody else has" "$(grep -rl "$(sed -n 3p "$work/host-key")" "$state")" ''

# ---- changed by hand ----

# mended WHAT CHANGES: plan tells it, up mends it, then there is nothing to do
mended() {
    plan --detailed-exitcode
    is "$1: told" "$status $(changes)" "2 $2"
    up
    is "$1: mended" "$status" 0
    plan --detailed-exitcode
    is "$1: then all is well" "$status $(changes)" '0 '
}
ec2 revoke-security-group-ingress --group-id "$db" --ip-permissions "IpProtocol=tcp,FromPort=5432,ToPort=5432,UserIdGroupPairs=[{GroupId=$lb}]" >/dev/null
ec2 authorize-security-group-ingress --group-id "$db" --protocol tcp --port 23 --cidr 0.0.0.0/0 >/dev/null
mended "rules" 'security_rules.db: update: rules: +tcp 5432 from group lb, -tcp 23 from 0.0.0.0/0'
is "rules as before" "$(rules "$db" | grep -c .) $(rules "$db" | grep 5432)" '8 tcp 5432 10.3.0.0/16
tcp 5432 db
tcp 5432 lb'
ec2 revoke-security-group-ingress --group-id "$lb" --ip-permissions "$(ec2 describe-security-groups --group-ids "$lb" --query 'SecurityGroups[0].IpPermissions' |
    jq -c 'map(if .FromPort == -1 and .IpProtocol == "112" then del(.FromPort, .ToPort) else . end)')" >/dev/null
mended "all rules of a group" 'security_rules.lb: create'
is "all are back" "$(rules "$lb" | grep -c .)" 8
ec2 delete-route --route-table-id "$(table private 'RouteTables[0].RouteTableId')" --destination-cidr-block 0.0.0.0/0
mended "a route" 'route.private: create'
ec2 replace-route --route-table-id "$(table private 'RouteTables[0].RouteTableId')" --destination-cidr-block 0.0.0.0/0 --gateway-id "$gateway"
mended "another way" 'route.private: update: way: internet_gateway -> nat_gateway'
ec2 disassociate-route-table --association-id "$(table private "RouteTables[0].Associations[?SubnetId==\`$(tagged subnets subnet.private-1 'Subnets[0].SubnetId')\`].RouteTableAssociationId")"
mended "a subnet" 'route_table.private: update: subnets: +private-1'
is "it is back" "$(table private 'length(RouteTables[0].Associations)')" 3
ec2 create-tags --resources "$vpc" "$nat" --tags Key=team,Value=nobody Key=theirs,Value=kept
plan
is "tags: told" "$(changes | sed 's/: tags.*//')" 'vpc.shop: update
nat_gateway.shop: update'
up
is "tags: mended" "$(ask describe-tags --filters "Name=resource-id,Values=$vpc,$nat" Name=key,Values=team,theirs --query 'Tags[].Value' | tr '\t' '\n' | sort | tr '\n' ' ')" 'data data kept kept '
iam tag-role --role-name pgha-shop-eu-central-1 --tags Key=team,Value=nobody
iam put-role-policy --role-name pgha-shop-eu-central-1 --policy-name move-address --policy-document \
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}'
plan
is "role: told" "$(changes | cut -d: -f1,2,3)" 'iam_role.shop: update: policy'
up
is "role: mended" "$(iam get-role-policy --role-name pgha-shop-eu-central-1 --policy-name move-address --query 'length(PolicyDocument.Statement)') $(
    iam list-role-tags --role-name pgha-shop-eu-central-1 --query 'Tags[?Key==`team`].Value' --output text)" '2 data'
iam remove-role-from-instance-profile --instance-profile-name pgha-shop-eu-central-1 --role-name pgha-shop-eu-central-1
mended "profile without a role" 'instance_profile.shop: update: has_role: false -> true'
ec2 modify-vpc-attribute --vpc-id "$vpc" --no-enable-dns-hostnames
mended "names" 'vpc.shop: update: dns_hostnames: false -> true'
id=$(instance db3 InstanceId)
ec2 stop-instances --instance-ids "$id" >/dev/null
mended "a host that was stopped" 'instance.db3: update: running: false -> true'
is "it runs" "$(instance db3 State.Name)" running
ec2 modify-instance-attribute --instance-id "$id" --groups "$db"
mended "a group taken off" 'instance.db3: update: groups: +etcd'
ec2 modify-instance-attribute --instance-id "$id" --no-source-dest-check
mended "a check switched off" 'instance.db3: update: source_dest_check: false -> true'
ec2 modify-instance-metadata-options --instance-id "$id" --http-tokens optional >/dev/null
mended "tokens not asked for" 'instance.db3: update: metadata_tokens: optional -> required'
is "it is still the same host" "$(instance db3 InstanceId)" "$id"
ec2 detach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc" 2>/dev/null # refused: the NAT gateway's address
ec2 delete-nat-gateway --nat-gateway-id "$nat" >/dev/null
plan
is "a NAT gateway that was deleted: told" "$(changes)" 'nat_gateway.shop: create
route.private: update: way: '"$nat"' -> nat_gateway'
up
is "made again" "$status $(ask describe-nat-gateways --filter "Name=vpc-id,Values=$vpc" Name=state,Values=available --query 'length(NatGateways)')" '0 1'
plan
is "then all is well" "$(changes)" ''
ec2 terminate-instances --instance-ids "$(instance lb2 InstanceId)" >/dev/null
plan
is "a balancer that was terminated: told" "$(changes)" 'instance.lb2: create'
old_key=$(awk '$1 ~ /^lb2,/ {print $3}' "$state/known_hosts")
up
is "made again" "$status $(instance lb2 State.Name)" '0 running'
unlike "with a host key of its own" "$(cat "$state/known_hosts")" "$(printf '%s' "$old_key" | sed 's/[+]/[+]/g')"
clean "mending"

# ---- the cluster file changes ----

sed -i 's/team: data/team: platform/' "$file"
up
is "other tags" "$status $(instance db1 'Tags[?Key==`team`].Value') $(ask describe-vpcs --vpc-ids "$vpc" --query 'Vpcs[0].Tags[?Key==`team`].Value')" '0 platform platform'
is "of disks and interfaces, too" "$(ask describe-tags --filters Name=key,Values=team Name=value,Values=data Name=resource-type,Values=volume,network-interface --query 'length(Tags)')" 0

# Two clusters in one account do not see each other.
shop=$file
aws_census >"$work/before"
cluster other 'provider: {name: aws, instance_type: t4g.small, nat: off, placement_group: on, zones: [b]}
network: {cidr: 10.3.0.0/16}
nodes: {db: {count: 3}, lb: {count: 2}}'
up
is "a second one, with the same network: up" "$status" 0
plan --detailed-exitcode
is "it sees its own things alone" "$status" 0
is "for its processor the other image" "$(instance db1 ImageId)" "$(newest 136693071363 'debian-13-arm64-*')"
is "zones by letter" "$(instance lb2 Placement.AvailabilityZone)" eu-central-1b
is "all in one zone: on different machines" "$(instance lb2 Placement.GroupName) $(ask describe-placement-groups --query 'PlacementGroups[].[GroupName, Strategy]')" 'other other	spread'
file=$shop
plan --detailed-exitcode
is "nor does the first" "$status $(changes)" '0 '
file=$work/other/cluster.yaml
is "without a NAT gateway" "$(aws_census | grep -c '^nat gateway\|^internet gateway')" 2
# The state folder is lost.
rm -rf "$work/other/.pgha"
aws_census >"$work/with-it"
for command in plan up; do
    $command
    is "its state lost: $command refuses" "$status" 1
    like "says why" "$err" 'reading instance\.[a-z0-9]*.*it runs already, and .*\.pub is not there'
    like "and what to do" "$err" 'the state folder with its keys and secrets was lost'
done
is "nothing was changed" "$(aws_census | diff - "$work/with-it")" ''
down
is "down finds all" "$status $(aws_census | diff - "$work/before")" '0 '
file=$shop
down
is "down" "$status" 0
is "nothing is left" "$(aws_census)" ''
is "nor the state folder" "$(ls -A "$work/shop")" cluster.yaml
clean "the second cluster"

# Hosts of etcd's own; a route for an address; more hosts later; protection.
cluster wide 'provider: {name: aws, ami: ubuntu-24.04, termination_protection: on}
network: {cidr: 10.9.0.0/16, vip: 10.255.0.9}
vip: {mode: route}
nodes: {db: {count: 3, instance_type: m7g.large}, lb: {count: 2}, etcd: {count: 3, instance_type: t3.small}}'
up
is "eight hosts: up" "$status" 0
is "each in its place" "$(ask describe-instances --filters Name=tag:pgha-cluster,Values=wide \
    --query 'Reservations[].Instances[].[Tags[?Key==`Name`].Value | [0], PrivateIpAddress, InstanceType, SourceDestCheck, join(`,`, sort(SecurityGroups[].GroupName))]' |
    tr '\t' ' ' | sort)" 'wide-db1 10.9.0.11 m7g.large True wide-db
wide-db2 10.9.32.11 m7g.large True wide-db
wide-db3 10.9.64.11 m7g.large True wide-db
wide-etcd1 10.9.0.71 t3.small True wide-etcd
wide-etcd2 10.9.32.71 t3.small True wide-etcd
wide-etcd3 10.9.64.71 t3.small True wide-etcd
wide-lb1 10.9.0.51 t3.medium False wide-lb
wide-lb2 10.9.32.51 t3.medium False wide-lb'
is "the role may move routes" "$(iam get-role-policy --role-name pgha-wide-eu-central-1 --policy-name move-address --query 'PolicyDocument.Statement[1].[Action, Resource]' | jq -c .)" \
    '[["ec2:CreateRoute","ec2:ReplaceRoute"],"arn:aws:ec2:eu-central-1:*:route-table/*"]'
is "images for two processors" "$(instance db1 ImageId) $(instance lb1 ImageId)" \
    "$(newest 099720109477 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-*') $(newest 099720109477 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*')"
# The way of the moving address is keepalived's, not ours.
ec2 create-route --route-table-id "$(ask describe-route-tables --filters Name=tag:Name,Values=wide-private --query 'RouteTables[0].RouteTableId')" \
    --destination-cidr-block 10.255.0.9/32 --network-interface-id "$(instance lb1 'NetworkInterfaces[0].NetworkInterfaceId')" >/dev/null
plan --detailed-exitcode
is "the address's route is no change" "$status $(changes)" '0 '
sed -i 's/db: {count: 3/db: {count: 4/' "$file"
plan
is "a fourth member: told" "$(changes)" 'instance.db4: create'
up
is "and made" "$status $(instance db4 '[PrivateIpAddress, SubnetId]' | cut -f1)" '0 10.9.0.12'
down
is "protected: down is refused" "$status $(instance db1 State.Name)" '1 running'
like "and why" "$err" 'OperationNotPermitted'
like "and what to do" "$err" 'termination_protection: off'
sed -i 's/termination_protection: on/termination_protection: off/' "$file"
plan
is "off: told" "$(changes | grep -c 'update: tags')" 9
up
is "off: done" "$status $(ask describe-instance-attribute --attribute disableApiTermination --instance-id "$(instance db1 InstanceId)" --query DisableApiTermination.Value)" '0 False'
aws_set terminate_ms=2500 nat_ms=2000
down
is "then down, which waits for what goes" "$status" 0
is "nothing is left" "$(aws_census)" ''
clean "the wide cluster"

# An elastic IP that moves: balancers in public subnets; the address is known when it is there.
cluster open 'provider: {name: aws, nat: off, zones: [a, b]}
network: {cidr: 10.8.0.0/16}
vip: {mode: eip}
access: {postgres: [198.51.100.0/24]}'
plan --json
is "an elastic IP: in the plan, and no NAT gateway" "$(printf '%s' "$out" | jq -r '[.changes[].where | select(test("elastic_ip|nat_"))] | join(" ")')" elastic_ip.vip
is "the balancers' two public addresses cost something" "$(printf '%s' "$out" | jq -r '.cost.parts[] | select(.what == "public address").n')" 2
up
is "up" "$status" 0
vip=$(tagged addresses elastic_ip.vip 'Addresses[].PublicIp') allocation=$(tagged addresses elastic_ip.vip 'Addresses[].AllocationId')
is "its address is the cluster's" "$(p -q conninfo --json; printf '%s' "$out" | jq -r .vip)" "$vip"
is "it is in the balancers' certificates" "$(for host in lb1 lb2 db1; do
    p secrets show "tls_cert_$host"; printf '%s\n' "$out" | openssl x509 -noout -ext subjectAltName | grep -cF "IP Address:$vip"; done | tr '\n' ' ')" '1 1 1 '
is "they are in public subnets, with addresses of their own, the members are not" "$(ask describe-instances --filters Name=tag:pgha-cluster,Values=open \
    --query 'Reservations[].Instances[].[Tags[?Key==`Name`].Value | [0], PrivateIpAddress, PublicIpAddress != null, SourceDestCheck]' | tr '\t' ' ' | sort)" \
    'open-db1 10.8.0.11 False True
open-db2 10.8.64.11 False True
open-db3 10.8.0.12 False True
open-lb1 10.8.128.51 True True
open-lb2 10.8.192.51 True True'
is "the role may move it, and no more" "$(iam get-role-policy --role-name pgha-open-eu-central-1 --policy-name move-address --query 'PolicyDocument.Statement[1]' | jq -c '[.Action, .Resource, .Condition]')" \
    '[["ec2:AssociateAddress"],["arn:aws:ec2:eu-central-1:*:elastic-ip/*","arn:aws:ec2:eu-central-1:*:instance/*","arn:aws:ec2:eu-central-1:*:network-interface/*"],{"StringEquals":{"aws:ResourceTag/pgha-cluster":"open"}}]'
is "its allocation goes to the hosts" "$(jq -r .vars.vip_allocation "$state/outputs.json")" "$allocation"
ec2 associate-address --allocation-id "$allocation" --network-interface-id "$(instance lb2 'NetworkInterfaces[0].NetworkInterfaceId')" >/dev/null
plan --detailed-exitcode
is "where it is, is no change" "$status $(changes)" '0 '
ec2 disassociate-address --association-id "$(tagged addresses elastic_ip.vip 'Addresses[].AssociationId')"
ec2 release-address --allocation-id "$allocation"
plan
is "released by hand: told" "$(changes)" 'elastic_ip.vip: create'
up
is "another is allocated, and the cluster's" "$status $(p -q conninfo --json; printf '%s' "$out" | jq -r .vip)" "0 $(tagged addresses elastic_ip.vip 'Addresses[].PublicIp')"
is "in the certificates, too" "$(p secrets show tls_cert_lb1; printf '%s\n' "$out" | openssl x509 -noout -ext subjectAltName | grep -cF "$(tagged addresses elastic_ip.vip 'Addresses[].PublicIp')")" 1
ec2 associate-address --allocation-id "$(tagged addresses elastic_ip.vip 'Addresses[].AllocationId')" --network-interface-id "$(instance lb1 'NetworkInterfaces[0].NetworkInterfaceId')" >/dev/null
down
is "down, from where it was last" "$status" 0
is "nothing is left" "$(aws_census)" ''
clean "an elastic IP"

# One of the user's own: used, and left.
own=$(ask allocate-address --domain vpc --query PublicIp)
id=$(ask describe-addresses --public-ips "$own" --query 'Addresses[].AllocationId')
sed -i "s|cidr: 10.8.0.0/16|cidr: 10.8.0.0/16, vip: 192.0.2.7|" "$file"
plan
is "one that is not the account's: refused" "$status" 65
like "and named" "$err" '192\.0\.2\.7 is no elastic IP of this account in eu-central-1'
sed -i "s|192.0.2.7|$own|" "$file"
aws_census >"$work/before"
up
is "the user's own: up" "$status" 0
is "no other one is allocated" "$(ask describe-addresses --query 'length(Addresses)')" 1
is "the role may move this one" "$(iam get-role-policy --role-name pgha-open-eu-central-1 --policy-name move-address --query 'PolicyDocument.Statement[1]' | jq -c '[.Action, .Resource, .Condition]')" \
    "[[\"ec2:AssociateAddress\"],\"arn:aws:ec2:eu-central-1:*:elastic-ip/$id\",null]"
ec2 associate-address --allocation-id "$id" --network-interface-id "$(instance lb1 'NetworkInterfaces[0].NetworkInterfaceId')" >/dev/null
plan --detailed-exitcode
is "a balancer of ours has it: no change" "$status $(changes)" '0 '
eni=$(ask create-network-interface --subnet-id "$(tagged subnets subnet.public-1 'Subnets[].SubnetId')" --query NetworkInterface.NetworkInterfaceId)
ec2 associate-address --allocation-id "$id" --network-interface-id "$eni" >/dev/null
plan
is "somebody else has it: refused" "$status" 1
like "and who" "$err" "$own is in use by $eni"
ec2 disassociate-address --association-id "$(ask describe-addresses --query 'Addresses[].AssociationId')"
ec2 delete-network-interface --network-interface-id "$eni"
ec2 associate-address --allocation-id "$id" --network-interface-id "$(instance lb2 'NetworkInterfaces[0].NetworkInterfaceId')" >/dev/null
down
is "down" "$status" 0
is "it stays, free" "$(aws_census | diff "$work/before" -)$(ask describe-addresses --query 'Addresses[].AssociationId')" ''
clean "an elastic IP of the user's"
ec2 release-address --allocation-id "$id"

# What is the user's: used, and left.
vpc=$(ask create-vpc --cidr-block 10.20.0.0/16 --query Vpc.VpcId)
subnet=$(ask create-subnet --vpc-id "$vpc" --cidr-block 10.20.1.0/24 --availability-zone eu-central-1c --query Subnet.SubnetId)
group=$(ask create-security-group --vpc-id "$vpc" --group-name theirs --description theirs --query GroupId)
aws_census >"$work/before"
cluster given "provider: {name: aws, vpc: $vpc, subnets: [{id: $subnet, cidr: 10.20.1.0/24}], security_groups: {db: $group, lb: server_node_sg}}
network: {cidr: 10.20.0.0/16}"
up
is "in the user's VPC: up" "$status" 0
is "the hosts are there" "$(ask describe-instances --filters Name=tag:pgha-cluster,Values=given \
    --query 'Reservations[].Instances[].[PrivateIpAddress, SubnetId, join(`,`, sort(SecurityGroups[].GroupName))]' | sed "s/$subnet/theirs/" | tr '\t' ' ' | sort)" \
    '10.20.1.11 theirs given-etcd,theirs
10.20.1.12 theirs given-etcd,theirs
10.20.1.13 theirs given-etcd,theirs
10.20.1.51 theirs server_node_sg
10.20.1.52 theirs server_node_sg'
is "no network was made" "$(aws_calls | jq -r .action | grep -E 'Create(Vpc|Subnet|Nat|Internet|RouteTable)')" ''
is "the user's group is as it was" "$(ask describe-security-groups --group-ids "$group" --query 'length(SecurityGroups[0].IpPermissions)')" 0
is "others name it" "$(ask describe-security-groups --filters Name=group-name,Values=given-etcd --query "length(SecurityGroups[0].IpPermissions[?UserIdGroupPairs[?GroupId==\`$group\`]])")" 1
plan --detailed-exitcode
is "the second plan is empty" "$status $(changes)" '0 '
down
is "down leaves what is the user's" "$status $(aws_census | diff - "$work/before")" '0 '
clean "the user's VPC"
ec2 delete-security-group --group-id "$group" >/dev/null
ec2 delete-subnet --subnet-id "$subnet"
ec2 delete-vpc --vpc-id "$vpc"

# ---- refused ----

# refused WHAT STATUS WORDS: by up; and nothing is left behind by down
refused() {
    up
    is "$1: exit status" "$status" "$2"
    like "$1: why" "$err" "$3"
    [ -z "${4:-}" ] || like "$1: what to do" "$err" "$4"
    aws_reset
}
small() { cluster small "provider: {name: aws${1:+, $1}}
network: {cidr: 10.4.0.0/24}"; }
small
aws_set 'denied=["ec2:DescribeVpcs"]'
refused "a denied look" 77 'ec2 DescribeVpcs: UnauthorizedOperation' 'must allow ec2:DescribeVpcs in eu-central-1'
aws_set 'denied=["ec2:RunInstances"]'
refused "a denied change" 77 'ec2 RunInstances: UnauthorizedOperation' 'must allow ec2:RunInstances'
aws_set 'denied=["iam:CreateRole"]'
down
aws_set 'denied=["iam:CreateRole"]'
refused "a denied role" 77 'iam CreateRole: AccessDenied' 'must allow iam:CreateRole'
down
aws_set 'full_zones=["eu-central-1b"]'
refused "a zone without room" 1 'InsufficientInstanceCapacity.*eu-central-1b' 'another zone or another instance type'
up
is "when there is room again: up" "$status" 0
down
small 'instance_type: t9.huge'
refused "an instance type that there is not" 65 'no instance type "t9.huge"' 't3.medium'
down
small 'ami: ami-00000000000000bad'
refused "an image that there is not" 65 'ami-00000000000000bad'
down
small 'ami: debian-7'
refused "an image's name that there is not" 65 'there is no "debian-7"' 'debian-13'
down
small 'zones: [a, q]'
refused "a zone that there is not" 1 'InvalidParameterValue.*eu-central-1q'
down
is "none of them leaves anything" "$(aws_census)" ''
small
(AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' && export AWS_ACCESS_KEY_ID && up; printf '%s\n%s\n' "$status" "$err" >"$work/refused")
like "no credentials: exit status" "$(head -n 1 "$work/refused")" '^77$'
like "no credentials: what to do" "$(cat "$work/refused")" 'AWS_PROFILE|aws configure'
(AWS_SECRET_ACCESS_KEY=wrong && up; printf '%s\n%s\n' "$status" "$err" >"$work/refused")
like "a wrong secret: exit status" "$(head -n 1 "$work/refused")" '^77$'
like "a wrong secret: what to do" "$(cat "$work/refused")" 'the secret access key does not belong to the key id'
aws_reset # it was meant to be
aws_fault 1 'error 400 RequestExpired' DescribeVpcs
refused "an expired session" 77 'RequestExpired' 'log in again|session has ended'
(unset AWS_REGION AWS_DEFAULT_REGION; up; printf '%s\n%s\n' "$status" "$err" >"$work/refused")
like "no region: exit status" "$(head -n 1 "$work/refused")" '^65$'
like "no region: what to do" "$(cat "$work/refused")" 'provider.region|AWS_REGION'

# ---- cluster files that cannot be ----

# bad WHAT WORDS YAML
bad() {
    cluster bad "$3"
    p validate
    is "$1: exit status" "$status" 65
    like "$1: why" "$out$err" "$2"
}
bad "a key of another provider" 'provider.image' 'provider: {name: aws, image: full}'
bad "a subnet without its VPC" 'needs provider.vpc' 'provider: {name: aws, subnets: [{id: subnet-1, cidr: 10.77.0.0/25}]}'
bad "a subnet outside of the VPC" '10.78.0.0/25 is no subnet of network.cidr' 'provider: {name: aws, vpc: vpc-1, subnets: [{id: subnet-1, cidr: 10.78.0.0/25}]}'
bad "subnets that overlap" 'overlaps 10.77.0.0/25' 'provider: {name: aws, vpc: vpc-1, subnets: [{id: subnet-1, cidr: 10.77.0.0/25}, {id: subnet-2, cidr: 10.77.0.64/26}]}'
bad "a subnet with a wrong id" 'no id of a subnet' 'provider: {name: aws, vpc: vpc-1, subnets: [{id: net-1, cidr: 10.77.0.0/25}]}'
bad "zones and subnets" 'the existing subnets have their zones' 'provider: {name: aws, zones: [a], vpc: vpc-1, subnets: [{id: subnet-1, cidr: 10.77.0.0/25}]}'
bad "no zones" 'one to 8 of them' 'provider: {name: aws, zones: []}'
bad "a network too small" 'cannot be a VPC with 3 zones' 'provider: {name: aws}
network: {cidr: 10.77.0.0/26}'
bad "a network too large" 'cannot be a VPC' 'provider: {name: aws}
network: {cidr: 10.0.0.0/8}'
bad "more nodes than addresses" 'nodes.db.count.*room for 10 of them' 'provider: {name: aws, zones: [a]}
nodes: {db: {count: 12}}
network: {cidr: 10.77.0.0/26}'
bad "a virtual address elsewhere" 'is not in 10.77.0.0/27, the subnet of the balancers' 'provider: {name: aws}
network: {vip: 10.77.0.200}'
bad "a virtual address of AWS's own" 'one of the five addresses' 'provider: {name: aws}
network: {vip: 10.77.0.1}'
bad "a route inside of the VPC" 'where no route can be' 'provider: {name: aws}
vip: {mode: route}
network: {vip: 10.77.0.9}'
bad "a route without an address" 'needs an address outside' 'provider: {name: aws}
vip: {mode: route}'

is "every request was right" "$(aws_violations)" ''
finish
