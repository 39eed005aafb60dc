from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.executor import execute
from fargatectl.engine.stack import Stack
from fargatectl.errors import AwsFailure, Refused
from fargatectl.reconcilers import network
from fargatectl.reconcilers.network import Rule, SecurityGroup, SecurityGroups

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger, Refusals

ANYWHERE = ("0.0.0.0/0",)


def stack(owner: Ownership, *, allow_from: tuple[str, ...] = ANYWHERE, ports: tuple[int, ...] = (80,)) -> Stack:
    made = Stack(owner, kinds=network.KINDS)
    vpc_id = network.declare(made).ref(lambda found: found.vpc_id)
    network.load_balancer_group(made, "public", vpc_id=vpc_id, ports=ports, allow_from=allow_from)
    return made


def mutual(owner: Ownership) -> Stack:
    """Two services that accept each other."""
    made = Stack(owner, kinds=network.KINDS)
    vpc_id = network.declare(made).ref(lambda found: found.vpc_id)
    groups = {name: network.task_group(made, name, vpc_id=vpc_id) for name in ("api", "web")}
    for name, other in (("api", "web"), ("web", "api")):
        network.task_ingress(made, name, group_id=groups[name], port=8080, sources=[groups[other]])
    return made


def described(aws: Aws, name: str = "shop-public-alb") -> Any:
    found = aws.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    return found[0] if found else None


def sources(group: Any) -> set[tuple[int, str]]:
    return {
        (permission["FromPort"], source[member])
        for permission in group["IpPermissions"]
        for ranges, member in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("UserIdGroupPairs", "GroupId"))
        for source in permission[ranges]
    }


def allow(aws: Aws, group_id: str, cidr: str, *, description: str, port: int = 80) -> None:
    ranges = [{"CidrIp": cidr, "Description": description}]
    permission: Any = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}
    aws.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])


def test_a_group_is_made_with_its_rules_and_then_left_alone(aws: Aws, converger: Converger, owner: Ownership) -> None:
    wanted = stack(owner, ports=(80, 443), allow_from=("0.0.0.0/0", "::/0"))

    converger.apply(wanted)

    assert sources(described(aws)) == {(80, "0.0.0.0/0"), (443, "0.0.0.0/0"), (80, "::/0"), (443, "::/0")}
    assert converger.changes(wanted) == {}


def test_rules_are_exchanged_in_place(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    before = described(aws)["GroupId"]

    wanted = stack(owner, allow_from=("10.0.0.0/8", "192.168.0.0/16"))
    assert converger.changes(wanted) == {"network.ingress/public-alb": "update"}
    converger.apply(wanted)

    assert described(aws)["GroupId"] == before
    assert sources(described(aws)) == {(80, "10.0.0.0/8"), (80, "192.168.0.0/16")}
    assert converger.changes(wanted) == {}


def test_host_bits_of_a_cidr_are_no_difference(converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner, allow_from=("10.0.0.0/8",)))

    assert converger.changes(stack(owner, allow_from=("10.1.2.3/8",))) == {}


