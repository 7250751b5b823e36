#!/usr/bin/env python3
"""Gives moto's instances a body: hypervisor.py WORK NAME ROOT MOTO_URL API_URL VIP (tests/lib/cloud.sh makes the bridge before)

Whatever moto has is looked at a few times a second, and made true on this machine:

  instance      a systemd-nspawn over ROOT, in a network namespace on the bridge, with its interface's MAC and address, the prefix
                of its subnet, and a route by its subnet's first address; booted, stopped, removed as moto says; its plug is pulled
                while the file WORK/off/HOST is there (lb1: the name in its tag pgha-resource); WORK/on/HOST is there while it runs
  subnet        the first address of it, in a namespace that is AWS's router
  metadata      IMDSv2 on 169.254.169.254, in that namespace; who asks is known by the source address. The credentials of a role are
                those of AssumeRole, by API_URL
  addresses     this machine and the router send to the interface that EC2 says has the address, whatever hosts tell by ARP
  public        what comes to an instance's public address, which moto takes from 127.0.0.0/8, goes to the instance: SSH and the balancers'
                ports; connections to an address that moves are cut
  routes        VIP/32 goes by the router to the interface that the route names, if that has no source/destination check; VIP may be "",
                where it is a public one

It says what it does, and why not, on its standard output. What it made is removed by cloud_down.
"""
import base64
import contextlib
import ctypes
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_interface, ip_network
from socketserver import BaseRequestHandler, ThreadingTCPServer

import botocore.session
from botocore.config import Config

METADATA = "169.254.169.254"
NOBODY = "06:00:00:00:00:00"  # has what no interface has
PORTS = (22, 5000, 5001, 5002, 5003, 7000)
CGROUPS = "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"
NSPAWN = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network", "SYSTEMD_NSPAWN_LOCK": "0"}


def tell(*words):
    print(f"{time.strftime('%H:%M:%S')}", *words, flush=True)


def ip(*commands, space=None):
    """Lines for ip(8), all or an error."""
    where = ["-netns", space] if space else []
    subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


# ---- a host ----

class Host:
    """The body of an instance. Its disk outlives a stop."""

    def __init__(self, lab, item):
        self.lab, self.id = lab, item["InstanceId"]
        self.eni = item["NetworkInterfaces"][0]["NetworkInterfaceId"]
        self.mac = item["NetworkInterfaces"][0]["MacAddress"]
        self.address = item["PrivateIpAddress"]
        self.subnet = lab.subnets[item["SubnetId"]]
        tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}
        self.name = tags.get("pgha-resource", self.id).rpartition(".")[2]
        self.space = f"pgha-{lab.name}-{self.id}"
        self.link = "pghv-" + self.id[-8:]
        self.cgroup = f"{CGROUPS}/{self.space}"
        self.disk = f"{lab.work}/{lab.name}/{self.id}"
        self.root = self.disk + "/root"
        self.user_data = lab.user_data(self.id)
        self.runs = None  # the process

    def make_disk(self):
        for part in ("upper", "work", "root"):
            os.makedirs(f"{self.disk}/{part}", mode=0o755)
        subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={self.lab.root},upperdir={self.disk}/upper,workdir={self.disk}/work",
                        "overlay", self.root], check=True)
        write(self.root + "/etc/machine-id", secrets.token_hex(16) + "\n", 0o444)
        write(self.disk + "/uuid", f"ec2{secrets.token_hex(3)[:5]}-9099-7caf-fd21-012345abcdef\n")  # Xen's; so cloud-init knows EC2
        os.utime(self.root + "/var/lib/apt/lists")  # the image's lists are as new as it is

    def join(self):
        width = self.subnet.prefixlen
        ip(f"netns add {self.space}", f"link add {self.link} type veth peer name eth0 address {self.mac} netns {self.space}",
           f'link set {self.link} alias "pgha {self.lab.name}/{self.name}"', f"link set {self.link} master {self.lab.bridge} up")
        ip("link set lo up", "link set eth0 up", f"address add {self.address}/{width} dev eth0",
           f"route add default via {self.subnet[1]}", space=self.space)

    def start(self):
        tell(self.name, self.id, "boots at", self.address)
        if not os.path.isdir(self.disk):
            self.make_disk()
        self.join()
        os.makedirs(self.cgroup)
        console = open(self.disk + "/console", "ab")
        self.runs = subprocess.Popen(
            ["sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', self.cgroup, "systemd-nspawn", "--quiet", "--settings=no", "--directory",
             self.root, "--machine", self.space, "--hostname=ip-" + self.address.replace(".", "-"),
             f"--network-namespace-path=/run/netns/{self.space}", f"--bind-ro={self.disk}/uuid:/sys/hypervisor/uuid", "--boot",
             "--register=no", "--keep-unit", "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--resolv-conf=off", "--timezone=off",
             "--link-journal=no"], env={**os.environ, **NSPAWN}, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            start_new_session=True)
        console.close()
        write(f"{self.lab.work}/on/{self.name}", self.id + "\n")

    def pull_plug(self):
        """The network first, so that nothing gets out while it dies."""
        if not self.runs:
            return
        tell(self.name, self.id, "is off")
        ip(f"link set {self.link} down")
        subprocess.run(["sh", "-c", '. "$0" && cloud_kill "$1"', "tests/lib/cloud.sh", self.space], check=True)
        self.runs.wait()
        ip(f"link delete {self.link}", f"netns delete {self.space}")
        self.runs = None
        os.remove(f"{self.lab.work}/on/{self.name}")

    def remove(self):
        self.pull_plug()
        if os.path.isdir(self.disk):
            subprocess.run(["umount", "--lazy", self.root], check=True)
            shutil.rmtree(self.disk)

    def metadata(self, item):
        """The tree below meta-data/; a folder is a dict."""
        zone = item["Placement"]["AvailabilityZone"]
        own = {"device-number": "0", "interface-id": self.eni, "local-ipv4s": self.address, "mac": self.mac, "owner-id": "123456789012",
               "subnet-id": item["SubnetId"], "subnet-ipv4-cidr-block": str(self.subnet), "vpc-id": item["VpcId"]}
        tree = {"ami-id": item["ImageId"], "ami-launch-index": "0", "instance-id": self.id, "instance-type": item["InstanceType"],
                "local-ipv4": self.address, "hostname": item["PrivateDnsName"], "local-hostname": item["PrivateDnsName"], "mac": self.mac,
                "network": {"interfaces": {"macs": {self.mac: own}}},
                "placement": {"availability-zone": zone, "region": self.lab.region},
                "services": {"domain": "amazonaws.com", "partition": "aws"}}
        role = self.lab.role(item)
        if role:
            tree["iam"] = {"info": json.dumps({"Code": "Success", "InstanceProfileArn": item["IamInstanceProfile"]["Arn"]}),
                           "security-credentials": {role: lambda: self.lab.credentials(self, role)}}
        return tree


