#!/bin/sh
# TLS on every wire: versions, who must show a certificate, who is refused, and renewal.
. "${0%/*}/../lib/tap.sh"
need_root

lab t-tls 10.81.10.0/24 'failover: {preset: fast}'
p() { "$pgha" -f "$file" "$@"; }
state=$work/t-tls/.pgha/t-tls
ca=$state/pki/ca.crt
hello() { openssl s_client -connect "$1:$2" -CAfile "$ca" -verify_return_error -brief ${3:-} ${4:-} </dev/null 2>&1; }
speaks() { hello "$@" | grep -c 'CONNECTION ESTABLISHED'; }
serial() { openssl s_client -connect "$1:$2" ${3:-} ${4:-} </dev/null 2>/dev/null | openssl x509 -noout -serial; }
patroni() { curl -s -m 5 -o /dev/null -w '%{http_code}' --cacert "$ca" "$@"; }

# Made 300 days ago, so that 65 of 365 days are left of every certificate. The monotonic clock stays: below zero, timeouts
# of libraries never end.
succeeds "up 300 days ago" env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f '-300d' "$pgha" -f "$file" up --yes
# What members show now, to be compared after the renewal.
shown() {
    for wire in "5432 -starttls postgres" "8008" "2379"; do serial 10.81.10.11 $wire; done
    p ssh db2 'openssl s_client -connect 10.81.10.11:2380 </dev/null 2>/dev/null | openssl x509 -noout -serial' # members only
    serial 10.81.10.51 7000
}
before=$(shown)
run p plan
like "plan renews what expires soon" "$out" 'copy /etc/patroni/tls/host.crt'
unlike "and shows no key" "$out$err" 'PRIVATE KEY'
leader=$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')
clients_start
succeeds "up renews" p up --yes
clients_stop
is "while no client of the primary port failed" "$(cat "$work/clients")" ''
is "and the primary stayed" "$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')" "$leader"
# Patroni reads its configuration anew in its next turn.
changed() { [ "$(serial 10.81.10.11 8008)" != "$(printf '%s\n' "$before" | sed -n 2p)" ]; }
wait_for 15 changed
after=$(shown)
i=1
for wire in PostgreSQL "Patroni's REST API" "etcd for clients" "etcd for members" "HAProxy's statistics"; do
    unlike "$wire shows another certificate" "$(printf '%s\n' "$after" | sed -n ${i}p)" "^$(printf '%s\n' "$before" | sed -n ${i}p)\$"
    i=$((i + 1))
done
succeeds "verify" p verify
unchanged "a second up changes nothing" p up --yes

for wire in "10.81.10.11 5432 -starttls postgres" "10.81.10.100 5000 -starttls postgres" "10.81.10.11 8008" "10.81.10.51 7000"; do
    is "$wire: a verified certificate" "$(speaks $wire)" 1
    is "$wire: not below TLS 1.2" "$(openssl s_client -connect $(echo $wire | sed 's/ /:/') -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null 2>&1 | grep -c '^New, TLSv1.1')" 0
done
like "etcd: TLS 1.2 at least" "$(openssl s_client -connect 10.81.10.11:2379 -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null 2>&1)" 'alert|no protocols|unsupported'

like "its members' port too" "$(p ssh db2 'openssl s_client -connect 10.81.10.11:2380 -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null 2>&1')" 'alert|no protocols|unsupported'

superuser=$(p conninfo --json | jq -r .password)
like "PostgreSQL without TLS has no line" \
    "$(PGPASSWORD=$superuser psql "host=10.81.10.11 user=postgres sslmode=disable" -c 'select 1' 2>&1)" 'no pg_hba.conf entry.*no encryption'
like "PostgreSQL by another authority is refused by its clients" \
    "$(PGPASSWORD=$superuser psql "host=10.81.10.11 user=postgres sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt" -c 'select 1' 2>&1)" 'certificate verify failed'
is "replication is verified too" "$(p psql -- -XAtqc "select count(*) from pg_stat_replication join pg_stat_ssl using (pid) where ssl")" 2
is "etcd without a certificate" "$(curl -s -m 5 --cacert "$ca" https://10.81.10.11:2379/health >/dev/null 2>&1 && echo open)" ''
is "etcd without TLS" "$(curl -s -m 5 http://10.81.10.11:2379/health | grep -c true)" 0
is "etcd with a certificate of another authority" "$(
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/other.key" -out "$work/other.crt" -days 2 -subj /CN=controller >/dev/null 2>&1
    curl -s -m 5 --cacert "$ca" --cert "$work/other.crt" --key "$work/other.key" https://10.81.10.11:2379/health >/dev/null 2>&1 && echo open)" ''
