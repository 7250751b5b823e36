#!/usr/bin/env python3
"""botocore as a client of the proxy: clients.py typical|bad|young; a line "ok WHAT" or "differs WHAT" each.

typical: what a cluster needs, made, looked at, refused where EC2 refuses, and deleted. bad: requests made by hand, each with one
fault. young: what was just made is not seen yet.
"""
import datetime
import http.client
import json
import os
import sys
import time
from urllib.parse import urlencode, urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

URL = os.environ["AWS_ENDPOINT_URL"]
VERSIONS = {"ec2": "2016-11-15", "iam": "2010-05-08", "sts": "2011-06-15"}
KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5qKQ4kZ0hVQmFzZTY0aXNoMTIzNDU2Nzg5MDEyMzQ1 demo"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:AssignPrivateIpAddresses", "Resource": "*"}]})


def client(service, region="eu-central-1"):
    return botocore.session.Session().create_client(service, region, endpoint_url=URL, config=Config(retries={"max_attempts": 0}))


def check(what, got, wanted):
    print("ok" if got == wanted else "differs", what)
    if got != wanted:
        print(f"note got    {got}\nnote wanted {wanted}")


def refused(what, code, call, **arguments):
    try:
        got = f"done: {call(**arguments)}"
    except ClientError as error:
        got = error.response["Error"]["Code"]
    check(what, got, code)


def tags(*kinds):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": "demo"}, {"Key": "cluster", "Value": "demo"}]} for kind in kinds]


OURS = [{"Name": "tag:cluster", "Values": ["demo"]}]


# ---- typical ----