# ---- the lab: what moto has, and what is here of it ----

class Lab:
    def __init__(self, work, name, root, moto_url, api_url, vip):
        self.work, self.name, self.root, self.vip = work, name, root, vip
        self.bridge = f"pgha-{name}"
        self.router = f"pgha-{name}-router"
        self.region = os.environ["AWS_REGION"]
        self.lock = threading.RLock()
        self.hosts, self.items, self.subnets, self.gateways = {}, {}, {}, set()
        self.neighbours, self.relays, self.keys, self.roles = {}, {}, {}, {}
        self.own = self.own_address()
        self.network = self.own.network
        self.vip_is_inside = bool(vip) and ip_address(vip) in self.network
        self.vip_is_outside = bool(vip) and not self.vip_is_inside
        self.route = None
        self.ec2, self.iam = self.client("ec2", moto_url), self.client("iam", moto_url)
        self.sts = self.client("sts", api_url)

    def client(self, service, url):
        return botocore.session.get_session().create_client(service, region_name="us-east-1" if service == "iam" else self.region,
                                                            endpoint_url=url, config=Config(retries={"max_attempts": 1}))

    # -- what moto knows --

    def user_data(self, instance_id):
        answer = self.ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
        return base64.b64decode(answer["UserData"].get("Value", ""))

    def role(self, item):
        arn = item.get("IamInstanceProfile", {}).get("Arn")
        if arn and arn not in self.roles:
            found = self.iam.get_instance_profile(InstanceProfileName=arn.rpartition("/")[2])["InstanceProfile"]["Roles"]
            self.roles[arn] = found[0] if found else None
        return self.roles[arn]["RoleName"] if arn and self.roles[arn] else None

    def credentials(self, host, role):
        with self.lock:
            if host.id not in self.keys:
                arn = next(found["Arn"] for found in self.roles.values() if found and found["RoleName"] == role)
                found = self.sts.assume_role(RoleArn=arn, RoleSessionName=host.id)["Credentials"]
                self.keys[host.id] = {"Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
                                      "AccessKeyId": found["AccessKeyId"], "SecretAccessKey": found["SecretAccessKey"],
                                      "Token": found["SessionToken"], "Expiration": found["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}
            return json.dumps(self.keys[host.id], indent=2)

    # -- the router --

    def make_router(self):
        link = "pghr-" + self.name[:10]
        ip(f"netns add {self.router}", f"link add {link} type veth peer name eth0 netns {self.router}",
           f'link set {link} alias "pgha {self.name}/router"', f"link set {link} master {self.bridge} up")
        ip("link set lo up", f"address add {METADATA}/32 dev eth0", "link set eth0 up", space=self.router)
        settings = {"ip_forward": 1, "conf/all/send_redirects": 0, "conf/eth0/send_redirects": 0, "conf/all/rp_filter": 0, "conf/eth0/rp_filter": 0}
        for key, value in settings.items():
            subprocess.run(["ip", "netns", "exec", self.router, "sh", "-c", f"echo {value} >/proc/sys/net/ipv4/{key}"], check=True)

    def socket_of_router(self):
        """setns(2) is this thread's alone."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net", "rb") as here, open(f"/run/netns/{self.router}", "rb") as there:
            if libc.setns(there.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns")
            made = socket.socket()
            if libc.setns(here.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)  # HttpPutResponseHopLimit
        made.bind((METADATA, 80))
        made.listen(128)
        return made

    def look_at_subnets(self):
        for item in self.ec2.describe_subnets()["Subnets"]:
            self.subnets[item["SubnetId"]] = subnet = ip_network(item["CidrBlock"])
            if subnet not in self.gateways and subnet.subnet_of(self.network):
                self.gateways.add(subnet)
                ip(f"address add {subnet[1]}/{subnet.prefixlen} dev eth0", space=self.router)
                if len(self.gateways) == 1:  # this machine, which is in none
                    ip(f"route add {self.own.ip}/32 dev eth0", space=self.router)
                    if self.vip_is_outside:
                        ip(f"route add {self.vip}/32 via {subnet[1]} dev {self.bridge}")

    def own_address(self):
        """This machine's on the bridge, with the VPC's prefix."""
        found = json.loads(subprocess.run(["ip", "-json", "-4", "address", "show", self.bridge], capture_output=True, check=True).stdout)
        return ip_interface("{local}/{prefixlen}".format(**found[0]["addr_info"][0]))

    def send_to(self, address, mac):
        if self.neighbours.get(address) == mac:
            return
        self.neighbours[address] = mac
        tell(address, "is at", mac)
        line = f"neighbour replace {address} lladdr {mac} nud permanent dev "
        ip(line + self.bridge)
        ip(line + "eth0", space=self.router)

    def deliver(self, enis):
        there = {item["PrivateIpAddress"]: eni["MacAddress"] for eni in enis for item in eni["PrivateIpAddresses"]}
        for address in [*self.neighbours, *[self.vip] * self.vip_is_inside]:
            there.setdefault(address, NOBODY)
        for address, mac in there.items():
            self.send_to(address, mac)
        if self.vip_is_outside:
            self.deliver_route({eni["NetworkInterfaceId"]: eni for eni in enis})

    def deliver_route(self, enis):
        """By the tables that subnets have; two that do not agree are no route."""
        found = {route.get("NetworkInterfaceId") for table in self.ec2.describe_route_tables()["RouteTables"]
                 if any(name.get("SubnetId") for name in table["Associations"])
                 for route in table["Routes"] if route.get("DestinationCidrBlock") == self.vip + "/32"}
        eni = enis.get(found.pop()) if len(found) == 1 else None
        route = f"{self.vip}/32 via {eni['PrivateIpAddress']}" if eni and not eni["SourceDestCheck"] else f"blackhole {self.vip}/32"
        if route != self.route:
            tell("route", route)
            self.route = route
            subprocess.run(["ip", "-n", self.router, "route", "flush", self.vip + "/32"], check=False, stderr=subprocess.DEVNULL)
            ip("route add " + route, space=self.router)

    def public(self, enis):
        """Private addresses by the public ones. An elastic address is not told with every interface."""
        own = {eni["Association"]["PublicIp"]: eni["PrivateIpAddress"] for eni in enis if "PublicIp" in eni.get("Association", {})}
        by_id = {eni["NetworkInterfaceId"]: eni["PrivateIpAddress"] for eni in enis}
        return own | {item["PublicIp"]: by_id[item["NetworkInterfaceId"]] for item in self.ec2.describe_addresses()["Addresses"]
                      if item.get("NetworkInterfaceId") in by_id}

    def relay(self, public):
        for address, relays in self.relays.items():
            for relay in relays:
                relay.lead_to(public.get(address))
        for address in set(public) - set(self.relays):
            if ip_address(address).is_loopback:
                self.relays[address] = [Relay(address, port, public[address]) for port in PORTS]

    # -- the hosts --

    def look(self):
        pages = self.ec2.describe_instances()["Reservations"]
        items = {item["InstanceId"]: item for page in pages for item in page["Instances"] if item["State"]["Name"] != "terminated"}
        if {item["SubnetId"] for item in items.values() if item.get("SubnetId")} - set(self.subnets):
            self.look_at_subnets()
        self.look_at_instances(items)
        if self.gateways:
            enis = [eni for item in items.values() for eni in item["NetworkInterfaces"]]
            self.deliver(enis)
            self.relay(self.public(enis))
        write(self.work + "/looked", "")

    def look_at_instances(self, items):
        for instance_id in [name for name in self.hosts if name not in items]:
            with self.lock:
                host = self.hosts.pop(instance_id)
                del self.items[instance_id]
            host.remove()
        for instance_id, item in items.items():
            on = item["State"]["Name"] in ("pending", "running")
            if instance_id not in self.hosts and on:
                with self.lock:
                    self.hosts[instance_id], self.items[instance_id] = Host(self, item), item
            host = self.hosts.get(instance_id)
            if not host:
                continue
            on = on and not os.path.exists(f"{self.work}/off/{host.name}")
            if on and not host.runs:
                host.start()
            elif not on:
                host.pull_plug()


# ---- public addresses ----

class Relay(ThreadingTCPServer):
    """The internet gateway, for one port of an address."""
    daemon_threads = allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, public, port, private):
        self.public, self.private, self.open = public, None, set()
        super().__init__((public, port), Pump)
        self.lead_to(private)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def lead_to(self, private):
        if private == self.private:
            return
        if self.server_address[1] == 22:
            tell(self.public, "leads to", private or "nobody")
        self.private = private
        for end in list(self.open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        pass


class Pump(BaseRequestHandler):
    def handle(self):
        private = self.server.private
        if not private:
            return
        self.server.open.add(self.request)
        try:
            with socket.create_connection((private, self.server.server_address[1]), timeout=5) as there:
                there.settimeout(None)
                back = threading.Thread(target=self.copy, args=(there, self.request), daemon=True)
                back.start()
                self.copy(self.request, there)
                back.join()
        finally:
            self.server.open.discard(self.request)

    @staticmethod
    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


# ---- metadata ----

class Metadata(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def host(self):
        lab = self.server.lab
        with lab.lock:
            return next(((host, lab.items[host.id]) for host in lab.hosts.values() if host.runs and host.address == self.client_address[0]),
                        (None, None))

    def do_PUT(self):
        host, _ = self.host()
        if not host or self.path != "/latest/api/token" or self.headers["X-Forwarded-For"]:
            self.answer(403)
        elif not re.fullmatch(r"[0-9]{1,5}", self.headers["X-aws-ec2-metadata-token-ttl-seconds"] or ""):
            self.answer(400)
        else:
            token = secrets.token_urlsafe(40) + "=="
            self.server.tokens[token] = (host.id, time.monotonic() + int(self.headers["X-aws-ec2-metadata-token-ttl-seconds"]))
            self.answer(200, token.encode())

    def do_GET(self):
        host, item = self.host()
        owner, until = self.server.tokens.get(self.headers["X-aws-ec2-metadata-token"], (None, 0))
        if not host or owner != host.id or time.monotonic() > until:
            self.answer(401)
            return
        version, _, path = self.path.strip("/").partition("/")
        if not re.fullmatch(r"latest|20\d\d-\d\d-\d\d", version):
            self.answer(404)
        elif path == "user-data":
            self.answer(200 if host.user_data else 404, host.user_data)
        else:
            identity = json.dumps({"instanceId": host.id, "region": host.lab.region, "privateIp": host.address})
            self.answer_of({"meta-data": host.metadata(item), "dynamic": {"instance-identity": {"document": identity}}}, path)

    def answer_of(self, value, path):
        for part in filter(None, path.split("/")):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            self.answer(404)
        elif isinstance(value, dict):
            self.answer(200, "\n".join(name + "/" * isinstance(below, dict) for name, below in value.items()).encode())
        else:
            self.answer(200, (value() if callable(value) else value).encode())


class MetadataServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, lab):
        super().__init__((METADATA, 80), Metadata, bind_and_activate=False)
        self.socket.close()
        self.socket = lab.socket_of_router()
        self.server_name, self.server_port = METADATA, 80
        self.lab, self.tokens = lab, {}

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lab = Lab(*sys.argv[1:])
    lab.make_router()
    threading.Thread(target=MetadataServer(lab).serve_forever, daemon=True).start()
    while True:
        try:
            lab.look()
        except Exception:  # pylint: disable=broad-except
            tell(traceback.format_exc())
        time.sleep(0.2)


if __name__ == "__main__":
    main()
