"""Targets of target groups and their health over time (AWS: Application Load Balancer guide, "Target group health").

A target is `initial` while it is checked for the first times, then `healthy` or `unhealthy`, and `draining` for the
group's deregistration delay after it was taken out. In a group that no listener sends to, or in a zone its load
balancer does not cover, it is `unused` and never checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.script import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.settings import Value
    from fargatectl.sandbox.wire import Call

_HEALTHY = ("healthy", "", "")
_REGISTERING = ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
_CHECKING = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
_DRAINING = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
_NOT_IN_USE = ("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
_ZONE = ("unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer")
_NOT_REGISTERED = ("unused", "Target.NotRegistered", "Target is not registered to the target group")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What health checks of a target find; an empty reason means that they pass."""

    reason: str = ""
    description: str = ""


PASSES = Verdict()


def _passes() -> Verdict:
    return PASSES


@dataclass(slots=True)
class Target:
    """One registered address and port. `probe` is a health check; `watcher` hears of every change of its health."""

    group: str
    address: str
    port: int
    zone: str
    probe: Callable[[], Verdict]
    watcher: Callable[[Target], None] | None = None
    health: tuple[str, str, str] = _REGISTERING

    @property
    def state(self) -> str:
        """The state as DescribeTargetHealth names it."""
        return self.health[0]

    @property
    def description(self) -> str:
        """What is wrong, in AWS's words."""
        return self.health[2]


@dataclass(slots=True)
class Targets:
    """All targets of one account's Region, by target group, address and port."""

    by_group: dict[str, dict[tuple[str, int], Target]] = field(default_factory=dict)


def group(region: Region, arn: str) -> dict[str, Any]:
    """Return a target group as DescribeTargetGroups shows it. Raises AwsError if there is none."""
    found: list[dict[str, Any]] = region.moto("elbv2", "DescribeTargetGroups", TargetGroupArns=[arn])["TargetGroups"]
    return {**found[0], "LoadBalancerArns": load_balancers_of(region, arn)}


def register(region: Region, target: Target) -> None:
    """Put a target into its group; its checks begin."""
    known = region.state(Targets).by_group.setdefault(target.group, {})
    settings = group(region, target.group)
    known[target.address, target.port] = target

    def begin() -> None:
        if target.state == "initial":
            target.health = _CHECKING

    region.later(1.0, begin)
    _check(region, target, settings)


def _check(region: Region, target: Target, settings: Mapping[str, Any]) -> None:
    """Have a target judged after as many checks as its group's thresholds ask for."""
    interval = float(settings.get("HealthCheckIntervalSeconds", 30))
    fails = bool(target.probe().reason)
    checks = settings.get("UnhealthyThresholdCount", 2) if fails else settings["HealthyThresholdCount"]

    def judge() -> None:
        if target.state == "draining":
            return
        if _why_unused(target, _zones(region, target.group)):
            region.later(interval, judge)
            return
        verdict = target.probe()
        found = ("unhealthy", verdict.reason, verdict.description) if verdict.reason else _HEALTHY
        if found == target.health:
            return
        target.health = found
        if target.watcher:
            target.watcher(target)

    region.later(interval * float(checks), judge)


def recheck(region: Region) -> None:
    """Have the targets judged again whose checks end otherwise than before: something around them has changed."""
    for known in list(region.state(Targets).by_group.values()):
        for target in known.values():
            if target.state in ("healthy", "unhealthy") and bool(target.probe().reason) is (target.state == "healthy"):
                _check(region, target, group(region, target.group))


@EFFECTS.of("health")
def change_health(region: Region, _subject: str, _value: Value | None) -> bool:
    """Let the checks notice what was set about a service's health."""
    recheck(region)
    return True


def deregister(region: Region, arn: str, address: str, port: int) -> float:
    """Take a target out of its group; returns the seconds until it has drained (0 if it was not in)."""
    target = region.state(Targets).by_group.get(arn, {}).get((address, port))
    if target is None or target.state == "draining":
        return 0.0
    delay = region.script.number("drain", _delay(region, arn)) if target.state == "healthy" else 0.0
    target.health = _DRAINING

    def drained() -> None:
        known = region.state(Targets).by_group.get(arn, {})
        if known.get((address, port)) is target:
            del known[address, port]

    region.later(delay, drained)
    return delay


def _delay(region: Region, arn: str) -> float:
    try:
        attributes = region.moto("elbv2", "DescribeTargetGroupAttributes", TargetGroupArn=arn)["Attributes"]
    except AwsError:
        return 0.0
    values = {attribute["Key"]: attribute["Value"] for attribute in attributes}
    return float(values.get("deregistration_delay.timeout_seconds", 300))


