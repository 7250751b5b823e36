#!/usr/bin/env python3
"""All that an account has, asked by botocore: census.py URL; a line each, sorted: what it is, and how.

Ids are put as the thing's tag pgha-resource, so that two clusters made alike look alike. What every account has is left out: the
default VPC with what is in it, main route tables, groups named default, and what is gone though it is still told.
"""
import json
import re
import sys

import botocore.session
from botocore.config import Config

GONE = ("terminated", "deleted")


def tags_of(item):
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}


class Census:
    def __init__(self, url):
        session = botocore.session.Session()
        self.ec2 = session.create_client("ec2", "eu-central-1", endpoint_url=url, config=Config(retries={"max_attempts": 0}))
        self.iam = session.create_client("iam", "us-east-1", endpoint_url=url, config=Config(retries={"max_attempts": 0}))
        self.names, self.lines = {}, []

    def instances(self):
        held = self.ec2.get_paginator("describe_instances").paginate().build_full_result()["Reservations"]
        return [host for reservation in held for host in reservation["Instances"]]

    def put(self, kind, resource_id, item, **attributes):
        tags = tags_of(item)
        self.names[resource_id] = tags.get("pgha-resource", "untagged")
        self.lines.append((kind, resource_id, {**attributes, "tags": tags}))

    def network(self):
        vpcs = self.ec2.describe_vpcs()["Vpcs"]
        default = {vpc["VpcId"] for vpc in vpcs if vpc["IsDefault"]}
        for vpc in vpcs:
            if vpc["VpcId"] in default:
                continue
            dns = [self.ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=name)[name[0].upper() + name[1:]]["Value"]
                   for name in ("enableDnsSupport", "enableDnsHostnames")]
            self.put("vpc", vpc["VpcId"], vpc, cidr=vpc["CidrBlock"], dns=dns)
        for subnet in self.ec2.describe_subnets()["Subnets"]:
            if subnet["VpcId"] not in default:
                self.put("subnet", subnet["SubnetId"], subnet, cidr=subnet["CidrBlock"], zone=subnet["AvailabilityZone"], vpc=subnet["VpcId"])
        for gateway in self.ec2.describe_internet_gateways()["InternetGateways"]:
            vpc = [attached["VpcId"] for attached in gateway["Attachments"]]
            if not set(vpc) & default:
                self.put("internet gateway", gateway["InternetGatewayId"], gateway, vpc=vpc)
        for address in self.ec2.describe_addresses()["Addresses"]:
            self.put("address", address["AllocationId"], address, used="AssociationId" in address or "NetworkInterfaceId" in address)
        for nat in self.ec2.describe_nat_gateways()["NatGateways"]:
            if nat["State"] not in GONE:
                self.put("nat gateway", nat["NatGatewayId"], nat, state=nat["State"], subnet=nat["SubnetId"],
                         address=[address["AllocationId"] for address in nat["NatGatewayAddresses"]])
        for table in self.ec2.describe_route_tables()["RouteTables"]:
            if table["VpcId"] not in default and not any(way.get("Main") for way in table["Associations"]):
                routes = sorted(f"{route['DestinationCidrBlock']} {route.get('NatGatewayId') or route.get('GatewayId')}" for route in table["Routes"])
                self.put("route table", table["RouteTableId"], table, routes=routes, subnets=[way["SubnetId"] for way in table["Associations"]])

    def groups(self):
        for group in self.ec2.describe_security_groups()["SecurityGroups"]:
            if group["GroupName"] == "default":
                continue
            rules = [f"{rule['IpProtocol']} {rule.get('FromPort')}-{rule.get('ToPort')} {source}" for rule in group["IpPermissions"] for source in
                     [cidr["CidrIp"] for cidr in rule["IpRanges"]] + [other["GroupId"] for other in rule["UserIdGroupPairs"]]]
            self.put("group", group["GroupId"], group, name=group["GroupName"], rules=rules)
        for key in self.ec2.describe_key_pairs()["KeyPairs"]:
            self.put("key", key["KeyPairId"], key, name=key["KeyName"])
        for placement in self.ec2.describe_placement_groups()["PlacementGroups"]:
            self.put("placement group", placement["GroupId"], placement, name=placement["GroupName"])

    def machines(self):
        for host in self.instances():
            if host["State"]["Name"] in GONE:
                continue
            self.put("instance", host["InstanceId"], host, state=host["State"]["Name"], type=host["InstanceType"], image=host["ImageId"],
                     address=host.get("PrivateIpAddress"), subnet=host.get("SubnetId"), zone=host["Placement"]["AvailabilityZone"],
                     groups=[group["GroupId"] for group in host["SecurityGroups"]], key=host.get("KeyName"),
                     profile=host.get("IamInstanceProfile", {}).get("Arn"), check=host.get("SourceDestCheck"), tokens=host["MetadataOptions"]["HttpTokens"])
        for volume in self.ec2.describe_volumes()["Volumes"]:
            self.put("volume", volume["VolumeId"], volume, size=volume["Size"], type=volume["VolumeType"], encrypted=volume["Encrypted"],
                     on=[attached["InstanceId"] for attached in volume["Attachments"]])
        for card in self.ec2.describe_network_interfaces()["NetworkInterfaces"]:
            self.put("interface", card["NetworkInterfaceId"], {"Tags": card.get("TagSet", [])}, on=card.get("Attachment", {}).get("InstanceId"))

    def rights(self):
        for role in self.iam.list_roles()["Roles"]:
            name = role["RoleName"]
            policies = {policy: self.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                        for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]}
            self.put("role", role["Arn"], {"Tags": self.iam.list_role_tags(RoleName=name)["Tags"]}, name=name, policies=policies)
        for profile in self.iam.list_instance_profiles()["InstanceProfiles"]:
            name = profile["InstanceProfileName"]
            self.put("instance profile", profile["Arn"], self.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"], name=name,
                     roles=[role["RoleName"] for role in profile["Roles"]])

    def strays(self):
        """Tagged, but none of these."""
        told = {resource_id for _, resource_id, _ in self.lines}
        gone = {host["InstanceId"] for host in self.instances()} | {nat["NatGatewayId"] for nat in self.ec2.describe_nat_gateways()["NatGateways"]}
        for tag in self.ec2.describe_tags()["Tags"]:
            if tag["ResourceId"] not in told | gone:
                self.lines.append(("stray", tag["ResourceId"], {"tag": tag["Key"]}))

    def text(self):
        def named(match):
            return self.names.get(match.group(0), match.group(0))
        lines = []
        for kind, resource_id, attributes in self.lines:
            for name, value in attributes.items():
                if isinstance(value, list) and all(isinstance(item, str) for item in value):
                    attributes[name] = sorted(re.sub(r"\b[a-z]+-[0-9a-f]{8,17}\b", named, item) for item in value)
            shown = re.sub(r"\b[a-z]+-[0-9a-f]{8,17}\b", named, json.dumps(attributes, sort_keys=True))
            lines.append(f"{kind} {self.names.get(resource_id, resource_id)} {shown}")
        return sorted(lines)


if __name__ == "__main__":
    census = Census(sys.argv[1])
    for part in (census.network, census.groups, census.machines, census.rights, census.strays):
        part()
    for line in census.text():
        print(line)
