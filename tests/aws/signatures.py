#!/usr/bin/env python3
"""Signatures of ours against those of others; a line "ok NAME" or "differs NAME" for each request.

  signatures.py suite FOLDER SIGN     the published suite: FOLDER/CASE/request.txt, context.json, header-*.txt
  signatures.py botocore N SEED SIGN  N random requests, signed by botocore

SIGN is the program made of tests/aws/sign.c.
"""
import hashlib
import json
import os
import random
import subprocess
import sys
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def by_ours(program, requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    answer = subprocess.run([program], input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    return [json.loads(line) for line in answer.splitlines()]


def judge(names, requests, wanted, program):
    """wanted: (canonical request, signature) of each"""
    for name, ours, (canonical, signature) in zip(names, by_ours(program, requests), wanted):
        same = ours["canonical"] == canonical and ours["authorization"].endswith("Signature=" + signature)
        print("ok" if same else "differs", name)
        if not same:
            print(f"note wanted {canonical!r} {signature}\nnote got {ours!r}")


# ---- the suite ----


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def read_request(text):
    """Method, path, query, headers, body. A header may go on in lines that begin with a blank."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    method, target = first.rsplit(" HTTP/", 1)[0].split(" ", 1)
    path, _, query = target.partition("?")
    headers = []
    for line in lines:
        if line[:1] in (" ", "\t"):
            headers[-1][1] += "\n" + line
        elif line:
            name, _, value = line.partition(":")
            headers.append([name, value])
    return {"method": method, "path": path, "query": query, "headers": headers, "body": body}


def suite_request(folder):
    context = json.loads(read(f"{folder}/context.json"))
    request = read_request(read(f"{folder}/request.txt"))
    credentials = context["credentials"]
    request.update(id=credentials["access_key_id"], secret=credentials["secret_access_key"], region=context["region"],
                   service=context["service"], time=context["timestamp"].replace("-", "").replace(":", ""),
                   keep_path=not context["normalize"])
    request["headers"].append(["X-Amz-Date", request["time"]])
    if "token" in credentials and not context.get("omit_session_token"):
        request["headers"].append(["X-Amz-Security-Token", credentials["token"]])
    if context["sign_body"]:
        request["headers"].append(["X-Amz-Content-Sha256", hashlib.sha256(request["body"].encode()).hexdigest()])
    return request


def suite(folder, program):
    names = sorted(name for name in os.listdir(folder) if os.path.exists(f"{folder}/{name}/header-signature.txt"))
    wanted = [(read(f"{folder}/{name}/header-canonical-request.txt"), read(f"{folder}/{name}/header-signature.txt").strip())
              for name in names]
    judge(names, [suite_request(f"{folder}/{name}") for name in names], wanted, program)


# ---- botocore ----

LETTERS = "abzABZ09-_.~ %+&=/?*'()ä€\u00a0"


def some_text(rng, longest):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, longest)))


def random_request(rng):
    """The request, and what botocore makes of it."""
    params = {some_text(rng, 8): some_text(rng, 12) for _ in range(rng.randint(0, 6))}
    method = rng.choice(["GET", "POST", "PUT", "DELETE"])
    body = some_text(rng, 40) if method in ("POST", "PUT") else ""
    region = rng.choice(["us-east-1", "eu-central-1", "ap-southeast-2"])
    service = rng.choice(["ec2", "iam", "sts"])
    time = f"20{rng.randint(10, 40)}0{rng.randint(1, 9)}1{rng.randint(0, 9)}T1{rng.randint(0, 9)}3600Z"
    credentials = Credentials("AKIDEXAMPLE", "not/a+secret" + str(rng.randint(0, 9)), rng.choice([None, "token/of+a=session"]))
    request = AWSRequest(method=method, url=f"https://{service}.{region}.example.com/", params=params, data=body.encode(),
                         headers={f"X-Amz-{rng.choice('ABC')}-{i}": f" {i}  and   {i} " for i in range(rng.randint(0, 3))})
    auth = SigV4Auth(credentials, service, region)
    request.context["timestamp"] = time
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params.items())
    headers = [["Host", f"{service}.{region}.example.com"]] + [[name, value] for name, value in request.headers.items()]
    ours = {"method": method, "path": "/", "query": query, "headers": headers, "body": body, "id": credentials.access_key,
            "secret": credentials.secret_key, "region": region, "service": service, "time": time}
    return ours, (canonical, signature)


def against_botocore(count, seed, program):
    rng = random.Random(seed)
    both = [random_request(rng) for _ in range(count)]
    judge([f"request {i} of seed {seed}" for i in range(count)], [ours for ours, _ in both], [wanted for _, wanted in both], program)


if __name__ == "__main__":
    if sys.argv[1] == "suite":
        suite(sys.argv[2], sys.argv[3])
    else:
        against_botocore(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
