#!/bin/sh
# Secrets: sealed at rest, given or generated, changed on a running cluster, and seen nowhere else.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-sec 10.81.11.0/24 'nodes: {db: {count: 2}, lb: {count: 1}, etcd: {count: 1}}
postgres:
  databases: [{name: app, owner: app}]
  users: [{name: app, password_from: {env: T_SEC_PASSWORD}}, {name: report, password_from: {file: report.txt}}]
failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
login() { PGPASSWORD=$2 psql -XAtqc 'select current_user' "host=10.81.11.100 port=5000 user=$1 dbname=postgres sslmode=verify-full sslrootcert=$ca" 2>&1; }
state=$work/t-sec/.pgha/t-sec
sealed=$state/secrets.vault
ca=$state/pki/ca.crt
export T_SEC_PASSWORD

exits "a given password that is not there" 65 p up --yes
like "is told with the variable's name" "$err" 'user app.*T_SEC_PASSWORD'
T_SEC_PASSWORD=short
exits "one that is too short" 65 p up --yes

# ---- nothing leaks ----

# Every command line of this machine and of the hosts, which run on it, as long as the file is there.
watch() {
    while [ -e "$work/watching" ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' '; done >>"$work/seen"
}
T_SEC_PASSWORD=canary-of-the-app-user
echo canary-of-the-report-user >"$work/t-sec/report.txt"
: >"$work/watching"
watch &
watcher=$!
for command in "plan" "up --yes" "plan" "up --yes --json" "status --json" "verify" "logs db1 patroni" "inventory show" "render $work/rendered" \
    "ssh db1 true" "secrets list"; do
    # shellcheck disable=SC2086
    p -vv --events "$work/events" $command >>"$work/said" 2>&1 || note "failed: $command"
    cat "$work/events" >>"$work/said"
done
rm "$work/watching"
wait $watcher
for name in $(p secrets list --json | jq -r '.[].name' | grep -v -e cert -e '_key'); do
    p secrets show "$name"
done >"$work/canaries"
is "passwords to look for" "$(grep -c . "$work/canaries")" 8
is "both given ones are among them" "$(grep -c '^canary-of-the-' "$work/canaries")" 2
for name in $(p secrets list --json | jq -r '.[].name' | grep '_key'); do
    p secrets show "$name" | grep -v -e '---'
done >>"$work/canaries"
is "and lines of keys" "$([ "$(grep -c . "$work/canaries")" -gt 20 ] && echo yes)" yes
is "the commands were watched" "$([ "$(grep -c patroni "$work/seen")" -gt 0 ] && echo yes)" yes
found() { grep -cF -f "$work/canaries" "$@"; }
is "and what they told as events" "$([ "$(grep -c '"kind":"changed"' "$work/said")" -gt 50 ] && echo yes)" yes
is "no secret in what any command said" "$(found "$work/said")" 0
is "no secret in any process's arguments" "$(found "$work/seen")" 0
is "of each up there is a log" "$(find "$state/log" -name '*.jsonl' -size +1k | wc -l)" 2
is "no secret in plain in the state folder" "$(grep -rlF -f "$work/canaries" "$state")" ''
is "nothing in it is open to others" "$(find "$state" -perm /077 ! -name '*.pub')" ''
for host in db1 db2 lb1 etcd1; do
    is "$host: no secret in the journal" "$(p ssh $host journalctl --no-pager -o cat 2>/dev/null | found -)" 0
    p ssh $host 'cat >/root/canaries; chmod 600 /root/canaries' <"$work/canaries"
    is "$host: no secret in a file that others may read" "$(p ssh $host 'find /etc /var /run /tmp /root /home -xdev -type f -perm /007 -print0 | xargs -0 grep -lF -f /root/canaries' 2>/dev/null)" ''
    is "$host: none in a shell's history" "$(p ssh $host 'cat /root/.*history 2>/dev/null | grep -cF -f /root/canaries')" 0
    p ssh $host 'rm /root/canaries'
    is "$host: no core dumps of daemons" "$(p ssh $host 'for unit in etcd patroni haproxy keepalived; do systemctl is-active -q $unit && systemctl show -p LimitCORE --value $unit; done | sort -u')" 0
    is "$host: no daemon but keepalived runs as root" "$(p ssh $host 'ps -eo user=,args= | grep -E "bin/(etcd|patroni|haproxy|postgres)" | grep -v grep | grep -c ^root')" 0
done

# ---- passwords that change ----

is "the given password works" "$(login app "$T_SEC_PASSWORD")" app
is "the one from the file too" "$(login report canary-of-the-report-user)" report
is "conninfo has it" "$(p conninfo --json | jq -r .password)" canary-of-the-app-user
is "another user's, too" "$(p conninfo -U report --json | jq -r .password)" canary-of-the-report-user
old=$T_SEC_PASSWORD
T_SEC_PASSWORD='another one, with "quotes" & %'
like "plan with another password" "$(p plan 2>&1)" 'change the password of role app'
succeeds "up changes it" p up --yes
is "the new one works" "$(login app "$T_SEC_PASSWORD")" app
like "the old one does not" "$(login app "$old")" 'password authentication failed'
is "conninfo's URI works as printed" "$(psql -XAtqc 'select current_user' "$(p conninfo | awk '/^primary/ {print $2}')")" app
new=$T_SEC_PASSWORD
unset T_SEC_PASSWORD
rm "$work/t-sec/report.txt"
unchanged "without variable and file it stays" p up --yes
is "and works" "$(login app "$new")" app

# ---- rotation, killed on the way ----

p ssh db1 'python3 - 10.81.11.71 12' <tests/lib/etcd_clients.py >"$work/etcd" 2>&1 &
clients=$!
for _ in 1 2 3 4 5; do p ssh etcd1 /etc/etcd/member.sh restart; done
wait $clients
is "no restart of etcd answers a request with an error that costs the primary its lock" "$(cut -d' ' -f1 "$work/etcd" | tr '\n' ' ')" '200 closed '

superuser=$(p secrets show superuser)
authority=$(p secrets show ca_cert | openssl x509 -noout -serial)
for delay in 0.2 1 3 6; do
    "$pgha" -f "$file" secrets rotate --yes >/dev/null 2>&1 &
    pid=$!
    sleep $delay # the point of the test: a kill at an arbitrary moment
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
done
succeeds "up completes rotations that were killed" p up --yes
is "none is left" "$(p secrets list --json | jq '[.[] | select(.name | test("next"))] | length')" 0
superuser_killed=$(p secrets show superuser)
unlike "the superuser has another password" "$superuser_killed" "^$superuser\$"
clients_start
succeeds "secrets rotate" p secrets rotate --yes
clients_stop
is "without a failed login of a user whose password is given" "$(cat "$work/clients")" ''
is "the superuser's new password works" "$(login postgres "$(p secrets show superuser)")" postgres
like "the one before does not" "$(login postgres "$superuser_killed")" 'password authentication failed'
is "the given one is as it was" "$(login app "$new")" app
unlike "there is another authority" "$(p secrets show ca_cert | openssl x509 -noout -serial)" "^$authority\$"
is "and only one" "$(grep -c BEGIN "$ca")" 1
replica=$(p status --json | jq -r '[.members[] | select(.role == "replica")][0] | .name')
p ssh "$replica" systemctl restart patroni
wait_for 30 p verify
succeeds "a standby that is started anew streams with the new password" p verify
unchanged "a second up changes nothing" p up --yes

# ---- the key ----

cp "$sealed" "$work/sealed"
mv "$work/config/pgha-deploy/key" "$work/key"
exits "without the key" 77 p plan
like "what to do is told" "$err" 'vault-password-file|key file back'
exits "up without the key" 77 p up --yes
exits "with a passphrase instead" 77 env PGHA_VAULT_PASSWORD=guess "$pgha" -f "$file" plan
mv "$work/key" "$work/config/pgha-deploy/key"
chmod 644 "$work/config/pgha-deploy/key"
exits "a key that others can read" 77 p plan
like "is refused with the cure" "$err" 'chmod'
chmod 600 "$work/config/pgha-deploy/key"
head -c 900 "$work/sealed" >"$sealed"
exits "a cut file" 65 p plan
sed '3s/^./#/' "$work/sealed" >"$sealed"
exits "a damaged file" 65 p plan
exits "up over a damaged file" 65 p up --yes
is "leaves it as it is" "$(sed '3s/^./#/' "$work/sealed" | cmp - "$sealed" && echo same)" same
cp "$work/sealed" "$sealed"
succeeds "the file put back" p plan --detailed-exitcode
rm "$work/config/pgha-deploy/key"
succeeds "down needs no key" p down --yes

echo 'a passphrase of one line' >"$work/passphrase"
chmod 600 "$work/passphrase"
T_SEC_PASSWORD=canary-of-the-app-user
export T_SEC_PASSWORD
echo canary-of-the-report-user >"$work/t-sec/report.txt"
succeeds "a cluster under a passphrase" p --vault-password-file "$work/passphrase" up --hosts-only --yes
is "is sealed with scrypt" "$(head -1 "$sealed" | cut -d' ' -f3)" scrypt
exits "another passphrase" 77 env PGHA_VAULT_PASSWORD=guess "$pgha" -f "$file" conninfo
succeeds "the same from the environment" env PGHA_VAULT_PASSWORD='a passphrase of one line' "$pgha" -f "$file" conninfo
chmod 644 "$work/passphrase"
exits "a passphrase file that others can read" 77 p --vault-password-file "$work/passphrase" conninfo
finish
