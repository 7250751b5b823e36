#!/usr/bin/env python3
"""Whose keys: ours against botocore's, in the same environment; keys.py WHO FOLDER, a line "ok NAME" or "differs NAME" each.

WHO is the program made of tests/aws/who.c. A server on 127.0.0.1 is the container's endpoint, the instance's metadata and
STS; it gives keys whose names tell what they were asked for.
"""
import datetime
import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

LATER = (datetime.datetime.utcnow() + datetime.timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
STS = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials><AccessKeyId>{1}</AccessKeyId>
<SecretAccessKey>of-{1}</SecretAccessKey><SessionToken>token</SessionToken><Expiration>{2}</Expiration></Credentials></{0}Result>
<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></{0}Response>"""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        wanted = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer(200 if wanted else 404, "metadata-token" if wanted else "")

    def do_GET(self):
        base = "/latest/meta-data/iam/security-credentials/"
        keys = {"Code": "Success", "SecretAccessKey": "s", "Token": "t", "Expiration": LATER, "LastUpdated": LATER}
        if self.path.startswith("/container"):
            self.answer(200, json.dumps(dict(keys, AccessKeyId="container-" + (self.headers["Authorization"] or "open"))))
        elif self.headers["X-aws-ec2-metadata-token"] != "metadata-token":
            self.answer(401, "")
        elif self.path == base:
            self.answer(200, "db-role")
        elif self.path == base + "db-role":
            self.answer(200, json.dumps(dict(keys, AccessKeyId="instance-db-role")))
        else:
            self.answer(404, "")

    def do_POST(self):
        given = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        signer = re.search(r"Credential=([^/]+)/", self.headers["Authorization"] or "")
        told = [given["Action"], signer.group(1) if signer else "unsigned", given["RoleArn"], given.get("ExternalId", ""),
                given.get("DurationSeconds", ""), given.get("WebIdentityToken", "")]
        self.answer(200, STS.format(given["Action"], "|".join(told), LATER))


def by_botocore(environment):
    text = ("import json, botocore.session as b\ns = b.Session()\nk = s.get_credentials()\nf = k and k.get_frozen_credentials()\n"
            "print(json.dumps({'id': f and f.access_key, 'secret': f and f.secret_key, 'token': f and f.token,"
            " 'region': s.get_config_variable('region')}))")
    done = subprocess.run([sys.executable, "-c", text], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr.strip().splitlines()[-1]}


KEYS = "aws_access_key_id = {0}\naws_secret_access_key = of-{0}\n"
ENV = {"AWS_ACCESS_KEY_ID": "env", "AWS_SECRET_ACCESS_KEY": "of-env"}
ROLE = "role_arn = arn:aws:iam::1:role/r\n"


def cases(url):
    """name, {"env", "config", "credentials", ...}: the same as botocore, or with "id", "error" what ours has to say"""
    yield "the environment", {"env": ENV}
    yield "with a token", {"env": dict(ENV, AWS_SESSION_TOKEN="t")}
    yield "half of it", {"env": {"AWS_ACCESS_KEY_ID": "env"}, "error": "AWS_SECRET_ACCESS_KEY not"}
    yield "the environment before a profile", {"env": dict(ENV, AWS_PROFILE="p"), "config": "[profile p]\n" + KEYS.format("p")}
    yield "but an option's", {"env": ENV, "config": "[profile p]\n" + KEYS.format("p"), "profile": "p", "id": "p"}
    yield "default of credentials", {"credentials": "[default]\n" + KEYS.format("d")}
    yield "default of config", {"config": "[default]\n" + KEYS.format("d")}
    yield "credentials before config", {"config": "[default]\nregion = eu-west-3\n" + KEYS.format("c"), "credentials": "[default]\n" + KEYS.format("d")}
    yield "AWS_PROFILE", {"env": {"AWS_PROFILE": "p"}, "config": "[profile p]\n" + KEYS.format("p") + "[default]\n" + KEYS.format("d")}
    yield "a name with blanks", {"env": {"AWS_PROFILE": "a b"}, "config": '[profile "a b"]\n' + KEYS.format("p")}
    yield "no such profile", {"env": {"AWS_PROFILE": "q"}, "error": "no profile q"}
    yield "comments, blank lines, colons, case, nested settings", {
        "config": "# one\n; two\n\n[default]\nREGION : eu-west-2\ns3 =\n  max_bandwidth = 5\n  x = y\naws_access_key_id=d # no comment\n"
                  "aws_secret_access_key = a=b:c\n[sso-session x]\nsso_region = y\n[plugins]\n"}
    yield "the region of the environment", {"env": dict(ENV, AWS_DEFAULT_REGION="ap-south-1"), "config": "[default]\nregion = eu-west-1\n"}
    yield "no region", {"env": dict(ENV, AWS_DEFAULT_REGION=""), "error": "no region"}
    yield "an endpoint that is no URL", {"env": dict(ENV, AWS_ENDPOINT_URL="localhost:5000"), "error": "no URL of http"}
    yield "a line without =", {"config": "[default]\nregion eu-west-1\n", "error": "config:2: a line without ="}
    yield "a container", {"env": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/container"}}
    yield "with its token", {"env": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret-token"}}
    yield "that is somewhere else", {"env": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://container.example.com/x"}, "error": "neither https nor this machine"}
    yield "an instance", {"env": {"AWS_EC2_METADATA_DISABLED": "false"}}
    yield "a profile before both", {"env": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/container", "AWS_EC2_METADATA_DISABLED": "false"},
                                    "config": "[default]\n" + KEYS.format("d")}
    yield "none", {"error": "no AWS credentials"}
    yield "a role by another profile", {"config": "[default]\n" + ROLE + "source_profile = s\nexternal_id = x\nduration_seconds = 900\n[profile s]\n" + KEYS.format("s"),
                                        "id": "AssumeRole|s|arn:aws:iam::1:role/r|x|900|"}
    yield "by its own keys", {"config": "[default]\n" + ROLE + "source_profile = default\n" + KEYS.format("own"), "id": "AssumeRole|own|arn:aws:iam::1:role/r|||"}
    yield "by a role", {"config": "[default]\n" + ROLE + "source_profile = s\n[profile s]\nrole_arn = arn:s\nsource_profile = t\n[profile t]\n" + KEYS.format("t"),
                        "id": "AssumeRole|AssumeRole|t|arn:s||||arn:aws:iam::1:role/r|||"}
    yield "by the environment", {"env": ENV, "profile": "p", "config": "[profile p]\n" + ROLE + "credential_source = Environment\n",
                                 "id": "AssumeRole|env|arn:aws:iam::1:role/r|||"}
    yield "by the container", {"env": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/container"},
                               "config": "[default]\n" + ROLE + "credential_source = EcsContainer\n", "id": "AssumeRole|container-open|arn:aws:iam::1:role/r|||"}
    yield "by itself, in a circle", {"config": "[default]\n" + ROLE + "source_profile = s\n[profile s]\n" + ROLE + "source_profile = default\n", "error": "lead to themselves"}
    yield "by nobody", {"config": "[default]\n" + ROLE, "error": "neither source_profile nor credential_source"}
    yield "with a code of a device", {"config": "[default]\n" + ROLE + "source_profile = default\nmfa_serial = m\n" + KEYS.format("own"), "error": "mfa_serial"}
    yield "a web identity", {"env": {"AWS_WEB_IDENTITY_TOKEN_FILE": "FOLDER/token", "AWS_ROLE_ARN": "arn:w"}, "id": "AssumeRoleWithWebIdentity|unsigned|arn:w|||a.web.token"}
    yield "a profile's", {"config": "[default]\n" + ROLE + "web_identity_token_file = FOLDER/token\n", "id": "AssumeRoleWithWebIdentity|unsigned|arn:aws:iam::1:role/r|||a.web.token"}
    yield "a login by SSO", {"config": "[default]\nsso_start_url = https://x\nsso_region = y\n", "error": "a login by SSO"}
    yield "a process", {"config": "[default]\ncredential_process = /bin/true\n", "error": "credential_process"}


def judge(case, ours, environment):
    if "error" in case:
        return case["error"] in ours.get("error", ""), case["error"]
    if "id" in case:
        return ours.get("id") == case["id"], case["id"]
    wanted = by_botocore(environment)
    return all(ours.get(key) == wanted.get(key) for key in ("id", "secret", "token", "region")), wanted


def main(who, folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with open(f"{folder}/token", "w", encoding="utf-8") as file:
        file.write("a.web.token")
    for name, case in cases(url):
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true",
                       "AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_ENDPOINT_URL": url}
        environment.update({key: value.replace("FOLDER", folder) for key, value in case.get("env", {}).items()})
        for what in ("config", "credentials"):
            path = f"{folder}/{what}"
            with open(path, "w", encoding="utf-8") as file:
                file.write(case.get(what, "").replace("FOLDER", folder))
            environment["AWS_CONFIG_FILE" if what == "config" else "AWS_SHARED_CREDENTIALS_FILE"] = path
        if re.search("(?i)^region", case.get("config", ""), re.M) and "AWS_DEFAULT_REGION" not in case.get("env", {}):
            del environment["AWS_DEFAULT_REGION"]
        done = subprocess.run([who] + ([case["profile"]] if "profile" in case else []), env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=True)
        ours = json.loads(done.stdout)
        good, wanted = judge(case, ours, environment)
        print("ok" if good else "differs", name)
        if not good:
            print(f"note wanted {wanted}\nnote got {ours}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
