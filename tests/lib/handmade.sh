# handmade.sh - a Patroni cluster that somebody set up by hand, as tutorials have it: Debian's packages and units, etcd over
# plain http, passwords in /etc/patroni/config.yml, one HAProxy with keepalived. Nothing of it is by pgha-deploy. After tap.sh.
#
#   handmade_lab NAME CIDR         db1 to db3 and lb1, with packages but nothing set up; sets $file and the lab_ words below
#   handmade_cluster               sets it up, and waits for a leader and two streaming replicas
#   handmade_vars [db|lb|all]      the variables to log in with, as lines of an INI inventory
#   handmade_sql DATABASE SQL      on the leader, as the superuser;  handmade_leader: its host (db2)
#   on HOST COMMAND...             runs a command there
#
# What a test may want otherwise is in the variables below, to be set between the two.
# shellcheck shell=sh
handmade_scope=legacy
handmade_kill_mode=        # of patroni.service; Debian's own has process, which leaves PostgreSQL running
handmade_slots=true        # use_slots
handmade_dcs=              # more lines of bootstrap.dcs, such as 'synchronous_mode: true'
handmade_parameters=       # more lines of its postgresql.parameters
handmade_superuser=fake-superuser-1
handmade_replicator=fake-replicator-2
handmade_rewind=fake-rewind-3
handmade_rest=fake-rest-4
handmade_vrrp=fakevrr5
handmade_owner=fake-shop-6 # of the role shop

