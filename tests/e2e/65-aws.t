#!/bin/sh
# AWS, the whole way: the instances that moto has are booted here, with real cloud-init, metadata and API; a cluster file becomes a
# verified cluster, the address moves by the API alone, whoever loses it, and after `down` nothing is left, there or here.
. "${0%/*}/../lib/tap.sh"
. tests/lib/aws.sh
. tests/lib/cloud.sh
. tests/lib/writer.sh
need_root

vip=10.81.65.100
cloud_start t-cloud 10.81.65.0/24 10.81.65.254 $vip
ok $? "an AWS with hosts in it"
mkdir "$work/t-cloud"
file=$work/t-cloud/cluster.yaml
cat >"$file" <<END
cluster: t-cloud
provider: {name: aws, region: eu-central-1, zones: [a], nat: off}
network: {cidr: 10.81.65.0/24}
nodes: {db: {count: 3}, lb: {count: 2}}
postgres:
  synchronous: on
  databases: [{name: app, owner: app}]
  users: [{name: app}]
failover: {preset: fast}
END
p() { "$pgha" -f "$file" "$@"; }
sql() { psql -XAtq "$(p conninfo --json | jq -r .uris.primary)" -c "$1"; }

# Who has the address, by EC2 as the CLI tells it.
holder() {
    ec2 describe-instances --filters Name=instance-state-name,Values=running | jq -r --arg vip $vip '[.Reservations[].Instances[] |
        select(any(.NetworkInterfaces[].PrivateIpAddresses[]; .PrivateIpAddress == $vip)) |
        .Tags[] | select(.Key == "pgha-resource") | .Value | sub("instance."; "")] | join(" ")'
}
of_instance() { ec2 describe-instances --filters "Name=tag:pgha-resource,Values=instance.$1" Name=instance-state-name,Values=running \
    --query "Reservations[0].Instances[0].$2" --output text; }
interface() { of_instance "$1" 'NetworkInterfaces[0].NetworkInterfaceId'; }
is_at() { [ "$(holder)" = "$1" ]; }
other() { if [ "$1" = lb1 ]; then echo lb2; else echo lb1; fi; }
moves() { aws_calls | jq -s '[.[] | select(.action == "AssignPrivateIpAddresses" and .status == 200)] | length'; }
balancers() { aws_calls | jq -r 'select(.key != "AKIDEXAMPLE") | .action' | sort -u | tr '\n' ' '; }

# ---- up ----

start=$(date +%s%N)
succeeds "up" p up --yes
note "up took $((($(date +%s%N) - start) / 1000000)) ms"
[ "$status" = 0 ] || tail -n 30 "$work/cloud/log" >&2
like "says that it is verified" "$out" 'is up and verified'
is "AWS took every request" "$(aws_violations)" ''
is "five instances run" "$(ec2 describe-instances --filters Name=instance-state-name,Values=running --query 'length(Reservations[].Instances[])')" 5
is "each has a host" "$(cloud_hosts)" 5
is "cloud-init is content" "$(for host in db1 lb1; do p ssh $host 'cloud-init status --wait | tail -n 1; cat /run/cloud-init/cloud-id'; done | sort | uniq -c | tr -s ' \n' ' ')" \
    ' 2 aws 2 status: done '
is "it found EC2" "$(p ssh db1 cloud-init query ds.meta_data.instance-id)" "$(of_instance db1 InstanceId)"
is "hosts have their names" "$(p ssh db2 hostname)" db2
like "one balancer has the address, by EC2" "$(holder)" '^lb[12]$'
is "it is the one that keepalived chose" "$(p status --json | jq -r '[.balancers[] | select(.holds_vip) | .name] | join(" ")')" "$(holder)"
is "a client writes through it" "$(sql 'create table t(i int); insert into t values (7); select i from t')" 7
is "what the balancers have asked" "$(balancers)" 'AssignPrivateIpAddresses DescribeNetworkInterfaces '
role=$(iam list-roles --query 'Roles[0].RoleName' --output text)
is "is what their role allows" "$(iam get-role-policy --role-name "$role" --policy-name "$(iam list-role-policies --role-name "$role" --query 'PolicyNames[0]' --output text)" |
    jq -r '[.PolicyDocument.Statement[].Action] | flatten | sort | map(sub("ec2:"; "")) | join(" ")') " "$(balancers)"
# shellcheck disable=SC2016
like "databases have no role" "$(p ssh db1 'token=$(curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token)
    curl -s -o /dev/null -w "%{http_code}" -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/iam/security-credentials/')" 404
