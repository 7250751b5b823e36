"""Signatures of requests, judged with botocore's signer."""
import collections
import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HEADER = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$")

# good: signed by a key that is known; who: the key's id, or None; why: what is wrong
Signature = collections.namedtuple("Signature", "good who region service why")


def judge(handler, body, keys):
    """A request as http.server has it; keys: {id: secret}. Whether a session's token is the right one is not looked at."""
    found = HEADER.match(handler.headers["Authorization"] or "")
    if not found:
        return Signature(False, None, None, None, "no signature")
    who, region, service, names, signature = found.groups()
    names, token = names.split(";"), handler.headers["X-Amz-Security-Token"]

    def bad(why):
        return Signature(False, who, region, service, why)

    if who not in keys:
        return bad("unknown key")
    wanted = ["host", "x-amz-date"] + (["x-amz-security-token"] if token else [])
    if not set(wanted) <= set(names):
        return bad(f"signs {names}, not {wanted}")
    request = AWSRequest(method=handler.command, url=f"http://{handler.headers['Host']}{handler.path}", data=body,
                         headers={name: handler.headers[name] for name in names if name != "host"})
    request.context["timestamp"] = handler.headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials(who, keys[who], token), service, region)
    ours = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return Signature(True, who, region, service, None) if ours == signature else bad("another signature than botocore's")
