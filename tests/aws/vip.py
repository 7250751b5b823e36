#!/usr/bin/env python3
"""The address that moves on AWS: its templates, and what its script talks to.

  vip.py render MODE HOST VARIABLES TEMPLATE...   as Jinja2 renders them for a host of tests/templates/vars.json, with JSON over
                                                  its variables: a list of {"template", "vars", "text"}
  vip.py serve PORT_FILE                          the metadata (IMDSv2) and the EC2 of an instance, on 127.0.0.1

Each call is judged by botocore: its signature, by the keys that the instance has at that moment, and its parameters. /_control,
with JSON, is for the test:

  GET    {"calls": [{"action", "params", "key"}], "wrong": [what was not as it must be], "metadata": requests of it,
          "address", "elastic": who has it, "tables": {route table: who has the route, "" for none}}
  POST   sets "address", "elastic", "tables" and forgets the calls, or
         "faults": a line for each call to come: "ok", "error STATUS CODE", "bare STATUS", "reset", "hang SECONDS",
                   "junk BYTES", "half" (of the answer),
                   "rotate" (refused: the keys have expired, and the metadata has new ones), "hold" (answered after "release")
         "unseen": so many Describe calls to come know nothing of a change
         "absent": the metadata is not there
"""
import copy
import json
import os
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

HERE = os.path.dirname(os.path.abspath(__file__))
OWN, OTHER = "eni-0a1b2c3d4e5f60001", "eni-0a1b2c3d4e5f60002"
MAC, ROLE, TICKET, REGION = "0e:49:61:0f:c3:11", "pgha-demo.lb+1,@-", "AQAEvip-ticket==", "eu-central-1"
VIP, ALLOCATION, CLUSTER = "10.77.0.100", "eipalloc-0123456789abcdef0", "demo"
OK = '<?xml version="1.0" encoding="UTF-8"?>\n<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">\n' \
     "    <requestId>fake-1</requestId>\n{1}</{0}Response>\n"
ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>{}</Code><Message>Words of EC2.</Message></Error>' \
        "</Errors><RequestID>fake-{}</RequestID></Response>"


# ---- what EC2 knows ----

class World:
    def __init__(self):
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.serial = 1
        self.set({})

    def set(self, wish):
        if wish.get("release"):
            self.released.set()
            return
        self.address = wish.get("address", OTHER)
        self.elastic = wish.get("elastic", OTHER)
        self.tables = wish.get("tables", {"rtb-0aaa": OTHER, "rtb-0bbb": ""})
        self.faults = list(wish.get("faults", []))
        self.unseen, self.absent = wish.get("unseen", 0), wish.get("absent", False)
        self.calls, self.wrong, self.metadata = [], [], 0
        self.before = None
        self.released.clear()

    def state(self):
        return {name: getattr(self, name) for name in ("calls", "wrong", "metadata", "address", "elastic", "tables")}

    def keys(self):
        return {"id": f"ASIAVIPFAKE{self.serial:04d}", "secret": f"only/in+vip={self.serial}", "token": f"only/in/vip+session=={self.serial}" * 20}

    # Describe shows the state before the last change as long as that is unseen.
    def seen(self):
        if self.before and self.unseen:
            self.unseen -= 1
            return self.before
        return self

    def change(self):
        if not (self.before and self.unseen):
            self.before = copy.copy(self)
            self.before.tables = dict(self.tables)

    def describe_network_interfaces(self, args):
        if args != {"NetworkInterfaceIds": [OWN]}:
            raise ValueError("not its own interface")
        addresses = ["10.77.0.21"] + ([VIP] if self.seen().address == OWN else ["10.77.0.10"])
        items = "".join(f"<item>\n  <privateIpAddress>{a}</privateIpAddress>\n</item>\n" for a in addresses)
        return f"<networkInterfaceSet><item><networkInterfaceId>{OWN}</networkInterfaceId>" \
               f"<privateIpAddressesSet>\n{items}</privateIpAddressesSet></item></networkInterfaceSet>"

    def assign_private_ip_addresses(self, args):
        if args != {"NetworkInterfaceId": OWN, "PrivateIpAddresses": [VIP], "AllowReassignment": True}:
            raise ValueError("other arguments")
        self.change()
        self.address = OWN
        return "<return>true</return>"

    def describe_addresses(self, args):
        if args != {"AllocationIds": [ALLOCATION]}:
            raise ValueError("other arguments")
        holder = self.seen().elastic
        of = f"<networkInterfaceId>{holder}</networkInterfaceId>" if holder else ""
        return f"<addressesSet><item><publicIp>192.0.2.10</publicIp><allocationId>{ALLOCATION}</allocationId>{of}</item></addressesSet>"

    def associate_address(self, args):
        if args != {"AllocationId": ALLOCATION, "NetworkInterfaceId": OWN, "AllowReassociation": True}:
            raise ValueError("other arguments")
        self.change()
        self.elastic = OWN
        return "<return>true</return><associationId>eipassoc-0123</associationId>"

    # Elements in the order of the API reference's examples.
    def describe_route_tables(self, args):
        tables = self.seen().tables
        if args.get("RouteTableIds"):
            tables = {name: tables[name] for name in args["RouteTableIds"]}
        elif args != {"Filters": [{"Name": "tag:pgha-cluster", "Values": [CLUSTER]}]}:
            raise ValueError("other arguments")
        text = ""
        for name, holder in tables.items():
            route = f"<item><destinationCidrBlock>{VIP}/32</destinationCidrBlock><networkInterfaceId>{holder}</networkInterfaceId>" \
                    "<state>active</state><origin>CreateRoute</origin></item>" if holder else ""
            text += f"<item>\n<routeTableId>{name}</routeTableId><vpcId>vpc-0123</vpcId><routeSet><item><destinationCidrBlock>10.77.0.0/16" \
                    f"</destinationCidrBlock><gatewayId>local</gatewayId></item>\n{route}<item><destinationCidrBlock>{VIP}/31" \
                    f"</destinationCidrBlock><networkInterfaceId>{OWN}</networkInterfaceId></item></routeSet><associationSet><item>" \
                    f"<routeTableAssociationId>rtbassoc-0123</routeTableAssociationId><routeTableId>{name}</routeTableId></item>" \
                    "</associationSet></item>\n"
        return f"<routeTableSet>{text}</routeTableSet>"

    def set_route(self, args, there):
        table = args.get("RouteTableId")
        if args != {"RouteTableId": table, "DestinationCidrBlock": VIP + "/32", "NetworkInterfaceId": OWN}:
            raise ValueError("other arguments")
        if bool(self.tables[table]) != there:
            raise ValueError("a route that is not there was replaced, or one that is there created")
        self.change()
        self.tables[table] = OWN
        return "<return>true</return>"

    def replace_route(self, args):
        return self.set_route(args, True)

    def create_route(self, args):
        return self.set_route(args, False)