class Cluster:
    def __init__(self):
        self.ec2, self.iam, self.sts = client("ec2"), client("iam", "us-east-1"), client("sts")

    def network(self):
        ec2 = self.ec2
        check("the account", self.sts.get_caller_identity()["Account"], "123456789012")
        self.vpc = ec2.create_vpc(CidrBlock="10.3.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        check("a VPC's attribute", ec2.describe_vpc_attribute(VpcId=self.vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"], {"Value": True})
        self.subnets = {}
        for number, zone in enumerate("abc"):
            made = ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.3.{number}.0/24", AvailabilityZone="eu-central-1" + zone, TagSpecifications=tags("subnet"))
            self.subnets[zone] = made["Subnet"]["SubnetId"]
        self.address = ec2.allocate_address(Domain="vpc", TagSpecifications=tags("elastic-ip"))["AllocationId"]
        wish = {"SubnetId": self.subnets["c"], "AllocationId": self.address, "TagSpecifications": tags("natgateway"), "ClientToken": "nat"}
        refused("a NAT gateway without an internet gateway", "Gateway.NotAttached", ec2.create_nat_gateway, **wish)
        self.igw = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway"))["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.igw, VpcId=self.vpc)
        second = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        refused("a second internet gateway", "InvalidParameterValue", ec2.attach_internet_gateway, InternetGatewayId=second, VpcId=self.vpc)
        ec2.delete_internet_gateway(InternetGatewayId=second)
        self.nat = ec2.create_nat_gateway(**wish)["NatGateway"]["NatGatewayId"]
        check("the same token: the same NAT gateway", ec2.create_nat_gateway(**wish)["NatGateway"]["NatGatewayId"], self.nat)
        refused("the same token for another", "IdempotentParameterMismatch", ec2.create_nat_gateway, **{**wish, "SubnetId": self.subnets["a"]})
        check("found by tag", [nat["NatGatewayId"] for nat in ec2.describe_nat_gateways(Filters=OURS)["NatGateways"]], [self.nat])
        self.routes()

    def routes(self):
        ec2 = self.ec2
        self.table = ec2.create_route_table(VpcId=self.vpc, TagSpecifications=tags("route-table"))["RouteTable"]["RouteTableId"]
        other = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=self.nat)
        refused("a route twice", "RouteAlreadyExists", ec2.create_route, RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=self.igw)
        for zone in "ab":
            ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnets[zone])
        refused("a subnet's second route table", "Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=other, SubnetId=self.subnets["a"])
        ec2.delete_route_table(RouteTableId=other)

    def groups(self):
        ec2 = self.ec2
        self.db, self.lb = (ec2.create_security_group(GroupName="demo-" + name, Description=name, VpcId=self.vpc,
                                                      TagSpecifications=tags("security-group"))["GroupId"] for name in ("db", "lb"))
        ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "ssh"}, {"CidrIp": "192.0.2.0/24"}]}
        wish = [ssh, {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": self.lb, "Description": "from lb"}]},
                {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": self.db}]}]
        made = ec2.authorize_security_group_ingress(GroupId=self.db, IpPermissions=wish, TagSpecifications=tags("security-group-rule"))["SecurityGroupRules"]
        check("a rule for each source", [(rule["IsEgress"], rule["FromPort"]) for rule in made], [(False, 22), (False, 22), (False, 5432), (False, -1)])
        again = {**ssh, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "other words"}]}
        refused("a rule twice", "InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=self.db, IpPermissions=[again])
        for _ in range(2):
            told = ec2.describe_security_groups(GroupIds=[self.db])["SecurityGroups"][0]["IpPermissions"]
            check("told by permission", [(rule.get("FromPort"), len(rule["IpRanges"]), len(rule["UserIdGroupPairs"])) for rule in told],
                  [(22, 2, 0), (5432, 0, 1), (None, 0, 1)])
        ec2.revoke_security_group_ingress(GroupId=self.db, SecurityGroupRuleIds=[made[1]["SecurityGroupRuleId"]])
        ec2.revoke_security_group_ingress(GroupId=self.db, IpPermissions=[again])
        refused("a rule that is gone", "InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=self.db, IpPermissions=[again])
        left = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [self.db]}])["SecurityGroupRules"]
        check("what is left", sorted((rule["IsEgress"], rule["FromPort"], rule.get("Description")) for rule in left if rule["FromPort"] > 0 or rule["IsEgress"]),
              [(False, 5432, "from lb"), (True, -1, None)])

    def identity(self):
        ec2, iam = self.ec2, self.iam
        ec2.import_key_pair(KeyName="demo", PublicKeyMaterial=KEY, TagSpecifications=tags("key-pair"))
        told = ec2.describe_key_pairs(KeyNames=["demo"], IncludePublicKey=True)["KeyPairs"][0]
        check("a key pair", (told["KeyType"], told["PublicKey"]), ("ed25519", KEY.decode()))
        iam.create_role(RoleName="demo-vip", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "cluster", "Value": "demo"}])
        iam.put_role_policy(RoleName="demo-vip", PolicyName="vip", PolicyDocument=POLICY)
        iam.create_instance_profile(InstanceProfileName="demo-vip", Tags=[{"Key": "cluster", "Value": "demo"}])
        iam.add_role_to_instance_profile(InstanceProfileName="demo-vip", RoleName="demo-vip")
        check("the role's tags", iam.get_role(RoleName="demo-vip")["Role"]["Tags"], [{"Key": "cluster", "Value": "demo"}])
        refused("a role with a profile", "DeleteConflict", iam.delete_role, RoleName="demo-vip")
        refused("a profile with a role", "DeleteConflict", iam.delete_instance_profile, InstanceProfileName="demo-vip")
        keys = client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/demo-vip", RoleSessionName="test")["Credentials"]
        session = botocore.session.Session()
        session.set_credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        check("a session's keys are known", session.create_client("ec2", "eu-central-1", endpoint_url=URL).describe_vpcs(VpcIds=[self.vpc])["Vpcs"][0]["VpcId"], self.vpc)

    def run(self, zone, address, token, **other):
        disk = {"VolumeType": "gp3", "Encrypted": True}
        wish = {
            "ImageId": self.image["ImageId"], "InstanceType": "m6i.large", "MinCount": 1, "MaxCount": 1, "KeyName": "demo", "ClientToken": token,
            "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": self.subnets[zone], "PrivateIpAddress": address, "Groups": [self.db, self.lb]}],
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}, "DisableApiTermination": True, "UserData": "#cloud-config\n",
            "IamInstanceProfile": {"Name": "demo-vip"}, "Placement": {"GroupName": "demo"}, "TagSpecifications": tags("instance", "volume", "network-interface"),
            "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {**disk, "VolumeSize": 100, "Iops": 4000, "Throughput": 250, "DeleteOnTermination": False}}],
            **other}
        return self.ec2.run_instances(**wish)["Instances"][0]

    def instances(self):
        ec2 = self.ec2
        found = ec2.describe_images(Owners=["136693071363"], Filters=[{"Name": "name", "Values": ["debian-13-amd64-*"]}])["Images"]
        self.image = max(found, key=lambda image: image["CreationDate"])
        check("the newest image", self.image["Name"], "debian-13-amd64-20251117-2299")
        ec2.create_placement_group(GroupName="demo", Strategy="spread", TagSpecifications=tags("placement-group"))
        one = self.run("a", "10.3.0.11", "one")
        self.one, self.eni = one["InstanceId"], one["NetworkInterfaces"][0]["NetworkInterfaceId"]
        check("the same token: the same instance", self.run("a", "10.3.0.11", "one")["InstanceId"], self.one)
        for what, code, arguments in (
                ("the same token for another", "IdempotentParameterMismatch", ("a", "10.3.0.12", "one")),
                ("an address in use", "InvalidIPAddress.InUse", ("a", "10.3.0.11", "x")),
                ("an address outside", "InvalidParameterValue", ("a", "10.3.1.11", "x")),
                ("an address of AWS's own", "InvalidParameterValue", ("a", "10.3.0.3", "x"))):
            refused(what, code, lambda arguments=arguments: self.run(*arguments))
        for what, code, other in (
                ("a type of another architecture", "InvalidParameterValue", {"InstanceType": "t4g.small"}),
                ("an unknown type", "InvalidParameterValue", {"InstanceType": "m6i.enormous"}),
                ("an unknown image", "InvalidAMIID.NotFound", {"ImageId": "ami-00000000000000000"}),
                ("an unknown key pair", "InvalidKeyPair.NotFound", {"KeyName": "nobody"}),
                ("too much user data", "InvalidParameterValue", {"UserData": "x" * 16385}),
                ("an unknown placement group", "InvalidPlacementGroup.Unknown", {"Placement": {"GroupName": "nobody"}})):
            refused(what, code, lambda other=other: self.run("a", "10.3.0.13", "x", **other))
        two = self.run("a", "10.3.0.12", "two", DisableApiTermination=False)
        self.two, self.other_eni = two["InstanceId"], two["NetworkInterfaces"][0]["NetworkInterfaceId"]
        told = ec2.describe_instances(InstanceIds=[self.one])["Reservations"][0]["Instances"][0]
        check("an instance", (told["State"]["Name"], told["PrivateIpAddress"], told["MetadataOptions"]["HttpTokens"], told["ClientToken"],
                              told["Placement"]["GroupName"], sorted(group["GroupName"] for group in told["SecurityGroups"]),
                              [disk["DeviceName"] for disk in told["BlockDeviceMappings"]]),
              ("running", "10.3.0.11", "required", "one", "demo", ["demo-db", "demo-lb"], ["/dev/sdf", "/dev/xvda"]))
        protected = ec2.describe_instance_attribute(InstanceId=self.one, Attribute="disableApiTermination")["DisableApiTermination"]
        check("termination protection", protected, {"Value": True})
        check("three kinds found by tag", [len(ec2.describe_volumes(Filters=OURS)["Volumes"]), len(ec2.describe_network_interfaces(Filters=OURS)["NetworkInterfaces"]),
                                           len(ec2.describe_instances(Filters=OURS)["Reservations"])], [4, 2, 2])

    def volumes(self):
        ec2 = self.ec2
        mine = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [self.one]}, {"Name": "attachment.device", "Values": ["/dev/sdf"]}])["Volumes"][0]
        check("a data volume", (mine["Iops"], mine["Throughput"], mine["Encrypted"], mine["Attachments"][0]["DeleteOnTermination"]), (4000, 250, True, False))
        ec2.modify_volume(VolumeId=mine["VolumeId"], Size=200, Iops=5000, Throughput=300)
        mine = ec2.describe_volumes(VolumeIds=[mine["VolumeId"]])["Volumes"][0]
        check("changed", (mine["Size"], mine["Iops"], mine["Throughput"]), (200, 5000, 300))
        refused("smaller", "InvalidParameterValue", ec2.modify_volume, VolumeId=mine["VolumeId"], Size=100)
        wish = {"AvailabilityZone": "eu-central-1a", "Size": 10, "VolumeType": "gp3", "Encrypted": True, "ClientToken": "volume", "TagSpecifications": tags("volume")}
        volume = ec2.create_volume(**wish)["VolumeId"]
        check("the same token: the same volume", ec2.create_volume(**wish)["VolumeId"], volume)
        ec2.attach_volume(VolumeId=volume, InstanceId=self.two, Device="/dev/sdg")
        refused("attached twice", "VolumeInUse", ec2.attach_volume, VolumeId=volume, InstanceId=self.one, Device="/dev/sdg")
        refused("deleted while attached", "VolumeInUse", ec2.delete_volume, VolumeId=volume)
        ec2.detach_volume(VolumeId=volume)
        ec2.delete_volume(VolumeId=volume)

    def addresses(self):
        ec2, mine, other = self.ec2, self.eni, self.other_eni
        vip = ["10.3.0.100"]

        def holders():
            found = ec2.describe_network_interfaces(Filters=[{"Name": "addresses.private-ip-address", "Values": vip}])["NetworkInterfaces"]
            return [eni["NetworkInterfaceId"] for eni in found]
        told = ec2.assign_private_ip_addresses(NetworkInterfaceId=mine, PrivateIpAddresses=vip, AllowReassignment=True)["AssignedPrivateIpAddresses"]
        check("an address is assigned", ([item["PrivateIpAddress"] for item in told], holders()), (vip, [mine]))
        refused("not moved unless allowed", "InvalidParameterValue", ec2.assign_private_ip_addresses, NetworkInterfaceId=other, PrivateIpAddresses=vip)
        ec2.assign_private_ip_addresses(NetworkInterfaceId=other, PrivateIpAddresses=vip, AllowReassignment=True)
        check("moved: it has left the other", holders(), [other])
        ec2.assign_private_ip_addresses(NetworkInterfaceId=other, PrivateIpAddresses=vip, AllowReassignment=True)
        refused("a primary does not move", "InvalidParameterValue", ec2.assign_private_ip_addresses, NetworkInterfaceId=other, PrivateIpAddresses=["10.3.0.11"], AllowReassignment=True)
        refused("not in the subnet", "InvalidParameterValue", ec2.assign_private_ip_addresses, NetworkInterfaceId=other, PrivateIpAddresses=["10.3.1.100"])
        refused("taken from one that has it not", "InvalidParameterValue", ec2.unassign_private_ip_addresses, NetworkInterfaceId=mine, PrivateIpAddresses=vip)
        ec2.unassign_private_ip_addresses(NetworkInterfaceId=other, PrivateIpAddresses=vip)
        check("nobody has it", holders(), [])
        for eni in (mine, other):
            ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": False})
        ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="10.99.0.100/32", NetworkInterfaceId=mine)
        ec2.replace_route(RouteTableId=self.table, DestinationCidrBlock="10.99.0.100/32", NetworkInterfaceId=other)
        table = ec2.describe_route_tables(RouteTableIds=[self.table])["RouteTables"][0]
        check("a route moves", [route["NetworkInterfaceId"] for route in table["Routes"] if route["DestinationCidrBlock"] == "10.99.0.100/32"], [other])
        ec2.modify_instance_attribute(InstanceId=self.one, Groups=[self.db])
        eni = ec2.describe_network_interfaces(NetworkInterfaceIds=[mine])["NetworkInterfaces"][0]
        check("groups are replaced", ([group["GroupId"] for group in eni["Groups"]], eni["SourceDestCheck"]), ([self.db], False))
        self.elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.associate_address(AllocationId=self.elastic, NetworkInterfaceId=mine)
        refused("an elastic address does not move when told so", "Resource.AlreadyAssociated", ec2.associate_address,
                AllocationId=self.elastic, NetworkInterfaceId=other, AllowReassociation=False)
        ec2.associate_address(AllocationId=self.elastic, NetworkInterfaceId=other)
        check("it moves", ec2.describe_addresses(AllocationIds=[self.elastic])["Addresses"][0]["NetworkInterfaceId"], other)
        check("and has left the other", "Association" in ec2.describe_network_interfaces(NetworkInterfaceIds=[mine])["NetworkInterfaces"][0], False)

    def in_use(self):
        ec2 = self.ec2
        for what, code, call, arguments in (
                ("VPC", "DependencyViolation", ec2.delete_vpc, {"VpcId": self.vpc}),
                ("subnet", "DependencyViolation", ec2.delete_subnet, {"SubnetId": self.subnets["a"]}),
                ("security group", "DependencyViolation", ec2.delete_security_group, {"GroupId": self.db}),
                ("internet gateway, attached", "DependencyViolation", ec2.delete_internet_gateway, {"InternetGatewayId": self.igw}),
                ("internet gateway, to detach", "DependencyViolation", ec2.detach_internet_gateway, {"InternetGatewayId": self.igw, "VpcId": self.vpc}),
                ("route table", "DependencyViolation", ec2.delete_route_table, {"RouteTableId": self.table}),
                ("interface", "InvalidParameterValue", ec2.delete_network_interface, {"NetworkInterfaceId": self.eni}),
                ("elastic address", "InvalidIPAddress.InUse", ec2.release_address, {"AllocationId": self.elastic}),
                ("elastic address of a NAT gateway", "InvalidIPAddress.InUse", ec2.release_address, {"AllocationId": self.address}),
                ("placement group", "InvalidPlacementGroup.InUse", ec2.delete_placement_group, {"GroupName": "demo"})):
            refused("in use: " + what, code, call, **arguments)
        refused("protected, and the other with it", "OperationNotPermitted", ec2.terminate_instances, InstanceIds=[self.two, self.one])
        states = [instance["State"]["Name"] for item in ec2.describe_instances(InstanceIds=[self.one, self.two])["Reservations"] for instance in item["Instances"]]
        check("both run on", states, ["running", "running"])

    def down(self):
        ec2, iam = self.ec2, self.iam
        ec2.modify_instance_attribute(InstanceId=self.one, DisableApiTermination={"Value": False})
        ec2.terminate_instances(InstanceIds=[self.one, self.two])
        refused("a token of an instance that is gone", "IdempotentInstanceTerminated", self.run, zone="a", address="10.3.0.11", token="one")
        check("interfaces are gone, data volumes stay", (len(ec2.describe_network_interfaces(Filters=OURS)["NetworkInterfaces"]),
                                                         [disk["Size"] for disk in ec2.describe_volumes(Filters=OURS)["Volumes"]]), (0, [200, 100]))
        for disk in ec2.describe_volumes(Filters=OURS)["Volumes"]:
            ec2.delete_volume(VolumeId=disk["VolumeId"])
        ec2.release_address(AllocationId=self.elastic)
        ec2.delete_placement_group(GroupName="demo")
        ec2.delete_nat_gateway(NatGatewayId=self.nat)
        ec2.release_address(AllocationId=self.address)
        ec2.detach_internet_gateway(InternetGatewayId=self.igw, VpcId=self.vpc)
        ec2.delete_internet_gateway(InternetGatewayId=self.igw)
        for subnet in self.subnets.values():
            ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_route_table(RouteTableId=self.table)
        refused("a group that another one's rule names", "DependencyViolation", ec2.delete_security_group, GroupId=self.lb)
        for group in (self.db, self.lb):
            ec2.delete_security_group(GroupId=group)
        ec2.delete_vpc(VpcId=self.vpc)
        ec2.delete_key_pair(KeyName="demo")
        iam.remove_role_from_instance_profile(InstanceProfileName="demo-vip", RoleName="demo-vip")
        iam.delete_instance_profile(InstanceProfileName="demo-vip")
        refused("a role with a policy", "DeleteConflict", iam.delete_role, RoleName="demo-vip")
        iam.delete_role_policy(RoleName="demo-vip", PolicyName="vip")
        iam.delete_role(RoleName="demo-vip")
        left = {tag["ResourceType"] for tag in ec2.describe_tags(Filters=OURS)["Tags"]}
        check("by tag only what AWS keeps for a while is left", left <= {"instance", "nat-gateway", "natgateway"}, True)


