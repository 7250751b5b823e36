#!/bin/sh
# The stand-in for AWS: it takes what real clients send, refuses what AWS would not take, and can be made to fail.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
need_root

aws_start
ok $? "moto and the proxy are up"
like "moto is the one that overlay.py was made for" "$(chroot "$aws_root" dpkg-query -W -f '${Version}' python3-moto)" '^5\.1\.1-'
clients() { /usr/bin/python3 -B tests/aws/clients.py "$@"; }
cli() { run /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" --cli-connect-timeout 5 --output text "$@"; }

# What clients send.
clients typical >"$work/judged" 2>"$work/errors"
is "botocore goes through to the end" "$? $(cat "$work/errors")" '0 '
judged "$work/judged"
is "nothing of it is held against it" "$(aws_violations)" ''
is "kinds of calls" "$(($(aws_calls | jq -r .action | sort -u | wc -l) >= 60))" 1
cli ec2 describe-images --owners 099720109477 --filters 'Name=name,Values=ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-*' \
    --query 'sort_by(Images, &CreationDate)[-1].Name'
is "the AWS CLI, too" "$status $out" '0 ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20251110'
cli ec2 create-vpc --cidr-block 10.8.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=a,Value=b}]' --query Vpc.VpcId
vpc=$out
is "what it makes is there" "$(ec2 describe-vpcs --vpc-ids "$vpc" --query 'Vpcs[0].Tags[0].Value' --output text)" b
cli ec2 delete-vpc --vpc-id "$vpc"
cli --region us-east-1 iam list-roles --query 'length(Roles)'
is "and IAM" "$status $out" '0 0'
run curl --silent --fail-with-body --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --aws-sigv4 aws:amz:eu-central-1:ec2 \
    --data Action=DescribeVpcs --data Version=2016-11-15 "$AWS_ENDPOINT_URL/"
is "and curl" "$status" 0
is "without a violation" "$(aws_violations)" ''

# What AWS would not take.
aws_reset
clients bad >"$work/judged" 2>"$work/errors"
is "bad requests are made" "$? $(cat "$work/errors")" '0 '
count=$(awk '/^count/ {print $2}' "$work/judged")
sed -i '/^count/d' "$work/judged"
judged "$work/judged"
is "each is a violation" "$(aws_violations | grep -c .)" "$count"
like "which says why" "$(aws_violations)" '^2 ec2 DescribeVpcs: UnknownParameter: The parameter vpcId.1 is not recognized'
aws_reset
is "forgotten" "$(aws_violations)$(aws_calls)" ''

# What takes its time.
aws_set hidden_ms=1500
clients young >"$work/judged" 2>"$work/errors"
is "what was just made is not seen yet" "$? $(cat "$work/errors")" '0 '
judged "$work/judged"
aws_reset
image=$(ec2 describe-images --owners 136693071363 --filters Name=name,Values=debian-12-amd64-20251112-2294 --query 'Images[0].ImageId' --output text)
aws_set unknown_ms=600000
cli ec2 create-vpc --cidr-block 10.4.0.0/16 --query Vpc.VpcId
vpc=$out
cli ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.4.0.0/24
like "nor known to other calls" "$err" 'InvalidVpcID.NotFound'
cli --region us-east-1 iam create-instance-profile --instance-profile-name young
cli ec2 run-instances --image-id "$image" --instance-type t3.small --iam-instance-profile Name=young
like "an instance profile least of all" "$err" 'InvalidParameterValue.*Invalid IAM Instance Profile name'
aws_clear
aws_set terminate_ms=600000 nat_ms=600000 pending_ms=600000
vpc=$(ec2 create-vpc --cidr-block 10.8.0.0/16 --query Vpc.VpcId --output text)
subnet=$(ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.8.0.0/24 --availability-zone eu-central-1a --query Subnet.SubnetId --output text)
igw=$(ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text)
ec2 attach-internet-gateway --internet-gateway-id "$igw" --vpc-id "$vpc"
address=$(ec2 allocate-address --query AllocationId --output text)
cli ec2 run-instances --image-id "$image" --instance-type t3.small --subnet-id "$subnet" --private-ip-address 10.8.0.10 --query 'Instances[0].InstanceId'
instance=$out
cli ec2 create-nat-gateway --subnet-id "$subnet" --allocation-id "$address" --query NatGateway.NatGatewayId
nat=$out
state() { ec2 describe-instances --instance-ids "$instance" --query 'Reservations[0].Instances[0].State.Name' --output text; }
nat_state() { ec2 describe-nat-gateways --nat-gateway-ids "$nat" --query 'NatGateways[0].State' --output text; }
is "pending" "$(state) $(nat_state)" 'pending pending'
aws_set pending_ms=0
is "then running, and available" "$(state) $(nat_state)" 'running available'
cli ec2 terminate-instances --instance-ids "$instance"
cli ec2 delete-nat-gateway --nat-gateway-id "$nat"
is "shutting down, and deleting" "$(state) $(nat_state)" 'shutting-down deleting'
cli ec2 delete-subnet --subnet-id "$subnet"
like "its subnet is in use for so long" "$err" 'DependencyViolation.*has dependencies and cannot be deleted'
cli ec2 release-address --allocation-id "$address"
like "and its address" "$err" 'InvalidIPAddress.InUse'
aws_set terminate_ms=0 nat_ms=0
is "gone" "$(state) $(nat_state)" 'terminated deleted'
cli ec2 delete-subnet --subnet-id "$subnet"
is "then it goes" "$status" 0
aws_reset
aws_set 'full_zones=["eu-central-1b"]' 'denied=["ec2:CreateVpc","iam:CreateRole"]'
subnet=$(ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.8.1.0/24 --availability-zone eu-central-1b --query Subnet.SubnetId --output text)
AWS_MAX_ATTEMPTS=1 cli ec2 run-instances --image-id "$image" --instance-type t3.small --subnet-id "$subnet"
like "a zone without room" "$err" 'InsufficientInstanceCapacity.*eu-central-1b'
cli ec2 create-vpc --cidr-block 10.8.0.0/16
like "a missing permission" "$err" 'UnauthorizedOperation.*Encoded authorization failure message: '
cli sts decode-authorization-message --encoded-message "${err##*message: }" --query DecodedMessage
is "decoded" "$(printf '%s' "$out" | jq -r .context.action)" ec2:CreateVpc
aws_clear
is "cleared: the default VPC alone" "$(ec2 describe-vpcs --query 'length(Vpcs)') $(ec2 describe-subnets --filters Name=cidr-block,Values=10.8.1.0/24 --query 'length(Subnets)')" '1 0'