def test_rules_that_others_made_are_left_alone(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    allow(aws, described(aws)["GroupId"], "203.0.113.0/24", description="the office")
    assert converger.changes(stack(owner)) == {}

    converger.apply(stack(owner, allow_from=("10.0.0.0/8",)))

    assert sources(described(aws)) == {(80, "10.0.0.0/8"), (80, "203.0.113.0/24")}


def test_a_foreign_rule_that_says_the_same_counts(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    allow(aws, described(aws)["GroupId"], "10.0.0.0/8", description="by hand")

    assert converger.changes(stack(owner, allow_from=("0.0.0.0/0", "10.0.0.0/8"))) == {}


def test_rules_changed_by_hand_are_put_right(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    group = described(aws)
    aws.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    allow(aws, group["GroupId"], "198.51.100.0/24", description="fargatectl")

    converger.apply(stack(owner))

    assert sources(described(aws)) == {(80, "0.0.0.0/0")}


def test_a_rule_that_came_in_between_does_not_stop_the_others(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    refusals.add("AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate")

    converger.apply(stack(owner, ports=(80, 443)))

    assert sources(described(aws)) == {(80, "0.0.0.0/0"), (443, "0.0.0.0/0")}


def test_a_full_group_is_emptied_before_it_is_filled(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    refusals.add("AuthorizeSecurityGroupIngress", "RulesPerSecurityGroupLimitExceeded")

    converger.apply(stack(owner, allow_from=("10.0.0.0/8",)))

    assert sources(described(aws)) == {(80, "10.0.0.0/8")}


def test_a_new_group_that_is_not_seen_yet_is_waited_for(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    refusals.add("AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound", times=3)

    converger.apply(stack(owner))

    assert sources(described(aws)) == {(80, "0.0.0.0/0")}


def test_groups_may_name_each_other_and_go_together(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(mutual(owner))

    api, web = described(aws, "shop-api-task"), described(aws, "shop-web-task")
    assert sources(api) == {(8080, web["GroupId"])}
    assert sources(web) == {(8080, api["GroupId"])}
    assert converger.changes(mutual(owner)) == {}

    converger.apply(mutual(owner), absent=True)
    assert described(aws, "shop-api-task") is described(aws, "shop-web-task") is None
    assert converger.changes(mutual(owner), absent=True) == {}


def test_a_repeated_create_takes_its_own_earlier_success(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    planning = converger.plan(stack(owner))
    converger.apply(stack(owner))

    outcome = execute(planning, aws, converger.executor, emit=lambda _: None)

    assert outcome.complete
    assert sources(described(aws)) == {(80, "0.0.0.0/0")}
    assert converger.changes(stack(owner)) == {}
    assert ("CreateSecurityGroup", "InvalidGroup.Duplicate") in {(call.operation, call.error) for call in local.calls}


def test_a_group_of_somebody_else_is_refused(aws: Aws, converger: Converger, owner: Ownership) -> None:
    (vpc,) = aws.ec2.describe_vpcs()["Vpcs"]
    aws.ec2.create_security_group(GroupName="shop-public-alb", Description="theirs", VpcId=vpc["VpcId"])

    with pytest.raises(Refused, match="shop-public-alb"):
        converger.plan(stack(owner))


def test_a_group_of_the_same_name_in_another_vpc_is_nobody_s_business(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    other = aws.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    aws.ec2.create_security_group(GroupName="shop-public-alb", Description="theirs", VpcId=other)

    assert converger.changes(stack(owner))["network.security_group/public-alb"] == "create"


def test_what_the_file_no_longer_names_goes_with_the_rules_that_name_it(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws, refusals: Refusals
) -> None:
    converger.apply(mutual(owner))
    refusals.add("DeleteSecurityGroup", "DependencyViolation", "has a dependent object")

    planning = converger.plan(Stack(owner, kinds=network.KINDS))
    outcome = execute(planning, aws, converger.executor, emit=lambda _: None)

    assert outcome.complete
    assert described(aws, "shop-api-task") is described(aws, "shop-web-task") is None
    assert "RevokeSecurityGroupIngress" in [call.operation for call in local.calls]


def test_a_group_in_use_is_waited_for(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    began = local.clock.monotonic()
    refusals.add("DeleteSecurityGroup", "DependencyViolation", "resource sg-1 has a dependent object", times=6)

    converger.apply(stack(owner), absent=True)

    assert described(aws) is None
    assert 20 < local.clock.monotonic() - began < 600


def test_a_group_that_stays_in_use_is_an_error_that_names_the_users(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    group = described(aws)
    subnet = aws.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    interface = aws.ec2.create_network_interface(SubnetId=subnet, Groups=[group["GroupId"]], Description="ELB app/x/1")
    refusals.add("DeleteSecurityGroup", "DependencyViolation", "has a dependent object", times=1000)
    spec = SecurityGroup(name="shop-public-alb", vpc_id=group["VpcId"])
    (live,) = SecurityGroups().read(aws, [spec])
    assert live is not None

    with pytest.raises(AwsFailure, match=r"eni-\w+ \(ELB app/x/1\)") as error:
        SecurityGroups().delete(aws, live)

    assert interface["NetworkInterface"]["NetworkInterfaceId"] in error.value.message
    assert error.value.code == "DependencyViolation"


def test_many_groups_are_read_with_one_call(converger: Converger, owner: Ownership, local: LocalAws) -> None:
    converger.apply(mutual(owner))
    local.calls.clear()

    converger.plan(mutual(owner))

    assert [call.operation for call in local.calls].count("DescribeSecurityGroups") == 1


def test_a_source_that_is_no_cidr_is_left_as_it_is() -> None:
    assert Rule("sg-1", 80, 80).source == "sg-1"
    assert Rule("10.0.0.0/99", 80, 80).source == "10.0.0.0/99"


def guarded(owner: Ownership, *egress: str) -> Stack:
    made = Stack(owner, kinds=network.KINDS)
    vpc_id = network.declare(made).ref(lambda found: found.vpc_id)
    network.own_group(made, "metrics", vpc_id=vpc_id, egress=egress)
    return made


def ways_out(aws: Aws) -> set[str]:
    group = described(aws, "shop-metrics-sg")
    return {
        source[member]
        for permission in group["IpPermissionsEgress"]
        for ranges, member in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"))
        for source in permission[ranges]
    }


def let_out(aws: Aws, ranges: str, cidr: dict[str, str]) -> None:
    permission: Any = {"IpProtocol": "-1", ranges: [cidr]}
    group_id = described(aws, "shop-metrics-sg")["GroupId"]
    aws.ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=[permission])


def test_the_way_out_is_what_the_file_says(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(guarded(owner, "10.0.0.0/8", "192.168.0.0/16"))
    assert ways_out(aws) == {"10.0.0.0/8", "192.168.0.0/16"}
    assert converger.changes(guarded(owner, "10.1.2.3/8", "192.168.0.0/16")) == {}

    converger.apply(guarded(owner))
    assert ways_out(aws) == set()

    converger.apply(guarded(owner, "0.0.0.0/0"))
    assert ways_out(aws) == {"0.0.0.0/0"}


def test_ways_out_that_others_allow_stay(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(guarded(owner, "10.0.0.0/8"))
    let_out(aws, "IpRanges", {"CidrIp": "203.0.113.0/24", "Description": "the office"})
    assert converger.changes(guarded(owner, "10.0.0.0/8")) == {}
    assert converger.changes(guarded(owner, "10.0.0.0/8", "203.0.113.0/24")) == {}

    converger.apply(guarded(owner, "192.168.0.0/16"))

    assert ways_out(aws) == {"192.168.0.0/16", "203.0.113.0/24"}


def test_what_ec2_allows_in_a_vpc_with_ipv6_stays_beside_everything_and_goes_otherwise(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    vpc = aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    aws.ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    converger.apply(guarded(owner, "0.0.0.0/0"))
    assert ways_out(aws) == {"0.0.0.0/0", "::/0"}
    assert converger.changes(guarded(owner, "0.0.0.0/0")) == {}

    converger.apply(guarded(owner, "10.0.0.0/8"))

    assert ways_out(aws) == {"10.0.0.0/8"}