def typical():
    cluster = Cluster()
    for step in (cluster.network, cluster.groups, cluster.identity, cluster.instances, cluster.volumes, cluster.addresses, cluster.in_use, cluster.down):
        step()


# ---- bad ----


def send(service, pairs, change=None, region=None, secret=None, late=0):
    """A request made by hand, signed by botocore: (status, code)."""
    region = region or ("us-east-1" if service == "iam" else "eu-central-1")
    body = urlencode(pairs)
    request = AWSRequest("POST", URL + "/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    auth = SigV4Auth(Credentials(os.environ["AWS_ACCESS_KEY_ID"], secret or os.environ["AWS_SECRET_ACCESS_KEY"]), service, region)
    request.context["timestamp"] = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=late)).strftime("%Y%m%dT%H%M%SZ")
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    auth._inject_signature_to_request(request, auth.signature(auth.string_to_sign(request, canonical), request))
    headers = dict(request.headers.items())
    if change:
        headers, body = change(headers, body)
    connection = http.client.HTTPConnection(urlsplit(URL).netloc)
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    return answer.status, text.partition("<Code>")[2].partition("<")[0]


def without_signature(headers, body):
    return {name: value for name, value in headers.items() if name != "Authorization"}, body


def with_token(headers, body):
    return {**headers, "X-Amz-Security-Token": "nobody-gave-it"}, body