def method_of(action):
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in action).lstrip("_")


# ---- the server ----

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def do_PUT(self):
        self.body()
        good = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"] and not self.server.world.absent
        self.answer(200 if good else 404, TICKET if good else "")

    def do_GET(self):
        world = self.server.world
        if self.path == "/_control":
            with world.lock:
                self.answer(200, json.dumps(world.state()))
            return
        world.metadata += 1
        base = "/latest/meta-data/"
        keys = world.keys()
        known = {"mac": MAC, f"network/interfaces/macs/{MAC}/interface-id": OWN, "iam/security-credentials/": ROLE,
                 f"iam/security-credentials/{ROLE}": json.dumps({
                     "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": keys["id"], "SecretAccessKey": keys["secret"],
                     "Token": keys["token"], "Expiration": "2040-01-01T00:00:00Z"}, indent=2)}
        if world.absent:
            self.answer(503, "")
        elif self.headers["X-aws-ec2-metadata-token"] != TICKET:
            self.answer(401, "")
        elif self.path[len(base):] in known:
            self.answer(200, known[self.path[len(base):]])
        else:
            self.answer(404, "")

    def do_POST(self):
        body = self.body()
        world = self.server.world
        if self.path == "/_control":
            with world.lock:
                world.set(json.loads(body))
            self.answer(200, "")
            return
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
        with world.lock:
            fault = world.faults.pop(0).split() if world.faults else ["ok"]
            action, args = self.judge(world, body, pairs, fault)
        if fault[0] == "hold":
            world.released.wait(20)
        elif fault[0] == "hang":
            time.sleep(float(fault[1]))
        with world.lock:
            self.act(world, fault, action, args)

    def judge(self, world, body, pairs, fault):
        import model
        import signed
        given, keys = dict(pairs), world.keys()
        seen = signed.judge(self, body, {keys["id"]: keys["secret"]})
        world.calls.append({"action": given.get("Action"), "params": given, "key": seen.who, "at": time.monotonic()})
        if not seen.good or (seen.region, seen.service) != (REGION, "ec2") or self.headers["X-Amz-Security-Token"] != keys["token"]:
            world.wrong.append(f"{given.get('Action')}: signature: {seen.why}, {seen.region}")
        if fault[0] == "rotate":
            world.serial += 1
        try:
            return given["Action"], model.SERVICES["ec2"].read(pairs)
        except model.Bad as bad:
            world.wrong.append(f"{given.get('Action')}: {bad.code} {bad.message}")
            return None, None

    def act(self, world, fault, action, args):
        if fault[0] == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RD)
            self.connection.close()
        elif fault[0] == "bare":
            self.answer(int(fault[1]), "")
        elif fault[0] == "junk":
            self.answer(200, "x" * int(fault[1]))
        elif fault[0] in ("error", "rotate"):
            status, code = fault[1:] if fault[0] == "error" else (400, "RequestExpired")
            self.answer(int(status), ERROR.format(code, len(world.calls)))
        elif action is None:
            self.answer(400, ERROR.format("InvalidParameterValue", len(world.calls)))
        else:
            try:
                text = getattr(world, method_of(action))(args)
            except (ValueError, KeyError, AttributeError) as error:
                world.wrong.append(f"{action} {args}: {error!r}")
                self.answer(400, ERROR.format("InvalidParameterValue", len(world.calls)))
            else:
                text = OK.format(action, text)
                self.answer(200, text[:len(text) // 2] if fault[0] == "half" else text)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def serve(port_file):
    server = Server(("127.0.0.1", 0), Handler)
    server.world = World()
    with open(port_file + ".new", "w", encoding="utf-8") as file:
        file.write(str(server.server_address[1]))
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


# ---- the templates ----

def rendered(mode, host, variables, names):
    sys.path.insert(0, os.path.join(HERE, "../templates"))
    import render
    folder = os.path.join(HERE, "../../templates")
    with open(os.path.join(HERE, "../templates/vars.json"), encoding="utf-8") as file:
        sample = json.load(file)
    sample["all"].update({"vip_mode": mode, **json.loads(variables)})
    scope = render.variables_of(host, sample)
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            yield {"template": file.read(), "vars": scope, "text": render.environment(folder).get_template(name).render(scope)}


if __name__ == "__main__":
    if sys.argv[1] == "render":
        json.dump(list(rendered(*sys.argv[2:5], sys.argv[5:])), sys.stdout)
    else:
        serve(sys.argv[2])