def load_balancers_of(region: Region, arn: str) -> list[str]:
    """Return the load balancers whose listeners or rules send to a target group now; none if it is gone."""
    return moto_adapter.load_balancers_of(region.view("elbv2"), arn)


def _zones(region: Region, arn: str) -> set[str] | None:
    """Return the zones that a group's load balancers cover, or None where none sends to it."""
    balancers = load_balancers_of(region, arn)
    if not balancers:
        return None
    shown = region.moto("elbv2", "DescribeLoadBalancers", LoadBalancerArns=balancers)["LoadBalancers"]
    return {zone["ZoneName"] for balancer in shown for zone in balancer.get("AvailabilityZones", [])}


def _why_unused(target: Target, zones: set[str] | None) -> tuple[str, str, str] | None:
    if zones is None:
        return _NOT_IN_USE
    return None if target.zone in zones or target.zone == "all" else _ZONE


@HANDLERS.handles("elbv2", "RegisterTargets")
def register_targets(region: Region, call: Call, _forward: Forward) -> Answer:
    """Register addresses that some client names; they pass their checks."""
    settings = group(region, call.params["TargetGroupArn"])
    for wish in call.params["Targets"]:
        zone = wish.get("AvailabilityZone") or _zone_of(region, settings, wish["Id"])
        port = int(wish.get("Port") or settings["Port"])
        register(region, Target(settings["TargetGroupArn"], wish["Id"], port, zone, _passes))
    return {}


def _zone_of(region: Region, settings: Mapping[str, Any], address: str) -> str:
    import ipaddress  # noqa: PLC0415 - only for addresses that clients register by hand

    filters = [{"Name": "vpc-id", "Values": [settings.get("VpcId", "")]}]
    for subnet in region.moto("ec2", "DescribeSubnets", Filters=filters)["Subnets"]:
        if ipaddress.ip_address(address) in ipaddress.ip_network(subnet["CidrBlock"]):
            return str(subnet["AvailabilityZone"])
    return "all"


@HANDLERS.handles("elbv2", "DeregisterTargets")
def deregister_targets(region: Region, call: Call, _forward: Forward) -> Answer:
    """Take addresses out of a group."""
    settings = group(region, call.params["TargetGroupArn"])
    for wish in call.params["Targets"]:
        deregister(region, settings["TargetGroupArn"], wish["Id"], int(wish.get("Port") or settings["Port"]))
    return {}


@HANDLERS.handles("elbv2", "DescribeTargetHealth")
def describe_target_health(region: Region, call: Call, _forward: Forward) -> Answer:
    """Return the health of a group's targets, or of those asked for."""
    settings = group(region, call.params["TargetGroupArn"])
    known = region.state(Targets).by_group.get(settings["TargetGroupArn"], {})
    zones = _zones(region, settings["TargetGroupArn"])
    asked: Sequence[Mapping[str, Any]] = call.params.get("Targets") or []
    if not asked:
        return {"TargetHealthDescriptions": [_show(target, zones) for target in known.values()]}
    shown = []
    for wish in asked:
        port = int(wish.get("Port") or settings["Port"])
        target = known.get((wish["Id"], port))
        absent = Target(settings["TargetGroupArn"], wish["Id"], port, "", _passes, health=_NOT_REGISTERED)
        shown.append(_show(target or absent, zones))
    return {"TargetHealthDescriptions": shown}


def _show(target: Target, zones: set[str] | None) -> dict[str, Any]:
    health = target.health
    if target.state in ("initial", "healthy", "unhealthy"):
        health = _why_unused(target, zones) or health
    state, reason, description = health
    shown: dict[str, Any] = {
        "Target": {"Id": target.address, "Port": target.port, "AvailabilityZone": target.zone},
        "HealthCheckPort": str(target.port),
        "TargetHealth": {"State": state},
    }
    if reason:
        shown["TargetHealth"] |= {"Reason": reason, "Description": description}
    return shown


@HANDLERS.handles("elbv2", "DeleteTargetGroup")
def forget_targets(region: Region, call: Call, forward: Forward) -> Answer:
    """Forget a group's targets with the group; a group that is gone already is a success (AWS: DeleteTargetGroup)."""
    try:
        answer = forward()
    except AwsError as error:
        if error.code != "TargetGroupNotFound":
            raise
        answer = {}
    region.state(Targets).by_group.pop(call.params["TargetGroupArn"], None)
    return answer