# Faults.
vpcs() { ec2 describe-vpcs --filters Name=cidr,Values="$1" --query 'length(Vpcs)'; }
raw() { # raw CIDR: one attempt to make a VPC
    run curl --silent --show-error --max-time 10 --write-out '\n%{http_code}' --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --aws-sigv4 aws:amz:eu-central-1:ec2 \
        --data Action=CreateVpc --data Version=2016-11-15 --data CidrBlock="$1" "$AWS_ENDPOINT_URL/"
}
code() { printf '%s\n' "$out" | tail -n 1; }
aws_fault 2 throttle
raw 10.1.0.0/16
is "the first call is done" "$(code) $(vpcs 10.1.0.0/16)" '200 1'
raw 10.2.0.0/16
like "the second is throttled" "$out" '<Code>RequestLimitExceeded</Code>'
is "and not done" "$(code) $(vpcs 10.2.0.0/16)" '503 0'
raw 10.2.0.0/16
is "the third is done" "$(code) $(vpcs 10.2.0.0/16)" '200 1'
aws_fault 1 'error 500 InternalError after 7' CreateVpc 2
raw 10.5.0.0/16
is "an error" "$(code) $(vpcs 10.5.0.0/16)" '500 0'
raw 10.5.0.0/16
is "twice" "$(code) $(vpcs 10.5.0.0/16)" '500 0'
aws_fault 1 'bare 502'
raw 10.5.0.0/16
is "without a body" "$(code) $(printf '%s' "$out" | wc -c) $(vpcs 10.5.0.0/16)" '502 4 0'
aws_fault 1 reset
raw 10.5.0.0/16
is "reset before it is done" "$status $(vpcs 10.5.0.0/16)" '56 0'
aws_fault 1 lost
raw 10.5.0.0/16
is "done, and the answer lost" "$status $(vpcs 10.5.0.0/16)" '52 1'
aws_fault 1 'hang 1'
raw 10.6.0.0/16
is "done, and no answer for a while" "$status $(vpcs 10.6.0.0/16)" '52 1'
aws_fault 1 malformed
raw 10.7.0.0/16
unlike "half an answer" "$out" '</CreateVpcResponse>'
is "of what was done" "$(code) $(vpcs 10.7.0.0/16)" '200 1'
aws_fault 1 'junk 10000000'
raw 10.10.0.0/16
is "ten megabytes of no XML" "$(($(printf '%s' "$out" | wc -c))) $(vpcs 10.10.0.0/16)" '10000004 1'
is "the log has them" "$(aws_calls | jq -r '.fault // "-"' | tr '\n' ' ')" \
    '- throttle - error 500 InternalError after 7 error 500 InternalError after 7 bare 502 reset lost hang 1 malformed junk 10000000 '
exits "a fault that there is not" 1 aws_fault 1 nonsense
aws_fault 1 hold
raw 10.11.0.0/16 &
held=$!
wait_for 10 aws_held
ok $? "a call is held"
is "when it is done" "$(vpcs 10.11.0.0/16)" 1
( raw 10.12.0.0/16 ) &
more=$!
wait_for 10 sh -c '[ "$(curl --silent "$AWS_ENDPOINT_URL/_control" | jq .held)" = 2 ]'
is "and nothing more is done" "$? $(vpcs 10.12.0.0/16)" '0 0'
aws_reset
wait $held $more
is "not even then" "$(vpcs 10.12.0.0/16)" 0

# Many at once, each as slow as a real one.
aws_set delay_ms=200
begun=$(date +%s%N)
parallel=
for _ in $(seq 32); do
    curl --silent --output /dev/null --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --aws-sigv4 aws:amz:eu-central-1:ec2 \
        --data Action=DescribeVpcs --data Version=2016-11-15 "$AWS_ENDPOINT_URL/" &
    parallel="$parallel $!"
done
# shellcheck disable=SC2086
wait $parallel
took=$((($(date +%s%N) - begun) / 1000000))
note "32 calls of 200 ms at once: $took ms"
is "32 at once take no longer than a few, one after another" "$((took >= 200 && took < 3200)) $(aws_calls | jq -r .status | sort | uniq -c | tr -s ' ')" '1  32 200'
is "every request was right" "$(aws_violations)" ''
finish
