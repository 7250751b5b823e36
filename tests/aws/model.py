"""Requests of the query APIs, judged by botocore's models of the services."""
import base64
import binascii
import datetime
import re

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

MISSING = object()

# What RunInstances and the Create calls may tag; the models do not say.
TAGGABLE = {
    "AllocateAddress": "elastic-ip", "CreateInternetGateway": "internet-gateway", "CreateKeyPair": "key-pair",
    "CreateNatGateway": "natgateway", "CreateNetworkInterface": "network-interface", "CreatePlacementGroup": "placement-group",
    "CreateRouteTable": "route-table", "CreateSecurityGroup": "security-group", "CreateSubnet": "subnet", "CreateVolume": "volume",
    "CreateVpc": "vpc", "ImportKeyPair": "key-pair", "RunInstances": "instance volume network-interface spot-instances-request elastic-gpu",
    "AuthorizeSecurityGroupIngress": "security-group-rule", "AuthorizeSecurityGroupEgress": "security-group-rule",
}


class Bad(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def unknown(name):
    return Bad("UnknownParameter", f"The parameter {name} is not recognized")


def wrong(name, value, why):
    return Bad("InvalidParameterValue", f"Value ({value[:200]}) for parameter {name} is invalid. {why}")


def of_java(pattern):
    """The models' patterns are Java's; those of classes that Python's do not have are not looked at."""
    for java, ours in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d"), (r"\p{M}", ""), (r"\p{S}", "")):
        pattern = pattern.replace(java, ours)
    return ".*" if r"\p{" in pattern else pattern


class Reader:
    """Takes a request's parameters by the shape of the operation's input; what is left over nobody knows."""

    def __init__(self, protocol, pairs):
        self.ec2 = protocol == "ec2"
        self.params = {}
        for name, value in pairs:
            if name in self.params:
                raise Bad("InvalidParameterValue", f"The parameter {name} is given twice")
            self.params[name] = value
        self.left = dict(self.params)

    def take(self, shape, name):
        return getattr(self, "take_" + shape.type_name, self.take_text)(shape, name)

    def take_structure(self, shape, name=""):
        prefix, taken = name + "." if name else "", {}
        if name and not any(given.startswith(prefix) for given in self.left):
            return MISSING
        for member, inner in shape.members.items():
            value = self.take(inner, prefix + self.wire_name(member, inner))
            if value is not MISSING:
                taken[member] = value
        for member in shape.required_members:
            if member not in taken:
                raise Bad("MissingParameter", f"The request must contain the parameter {prefix}{self.wire_name(member, shape.members[member])}")
        return taken

    def wire_name(self, member, shape):
        how = shape.serialization
        if self.ec2:
            name = how.get("name", member)
            return how.get("queryName") or (name[0].upper() + name[1:] if "name" in how else name)
        if shape.type_name == "list" and how.get("flattened"):
            return shape.member.serialization.get("name") or how.get("name", member)
        return how.get("name", member)

    def take_list(self, shape, prefix):
        if not self.ec2 and not shape.serialization.get("flattened"):
            prefix += "." + shape.member.serialization.get("name", "member")
        return self.numbered(prefix, lambda name: self.take(shape.member, name))

    def numbered(self, prefix, take):
        heads = {name[len(prefix) + 1:].split(".")[0] for name in self.left if name.startswith(prefix + ".")}
        if not heads:
            return MISSING
        if heads != {str(n + 1) for n in range(len(heads))}:
            raise Bad("InvalidParameterValue", f"The list {prefix} is not numbered from 1 without gaps: {', '.join(sorted(heads))}")
        taken = [take(f"{prefix}.{n + 1}") for n in range(len(heads))]
        return [item for item in taken if item is not MISSING]

    def take_map(self, shape, prefix):
        def entry(name):
            return self.take(shape.key, name + ".key"), self.take(shape.value, name + ".value")
        taken = self.numbered(prefix + ("" if shape.serialization.get("flattened") else ".entry"), entry)
        return taken if taken is MISSING else dict(taken)

    def take_text(self, shape, name):
        if name not in self.left:
            return MISSING
        value = self.left.pop(name)
        taken = getattr(self, "read_" + shape.type_name)(name, value)
        self.check_limits(shape, name, value)
        return taken

    @staticmethod
    def check_limits(shape, name, value):
        limits = shape.metadata
        if "enum" in limits and value not in limits["enum"]:
            # New types come every month; moto knows which there are.
            if not (shape.name == "InstanceType" and re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", value)):
                raise wrong(name, value, f"It must be one of {', '.join(limits['enum'][:20])}")
        size = int(value) if shape.type_name in ("integer", "long") else len(value) if shape.type_name == "string" else None
        if size is not None and not limits.get("min", size) <= size <= limits.get("max", size):
            raise wrong(name, value, f"It must be between {limits.get('min')} and {limits.get('max')}")
        if shape.type_name == "string" and "pattern" in limits and not re.fullmatch(of_java(limits["pattern"]), value):
            raise wrong(name, value, f"It must match {limits['pattern']}")

    @staticmethod
    def read_string(_, value):
        return value

    read_character = read_string

    @staticmethod
    def read_integer(name, value):
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise wrong(name, value, "It must be an integer")
        return int(value)

    read_long = read_integer

    @staticmethod
    def read_float(name, value):
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise wrong(name, value, "It must be a number")
        return float(value)

    read_double = read_float

    @staticmethod
    def read_boolean(name, value):
        if value not in ("true", "false"):
            raise wrong(name, value, "It must be true or false")
        return value == "true"

    @staticmethod
    def read_timestamp(name, value):
        try:
            return datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ" if "." not in value else "%Y-%m-%dT%H:%M:%S.%fZ")
        except ValueError:
            raise wrong(name, value, "It must be a time like 2025-11-17T06:00:00Z") from None

    @staticmethod
    def read_blob(name, value):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise wrong(name, value, "It must be base64") from None


class Service:
    def __init__(self, name):
        self.name = name
        self.model = ServiceModel(Loader().load_service_model(name, "service-2"), name)
        self.protocol = self.model.metadata["protocol"]

    def has(self, action):
        return action in self.model.operation_names

    def read(self, pairs):
        """The call's arguments as botocore has them; Bad when AWS would not take them."""
        given = dict(pairs)
        action, version = given.get("Action"), given.get("Version")
        if not action:
            raise Bad("MissingAction", "The request must contain the parameter Action")
        if not self.has(action) or version != self.model.api_version:
            raise Bad("InvalidAction", f"The action {action} is not valid for this web service, version {version}.")
        operation = self.model.operation_model(action)
        reader = Reader(self.protocol, pairs)
        del reader.left["Action"], reader.left["Version"]
        arguments = reader.take_structure(operation.input_shape) if operation.input_shape else {}
        if reader.left:
            raise unknown(min(reader.left))
        self.check_tags(action, arguments)
        self.ask_botocore(operation, arguments, reader.params)
        return arguments

    @staticmethod
    def check_tags(action, arguments):
        for wish in arguments.get("TagSpecifications", []):
            if wish.get("ResourceType") not in TAGGABLE.get(action, "").split():
                raise Bad("InvalidParameterValue", f"'{wish.get('ResourceType')}' is not a valid taggable resource type for this operation.")
            names = [tag.get("Key") for tag in wish.get("Tags", [])]
            if len(set(names)) < len(names):
                raise Bad("InvalidParameterValue", "Duplicate tag key specified.")

    def ask_botocore(self, operation, arguments, params):
        """The second opinion: botocore takes the arguments, and writes the very same request."""
        if not operation.input_shape:
            return
        report = ParamValidator().validate(arguments, operation.input_shape)
        if report.has_errors():
            raise Bad("InvalidParameterValue", report.generate_report())
        written = create_serializer(self.protocol, include_validation=False).serialize_to_request(arguments, operation)["body"]
        for name in sorted(set(written) | set(params)):
            ours, theirs = params.get(name), written.get(name)
            if ours != (str(theirs).lower() if isinstance(theirs, bool) else theirs if theirs is None else str(theirs)):
                raise Bad("InvalidParameterValue", f"botocore writes {name} as {theirs!r}, not {ours!r}")


SERVICES = {name: Service(name) for name in ("ec2", "iam", "sts")}
