# Written by pgha-deploy; changes are overwritten.
"""What Patroni keeps in its store (DCS), asked by Patroni's own code, so that any store will do.

look CONFIG                  prints it as JSON
seed CONFIG SAVED            puts what look printed into a new store, in maintenance mode
wait CONFIG                  until somebody has done that, for 60 seconds
"""
import base64
import json
import sys
import time

from patroni.config import Config
from patroni.dcs import get_dcs


def open_store(path):
    settings = Config(path).copy()
    settings['patronictl'] = True  # no threads of a daemon
    return get_dcs(settings)


def keys(dcs):
    """Every key, not only Patroni's; None where the store is no etcd."""
    store = type(dcs).__name__
    if store == 'Etcd3':
        every = base64.b64encode(b'\0').decode()
        answer = dcs._client.call_rpc('/kv/range', {'key': every, 'range_end': every, 'keys_only': True, 'limit': 1000})
        return [base64.b64decode(kv['key']).decode('utf-8', 'replace') for kv in answer.get('kvs', [])]
    if store == 'Etcd':
        return [leaf.key for leaf in dcs._client.read('/', recursive=True).leaves]
    return None


def look(path):
    dcs = open_store(path)
    cluster = dcs.get_cluster()
    json.dump({
        'store': type(dcs).__name__,
        'prefix': dcs.client_path(''),
        'system': cluster.initialize or '',
        'config': cluster.config.data if cluster.config else None,
        'leader': cluster.leader.name if cluster.leader else None,
        'members': [{'name': m.name, 'state': m.data.get('state', '')} for m in cluster.members],
        'keys': keys(dcs),
    }, sys.stdout)


def seed(path, saved):
    dcs = open_store(path)
    with open(saved) as f:
        before = json.load(f)
    cluster = dcs.get_cluster()
    if not cluster.initialize and not dcs.initialize(create_new=True, sysid=before['system']):
        sys.exit('the new store cannot be written to')
    if not cluster.config and not dcs.set_config_value(json.dumps(dict(before['config'], pause=True))):
        sys.exit('the new store cannot be written to')


def wait(path):
    dcs = open_store(path)
    end = time.monotonic() + 60
    while not dcs.get_cluster().config:
        if time.monotonic() > end:
            sys.exit('the leader has not brought its settings to the new store')
        time.sleep(0.2)


if __name__ == '__main__':
    {'look': look, 'seed': seed, 'wait': wait}[sys.argv[1]](*sys.argv[2:])