metadata_as() { # metadata_as HOST USER: the status of an answer to a request without a token; 000: there is none
    p ssh "$1" "setpriv --reuid=$2 --clear-groups curl -s --max-time 3 -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/"
}
is "PostgreSQL's user cannot ask for metadata" "$(metadata_as db1 postgres) $(metadata_as lb1 nobody)" '000 000'
is "the script's can" "$(metadata_as lb1 keepalived_script)" 401
is "nobody asks without a token" "$(p ssh db1 curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/)" 401

succeeds "verify" p verify
start=$(date +%s%N)
unchanged "a second up changes nothing" p up --yes
note "the second took $((($(date +%s%N) - start) / 1000000)) ms"

succeeds "plan has nothing to change" p plan --detailed-exitcode

# ---- the address moves ----

succeeds "a drill: a switchover" p drill --yes switchover
old=$(holder) before=$(moves)
succeeds "a drill: HAProxy frozen where the address is" p drill --yes haproxy-frozen --report "$work/report.json"
note "$(jq -r '.results[].channels[] | select(.name == "primary") | tojson' "$work/report.json" | head -c 400)"
is "the address is at the other one, by EC2" "$(holder)" "$(other "$old")"
is "moved once" "$(($(moves) - before))" 1

old=$(holder) new=$(other "$(holder)")
start=$(date +%s%N)
cloud_off "$old"
succeeds "the holder loses its power: the other one takes the address" wait_for 15 is_at "$new"
note "seen by the CLI after $((($(date +%s%N) - start) / 1000000)) ms"
succeeds "clients write again" wait_for 10 sql 'insert into t values (8)'
cloud_on "$old"
succeeds "it comes back" wait_for 60 p verify
is "the address stays" "$(holder)" "$new"
unlike "the old one has it no more" "$(p ssh "$old" 'ip -br -4 address show')" "$vip"

is "by hand it is given to a balancer that is backup" "$(ec2 assign-private-ip-addresses --network-interface-id "$(interface "$old")" \
    --private-ip-addresses $vip --allow-reassignment --query 'AssignedPrivateIpAddresses[0].PrivateIpAddress' --output text)" $vip
succeeds "its master takes it back" wait_for 30 is_at "$new"
like "and says so" "$(p ssh "$new" 'journalctl -o cat -t move-vip --no-pager')" 'moved away from its master: taking it back'
ec2 unassign-private-ip-addresses --network-interface-id "$(interface "$new")" --private-ip-addresses $vip
is "by hand it is taken away" "$(holder)" ''
succeeds "its master takes it back, a minute after the last time" wait_for 90 is_at "$new"
succeeds "clients write" wait_for 10 sql 'insert into t values (9)'
is "all rows are there" "$(sql 'select distinct i from t order by i' | tr '\n' ' ')" '7 8 9 '
succeeds "the cluster is whole" p verify
is "AWS took every request" "$(aws_violations)" ''

# ---- instances of another type: each is off once, one after the other ----

types() { ec2 describe-instances --filters Name=instance-state-name,Values=running |
    jq -r '[.Reservations[].Instances[] | (.Tags[] | select(.Key == "pgha-resource") | .Value | sub("instance."; "")) + " " + .InstanceType] | sort | join(" ")'; }
called() { aws_calls | jq -rs "[.[] | select(.action == \"StopInstances\" or .action == \"StartInstances\" or .action == \"ModifyInstanceAttribute\") | $1] | join(\" \")"; }
leader() { p status --json | jq -r '.members[] | select(.role == "leader") | .name'; }
old=$(types)
sed -i 's/^nodes: .*/nodes: {db: {count: 3, instance_type: r6i.large}, lb: {count: 2, instance_type: t3.large}}/' "$file"
run p plan
like "plan tells what another type takes" "$out" 'type: t3.medium -> r6i.large  \[off and on again in its turn; a primary gives way before\]'
succeeds "network and hosts only" p up --hosts-only --yes
like "turns nothing off that runs" "$err" 'lb2 is left as it is: its change is for a whole `up`'
is "as it says" "$(types)" "$old"