TAG = {"TagSpecification.1.ResourceType": "vpc", "TagSpecification.1.Tag.1.Key": "a", "TagSpecification.1.Tag.1.Value": "b"}
VPC = {"CidrBlock": "10.9.0.0/16"}
BAD = (  # what, service, action, parameters, (status, code)
    ("an unknown parameter", "ec2", "DescribeVpcs", {"VpcIds.1": "vpc-1"}, (400, "UnknownParameter")),
    ("a wrong case", "ec2", "DescribeVpcs", {"vpcId.1": "vpc-1"}, (400, "UnknownParameter")),
    ("a missing parameter", "ec2", "CreateSubnet", {"CidrBlock": "10.9.0.0/24"}, (400, "MissingParameter")),
    ("a missing parameter inside", "ec2", "ModifyInstanceAttribute", {"Attribute": "groupSet"}, (400, "MissingParameter")),
    ("no number", "ec2", "DescribeVpcs", {"MaxResults": "many"}, (400, "InvalidParameterValue")),
    ("a number too small", "ec2", "DescribeVpcs", {"MaxResults": "1"}, (400, "InvalidParameterValue")),
    ("a truth of another kind", "ec2", "DescribeVpcs", {"DryRun": "True"}, (400, "InvalidParameterValue")),
    ("a value not in the model", "ec2", "CreateVpc", {**VPC, "InstanceTenancy": "sometimes"}, (400, "InvalidParameterValue")),
    ("no base64", "ec2", "ImportKeyPair", {"KeyName": "a", "PublicKeyMaterial": "ssh-ed25519 AAAA"}, (400, "InvalidParameterValue")),
    ("no time", "ec2", "DescribeSpotPriceHistory", {"StartTime": "yesterday"}, (400, "InvalidParameterValue")),
    ("a list from 0", "ec2", "DescribeVpcs", {"VpcId.0": "vpc-1"}, (400, "InvalidParameterValue")),
    ("a list from 2", "ec2", "DescribeVpcs", {"VpcId.2": "vpc-1"}, (400, "InvalidParameterValue")),
    ("a list with a gap", "ec2", "DescribeVpcs", {"VpcId.1": "vpc-1", "VpcId.3": "vpc-2"}, (400, "InvalidParameterValue")),
    ("a list without a number", "ec2", "DescribeVpcs", {"VpcId": "vpc-1"}, (400, "UnknownParameter")),
    ("a value for a structure", "ec2", "ModifyVpcAttribute", {"VpcId": "vpc-1", "EnableDnsSupport": "true"}, (400, "UnknownParameter")),
    ("a structure for a value", "ec2", "DescribeVpcs", {"DryRun.Value": "true"}, (400, "UnknownParameter")),
    ("EC2's lists with .member", "ec2", "DescribeVpcs", {"VpcId.member.1": "vpc-1"}, (400, "InvalidParameterValue")),
    ("IAM's lists without", "iam", "CreateRole", {"RoleName": "a", "AssumeRolePolicyDocument": "{}", "Tags.1.Key": "a", "Tags.1.Value": "b"}, (400, "UnknownParameter")),
    ("a name that IAM does not allow", "iam", "CreateRole", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}, (400, "InvalidParameterValue")),
    ("a name too long", "iam", "CreateRole", {"RoleName": "a" * 65, "AssumeRolePolicyDocument": "{}"}, (400, "InvalidParameterValue")),
    ("tags of another kind", "ec2", "CreateVpc", {**VPC, **TAG, "TagSpecification.1.ResourceType": "subnet"}, (400, "InvalidParameterValue")),
    ("a tag twice", "ec2", "CreateVpc", {**VPC, **TAG, "TagSpecification.1.Tag.2.Key": "a", "TagSpecification.1.Tag.2.Value": "c"}, (400, "InvalidParameterValue")),
    ("an unknown action", "ec2", "CreateWorld", {}, (400, "InvalidAction")),
    ("another service's action", "ec2", "CreateRole", {}, (400, "InvalidAction")),
    ("another version", "ec2", "DescribeVpcs", {"Version": "2014-01-01"}, (400, "InvalidAction")),
)
UNSIGNED = (  # what, service, arguments of send, (status, code)
    ("no signature", "ec2", {"change": without_signature}, (401, "AuthFailure")),
    ("another secret", "ec2", {"secret": "guessed"}, (401, "AuthFailure")),
    ("another secret, at IAM", "iam", {"secret": "guessed"}, (403, "SignatureDoesNotMatch")),
    ("a changed body", "ec2", {"change": lambda headers, body: (headers, body + "&DryRun=true")}, (401, "AuthFailure")),
    ("a session's token that nobody gave", "ec2", {"change": with_token}, (401, "AuthFailure")),
    ("IAM in another region", "iam", {"region": "eu-central-1"}, (403, "SignatureDoesNotMatch")),
    ("signed an hour ago", "ec2", {"late": 3600}, (400, "RequestExpired")),
)