handmade_lab() {
    lab "$1" "$2" 'nodes: {db: {count: 3}, lb: {count: 1}}'
    "$pgha" -f "$file" -q up --hosts-only --yes >/dev/null || return 1
    lab_file=$file
    lab_prefix=${2%.*}
    lab_key=${file%/*}/.pgha/$1/id_ed25519
    lab_known_hosts=${file%/*}/.pgha/$1/known_hosts
    lab_vip=$lab_prefix.100
}

on() {
    "$pgha" -f "$lab_file" -q ssh "$@"
}

handmade_vars() {
    cat <<END
[${1:-all}:vars]
ansible_user=root
ansible_ssh_private_key_file=$lab_key
ansible_ssh_common_args="-o UserKnownHostsFile=$lab_known_hosts"
END
}

handmade_etcd() ( # handmade_etcd NUMBER
    address=$lab_prefix.1$1
    on db"$1" 'cat >/etc/default/etcd && systemctl enable --now --no-block etcd 2>/dev/null' <<END
ETCD_NAME=node$1
ETCD_DATA_DIR=/var/lib/etcd/default
ETCD_LISTEN_PEER_URLS=http://$address:2380
ETCD_LISTEN_CLIENT_URLS=http://$address:2379,http://127.0.0.1:2379
ETCD_ADVERTISE_CLIENT_URLS=http://$address:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://$address:2380
ETCD_INITIAL_CLUSTER=node1=http://$lab_prefix.11:2380,node2=http://$lab_prefix.12:2380,node3=http://$lab_prefix.13:2380
ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster
ETCD_INITIAL_CLUSTER_STATE=new
END
)

handmade_lines() { # handmade_lines INDENT TEXT
    [ -z "$2" ] || printf '%s\n' "$2" | sed "s/^/$1/"
}

handmade_config() ( # handmade_config NUMBER: /etc/patroni/config.yml
    address=$lab_prefix.1$1
    cat <<END
scope: $handmade_scope
namespace: /service/
name: node$1

restapi:
  listen: 0.0.0.0:8008
  connect_address: $address:8008
  authentication: {username: patroni, password: $handmade_rest}

etcd3:
  hosts: $lab_prefix.11:2379,$lab_prefix.12:2379,$lab_prefix.13:2379

bootstrap:
  dcs:
    ttl: 30
    loop_wait: 5
    retry_timeout: 10
    maximum_lag_on_failover: 1048576
$(handmade_lines '    ' "$handmade_dcs")
    postgresql:
      use_pg_rewind: true
      use_slots: $handmade_slots
      parameters:
        max_connections: 120
        wal_level: replica
        hot_standby: "on"
        wal_keep_size: 128MB
        max_wal_senders: 10
        max_replication_slots: 10
        work_mem: 8MB
        log_min_duration_statement: 500
$(handmade_lines '        ' "$handmade_parameters")
  initdb:
  - encoding: UTF8
  - locale: C.UTF-8
  pg_hba:
  - local all all trust
  - host replication replicator 0.0.0.0/0 md5
  - host all all 0.0.0.0/0 scram-sha-256

postgresql:
  listen: 0.0.0.0:5432
  connect_address: $address:5432
  data_dir: /var/lib/postgresql/17/main
  bin_dir: /usr/lib/postgresql/17/bin
  pgpass: /tmp/pgpass
  authentication:
    superuser: {username: postgres, password: $handmade_superuser}
    replication: {username: replicator, password: $handmade_replicator}
    rewind: {username: rewind_user, password: $handmade_rewind}
  parameters:
    unix_socket_directories: /var/run/postgresql

tags: {nofailover: false, noloadbalance: false, clonefrom: false, nosync: false}
END
)

handmade_patroni() { # handmade_patroni NUMBER
    handmade_config "$1" | on db"$1" "umask 027; cat >/etc/patroni/config.yml; chown -R postgres: /etc/patroni
        install -d -o postgres -g postgres /var/lib/postgresql/17
        if [ -n '$handmade_kill_mode' ]; then
            mkdir -p /etc/systemd/system/patroni.service.d
            printf '[Service]\nKillMode=%s\n' '$handmade_kill_mode' >/etc/systemd/system/patroni.service.d/kill.conf
            systemctl daemon-reload
        fi
        systemctl enable --now patroni 2>/dev/null"
}

handmade_listen() { # handmade_listen PORT ENDPOINT
    cat <<END
listen postgres_$1
    bind *:$1
    option httpchk OPTIONS /$2
    http-check expect status 200
    default-server inter 2s fall 3 rise 2 on-marked-down shutdown-sessions
    server node1 $lab_prefix.11:5432 maxconn 100 check port 8008
    server node2 $lab_prefix.12:5432 maxconn 100 check port 8008
    server node3 $lab_prefix.13:5432 maxconn 100 check port 8008
END
}

handmade_balancer() {
    { printf 'global\n    maxconn 300\n\ndefaults\n    mode tcp\n    retries 2\n    timeout client 30m\n'
      printf '    timeout connect 4s\n    timeout server 30m\n    timeout check 5s\n\n'
      handmade_listen 5000 primary
      handmade_listen 5001 replica; } | on lb1 'cat >/etc/haproxy/haproxy.cfg'
    on lb1 'cat >/etc/keepalived/keepalived.conf; systemctl enable --now haproxy keepalived 2>/dev/null' <<END
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 101
    authentication {
        auth_type PASS
        auth_pass $handmade_vrrp
    }
    virtual_ipaddress {
        $lab_vip/24
    }
}
END
}

handmade_members() { # one line a member: host role state
    on db1 'patronictl -c /etc/patroni/config.yml list -f json' |
        jq -r '.[] | "\(.Member | sub("node"; "db")) \(.Role) \(.State)"'
}
handmade_complete() {
    handmade_members >"$work/members" && grep -q ' Leader running$' "$work/members" &&
        [ "$(grep -c ' streaming$' "$work/members")" = 2 ]
}
handmade_leader() {
    handmade_members | awk '$2 == "Leader" {print $1}'
}
handmade_sql() { # through a session of its own on the leader: nothing of the cluster is needed for it
    on "$(handmade_leader)" "psql -U postgres -XAtq -v ON_ERROR_STOP=1 -d $1" <<END
$2
END
}

handmade_cluster() {
    for number in 1 2 3; do handmade_etcd $number || return 1; done
    wait_for 60 on db1 'etcdctl endpoint health --cluster' || return 1
    for number in 1 2 3; do handmade_patroni $number || return 1; done
    handmade_balancer || return 1
    wait_for 120 handmade_complete || return 1
    handmade_sql postgres "create role shop login password '$handmade_owner'; create database shop owner shop" &&
        handmade_sql shop 'set role shop; create table orders as select n as id from generate_series(1, 1000) n'
}