is "Patroni tells everyone how it is" "$(patroni https://10.81.10.11:8008/liveness)" 200
rest=$(p inventory show --show-secrets --format json | jq -r '._meta.hostvars.db1.secret_patroni_rest')
is "the password alone changes nothing" "$(patroni -u "patroni:$rest" -X POST https://10.81.10.11:8008/reload)" 403
p ssh db1 cat /etc/patroni/tls/host.crt >"$work/host.crt"
p ssh db1 cat /etc/patroni/tls/host.key >"$work/host.key"
is "nor does a certificate alone" "$(patroni --cert "$work/host.crt" --key "$work/host.key" -X POST https://10.81.10.11:8008/reload)" 401
is "both do" "$(patroni --cert "$work/host.crt" --key "$work/host.key" -u "patroni:$rest" -X POST https://10.81.10.11:8008/reload)" 202

# Somebody in a replica's place, with a certificate of an authority of his own for the very same names.
replica=$(p status --json | jq -r '[.members[] | select(.role == "replica")][0] | .name')
address=$(p status --json | jq -r ".members[] | select(.name == \"$replica\") | .address")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/mitm.key" -out "$work/mitm.crt" -days 2 \
    -subj "/CN=$replica" -addext "subjectAltName=DNS:$replica,IP:$address" >/dev/null 2>&1
for half in crt key; do p ssh "$replica" "tee /etc/patroni/tls/host.$half >/etc/etcd/tls/host.$half" <"$work/mitm.$half"; done
p ssh "$replica" 'systemctl reload patroni; runuser -u postgres -- /usr/lib/postgresql/17/bin/pg_ctl reload -D /var/lib/postgresql/17/main' >/dev/null 2>&1
wait_for 20 sh -c "openssl s_client -connect $address:8008 </dev/null 2>/dev/null | openssl x509 -noout -issuer | grep -q 'CN = $replica'"
servers() { p ssh lb1 'echo "show servers state replicas" | socat stdio /run/haproxy/admin.sock' | awk -v host="$replica" '$4 == host {print $6}'; }
wait_for 20 sh -c '[ "$("$1" -f "$2" ssh lb1 "echo show servers state replicas | socat stdio /run/haproxy/admin.sock" | awk -v host="$3" "\$4 == host {print \$6}")" = 0 ]' sh "$pgha" "$file" "$replica"
is "HAProxy leads nobody to it" "$(servers)" 0
like "this program refuses etcd in its place" "$(p status 2>&1)" '^etcd +2 of 3 healthy'
is "etcd's members refuse it" "$(p ssh db2 "openssl s_client -connect $address:2380 -CAfile /etc/etcd/tls/ca.crt -cert /etc/etcd/tls/host.crt -key /etc/etcd/tls/host.key -verify_return_error </dev/null 2>&1" | grep -c 'Verify return code: 0')" 0
like "psql refuses it" "$(p psql --host "$replica" -- -c 'select 1' 2>&1)" 'certificate verify failed'
exits "verify finds the fault" 3 p verify
# And in the primary's: standbys that connect anew do not follow it.
leader=$(p status --json | jq -r '.members[] | select(.role == "leader") | .name')
for half in crt key; do p ssh "$leader" "cat >/etc/patroni/tls/host.$half" <"$work/mitm.$half"; done
p ssh "$leader" 'runuser -u postgres -- /usr/lib/postgresql/17/bin/pg_ctl reload -D /var/lib/postgresql/17/main' >/dev/null 2>&1
p ssh "$replica" "pkill -f '^postgres: .*walreceiver'"
refuses() { p ssh "$replica" journalctl -q --no-pager -o cat -u patroni --since -1min | grep -q 'certificate verify failed'; }
wait_for 20 refuses
refuses
ok $? "a standby refuses a primary with another certificate"
succeeds "up puts the certificates right" p up --yes
# etcd had refused its certificate as well, so its key in the DCS may still be running out.
wait_for 40 p verify
succeeds "after which all is well" p verify

# Somebody in a host's place, with another host key.
p ssh lb2 'rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh' >/dev/null 2>&1
wait_for 10 sh -c "ssh-keyscan -t ed25519 10.81.10.52 2>/dev/null | grep -q ssh-ed25519"
exits "a changed host key stops up" 77 p up --yes
like "naming both fingerprints" "$(printf '%s' "$err" | tr '\n' ' ')" 'SHA256:.*SHA256:'
finish
