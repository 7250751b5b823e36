#!/usr/bin/env python3
"""Stands between a client and moto, and is as strict as AWS: proxy.py PORT_FILE MOTO_PORT [ADDRESS]

Each request is judged by botocore: the signature (signed.py), the parameters (model.py). What AWS would not take is answered as AWS
does and kept as a violation, so that a test fails even when its client lives with the error. So is what moto cannot do.
The rest goes to moto (overlay.py), with what belongs to calls rather than to things:

  ClientToken      the same token with the same parameters: the first answer, and nothing is made; with others:
                   IdempotentParameterMismatch; of an instance that is gone: IdempotentInstanceTerminated
  hidden_ms        what was just made: Describe by its id says NotFound, other Describes leave it out, IAM's Get says NoSuchEntity
  unknown_ms       every other call that names it says NotFound, too; RunInstances does not know its instance profile
  session keys     those that AssumeRole gives are known, with their token
  denied           actions like ec2:CreateVpc: UnauthorizedOperation (IAM: AccessDenied), with a message to decode

/_control, with JSON, is for tests (tests/lib/aws.sh):

  GET              {"calls": [...], "violations": [...], "held": N, "settings": {...}}
  POST             {"reset": true}             forget calls, violations, faults and settings; what is held is let go, undone
                   {"set": {NAME: VALUE}}      delay_ms (of each call), hidden_ms, unknown_ms, denied, keys {ID: SECRET},
                                               and moto's own: terminate_ms, nat_ms, pending_ms, full_zones
                   {"fault": {"kind", "at", "action", "times"}}

The at-th call from now (of action, if given; at first counts 1), and times-1 more after it, gets the fault:

  error STATUS CODE [after SECONDS]     refused, not done                  bare STATUS    the same without a body
  reset    connection reset, not done                                      throttle       error 503 RequestLimitExceeded
  lost     done, then closed without an answer                             hang SECONDS   done, then no answer for so long
  malformed   done, half of the answer                                     junk BYTES     done, answered with that much of no XML
  hold     done, not answered; nor is any other call done until reset or {"release": true}
"""
import base64
import http.client
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import xml.etree.ElementTree as ET
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.sax.saxutils import escape

import signed
from model import SERVICES, Bad

