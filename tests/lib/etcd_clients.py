"""Sixteen clients that ask for what Patroni asks for to keep its lock; counts what etcd answers.

Run on a host of the cluster: etcd_clients.py ADDRESS SECONDS
"""
import http.client, ssl, sys, threading, time
address, seconds, folder = sys.argv[1], float(sys.argv[2]), "/etc/patroni/tls/"
context = ssl.create_default_context(cafile=folder + "ca.crt")
context.load_cert_chain(folder + "host.crt", folder + "host.key")
counts, end = {}, time.monotonic() + seconds


def ask():
    while time.monotonic() < end:
        connection = http.client.HTTPSConnection(address, 2379, timeout=3, context=context)
        try:
            while time.monotonic() < end:
                connection.request("POST", "/v3/lease/keepalive", '{"ID": 1}')
                answer = connection.getresponse()
                body = answer.read()
                key = str(answer.status) + (" " + body.decode()[:80] if answer.status != 200 else "")
                counts[key] = counts.get(key, 0) + 1
        except (OSError, http.client.HTTPException):
            counts["closed"] = counts.get("closed", 0) + 1
            time.sleep(0.01)


threads = [threading.Thread(target=ask) for _ in range(16)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for key in sorted(counts):
    print(key, counts[key])
