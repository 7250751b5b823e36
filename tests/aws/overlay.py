#!/usr/bin/env python3
"""moto's server, with what it leaves out of EC2: overlay.py PORT_FILE, run by the Python of the root that has moto (tests/lib/aws.sh).

Of moto 5.1.1 (Debian 13's python3-moto):

  what                      moto                                              here, as EC2
  AssignPrivateIpAddresses  ignores AllowReassignment: the address is on      moves it when allowed, else refuses; outside the
                            both; any address, even outside the subnet        subnet refuses; tells what was assigned only
  UnassignPrivateIp...      takes away the primary, ignores others            refuses both
  DeleteVpc, DeleteSubnet,  delete what is in use                             DependencyViolation; default groups stay
  DeleteSecurityGroup
  DetachInternetGateway     detaches with public addresses mapped             DependencyViolation
  AttachInternetGateway     a second one for a VPC                            refused
  DeleteRouteTable          the main one, too                                 DependencyViolation
  AssociateRouteTable       answers the other table's association             Resource.AlreadyAssociated
  AuthorizeSecurityGroup... one rule of several sources, the last one told    one for each source, all told; Duplicate whatever the
                            (as egress), duplicates by another description    description; all or none
  RevokeSecurityGroup...    the same, unknown rules by id are no error        all or none, InvalidSecurityGroupRuleId.NotFound
  CreateSubnet              pending                                           available
  CreateRoute               any gateway, even of another VPC or deleted;      NotFound, InvalidParameterValue; RouteAlreadyExists
                            overwrites a route to an interface
  TerminateInstances        terminated at once, keeps interfaces that do      shutting-down for terminate_ms; interfaces made by
                            not say DeleteOnTermination and elastic           RunInstances go, elastic addresses are freed;
                            addresses; one by one up to a protected one       protected ones first
  DeleteNatGateway          deleted at once; its interface and address stay   deleting for nat_ms, then all are free
  CreateNatGateway          no gateway needed, an address outside the         Gateway.NotAttached, Resource.AlreadyAssociated;
                            subnet, an elastic address twice                  pending for pending_ms
  DescribeNatGateways       no error for unknown ids, ignores tag filters     NatGatewayNotFound; all filters
  RunInstances              ignores DisableApiTermination, MetadataOptions,   kept, and told
                            Placement.GroupName, Iops, Throughput, tags of
                            interfaces; makes unknown groups; no root volume  InvalidGroup.NotFound; the image's root volume
                            beside others; no look at addresses (500),        InvalidIPAddress.InUse, InvalidParameterValue
                            architectures, size of user data
  Describe...Instances      no secondary addresses, /dev/sda1 for all         told
  ModifyInstanceAttribute,  groups are added to, not replaced                 replaced; SourceDestCheck is the interface's own
  ModifyNetworkInterface...
  AssociateAddress          refuses what moves, leaves it on the old one      moves unless AllowReassociation=false; needs a gateway
  ReleaseAddress            of an address in use                              InvalidIPAddress.InUse
  DisassociateAddress       of a NAT gateway's                                AuthFailure
  DeleteNetworkInterface    of one in use                                     InvalidParameterValue
  public addresses          54.214.x.x of interfaces, 127.x.x.x elastic ones  127.x.x.x
  MacAddress                02:00:00:14502x:12202x:20802x                     a MAC
  DescribeKeyPairs          no KeyPairId, IncludePublicKey, KeyType           all
  DeleteKeyPair             no KeyPairId                                      takes it
  ModifyVolume              size and type only                                iops and throughput, too; smaller refused
  DetachVolume              without InstanceId (500)                          of the one it is attached to
  DescribeVolumes           deleteOnTermination false for all                 told
  AttachVolume              twice, in another zone                            VolumeInUse, InvalidVolume.ZoneMismatch
  DescribeTags              of what is gone, too                              what is there, or still told (instances, NAT gateways)
  placement groups,         not there                                         there
  ModifyInstanceMetadata...

IAM's DeleteConflict, DeleteInternetGateway while attached and DeleteVolume in use are moto's own, and right.
ClientToken and the delay until something can be seen are proxy.py's.

PUT /_moto with JSON sets {"terminate_ms", "nat_ms", "pending_ms", "full_zones": ["eu-central-1b"]}; calls are taken one at a
time, for moto is not made for threads. A time that is made shorter holds for what waits already.
"""
import base64
import copy
import ipaddress
import json
import os
import sys
import threading
import time

from moto.core.responses import BaseResponse
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models import elastic_network_interfaces as enis, instances, nat_gateways
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.security_groups import SecurityGroup, SecurityRule
from moto.ec2.responses import EC2Response
from moto.ec2.responses import amis as image_answers, elastic_block_store as volume_answers
from moto.ec2.responses import instances as instance_answers, key_pairs as key_answers, subnets as subnet_answers
from moto.ec2.utils import generic_filter, random_id, random_ip
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

XMLNS = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
SETTINGS = {"terminate_ms": 0, "nat_ms": 0, "pending_ms": 0, "full_zones": []}
LATER = []  # (since when, the setting that says for how long, what to do then)


def later(setting, job):
    if SETTINGS[setting]:
        LATER.append((time.monotonic(), setting, job))
    else:
        job()


def run_due():
    due = [item for item in LATER if time.monotonic() - item[0] >= SETTINGS[item[1]] / 1000]
    for item in due:
        LATER.remove(item)
        item[2]()


def refuse(code, message):
    raise EC2ClientError(code, message)


def around(owner, name):
    """@around(Class, "method") def new(old, self, ...): instead of Class.method"""
    old = getattr(owner, name, None)

    def take(new):
        setattr(owner, name, lambda *args, **kwargs: new(old, *args, **kwargs))
        return new
    return take


def edit(module, name, old, new):
    """A part of an answer's template; moto must have it."""
    text = getattr(module, name)
    assert old in text, (name, old)
    setattr(module, name, text.replace(old, new))


# moto knows a template by where its text is in memory, which a text that is made for one answer leaves to the next.
BaseResponse._make_template_id = classmethod(lambda cls, source: source)


# ---- who uses what ----


def addresses_of(eni):
    return [item["PrivateIpAddress"] for item in eni.private_ip_addresses]


