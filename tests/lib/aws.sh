# aws.sh - a stand-in for AWS: moto behind a proxy that judges every request. After tap.sh; as root.
#
#   aws_start [ADDRESS]       both, and the environment of a client: AWS_ENDPOINT_URL, region eu-central-1, keys, no profile; the
#                             proxy at ADDRESS (127.0.0.1)
#   aws_calls                 the calls so far, a line of JSON each: {n, time, service, region, action, key, params, status, error, fault}
#   aws_violations            what AWS would not have taken, a line each; a test ends with: is "every request was right" "$(aws_violations)" ''
#   aws_reset                 forgets both, and all that was set; AWS's things stay
#   aws_clear                 a new, empty AWS, and aws_reset
#   aws_set NAME=VALUE...     delay_ms hidden_ms unknown_ms terminate_ms nat_ms pending_ms full_zones='["eu-central-1b"]' denied='["ec2:RunInstances"]'
#   aws_fault K KIND [ACTION [TIMES]]   the K-th call from now (of ACTION); KIND as tests/aws/proxy.py tells: lost, reset, throttle,
#                             'error 503 Unavailable', malformed, 'junk 10000000', 'hang 5', hold
#   aws_held                  succeeds while a call is held
#   aws_census                all that the account has, asked of moto by botocore, a line each; tests/aws/census.py
#   ec2, iam, sts ARGUMENT... the AWS CLI, asking moto itself; how a test sees what there is
#
# Images: Debian 12 and 13 (136693071363), Ubuntu 22.04 and 24.04 (099720109477), two dates and both architectures each.
# shellcheck shell=sh
. tests/lib/root.sh
aws_root=${AWS_ROOT:-/var/cache/pgha-deploy/tests/moto-trixie}

aws_start() {
    root_ready "$aws_root" usr/bin/moto_server python3-moto,python3-flask,python3-flask-cors || return 1
    rm -f "$work/moto.port" "$work/aws.port"
    mkdir -p "$work/aws-home"
    in_root "$aws_root" "$work" env MOTO_AMIS_PATH="$PWD/tests/aws/images.json" MOTO_ENABLE_AMI_VALIDATION=1 \
        MOTO_ENABLE_KEYPAIR_VALIDATION=1 MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION=1 \
        python3 -B tests/aws/overlay.py "$work/moto.port" >"$work/moto.log" 2>&1 &
    servers="$servers $!"
    wait_for 60 test -s "$work/moto.port" || { complain "$(tail -n 5 "$work/moto.log")"; return 1; }
    moto=http://127.0.0.1:$(cat "$work/moto.port")
    setpriv --pdeathsig TERM /usr/bin/python3 -B tests/aws/proxy.py "$work/aws.port" "${moto##*:}" "${1:-127.0.0.1}" >"$work/proxy.log" 2>&1 &
    servers="$servers $!"
    wait_for 30 test -s "$work/aws.port" || { complain "$(tail -n 5 "$work/proxy.log")"; return 1; }
    AWS_ENDPOINT_URL=http://${1:-127.0.0.1}:$(cat "$work/aws.port")
    AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=not/a+secret AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1
    AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=$work/aws-home/config AWS_SHARED_CREDENTIALS_FILE=$work/aws-home/credentials
    AWS_PAGER='' HOME=$work/aws-home NO_PROXY=127.0.0.1,localhost,${1:-127.0.0.1}
    no_proxy=$NO_PROXY
    export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION AWS_EC2_METADATA_DISABLED \
        AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_PAGER HOME NO_PROXY no_proxy
    unset AWS_PROFILE AWS_SESSION_TOKEN
}

aws_state() { curl --silent --fail "$AWS_ENDPOINT_URL/_control"; }
aws_control() { # aws_control JSON
    curl --silent --show-error --fail-with-body --output "$work/control" --data "$1" "$AWS_ENDPOINT_URL/_control" || { complain "$(cat "$work/control")"; return 1; }
}
aws_calls() { aws_state | jq -c '.calls[]'; }
aws_violations() { aws_state | jq -r '.violations[] | "\(.n) \(.service) \(.action): \(.why)"'; }
aws_reset() { aws_control '{"reset": true}'; }
aws_clear() { aws_reset && curl --silent --fail --request POST --output /dev/null "$moto/moto-api/reset"; }
aws_held() { [ "$(aws_state | jq .held)" != 0 ]; }
aws_set() { # numbers and lists are JSON, the rest is text
    for setting in "$@"; do
        aws_control "$(jq -nc --arg name "${setting%%=*}" --arg value "${setting#*=}" '{set: {($name): ($value | fromjson? // $value)}}')" || return 1
    done
}
aws_fault() {
    aws_control "$(jq -nc --argjson at "$1" --arg kind "$2" --arg action "${3:-}" --argjson times "${4:-1}" \
        '{fault: {at: $at, kind: $kind, times: $times, action: (if $action == "" then null else $action end)}}')"
}
ec2() { /usr/bin/aws --endpoint-url "$moto" ec2 "$@"; }
iam() { /usr/bin/aws --endpoint-url "$moto" --region us-east-1 iam "$@"; }
sts() { /usr/bin/aws --endpoint-url "$moto" sts "$@"; }
aws_census() { /usr/bin/python3 -B tests/aws/census.py "$moto"; }