def bad():
    for what, service, action, parameters, wanted in BAD:
        check(what, send(service, {"Action": action, "Version": VERSIONS[service], **parameters}), wanted)
    pairs = [("Action", "DescribeVpcs"), ("Version", VERSIONS["ec2"]), ("VpcId.1", "vpc-1"), ("VpcId.1", "vpc-2")]
    check("a parameter twice", send("ec2", pairs), (400, "InvalidParameterValue"))
    for what, service, arguments, wanted in UNSIGNED:
        action = "DescribeVpcs" if service == "ec2" else "ListRoles"
        check(what, send(service, {"Action": action, "Version": VERSIONS[service]}, **arguments), wanted)
    print("count", len(BAD) + len(UNSIGNED) + 1)


# ---- young ----


def young():
    """With hidden_ms=1500."""
    ec2, iam = client("ec2"), client("iam", "us-east-1")
    vpc = ec2.create_vpc(CidrBlock="10.4.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
    iam.create_role(RoleName="young", AssumeRolePolicyDocument=TRUST)
    refused("by id: not found", "InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc])
    check("by tag: left out", ec2.describe_vpcs(Filters=OURS)["Vpcs"], [])
    check("others are told", len(ec2.describe_vpcs()["Vpcs"]), 1)
    refused("a role: no such", "NoSuchEntity", iam.get_role, RoleName="young")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.4.0.0/24")["Subnet"]["SubnetId"]
    time.sleep(1.6)
    check("by and by it is seen", [len(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]), len(ec2.describe_vpcs(Filters=OURS)["Vpcs"])], [1, 1])
    iam.delete_role(RoleName="young")
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


if __name__ == "__main__":
    {"typical": typical, "bad": bad, "young": young}[sys.argv[1]]()