EC2_ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>"""
QUERY_ERROR = """<ErrorResponse xmlns="https://{}.amazonaws.com/doc/"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>
<RequestId>{}</RequestId></ErrorResponse>"""

KEYS = {"AKIDEXAMPLE": "not/a+secret"}
SETTINGS = {"delay_ms": 0, "hidden_ms": 0, "unknown_ms": 0, "denied": []}
OF_MOTO = {"terminate_ms": 0, "nat_ms": 0, "pending_ms": 0, "full_zones": []}

# What is made, by the beginning of its id: who describes it, by which element; what AWS says when it does not know it.
KINDS = {
    "vpc": ("DescribeVpcs", "vpcId", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    "subnet": ("DescribeSubnets", "subnetId", "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    "igw": ("DescribeInternetGateways", "internetGatewayId", "InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist"),
    "nat": ("DescribeNatGateways", "natGatewayId", "NatGatewayNotFound", "NatGateway {} was not found"),
    "rtb": ("DescribeRouteTables", "routeTableId", "InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
    "sg": ("DescribeSecurityGroups", "groupId", "InvalidGroup.NotFound", "The security group '{}' does not exist"),
    "key": ("DescribeKeyPairs", "keyPairId", "InvalidKeyPair.NotFound", "The key pair '{}' does not exist"),
    "i": ("DescribeInstances", "instanceId", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    "vol": ("DescribeVolumes", "volumeId", "InvalidVolume.NotFound", "The volume '{}' does not exist."),
    "eni": ("DescribeNetworkInterfaces", "networkInterfaceId", "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{}' does not exist"),
    "eipalloc": ("DescribeAddresses", "allocationId", "InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
    "pg": ("DescribePlacementGroups", "groupId", "InvalidPlacementGroup.Unknown", "The Placement Group '{}' is unknown."),
}
OWN_ID = {described: element for described, element, _, _ in KINDS.values()}
MAKERS = re.compile(r"(Create(?!Tags|Route$)|Run|Allocate|Import)\w+$")
IDS = re.compile(rb">((?:" + "|".join(KINDS).encode() + rb")-[0-9a-f]{8,17})<")


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def local(tag):
    return tag.rpartition("}")[2]


class Overlay:
    """Tokens, and what cannot be seen yet."""

    def __init__(self, send):
        self.send = send  # (service, region, params) -> (status, body)
        self.forget()

    def forget(self):
        self.tokens, self.born = {}, {}

    def young(self, name, setting):
        return name in self.born and time.monotonic() - self.born[name] < SETTINGS[setting] / 1000

    def before(self, call):
        """None, or the answer that the first call with the same token got; Refused."""
        self.refuse_young(call)
        token = call.params.get("ClientToken")
        if not token:
            return None
        key = (call.region, call.action, token)
        if key not in self.tokens:
            return None
        params, answer = self.tokens[key]
        if params != call.params:
            raise Refused(400, "IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).")
        if call.action == "RunInstances" and self.is_gone(call.region, IDS.findall(answer)):
            raise Refused(400, "IdempotentInstanceTerminated", "The client token you have provided is associated with a terminated instance. "
                          "Please use a different client token.")
        return 200, answer

    def is_gone(self, region, ids):
        names = [name.decode() for name in ids if name.startswith(b"i-")]
        params = {"Action": "DescribeInstances", "Version": "2016-11-15", **{f"InstanceId.{n + 1}": name for n, name in enumerate(sorted(set(names)))}}
        body = self.send("ec2", region, params)[1]
        return b"<name>terminated</name>" in body or b"<name>shutting-down</name>" in body

    def refuse_young(self, call):
        describes = call.action.startswith(("Describe", "Get"))
        setting = "hidden_ms" if describes else "unknown_ms"
        for name, value in call.params.items():
            kind = KINDS.get(value.split("-")[0])
            if kind and not name.startswith("Filter.") and self.young(value, setting):
                raise Refused(400, kind[2], kind[3].format(value))
            if call.service == "iam" and name in ("RoleName", "InstanceProfileName") and self.young((name, value), setting):
                what = "role" if name == "RoleName" else "Instance Profile"
                raise Refused(404, "NoSuchEntity", f"{what} {value} cannot be found.")
            if name == "IamInstanceProfile.Name" and self.young(("InstanceProfileName", value), "unknown_ms"):
                raise Refused(400, "InvalidParameterValue", f"Value ({value}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")
            if call.action == "DescribeKeyPairs" and name.startswith("KeyName.") and self.young(("KeyName", value), setting):
                raise Refused(400, "InvalidKeyPair.NotFound", f"The key pair '{value}' does not exist")

    def after(self, call, body):
        if MAKERS.match(call.action):
            now = time.monotonic()
            given = set(call.params.values())
            for name in {name.decode() for name in IDS.findall(body)} - given:
                self.born.setdefault(name, now)
            for name in ("RoleName", "InstanceProfileName", "KeyName"):
                if name in call.params and call.action != "RunInstances":
                    self.born[name, call.params[name]] = now
            if call.params.get("ClientToken"):
                self.tokens[call.region, call.action, call.params["ClientToken"]] = (call.params, body)
        if call.action in OWN_ID and any(self.young(name, "hidden_ms") for name in self.born):
            return self.without_young(body, OWN_ID[call.action])
        return body

    def without_young(self, body, element):
        root = ET.fromstring(body)
        ET.register_namespace("", root.tag[1:].partition("}")[0])

        def prune(parent):
            for child in list(parent):
                if local(child.tag) == "item" and any(local(part.tag) == element and self.young(part.text, "hidden_ms") for part in child):
                    parent.remove(child)
                elif local(child.tag) in ("item", "reservationSet", "instancesSet") or parent is root:
                    prune(child)
            return parent
        for reservations in root.iter():
            for item in list(reservations) if local(reservations.tag) == "reservationSet" else []:
                prune(item)
                if not any(local(part.tag) == "instancesSet" and len(part) for part in item):
                    reservations.remove(item)
        return ET.tostring(prune(root), encoding="utf-8", xml_declaration=True)


class Call:
    """One request, as it was sent."""

    def __init__(self, handler, body):
        text = body.decode(errors="replace") if handler.command == "POST" else urlsplit(handler.path).query
        self.body = text.encode()
        self.pairs = parse_qsl(text, keep_blank_values=True)
        self.params = dict(self.pairs)
        self.action = self.params.get("Action", "")
        self.signature = signed.judge(handler, body, KEYS)
        self.service = self.signature.service or ("sts" if SERVICES["sts"].has(self.action) else "ec2")
        self.region = self.signature.region or "us-east-1"
        self.token, self.date = handler.headers["X-Amz-Security-Token"], handler.headers["X-Amz-Date"] or ""

    def check_signature(self, tokens):
        if self.service not in SERVICES:
            raise Refused(403, "SignatureDoesNotMatch", f"Credential should be scoped to correct service, not '{self.service}'.")
        if not self.signature.who and SERVICES[self.service].has(self.action) and \
                SERVICES[self.service].model.operation_model(self.action).auth_type == "none":
            return
        why = self.signature.why or self.why_not(tokens)
        if not why:
            return
        if self.service == "ec2":
            code = "RequestExpired" if why == "expired" else "AuthFailure"
            raise Refused(400 if why == "expired" else 401, code, f"AWS was not able to validate the provided access credentials ({why})")
        raise Refused(403, "InvalidClientTokenId" if why == "unknown key" else "SignatureDoesNotMatch",
                      f"The request signature we calculated does not match the signature you provided ({why}).")

    def why_not(self, tokens):
        if tokens.get(self.signature.who) != self.token:
            return "another session token than the key's"
        if self.service == "iam" and self.region != "us-east-1":
            return f"Credential should be scoped to us-east-1, not {self.region}"
        try:
            sent = datetime.strptime(self.date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        except ValueError:
            return "no X-Amz-Date"
        return "expired" if abs((datetime.now(timezone.utc) - sent).total_seconds()) > 300 else None


class Proxy(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, address, moto_port):
        super().__init__((address, 0), Handler)
        self.moto_port = moto_port
        self.overlay = Overlay(self.ask_moto)
        self.tokens = {}
        self.lock = threading.Lock()  # calls, faults, settings
        self.moto_lock = threading.Lock()  # one call at a time is judged and done
        self.go_on = threading.Condition(self.lock)
        self.holding, self.waiting, self.round, self.number = False, 0, 0, 0
        self.calls, self.violations, self.faults = [], [], []

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def ask_moto(self, service, region, params, path="/", method="POST"):
        """Signed for nobody: moto looks at the region and the service only."""
        connection = http.client.HTTPConnection("127.0.0.1", self.moto_port, timeout=120)
        body = params if isinstance(params, bytes) else urlencode(params).encode()
        connection.request(method, path, body, {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": f"{service}.{region}.amazonaws.com",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20200101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    # ---- control ----

    def control(self, wish):
        if wish.get("reset"):
            with self.go_on:
                self.calls, self.violations, self.faults = [], [], []
                self.number = 0
                self.round += 1
                self.holding = False
                self.go_on.notify_all()
            with self.moto_lock:
                self.overlay.forget()
            SETTINGS.update(delay_ms=0, hidden_ms=0, unknown_ms=0, denied=[])
            self.set_moto(OF_MOTO)
        if wish.get("release"):
            with self.go_on:
                self.holding = False
                self.go_on.notify_all()
        if "fault" in wish:
            fault = {"at": 1, "times": 1, "action": None, **wish["fault"]}
            if not re.match(r"(error \d+ |bare \d+$|throttle$|reset$|lost$|hang |malformed$|junk \d+$|hold$)", fault["kind"]):
                raise ValueError("no such fault: " + fault["kind"])
            with self.lock:
                self.faults.append(fault)
        wanted = dict(wish.get("set", {}))
        for key, secret in wanted.pop("keys", {}).items():
            KEYS[key] = secret
        self.set_moto({name: wanted.pop(name) for name in OF_MOTO if name in wanted})
        if set(wanted) - set(SETTINGS):
            raise ValueError(f"no such setting: {wanted}")
        SETTINGS.update(wanted)

    def set_moto(self, wanted):
        if wanted:
            self.ask_moto("ec2", "us-east-1", json.dumps(wanted).encode(), "/_moto", "PUT")

    def state(self):
        with self.lock:
            return {"calls": self.calls, "violations": self.violations, "held": self.waiting, "settings": SETTINGS}

    def begin(self, call):
        """The call's line in the log, and the fault that it gets."""
        with self.lock:
            self.number += 1
            line = {"n": self.number, "time": time.monotonic(), "service": call.service, "region": call.region, "action": call.action,
                    "key": call.signature.who, "params": {name: value for name, value in call.params.items() if name not in ("Action", "Version")}, "status": None}
            self.calls.append(line)
            for fault in self.faults:
                if fault["action"] in (None, call.action):
                    fault["at"] -= 1
                    if 1 - fault["times"] <= fault["at"] <= 0:
                        line["fault"] = fault["kind"]
                        return line, fault["kind"]
        return line, None

    def hold_back(self, start):
        """While a call is held nothing more is done. False: the test has reset, the call is dropped."""
        with self.go_on:
            mine = self.round
            if start:
                self.holding = True
            if self.holding:
                self.waiting += 1
                self.go_on.wait_for(lambda: not self.holding or self.round != mine)
                self.waiting -= 1
            return self.round == mine

    def blame(self, line, call, why):
        with self.lock:
            self.violations.append({"n": line["n"], "service": call.service, "action": call.action, "why": why})

    # ---- a call ----

    def judge(self, line, call):
        try:
            call.check_signature(self.tokens)
            SERVICES[call.service].read(call.pairs)
        except Refused as error:
            self.blame(line, call, f"{error.code}: {error.message}")
            raise
        except Bad as error:
            self.blame(line, call, f"{error.code}: {error.message}")
            raise Refused(400, error.code, error.message) from None

    @staticmethod
    def check_permission(call):
        name = f"{call.service}:{call.action}"
        if name not in SETTINGS["denied"]:
            return
        if call.service != "ec2":
            raise Refused(403, "AccessDenied", f"User: arn:aws:sts::123456789012:user/moto is not authorized to perform: {name} "
                          "because no identity-based policy allows the action")
        told = json.dumps({"allowed": False, "explicitDeny": False, "context": {"action": name}})
        raise Refused(403, "UnauthorizedOperation", "You are not authorized to perform this operation. Encoded authorization failure message: "
                      + base64.urlsafe_b64encode(told.encode()).decode())

    @staticmethod
    def decoded(call):
        """moto cannot: what UnauthorizedOperation has told."""
        try:
            told = base64.urlsafe_b64decode(call.params["EncodedMessage"]).decode()
        except ValueError:
            raise Refused(400, "InvalidAuthorizationMessageException", "Message is not valid") from None
        return 200, ('<DecodeAuthorizationMessageResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><DecodeAuthorizationMessageResult>'
                     f"<DecodedMessage>{escape(told)}</DecodedMessage></DecodeAuthorizationMessageResult></DecodeAuthorizationMessageResponse>").encode()

    def do(self, line, call):
        self.check_permission(call)
        if call.action == "DecodeAuthorizationMessage":
            return self.decoded(call)
        with self.moto_lock:
            repeated = self.overlay.before(call)
            if repeated:
                line["repeated"] = True
                return repeated
            status, body = self.ask_moto(call.service, call.region, call.body)
            if status >= 500 and b"InsufficientInstanceCapacity" not in body:
                self.blame(line, call, "moto cannot: " + re.sub(r"\s+", " ", body.decode(errors="replace"))[-300:])
            if status == 200:
                body = self.overlay.after(call, body)
                if call.service == "sts":
                    self.learn_keys(body)
            return status, body

    def learn_keys(self, body):
        found = [re.search(f"<{name}>([^<]*)<".encode(), body) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        if all(found):
            who, secret, token = (match.group(1).decode() for match in found)
            KEYS[who], self.tokens[who] = secret, token


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", "text/xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def error(self, call, n, status, code, message, headers=()):
        words = [escape(code), escape(message), f"fake-{n}"]
        text = EC2_ERROR.format(*words) if call.service == "ec2" else QUERY_ERROR.format(call.service, *words)
        self.answer(status, text.encode(), headers)

    def close(self, reset):
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
        self.connection.close()

    def do_GET(self):
        if self.path.startswith("/_control"):
            self.answer(200, json.dumps(self.server.state()).encode())
        else:
            self.serve(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if not self.path.startswith("/_control"):
            self.serve(body)
            return
        try:
            self.server.control(json.loads(body))
            self.answer(200, b"{}")
        except (ValueError, KeyError) as error:
            self.answer(400, str(error).encode())

    def serve(self, body):
        call = Call(self, body)
        line, fault = self.server.begin(call)
        if SETTINGS["delay_ms"]:
            time.sleep(SETTINGS["delay_ms"] / 1000)
        if not self.server.hold_back(False):
            self.close(True)
            return
        verb, *rest = (fault or "none").split()
        if self.refuse_undone(call, line, verb, rest):
            return
        try:
            self.server.judge(line, call)
            line["status"], answer = self.server.do(line, call)
        except Refused as error:
            line["status"], line["error"] = error.status, error.code
            self.error(call, line["n"], error.status, error.code, error.message)
            return
        if line["status"] != 200:
            code = re.search(rb"<Code>([^<]*)<", answer)
            line["error"] = code.group(1).decode() if code else None
        self.answer_spoilt(line, answer, verb, rest)

    def refuse_undone(self, call, line, verb, rest):
        """The faults of calls that are not done."""
        if verb == "throttle":
            verb, rest = "error", ["503", "RequestLimitExceeded"]
        if verb == "reset":
            self.close(True)
        elif verb == "bare":
            self.answer(int(rest[0]), b"")
        elif verb == "error":
            line["error"] = rest[1]
            self.error(call, line["n"], int(rest[0]), rest[1], "A fault of the test's.", [("Retry-After", rest[3])] if len(rest) > 3 else ())
        else:
            return False
        line["status"] = int(rest[0]) if rest else 0
        return True

    def answer_spoilt(self, line, answer, verb, rest):
        """The faults of calls that are done; none: the answer."""
        if verb == "lost":
            self.close(False)
        elif verb == "hang":
            time.sleep(float(rest[0]))
            self.close(False)
        elif verb == "malformed":
            self.answer(line["status"], answer[:len(answer) // 2])
        elif verb == "junk":
            self.answer(line["status"], b"x" * int(rest[0]))
        elif verb == "hold" and not self.server.hold_back(True):
            self.close(True)
        else:
            self.answer(line["status"], answer)


if __name__ == "__main__":
    server = Proxy(sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1", int(sys.argv[2]))
    with open(sys.argv[1] + ".new", "w", encoding="utf-8") as file:
        file.write(str(server.server_address[1]))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    server.serve_forever()
