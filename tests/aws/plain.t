#!/bin/sh
# Provider aws against moto as Debian has it, without the corrections of the other tests: emulators leave things out, and that
# must not be in the way of what they can do.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
need_root

aws_plain() {
    root_ready "$aws_root" usr/bin/moto_server python3-moto,python3-flask,python3-flask-cors || return 1
    port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    in_root "$aws_root" "$work" moto_server -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
    servers="$servers $!"
    moto=http://127.0.0.1:$port
    AWS_ENDPOINT_URL=$moto AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=not/a+secret AWS_REGION=eu-central-1
    AWS_DEFAULT_REGION=eu-central-1 HOME=$work AWS_PAGER='' NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
    export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION HOME AWS_PAGER NO_PROXY no_proxy
    unset AWS_PROFILE AWS_SESSION_TOKEN
    wait_for 60 curl --silent --output /dev/null "$moto"
}
aws_plain || exit 1
file=$work/cluster.yaml
p() { "$pgha" -f "$file" "$@"; }
count() { ec2 "$1" --filters Name=tag:pgha-cluster,Values=demo --query "length($2)"; }

printf 'cluster: demo\nprovider: {name: aws}\n' >"$file"
exits 'an image that the emulator does not have' 65 p up --hosts-only --yes
like 'is named, with what to do' "$err" 'provider.ami: the id of an image'
image=$(ec2 describe-images --filters Name=architecture,Values=x86_64 --query 'Images[0].ImageId' --output text)
for bastion in off on; do
    printf 'cluster: demo\nprovider: {name: aws, ami: %s, bastion: %s}\naccess: {ssh: [192.0.2.0/24]}\n' "$image" $bastion >"$file"
    succeeds "bastion $bastion: up --hosts-only" p up --hosts-only --yes
    is 'makes the instances' "$(ec2 describe-instances --filters Name=tag:pgha-cluster,Values=demo Name=instance-state-name,Values=running \
        --query 'length(Reservations[].Instances[])')" "$([ $bastion = on ] && echo 6 || echo 5)"
    is 'and one VPC' "$(count describe-vpcs Vpcs)" 1
    run p plan --hosts-only --detailed-exitcode
    is 'then nothing is to be done' "$status $out" "0 Cluster demo is as the cluster file says: nothing to change."
    [ $bastion = on ] || succeeds 'down' p down --yes # this moto does not take rules away
done
# shellcheck disable=SC2016
printf 'cluster: costs\nprovider: {name: aws, ami: %s, data_volume: {size: 100, iops: 6000}}\nnodes: {db: {instance_type: r6i.xlarge}}\n' "$image" >"$work/costs.yaml"
run "$pgha" -f "$work/costs.yaml" plan --hosts-only
like 'a plan tells what it costs' "$out" '^ +665\.76  3 x r6i\.xlarge$' # 3 * 730 * 2 * 0.152
like 'disks with what they do more' "$out" '^ +82\.56  3 x gp3 disk of 100 GiB, 6000 IOPS' # 3 * (100 * 0.0952 + 3000 * 0.006)
like 'and all of it' "$out" '^About 869\.53 USD a month in eu-central-1 by prices of 2[0-9-]+,'
sed -i 's/r6i/x99/' "$work/costs.yaml"
run "$pgha" -f "$work/costs.yaml" --json plan --hosts-only
is 'what has no price is not guessed' "$(printf '%s' "$out" | jq -c '.cost | [.month, (.parts[] | select(.what == "x99.xlarge") | .n, .month)]')" '[203.77,3,null]'
sed -i 's/name: aws/name: aws, prices: own.yaml/' "$work/costs.yaml"
exits 'a table that is not there' 65 "$pgha" -f "$work/costs.yaml" plan --hosts-only
"$pgha" docs prices | sed 's/instances: {/instances: {x99.xlarge: 1, /' >"$work/own.yaml"
like "a table of the user's own" "$("$pgha" -f "$work/costs.yaml" plan --hosts-only 2>/dev/null)" '^ +2190\.00  3 x x99\.xlarge$'
printf 'vip: {mode: route}\nnetwork: {vip: 10.255.0.100}\n' >>"$file"
exits 'a balancer that would move to another zone' 0 p plan --hosts-only
succeeds 'down' p down --yes
is 'leaves no VPC' "$(count describe-vpcs Vpcs)" 0
is 'no key' "$(ec2 describe-key-pairs --query 'length(KeyPairs)')" 0
is 'no address' "$(ec2 describe-addresses --query 'length(Addresses)')" 0
is 'no role' "$(iam list-roles --query 'length(Roles[?starts_with(RoleName, `pgha`)])')" 0
succeeds 'vip.mode route' p up --hosts-only --yes
exits 'then nothing is to be done' 0 p plan --hosts-only --detailed-exitcode
succeeds 'down' p down --yes
finish