def holder_of(backend, vpc_id, address):
    return next((eni for eni in backend.enis.values() if eni.subnet.vpc_id == vpc_id and address in addresses_of(eni)), None)


def check_address(subnet, address):
    """In the subnet, and not one of the five that AWS keeps."""
    network = ipaddress.ip_network(subnet.cidr_block)
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        refuse("InvalidParameterValue", f"invalid value for parameter address: {address}")
    if wanted not in network:
        refuse("InvalidParameterValue", "Address does not fall within the subnet's address range")
    if int(wanted) - int(network.network_address) < 4 or wanted == network.broadcast_address:
        refuse("InvalidParameterValue", f"Address {address} is in subnet's reserved address range")


def in_vpc(backend, vpc_id):
    return [eni for eni in backend.enis.values() if eni.subnet.vpc_id == vpc_id]


def gateway_of(backend, vpc_id):
    return next((igw for igw in backend.internet_gateways.values() if igw.vpc and igw.vpc.id == vpc_id), None)


def live_nat(backend):
    return [nat for nat in backend.nat_gateways.values() if nat.state not in ("deleted", "failed")]


def drop_tags(backend, resource_id):
    backend.tags.pop(resource_id, None)


# ---- addresses of interfaces ----

enis.random_mac_address = lambda: "02:" + ":".join(f"{byte:02x}" for byte in os.urandom(5))
enis.random_public_ip = random_ip  # of an interface as of an elastic address: nobody else's



@around(EC2Response, "assign_private_ip_addresses")
def assign(_, self):
    backend = self.ec2_backend
    eni = backend.get_network_interface(self._get_param("NetworkInterfaceId"))
    wanted = self._get_multi_param("PrivateIpAddress")
    count = self._get_int_param("SecondaryPrivateIpAddressCount", 0)
    if bool(wanted) == bool(count):
        refuse("InvalidParameterCombination", "Exactly one of PrivateIpAddresses and SecondaryPrivateIpAddressCount must be given")
    for _ in range(count or 0):
        wanted.append(eni.subnet.get_available_subnet_ip(instance=eni))
    for address in wanted:
        check_address(eni.subnet, address)
        holder = holder_of(backend, eni.subnet.vpc_id, address)
        primary = holder and holder.private_ip_address == address
        if holder and holder is not eni and (primary or self._get_param("AllowReassignment") != "true"):
            refuse("InvalidParameterValue", f"[{address}] assigned, but move is not allowed.")
    for address in wanted:
        holder = holder_of(backend, eni.subnet.vpc_id, address)
        if holder is eni:
            continue
        if holder:
            holder.private_ip_addresses[:] = [item for item in holder.private_ip_addresses if item["PrivateIpAddress"] != address]
        eni.private_ip_addresses.append({"Primary": False, "PrivateIpAddress": address})
        eni.subnet._subnet_ips[address] = eni
    items = "".join(f"<item><privateIpAddress>{address}</privateIpAddress></item>" for address in wanted)
    return (f"<AssignPrivateIpAddressesResponse {XMLNS}><requestId>fake</requestId><networkInterfaceId>{eni.id}</networkInterfaceId>"
            f"<assignedPrivateIpAddressesSet>{items}</assignedPrivateIpAddressesSet><return>true</return></AssignPrivateIpAddressesResponse>")


@around(EC2Response, "unassign_private_ip_addresses")
def unassign(_, self):
    eni = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
    wanted = self._get_multi_param("PrivateIpAddress")
    if eni.private_ip_address in wanted:
        refuse("InvalidParameterValue", f"{eni.private_ip_address} is the primary address of interface {eni.id}")
    if not set(wanted) <= set(addresses_of(eni)):
        refuse("InvalidParameterValue", f"Some of the specified addresses are not assigned to interface {eni.id}")
    eni.private_ip_addresses[:] = [item for item in eni.private_ip_addresses if item["PrivateIpAddress"] not in wanted]
    for address in wanted:
        eni.subnet.del_subnet_ip(address)
    return f"<UnassignPrivateIpAddressesResponse {XMLNS}><requestId>fake</requestId><return>true</return></UnassignPrivateIpAddressesResponse>"


@around(enis.NetworkInterface, "get_filter_value")
def eni_filter(old, self, name, method=None):
    if name == "addresses.private-ip-address":
        return addresses_of(self)
    if name == "status":
        return self.status
    if name == "attachment.attachment-id":
        return self.attachment_id
    return old(self, name, method)


enis.NetworkInterface.group_set = property(lambda self: self._group_set)