succeeds "a writer" writer_build
aws_reset
led=$(interface "$(leader)") had=$(interface "$(holder)")
writes_over p up --yes
is "up" "$status" 0
is "every instance has its type, by EC2" "$(types)" 'db1 r6i.large db2 r6i.large db3 r6i.large lb1 t3.large lb2 t3.large'
is "stopped, changed and started, one after the other" "$(called '.action | sub("Instance(s|Attribute)"; "")' | sed 's/Stop Modify Start/x/g')" 'x x x x x'
instance_of() { ec2 describe-network-interfaces --network-interface-ids "$1" --query 'NetworkInterfaces[0].Attachment.InstanceId' --output text; }
is "the balancer with the address after the other, the primary last" "$(called 'select(.action == "StopInstances") | .params["InstanceId.1"]' | cut -d' ' -f4,5)" \
    "$(instance_of "$had") $(instance_of "$led")"
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le 4000 ]; echo $?)" "and hardly noticed: $gap ms"
succeeds "nothing is to be done after that" p plan --detailed-exitcode

sed -i 's/t3.large/t4g.large/' "$file"
aws_reset
exits "a type of another architecture is refused" 65 p up --yes
like "with what it is" "$err" 't4g.large is arm64, and its system is for x86_64'
is "before anything is turned off" "$(called .action)" ''
sed -i 's/t4g.large/t3.xlarge/' "$file"
aws_fault 1 hold ModifyInstanceAttribute
"$pgha" -f "$file" -q up --yes >/dev/null 2>&1 &
pid=$!
succeeds "a run that has stopped a balancer" wait_for 60 aws_held
kill -9 $pid
wait $pid 2>/dev/null
aws_reset
succeeds "and was killed: the next one goes on" p up --yes
is "to the types that are wanted" "$(types)" 'db1 r6i.large db2 r6i.large db3 r6i.large lb1 t3.xlarge lb2 t3.xlarge'
is "AWS took every request" "$(aws_violations)" ''

# ---- instances that are lost, and made anew ----

id_of() { ec2 describe-instances --filters Name=tag:Name,Values="t-cloud-$1" Name=instance-state-name,Values=running,stopped --query 'Reservations[0].Instances[0].InstanceId' --output text; }
lost=$(p status --json | jq -r '.members[] | select(.role != "leader") | .name' | head -n 1)
was=$(id_of "$lost")
ec2 terminate-instances --instance-ids "$was" >/dev/null
four() { [ "$(cloud_hosts)" = 4 ]; }
succeeds "its host ends" wait_for 30 four
aws_reset
succeeds "up, when somebody has terminated an instance" p up --yes
like "it is another one" "$was $(id_of "$lost")" '^i-[0-9a-f]+ i-[0-9a-f]+$'
unlike "with another id" "$(id_of "$lost")" "^$was\$"
is "etcd has all its members" "$(p status --json | jq '[.etcd[] | select(.healthy)] | length')" 3
led=$(leader)
was=$(id_of "$led")
aws_set terminate_ms=5000 # as AWS has it: nobody has its address before its host has ended
writes_over p up --replace "$led" --yes
is "the primary's instance is made anew" "$status" 0
[ "$status" = 0 ] || complain "$err"
aws_set terminate_ms=0
unlike "with another id" "$(id_of "$led")" "^$was\$"
unlike "another one leads" "$(leader)" "^$led\$"
is "the writer lost nothing" "$lost" 0
ok "$([ "$gap" -le "$(switchover_bound)" ]; echo $?)" "and waited no longer than a switchover may take: $gap ms"
succeeds "nothing is to be done after that" p plan --detailed-exitcode
is "AWS took every request" "$(aws_violations)" ''

# ---- down ----

succeeds "down" p down --yes
is "no instance" "$(ec2 describe-instances --filters Name=instance-state-name,Values=pending,running,stopping,stopped,shutting-down --query 'length(Reservations[].Instances[])')" 0
for what in vpcs:Vpcs subnets:Subnets security-groups:SecurityGroups key-pairs:KeyPairs network-interfaces:NetworkInterfaces volumes:Volumes \
    route-tables:RouteTables placement-groups:PlacementGroups addresses:Addresses; do
    is "no ${what%:*}" "$(ec2 describe-"${what%:*}" --filters Name=tag:pgha-cluster,Values=t-cloud --query "length(${what#*:})")" 0
done
is "no role, no profile" "$(iam list-roles --query 'length(Roles)') $(iam list-instance-profiles --query 'length(InstanceProfiles)')" '0 0'
no_hosts() { [ "$(cloud_hosts)" = 0 ]; }
succeeds "no host" wait_for 20 no_hosts
is "no state" "$(ls -d "$work/t-cloud/.pgha" 2>/dev/null)" ''
cloud_down
is "nothing on this machine" "$(traces t-cloud)$(ip -br link | grep pgha-t-cloud)" ''
finish
