#!/bin/sh
# Calls: what is sent is signed as botocore signs it; what is repeated, and what is not; how errors are told.
. "${0%/*}/../lib/tap.sh"

helper tests/aws/call.c "$work/call" || exit 1
echo 'ok' >"$work/script"
: >"$work/log"
setpriv --pdeathsig TERM /usr/bin/python3 -B tests/aws/server.py "$work/port" "$work/script" "$work/log" &
servers=$!
wait_for 10 test -s "$work/port"
ok $? "a server"
endpoint=http://127.0.0.1:$(cat "$work/port")
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=secret
requests() { grep -c . "$work/log"; }
call() { # call SCRIPT ARGUMENT...: fills $out, $status
    printf '%b\n' "$1" >"$work/script"
    shift
    : >"$work/log"
    run "$work/call" "$endpoint" eu-central-1 "$@"
}

call 'ok <vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>' ec2 DescribeVpcs Filter.1.Name=tag:Name 'Filter.1.Value.1=a b&c=ä/~'
is "a call is answered" "$status $out" '0 {"requestId":"fake-1","vpcSet":[{"vpcId":"vpc-1"}]}'
is "its parameters" "$(jq -c .params "$work/log")" \
    '{"Action":"DescribeVpcs","Version":"2016-11-15","Filter.1.Name":"tag:Name","Filter.1.Value.1":"a b&c=ä/~"}'
is "its signature" "$(jq -r '"\(.signed) \(.region) \(.service)"' "$work/log")" 'true eu-central-1 ec2'
AWS_SESSION_TOKEN=a/session+token= call ok sts GetCallerIdentity
is "with a session's token" "$(jq -r '"\(.signed) \(.region) \(.service)"' "$work/log")" 'true eu-central-1 sts'
call ok iam ListRoles
is "IAM is signed for its own region" "$(jq -r '"\(.signed) \(.region) \(.service)"' "$work/log")" 'true us-east-1 iam'

call 'error 503 RequestLimitExceeded\nerror 500 InternalError\nok' ec2 DescribeVpcs
is "throttled, then a fault of the server, then answered" "$status $(requests)" '0 3'
call 'error 503 RequestLimitExceeded' ec2 DescribeVpcs
is "three attempts" "$status $(requests)" '1 3'
like "AWS's words, and the request" "$out" '^[0-9]+ ec2 DescribeVpcs: RequestLimitExceeded: Words of EC2. \(request fake-2\)$'
call 'bare 502\nok' ec2 DescribeVpcs
is "a balancer's error without a body is repeated" "$status $(requests)" '0 2'
call 'reset\nok' ec2 DescribeVpcs
is "so is a connection that was reset" "$status $(requests)" '0 2'
call 'junk 40\nok' ec2 DescribeVpcs
is "and an answer that is no XML" "$status $(requests)" '0 2'
call 'junk 10000000\nok' ec2 DescribeVpcs
is "or too large" "$status $(requests)" '0 2'
call 'error 503 Unavailable after 2\nok' ec2 DescribeVpcs
is "as late as the server wants it" "$status $(jq -s '.[1].time - .[0].time >= 2' "$work/log")" '0 true'

call 'error 500 InsufficientInstanceCapacity' ec2 RunInstances
is "a zone without room is not asked again" "$status $(requests)" '1 1'
like "but named" "$out" 'another zone'
call 'reset\nok' ec2 CreateVpc --once
is "what must not happen twice is not repeated when its answer was lost" "$status $(requests)" '1 1'
call 'error 503 RequestLimitExceeded\nok' ec2 CreateVpc --once
is "but when it was refused" "$status $(requests)" '0 2'
is "over connections of its own, where libcurl repeats nothing" "$(jq -s 'map(.connection) | unique | length' "$work/log")" 2
call 'error 400 InvalidVpcID.NotFound' ec2 DescribeVpcs
is "a refusal is no cause to ask again" "$status $(requests)" '1 1'
is "its code" "$(printf '%s\n' "$out" | tail -n 1)" InvalidVpcID.NotFound
call 'error 403 UnauthorizedOperation' ec2 CreateVpc
like "a missing permission is named" "$out" "^the credentials' policies must allow ec2:CreateVpc in eu-central-1"
call 'error 400 RequestExpired' ec2 DescribeVpcs
like "the clock" "$out" 'clock of this machine'
call 'error 400 VpcLimitExceeded' ec2 CreateVpc
like "a quota" "$out" 'quota of the account in region eu-central-1'
call 'body 200 <!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>' ec2 DescribeVpcs
like "entities are refused" "$out" 'document type'

call 'ok <vpcSet><item><vpcId>1</vpcId></item></vpcSet><nextToken>n/1</nextToken>\nok <vpcSet><item><vpcId>2</vpcId></item></vpcSet>' \
    ec2 DescribeVpcs MaxResults=5 --all vpcSet
is "all pages" "$out" '[{"vpcId":"1"},{"vpcId":"2"}]'
is "over one connection" "$(jq -s 'map(.connection) | unique | length' "$work/log")" 1
is "by their tokens" "$(jq -sc '[.[].params.NextToken]' "$work/log")" '[null,"n/1"]'
is "every request was signed" "$(jq -s 'all(.[]; .signed)' "$work/log")" true
finish