@around(EC2Backend, "delete_network_interface")
def delete_interface(old, self, eni_id):
    eni = self.get_network_interface(eni_id)
    if eni.instance and eni.instance._state.name != "terminated" and not getattr(eni.instance, "ending", False):
        refuse("InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
    old(self, eni_id)
    drop_tags(self, eni_id)


@around(EC2Backend, "modify_network_interface_attribute")
def modify_interface(old, self, eni_id, group_ids, source_dest_check=None, description=None):
    for group_id in group_ids:
        if not self.get_security_group_from_id(group_id):
            refuse("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    old(self, eni_id, group_ids, source_dest_check, description)
    eni = self.get_network_interface(eni_id)
    if eni.instance and eni.instance.nics.get(0) is eni:
        eni.instance.security_groups = list(eni._group_set)
        eni.instance.source_dest_check = str(eni.source_dest_check).lower()


# ---- networks ----


@around(EC2Backend, "delete_vpc")
def delete_vpc(old, self, vpc_id):
    self.get_vpc(vpc_id)
    groups = [group for group in self.groups[vpc_id].values() if group.name != "default"]
    inside = [subnet for zone in self.subnets.values() for subnet in zone.values() if subnet.vpc_id == vpc_id]
    if groups or inside or gateway_of(self, vpc_id) or in_vpc(self, vpc_id):
        refuse("DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    tables = [table for table in self.route_tables.values() if table.vpc_id == vpc_id]
    self.ending = True
    try:
        gone = old(self, vpc_id)
    finally:
        self.ending = False
    for resource_id in [vpc_id] + [table.id for table in tables]:
        drop_tags(self, resource_id)
    return gone


@around(EC2Backend, "delete_subnet")
def delete_subnet(old, self, subnet_id):
    self.get_subnet(subnet_id)
    if any(eni.subnet.id == subnet_id for eni in self.enis.values()) or any(nat.subnet_id == subnet_id for nat in live_nat(self)):
        refuse("DependencyViolation", f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    for table in self.route_tables.values():
        table.associations = {name: target for name, target in table.associations.items() if target != subnet_id}
    drop_tags(self, subnet_id)
    return old(self, subnet_id)


@around(EC2Backend, "delete_security_group")
def delete_group(old, self, name=None, group_id=None):
    group = self.get_security_group_from_id(group_id) if group_id else None
    if group and not getattr(self, "ending", False):
        others = [other for by_id in self.groups.values() for other in by_id.values() if other.id != group_id]
        rules = [rule for other in others for rule in other.ingress_rules + other.egress_rules]
        if group.name == "default":
            refuse("CannotDelete", f'the specified group: "{group_id}" name: "default" cannot be deleted by a user')
        if any(group in eni._group_set for eni in self.enis.values()) or \
                any(source.get("GroupId") == group_id for rule in rules for source in rule.source_groups):
            refuse("DependencyViolation", f"resource {group_id} has a dependent object")
    old(self, name, group_id)
    for gone in [group_id] + [rule.id for rule in (group.ingress_rules + group.egress_rules if group else [])]:
        drop_tags(self, gone)


@around(EC2Backend, "delete_internet_gateway")
def delete_gateway(old, self, gateway_id):
    old(self, gateway_id)
    drop_tags(self, gateway_id)


@around(EC2Backend, "detach_internet_gateway")
def detach_gateway(old, self, gateway_id, vpc_id):
    igw = self.get_internet_gateway(gateway_id)
    if igw.vpc and igw.vpc.id == vpc_id and any(eni.public_ip for eni in in_vpc(self, vpc_id)):
        refuse("DependencyViolation", f"Network {vpc_id} has some mapped public address(es). "
               "Please unmap those public address(es) before detaching the gateway.")
    old(self, gateway_id, vpc_id)


@around(EC2Backend, "attach_internet_gateway")
def attach_gateway(old, self, gateway_id, vpc_id):
    if gateway_of(self, vpc_id) and not self.get_internet_gateway(gateway_id).vpc:
        refuse("InvalidParameterValue", f"Network {vpc_id} already has an internet gateway attached")
    return old(self, gateway_id, vpc_id)


@around(EC2Backend, "delete_route_table")
def delete_table(old, self, table_id):
    if self.get_route_table(table_id).main_association_id and not getattr(self, "ending", False):
        refuse("DependencyViolation", f"The routeTable '{table_id}' has dependencies and cannot be deleted.")
    old(self, table_id)
    drop_tags(self, table_id)


@around(EC2Backend, "associate_route_table")
def associate_table(old, self, route_table_id, gateway_id=None, subnet_id=None):
    for table in self.route_tables.values():
        if subnet_id and subnet_id in table.associations.values() and table.id != route_table_id:
            refuse("Resource.AlreadyAssociated", f"the specified association for route table {route_table_id} conflicts with an existing association")
    return old(self, route_table_id, gateway_id, subnet_id)


def check_target(backend, table_id, nat_gateway_id=None, gateway_id=None, **_):
    vpc_id = backend.get_route_table(table_id).vpc_id
    if nat_gateway_id and nat_gateway_id not in [nat.id for nat in live_nat(backend)]:
        refuse("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat_gateway_id}' does not exist")
    if gateway_id and gateway_id.startswith("igw-"):
        igw = backend.get_internet_gateway(gateway_id)
        if not igw.vpc or igw.vpc.id != vpc_id:
            refuse("InvalidParameterValue", f"route table {table_id} and network gateway {gateway_id} belong to different networks")


@around(EC2Backend, "create_route")
def create_route(old, self, route_table_id, destination_cidr_block, *args, **kwargs):
    if not kwargs.get("local"):
        check_target(self, route_table_id, **kwargs)
        if any(route.destination_cidr_block == destination_cidr_block for route in self.get_route_table(route_table_id).routes.values()):
            refuse("RouteAlreadyExists", f"The route identified by {destination_cidr_block} already exists.")
    return old(self, route_table_id, destination_cidr_block, *args, **kwargs)


@around(EC2Backend, "replace_route")
def replace_route(old, self, route_table_id, *args, **kwargs):
    check_target(self, route_table_id, **kwargs)
    return old(self, route_table_id, *args, **kwargs)


# ---- rules of security groups: one for each source, as EC2 numbers them ----


def same_rule(one_rule, other):
    def source(rule):
        return ([{name: value for name, value in item.items() if name.startswith("Cidr")} for item in rule.ip_ranges],
                [item["GroupId"] for item in rule.source_groups], [item["PrefixListId"] for item in rule.prefix_list_ids])
    return source(one_rule) == source(other) and (one_rule.ip_protocol, one_rule.from_port, one_rule.to_port) == (other.ip_protocol, other.from_port, other.to_port)


def rules_wished(self, egress):
    """The group, and a rule for each source of each permission of the request."""
    backend = self.ec2_backend
    group = backend.get_security_group_by_name_or_id(self._get_param("GroupId") or self._get_param("GroupName"))
    if not group:
        refuse("InvalidGroup.NotFound", f"The security group '{self._get_param('GroupId')}' does not exist")
    rules = []
    for wish in self._process_rules_from_querystring():
        if wish["ip_protocol"] is None:
            continue
        if wish["ip_protocol"] in ("tcp", "udp", "6", "17") and (wish["from_port"] is None or wish["to_port"] is None):
            refuse("InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
        for cidr in wish["ip_ranges"]:
            try:
                ipaddress.ip_network(cidr.get("CidrIp") or cidr.get("CidrIpv6"))
            except ValueError:
                refuse("InvalidParameterValue", f"CIDR block {cidr.get('CidrIp') or cidr.get('CidrIpv6')} is malformed")
        for source in wish["source_groups"]:
            if not backend.get_security_group_from_id(source.get("GroupId")):
                refuse("InvalidGroup.NotFound", f"The security group '{source.get('GroupId')}' does not exist")
            source.setdefault("OwnerId", backend.account_id)
        sources = [([cidr], [], []) for cidr in wish["ip_ranges"]] + [([], [source], []) for source in wish["source_groups"]] + \
            [([], [], [prefixes]) for prefixes in wish["prefix_list_ids"]]
        if not sources:
            refuse("InvalidParameterValue", "The permission must name a source: IpRanges, Ipv6Ranges, UserIdGroupPairs or PrefixListIds")
        for ranges, groups, prefixes in sources:
            ports = [-1 if port is None else port for port in (wish["from_port"], wish["to_port"])]  # other protocols have none
            rules.append(SecurityRule(backend, wish["ip_protocol"], group.id, *ports, ranges, groups, prefixes, is_egress=egress, tags={}))
    return group, rules


RULE_XML = """<item><securityGroupRuleId>{{ rule.id }}</securityGroupRuleId><groupId>{{ rule.group_id }}</groupId>
<groupOwnerId>{{ rule.owner_id }}</groupOwnerId><isEgress>{{ 'true' if rule.is_egress else 'false' }}</isEgress><ipProtocol>{{ rule.ip_protocol }}</ipProtocol>
<fromPort>{{ rule.from_port if rule.from_port is not none else -1 }}</fromPort><toPort>{{ rule.to_port if rule.to_port is not none else -1 }}</toPort>
{% for item in rule.ip_ranges + rule.source_groups + rule.prefix_list_ids %}
{% if item.CidrIp %}<cidrIpv4>{{ item.CidrIp }}</cidrIpv4>{% endif %}{% if item.CidrIpv6 %}<cidrIpv6>{{ item.CidrIpv6 }}</cidrIpv6>{% endif %}
{% if item.PrefixListId %}<prefixListId>{{ item.PrefixListId }}</prefixListId>{% endif %}
{% if item.GroupId %}<referencedGroupInfo><groupId>{{ item.GroupId }}</groupId><userId>{{ item.OwnerId }}</userId></referencedGroupInfo>{% endif %}
{% if item.Description %}<description>{{ item.Description }}</description>{% endif %}{% endfor %}
<tagSet>{% for tag in rule.get_tags() %}<item><key>{{ tag.key }}</key><value>{{ tag.value }}</value></item>{% endfor %}</tagSet></item>"""


def authorize(self, egress):
    group, rules = rules_wished(self, egress)
    there = group.egress_rules if egress else group.ingress_rules
    for number, rule in enumerate(rules):
        if any(same_rule(rule, other) for other in there + rules[:number]):
            refuse("InvalidPermission.Duplicate", f'the specified rule "{rule.ip_protocol}, from port: {rule.from_port}, to port: {rule.to_port}, ALLOW" already exists')
    for rule in rules:
        rule.add_tags(tags_wished(self.querystring, "security-group-rule"))
    there.extend(rules)
    verb = f"AuthorizeSecurityGroup{'Egress' if egress else 'Ingress'}Response"
    return self.response_template(f"<{verb} {XMLNS}><requestId>fake</requestId><return>true</return><securityGroupRuleSet>{{% for rule in rules %}}"
                                  f"{RULE_XML}{{% endfor %}}</securityGroupRuleSet></{verb}>").render(rules=rules)


def revoke(self, egress):
    group, rules = rules_wished(self, egress)
    there = group.egress_rules if egress else group.ingress_rules
    gone = []
    for rule_id in self._get_multi_param("SecurityGroupRuleId"):
        found = [rule for rule in there if rule.id == rule_id]
        if not found:
            refuse("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist")
        gone += found
    for rule in rules:
        found = [other for other in there if same_rule(rule, other)]
        if not found:
            refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
        gone += found
    there[:] = [rule for rule in there if not any(rule is other for other in gone)]
    for rule in gone:
        drop_tags(self.ec2_backend, rule.id)
    verb = f"RevokeSecurityGroup{'Egress' if egress else 'Ingress'}Response"
    return f"<{verb} {XMLNS}><requestId>fake</requestId><return>true</return></{verb}>"


for action, work in (("authorize", authorize), ("revoke", revoke)):
    setattr(EC2Response, f"{action}_security_group_ingress", lambda self, work=work: work(self, False))
    setattr(EC2Response, f"{action}_security_group_egress", lambda self, work=work: work(self, True))


@around(EC2Response, "describe_security_group_rules")
def describe_rules(_, self):
    rules = [rule for groups in self.ec2_backend.groups.values() for group in groups.values() for rule in group.ingress_rules + group.egress_rules]
    wanted = self._get_multi_param("SecurityGroupRuleId")
    for rule_id in wanted:
        if rule_id not in [rule.id for rule in rules]:
            refuse("InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{rule_id}' does not exist")
    found = generic_filter(self._filters_from_querystring(), [rule for rule in rules if not wanted or rule.id in wanted])
    return self.response_template(f"<DescribeSecurityGroupRulesResponse {XMLNS}><requestId>fake</requestId><securityGroupRuleSet>{{% for rule in rules %}}"
                                  f"{RULE_XML}{{% endfor %}}</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>").render(rules=found)


@around(SecurityGroup, "_flattened_rules")
def by_permission(_, self, rules):
    """For DescribeSecurityGroups: rules of the same ports as one, without changing them as moto does."""
    merged = {}
    for rule in rules:
        key = (rule.ip_protocol, rule.from_port, rule.to_port)
        if key not in merged:
            merged[key] = copy.copy(rule)
            rule = merged[key]
            rule.ip_ranges, rule.source_groups, rule.prefix_list_ids = list(rule.ip_ranges), list(rule.source_groups), list(rule.prefix_list_ids)
        else:
            merged[key].ip_ranges += rule.ip_ranges
            merged[key].source_groups += rule.source_groups
            merged[key].prefix_list_ids += rule.prefix_list_ids
    return list(merged.values())


SecurityRule.security_group_rule_id = property(lambda self: self.id)


# ---- NAT gateways ----


@around(EC2Backend, "create_nat_gateway")
def create_nat(old, self, subnet_id, allocation_id, tags=None, connectivity_type="public"):
    subnet = self.get_subnet(subnet_id)
    connectivity_type = connectivity_type or "public"
    if connectivity_type == "public":
        if not allocation_id:
            refuse("MissingParameter", "The request must include the AllocationId parameter. Add the required parameter and retry the request.")
        if not gateway_of(self, subnet.vpc_id):
            refuse("Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached")
        if self.address_by_allocation([allocation_id])[0].association_id:
            refuse("Resource.AlreadyAssociated", f"Elastic IP address [{allocation_id}] is already associated")
    nat = old(self, subnet_id, allocation_id, tags, connectivity_type)
    address = subnet.get_available_subnet_ip(instance=nat._eni)
    nat._eni.private_ip_address = nat.private_ip = address
    nat._eni.private_ip_addresses[:] = [{"Primary": True, "PrivateIpAddress": address}]
    nat._eni.status = "in-use"
    nat._eni.description = f"Interface for NAT Gateway {nat.id}"
    nat._eni.nat = nat
    nat.address_set[0]["privateIp"] = address
    if SETTINGS["pending_ms"]:
        nat.state = "pending"
        later("pending_ms", lambda: nat.state == "pending" and setattr(nat, "state", "available"))
    return nat


def nat_is_gone(backend, nat):
    nat.state = "deleted"
    backend.enis.pop(nat._eni.id, None)
    for address in addresses_of(nat._eni):
        nat._eni.subnet.del_subnet_ip(address)
    free_addresses(backend, [nat._eni])


@around(EC2Backend, "delete_nat_gateway")
def delete_nat(_, self, nat_gateway_id):
    nat = self.nat_gateways.get(nat_gateway_id)
    if not nat:
        refuse("NatGatewayNotFound", f"NatGateway {nat_gateway_id} was not found")
    if nat.state not in ("deleted", "deleting"):
        nat.state = "deleting"
        later("nat_ms", lambda: nat_is_gone(self, nat))
    return nat


@around(EC2Backend, "describe_nat_gateways")
def describe_nat(_, self, filters, nat_gateway_ids):
    for wanted in nat_gateway_ids or []:
        if wanted not in self.nat_gateways:
            refuse("NatGatewayNotFound", f"NatGateway {wanted} was not found")
    found = [nat for nat in self.nat_gateways.values() if not nat_gateway_ids or nat.id in nat_gateway_ids]
    return generic_filter(filters, found) if filters else found


@around(nat_gateways.NatGateway, "get_filter_value")
def nat_filter(old, self, name, method=None):
    return self.id if name == "nat-gateway-id" else old(self, name, method)


# ---- elastic addresses ----


def free_addresses(backend, interfaces):
    for address in backend.addresses:
        if address.eni in interfaces:
            address.eni.public_ip = None
            address.eni = address.instance = address.association_id = None


@around(EC2Backend, "associate_address")
def associate_address(old, self, instance=None, eni=None, address=None, allocation_id=None, reassociate=True):
    eip = (self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id]))[0]
    target = eni or instance.nics[0]
    if not gateway_of(self, target.subnet.vpc_id):
        refuse("Gateway.NotAttached", f"Network {target.subnet.vpc_id} is not attached to any internet gateway")
    if instance and instance._state.name not in ("running", "stopped", "pending"):
        refuse("InvalidInstanceID", f"The pending instance '{instance.id}' is not in a valid state for this operation")
    if eip.eni is target:
        return eip
    if eip.eni and not reassociate:
        refuse("Resource.AlreadyAssociated", f"resource {allocation_id or address} is already associated with associate-id {eip.association_id}")
    for other in self.addresses:
        if other is not eip and other.eni is target:
            if not reassociate:
                refuse("Resource.AlreadyAssociated", f"resource {target.id} is already associated with address {other.public_ip}")
            free_addresses(self, [target])
    if eip.eni:
        eip.eni.public_ip = None
    eip.eni = eip.instance = None
    return old(self, instance, eni, address, allocation_id, True)


@around(EC2Response, "associate_address")
def associate_address_answer(old, self):
    self.querystring.setdefault("AllowReassociation", ["true"])
    return old(self)


@around(EC2Backend, "disassociate_address")
def disassociate_address(old, self, address=None, association_id=None):
    eip = (self.address_by_ip([address]) if address else self.address_by_association([association_id]))[0]
    if getattr(eip.eni, "nat", None) and eip.eni.nat.state != "deleted":
        refuse("AuthFailure", "You do not have permission to access the specified resource.")
    old(self, address, association_id)


@around(EC2Backend, "release_address")
def release_address(old, self, address=None, allocation_id=None):
    eip = (self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id]))[0]
    if eip.association_id:
        refuse("InvalidIPAddress.InUse", f"Address {eip.public_ip} is in use.")
    old(self, address, allocation_id)
    drop_tags(self, eip.allocation_id or allocation_id)


# ---- instances ----


def numbered(query, prefix):
    """The numbers of PREFIX.N.something in a request."""
    return sorted({int(name[len(prefix) + 1:].split(".")[0]) for name in query if name.startswith(prefix + ".")})


def one(query, name, default=None):
    return query.get(name, [default])[0]


def make_interface(query):
    """What stands at the instance is put where moto looks at all of it: the first interface."""
    if numbered(query, "NetworkInterface") or "SubnetId" not in query:
        return
    query["NetworkInterface.1.DeviceIndex"] = ["0"]
    query["NetworkInterface.1.SubnetId"] = query.pop("SubnetId")
    if "PrivateIpAddress" in query:
        query["NetworkInterface.1.PrivateIpAddress"] = query.pop("PrivateIpAddress")
    for n in numbered(query, "SecurityGroupId"):
        query[f"NetworkInterface.1.SecurityGroupId.{n}"] = query.pop(f"SecurityGroupId.{n}")


def check_interfaces(backend, query):
    for n in numbered(query, "NetworkInterface"):
        prefix = f"NetworkInterface.{n}"
        if prefix + ".NetworkInterfaceId" in query:
            continue
        query.setdefault(prefix + ".DeleteOnTermination", ["true"])
        subnet = backend.get_subnet(one(query, prefix + ".SubnetId"))
        if subnet.availability_zone in SETTINGS["full_zones"]:
            error = EC2ClientError("InsufficientInstanceCapacity", f"We currently do not have sufficient {one(query, 'InstanceType')} "
                                   f"capacity in the Availability Zone you requested ({subnet.availability_zone}).")
            error.code = 500
            raise error
        wanted = [one(query, name) for name in query if name.startswith(prefix + ".PrivateIpAddress") and not name.endswith(".Primary")]
        for address in wanted:
            check_address(subnet, address)
            if holder_of(backend, subnet.vpc_id, address):
                refuse("InvalidIPAddress.InUse", f"Address {address} is in use.")
        for i in numbered(query, prefix + ".SecurityGroupId"):
            group = backend.get_security_group_from_id(one(query, f"{prefix}.SecurityGroupId.{i}"))
            if not group or group.vpc_id != subnet.vpc_id:
                refuse("InvalidGroup.NotFound", f"The security group '{one(query, f'{prefix}.SecurityGroupId.{i}')}' does not exist in VPC '{subnet.vpc_id}'")


def check_image(backend, query):
    image = backend.describe_images(ami_ids=[one(query, "ImageId")])[0]
    kind = one(query, "InstanceType", "m1.small")
    if kind not in INSTANCE_TYPES:
        refuse("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
    known = INSTANCE_TYPES[kind]["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in known:
        refuse("InvalidParameterValue", f"The architecture '{','.join(known)}' of the specified instance type does not match the architecture "
               f"'{image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.")
    if len(base64.b64decode(one(query, "UserData", ""))) > 16384:
        refuse("InvalidParameterValue", "User data is limited to 16384 bytes")
    devices = {one(query, f"BlockDeviceMapping.{n}.DeviceName"): n for n in numbered(query, "BlockDeviceMapping")}
    n = devices.get(image.root_device_name) or max(devices.values(), default=0) + 1
    query[f"BlockDeviceMapping.{n}.DeviceName"] = [image.root_device_name]
    query.setdefault(f"BlockDeviceMapping.{n}.Ebs.DeleteOnTermination", ["true"])
    if int(query.setdefault(f"BlockDeviceMapping.{n}.Ebs.VolumeSize", ["8"])[0]) < 8:
        refuse("InvalidBlockDeviceMapping", f"Volume of size {one(query, f'BlockDeviceMapping.{n}.Ebs.VolumeSize')}GB is smaller than snapshot "
               "'snap-0fake', expect size >= 8GB")


METADATA = {"HttpTokens": "optional", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": "1", "HttpProtocolIpv6": "disabled",
            "InstanceMetadataTags": "disabled"}


@around(EC2Response, "run_instances")
def run_instances_answer(old, self):
    backend, query = self.ec2_backend, self.querystring
    make_interface(query)
    check_interfaces(backend, query)
    check_image(backend, query)
    group = one(query, "Placement.GroupName")
    if group and group not in placement_groups(backend):
        refuse("InvalidPlacementGroup.Unknown", f"The Placement Group '{group}' is unknown.")
    backend.wish = query
    return old(self)


@around(EC2Backend, "run_instances")
def run_instances(old, self, *args, **kwargs):
    before = set(self.reservations)
    try:
        reservation = old(self, *args, **kwargs)
    except Exception:
        for made in set(self.reservations) - before:
            del self.reservations[made]
        raise
    for instance in reservation.instances:
        finish_instance(self, instance, self.wish)
        for nic in instance.nics.values():
            nic.add_tags(tags_wished(self.wish, "network-interface"))
    return reservation


def tags_wished(query, kind):
    for n in numbered(query, "TagSpecification"):
        if one(query, f"TagSpecification.{n}.ResourceType") == kind:
            prefix = f"TagSpecification.{n}.Tag"
            return {one(query, f"{prefix}.{i}.Key"): one(query, f"{prefix}.{i}.Value", "") for i in numbered(query, prefix)}
    return {}


def finish_instance(backend, instance, query):
    instance.disable_api_termination = one(query, "DisableApiTermination", "false")
    instance.client_token = one(query, "ClientToken", "")
    instance.placement_group = one(query, "Placement.GroupName", "")
    instance.metadata_options = {name: one(query, f"MetadataOptions.{name}", default) for name, default in METADATA.items()}
    instance.security_groups = list(instance.nics[0]._group_set)
    for n in numbered(query, "BlockDeviceMapping"):
        device = instance.block_device_mapping.get(one(query, f"BlockDeviceMapping.{n}.DeviceName"))
        if device:
            volume = backend.get_volume(device.volume_id)
            volume.iops = one(query, f"BlockDeviceMapping.{n}.Ebs.Iops") or (3000 if volume.volume_type == "gp3" else None)
            volume.throughput = one(query, f"BlockDeviceMapping.{n}.Ebs.Throughput") or (125 if volume.volume_type == "gp3" else None)
    for n in numbered(query, "NetworkInterface"):
        nic = instance.nics[int(one(query, f"NetworkInterface.{n}.DeviceIndex", "0"))]
        nic.description = one(query, f"NetworkInterface.{n}.Description") or nic.description
        for i in numbered(query, f"NetworkInterface.{n}.PrivateIpAddresses"):
            address = one(query, f"NetworkInterface.{n}.PrivateIpAddresses.{i}.PrivateIpAddress")
            if address not in addresses_of(nic):
                nic.private_ip_addresses.append({"Primary": False, "PrivateIpAddress": address})
    if SETTINGS["pending_ms"]:
        instance._state = instances.InstanceState("pending", 0)
        later("pending_ms", lambda: instance._state.name == "pending" and set_state(instance, "running", 16))


def set_state(instance, name, code):
    instance._state.name, instance._state.code = name, code


def instance_is_gone(backend, instance):
    instance.ending = True
    nics = list(instance.nics.values())
    free_addresses(backend, nics)
    for nic in nics:
        if not nic.delete_on_termination:
            instance.detach_eni(nic)
    instance.terminate()


@around(EC2Backend, "terminate_instances")
def terminate_instances(_, self, instance_ids):
    wanted = self.get_multi_instances_by_id(instance_ids)
    for instance in wanted:
        if instance.disable_api_termination == "true":
            refuse("OperationNotPermitted", f"The instance '{instance.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.")
    answer = []
    for instance in wanted:
        answer.append((instance, copy.copy(instance._state)))
        if instance._state.name not in ("terminated", "shutting-down"):
            set_state(instance, "shutting-down", 32)
            later("terminate_ms", lambda instance=instance: instance_is_gone(self, instance))
    return answer


@around(EC2Backend, "modify_instance_attribute")
def modify_instance(old, self, instance_id, key, value):
    instance = self.get_instance(instance_id)
    if key in ("instance_type", "user_data", "ebs_optimized") and instance._state.name != "stopped":
        refuse("IncorrectInstanceState", f"The instance '{instance_id}' is not in the 'stopped' state.")
    if key == "source_dest_check":
        instance.nics[0].source_dest_check = value == "true"
    return old(self, instance_id, key, value)


@around(EC2Backend, "modify_instance_security_groups")
def modify_instance_groups(old, self, instance_id, group_ids):
    for group_id in group_ids:
        if not self.get_security_group_from_id(group_id):
            refuse("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    instance = old(self, instance_id, group_ids)
    instance.nics[0]._group_set = list(instance.security_groups)
    return instance


METADATA_XML = "<state>applied</state>" + "".join("<{0}>{{{{ instance.metadata_options.{1} }}}}</{0}>".format(name[0].lower() + name[1:], name)
                                                   for name in METADATA)


@around(EC2Response, "modify_instance_metadata_options")
def modify_metadata(_, self):
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    instance.metadata_options.update({name: self._get_param(name) for name in METADATA if self._get_param(name)})
    return self.response_template(
        f"<ModifyInstanceMetadataOptionsResponse {XMLNS}><requestId>fake</requestId><instanceId>{{{{ instance.id }}}}</instanceId>"
        f"<instanceMetadataOptions>{METADATA_XML}</instanceMetadataOptions></ModifyInstanceMetadataOptionsResponse>").render(instance=instance)


NOT_GONE = "{% if instance._state.name != 'terminated' %}"
OWN_ADDRESSES = """<privateIpAddressesSet>
                  {% for address in nic.private_ip_addresses %}
                  <item>
                    <privateIpAddress>{{ address.PrivateIpAddress }}</privateIpAddress>
                    <primary>{{ 'true' if address.Primary else 'false' }}</primary>"""
for template in ("EC2_RUN_INSTANCES", "EC2_DESCRIBE_INSTANCES"):
    for was, is_now in (
            ("<clientToken>ABCDE{{ account_id }}3</clientToken>",
             "<clientToken>{{ instance.client_token }}</clientToken><metadataOptions>" + METADATA_XML + "</metadataOptions>"),
            ("<publicDnsName>{{ instance.public_dns }}</publicDnsName>", ""),
            ("<dnsName>{{ instance.public_dns }}</dnsName>", "<dnsName>{{ instance.public_dns or '' }}</dnsName>"),
            ("<kernelId>{{ instance.kernel }}</kernelId>", ""),
            ("<groupName/>", "<groupName>{{ instance.placement_group }}</groupName>"),
            ("<rootDeviceName>/dev/sda1</rootDeviceName>", "<rootDeviceName>{{ instance.root_device_name }}</rootDeviceName>"),
            ("<description>Primary network interface</description>", "<description>{{ nic.description or '' }}</description>"),
            ("<macAddress>1b:2b:3c:4d:5e:6f</macAddress>", "<macAddress>{{ nic.mac_address }}</macAddress>"),
            ("<deleteOnTermination>true</deleteOnTermination>",
             "<deleteOnTermination>{{ 'true' if nic.delete_on_termination else 'false' }}</deleteOnTermination>"),
            ("<networkInterfaceSet>", "<networkInterfaceSet>" + NOT_GONE),
            ("</networkInterfaceSet>", "{% endif %}</networkInterfaceSet>"),
            ("<privateIpAddress>{{ instance.private_ip }}</privateIpAddress>",
             NOT_GONE + "<privateIpAddress>{{ instance.private_ip }}</privateIpAddress>{% endif %}"),
            ("""<privateIpAddressesSet>
                  <item>
                    <privateIpAddress>{{ nic.private_ip_address }}</privateIpAddress>
                    <primary>true</primary>
                    {% if nic.public_ip %}""", OWN_ADDRESSES + "\n                    {% if nic.public_ip and address.Primary %}"),
            ("</privateIpAddressesSet>", "{% endfor %}</privateIpAddressesSet>")):
        edit(instance_answers, template, was, is_now)


edit(subnet_answers, "CREATE_SUBNET_RESPONSE", "<state>pending</state>", "<state>available</state>")
edit(image_answers, "DESCRIBE_IMAGES_RESPONSE", "<volumeSize>15</volumeSize>", "<volumeSize>8</volumeSize>")
edit(image_answers, "DESCRIBE_IMAGES_RESPONSE", "<volumeType>standard</volumeType>", "<volumeType>gp3</volumeType>")


# ---- placement groups ----


def placement_groups(backend):
    return backend.__dict__.setdefault("placement_groups", {})


class PlacementGroup(instances.TaggedEC2Resource):
    __module__ = "moto.ec2.models"  # moto files its models by it

    def __init__(self, backend, name, strategy, tags):
        self.ec2_backend, self.id, self.group_name, self.strategy, self.state = backend, random_id("pg"), name, strategy, "available"
        self.group_id = self.id
        self.add_tags(tags)


GROUP_XML = """<groupName>{{ group.group_name }}</groupName><groupId>{{ group.id }}</groupId><state>{{ group.state }}</state>
<strategy>{{ group.strategy }}</strategy><tagSet>{% for tag in group.get_tags() %}<item><key>{{ tag.key }}</key><value>{{ tag.value }}</value></item>
{% endfor %}</tagSet>"""


@around(EC2Response, "create_placement_group")
def create_placement_group(_, self):
    groups, name = placement_groups(self.ec2_backend), self._get_param("GroupName")
    if name in groups:
        refuse("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")
    groups[name] = PlacementGroup(self.ec2_backend, name, self._get_param("Strategy", "cluster"), tags_wished(self.querystring, "placement-group"))
    return self.response_template(f"<CreatePlacementGroupResponse {XMLNS}><requestId>fake</requestId><return>true</return><placementGroup>{GROUP_XML}"
                                  "</placementGroup></CreatePlacementGroupResponse>").render(group=groups[name])


@around(EC2Response, "describe_placement_groups")
def describe_placement_groups(_, self):
    groups, names = placement_groups(self.ec2_backend), self._get_multi_param("GroupName")
    for name in names:
        if name not in groups:
            refuse("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    found = generic_filter(self._filters_from_querystring(), [group for group in groups.values() if not names or group.group_name in names])
    return self.response_template(f"<DescribePlacementGroupsResponse {XMLNS}><requestId>fake</requestId><placementGroupSet>{{% for group in groups %}}"
                                  f"<item>{GROUP_XML}</item>{{% endfor %}}</placementGroupSet></DescribePlacementGroupsResponse>").render(groups=found)


@around(EC2Response, "delete_placement_group")
def delete_placement_group(_, self):
    groups, name = placement_groups(self.ec2_backend), self._get_param("GroupName")
    if name not in groups:
        refuse("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    if any(instance.placement_group == name and instance._state.name != "terminated" for instance in self.ec2_backend.all_instances()):
        refuse("InvalidPlacementGroup.InUse", f"The placement group '{name}' is in use and may not be deleted.")
    drop_tags(self.ec2_backend, groups.pop(name).id)
    return f"<DeletePlacementGroupResponse {XMLNS}><requestId>fake</requestId><return>true</return></DeletePlacementGroupResponse>"


# ---- key pairs ----


@around(EC2Response, "describe_key_pairs")
def describe_keys(_, self):
    keys, names, ids = self.ec2_backend.keypairs, self._get_multi_param("KeyName"), self._get_multi_param("KeyPairId")
    for name in names:
        if name not in keys:
            refuse("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
    for key_id in ids:
        if key_id not in [key.id for key in keys.values()]:
            refuse("InvalidKeyPair.NotFound", f"The key pair '{key_id}' does not exist")
    found = [key for key in keys.values() if (not names or key.name in names) and (not ids or key.id in ids)]
    found = generic_filter(self._filters_from_querystring(), found)
    for key in found:
        text = key.material_public
        text = text.encode() if isinstance(text, str) else text
        key.public_text = text.decode() if text.startswith(b"ssh-") else base64.b64decode(text).decode()
    return self.response_template(key_answers.DESCRIBE_KEY_PAIRS_RESPONSE).render(
        keypairs=found, include=self._get_param("IncludePublicKey") == "true")


edit(key_answers, "DESCRIBE_KEY_PAIRS_RESPONSE", "<keyName>", """<keyType>{{ 'ed25519' if 'ed25519' in keypair.public_text else 'rsa' }}</keyType>
           {% if include %}<publicKey>{{ keypair.public_text }}</publicKey>{% endif %}<keyName>""")


@around(EC2Response, "delete_key_pair")
def delete_key(_, self):
    keys = self.ec2_backend.keypairs
    gone = [name for name, key in keys.items() if self._get_param("KeyName") == name or self._get_param("KeyPairId") == key.id]
    for name in gone:
        drop_tags(self.ec2_backend, keys.pop(name).id)
    return f"<DeleteKeyPairResponse {XMLNS}><requestId>fake</requestId><return>true</return></DeleteKeyPairResponse>"


# ---- volumes ----


@around(EC2Backend, "create_volume")
def create_volume(old, self, *args, **kwargs):
    volume = old(self, *args, **kwargs)
    if volume.volume_type == "gp3":
        volume.throughput = volume.throughput or 125
    return volume


@around(EC2Response, "modify_volume")
def modify_volume(old, self):
    volume = self.ec2_backend.get_volume(self._get_param("VolumeId"))
    if self._get_param("Size") and int(self._get_param("Size")) < int(volume.size):
        refuse("InvalidParameterValue", "New size cannot be smaller than existing size")
    if not any(self._get_param(name) for name in ("Size", "VolumeType", "Iops", "Throughput")):
        refuse("InvalidParameterCombination", "The request must contain at least one of the parameters size, volumeType, iops, throughput")
    self.querystring.setdefault("Size", [str(volume.size)])
    volume.iops = self._get_param("Iops") or volume.iops
    volume.throughput = self._get_param("Throughput") or volume.throughput
    return old(self)


@around(EC2Backend, "delete_volume")
def delete_volume(old, self, volume_id):
    gone = old(self, volume_id)
    drop_tags(self, volume_id)
    return gone


@around(EC2Backend, "detach_volume")
def detach_volume(old, self, volume_id, instance_id, device_path):
    attachment = self.get_volume(volume_id).attachment
    if not attachment:
        refuse("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
    return old(self, volume_id, instance_id or attachment.instance.id, device_path)


@around(EC2Backend, "attach_volume")
def attach_volume(old, self, volume_id, instance_id, device_path, delete_on_termination=False):
    volume, instance = self.get_volume(volume_id), self.get_instance(instance_id)
    if volume.attachment:
        refuse("VolumeInUse", f"{volume_id} is already attached to an instance")
    if volume.zone.name != instance.placement:
        refuse("InvalidVolume.ZoneMismatch", f"The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'")
    if device_path in instance.block_device_mapping:
        refuse("InvalidParameterValue", f"Invalid value '{device_path}' for unixDevice. Attachment point {device_path} is already in use")
    return old(self, volume_id, instance_id, device_path, delete_on_termination)


edit(volume_answers, "DESCRIBE_VOLUMES_RESPONSE", "<deleteOnTermination>false</deleteOnTermination>", "<deleteOnTermination>"
     "{{ 'true' if volume.attachment.instance.block_device_mapping[volume.attachment.device].delete_on_termination else 'false' }}</deleteOnTermination>")


# ---- the server ----


class OneAtATime:
    def __init__(self, app):
        self.app, self.lock = app, threading.Lock()

    def __call__(self, environ, start):
        with self.lock:
            run_due()
            if environ["PATH_INFO"] == "/_moto":
                SETTINGS.update(json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or "{}"))
                start("200 OK", [("Content-Type", "application/json")])
                return [json.dumps(SETTINGS).encode()]
            if environ["PATH_INFO"] == "/moto-api/reset":
                LATER.clear()
            return list(self.app(environ, start))


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, OneAtATime(DomainDispatcherApplication(create_backend_app)), threaded=True)
    os.environ["MOTO_PORT"] = str(server.port)
    with open(sys.argv[1] + ".new", "w", encoding="utf-8") as file:
        file.write(str(server.port))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    server.serve_forever()
