"""Attributes of load balancers and target groups: all of them are shown, and only known ones are taken.

AWS: ELB v2 API Reference, LoadBalancerAttribute and TargetGroupAttribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_BALANCER = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
_GROUP = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_CROSS_ZONE = "load_balancing.cross_zone.enabled"


# What a value may be, where that is not told by its default: a number is within a range, a word among some.
_RANGES = {
    "client_keep_alive.seconds": range(60, 604_801),
    "idle_timeout.timeout_seconds": range(1, 4001),
    "deregistration_delay.timeout_seconds": range(3601),
    "slow_start.duration_seconds": (0, *range(30, 901)),
    "stickiness.app_cookie.duration_seconds": range(1, 604_801),
    "stickiness.lb_cookie.duration_seconds": range(1, 604_801),
}
_WORDS = {
    "load_balancing.algorithm.anomaly_mitigation": ("on", "off"),
    "load_balancing.algorithm.type": ("round_robin", "least_outstanding_requests", "weighted_random"),
    "load_balancing.cross_zone.enabled": ("true", "false", "use_load_balancer_configuration"),
    "routing.http.desync_mitigation_mode": ("monitor", "defensive", "strictest"),
    "routing.http.xff_header_processing.mode": ("append", "preserve", "remove"),
    "stickiness.type": ("lb_cookie", "app_cookie"),
}


def _check(given: Iterable[Mapping[str, Any]], known: Mapping[str, str], what: str) -> None:
    for attribute in given:
        key, value = attribute["Key"], attribute.get("Value", "")
        if key not in known:
            raise AwsError("ValidationError", f"{what} attribute key '{key}' is not recognized")
        if key in _RANGES and not (value.isdigit() and int(value) in _RANGES[key]):
            ends = (min(_RANGES[key]), max(_RANGES[key]))
            raise AwsError(
                "ValidationError", f"'{key}' value '{value}' must be between '{ends[0]}-{ends[1]}' inclusive"
            )
        words = _WORDS.get(key) or (("true", "false") if known[key] in ("true", "false") else ())
        if words and value not in words:
            raise AwsError("ValidationError", f"'{key}' value '{value}' must be one of [{', '.join(words)}]")


def _all(answer: Answer, defaults: Mapping[str, str]) -> Answer:
    held = {one["Key"]: one["Value"] for one in answer.get("Attributes", [])}
    return {"Attributes": [{"Key": key, "Value": value} for key, value in {**defaults, **held}.items()]}


@HANDLERS.handles("elbv2", "ModifyLoadBalancerAttributes")
def modify_load_balancer_attributes(_region: Region, call: Call, forward: Forward) -> Answer:
    """Change attributes; an Application Load Balancer always balances across zones."""
    given = call.params.get("Attributes") or []
    _check(given, _BALANCER, "Load balancer")
    if {"Key": _CROSS_ZONE, "Value": "false"} in given:
        message = f"The attribute {_CROSS_ZONE} cannot be modified for application load balancers"
        raise AwsError("InvalidConfigurationRequest", message)
    return _all(forward(), _BALANCER)


@HANDLERS.handles("elbv2", "DescribeLoadBalancerAttributes")
def describe_load_balancer_attributes(_region: Region, _call: Call, forward: Forward) -> Answer:
    """Return all attributes, with AWS's defaults."""
    answer = _all(forward(), _BALANCER)
    shown = [one for one in answer["Attributes"] if one["Key"] != _CROSS_ZONE]
    return {"Attributes": [*shown, {"Key": _CROSS_ZONE, "Value": "true"}]}


@HANDLERS.handles("elbv2", "ModifyTargetGroupAttributes")
def modify_target_group_attributes(_region: Region, call: Call, forward: Forward) -> Answer:
    """Change attributes."""
    _check(call.params.get("Attributes") or [], _GROUP, "Target group")
    return _all(forward(), _GROUP)


@HANDLERS.handles("elbv2", "DescribeTargetGroupAttributes")
def describe_target_group_attributes(_region: Region, _call: Call, forward: Forward) -> Answer:
    """Return all attributes, with AWS's defaults."""
    return _all(forward(), _GROUP)


@HANDLERS.handles("elbv2", "DescribeTags")
def describe_tags(region: Region, call: Call, forward: Forward) -> Answer:
    """Return the tags of up to twenty things that exist."""
    arns = call.params.get("ResourceArns") or []
    refuse_more_than_twenty("resourceArns", arns)
    for arn in arns:
        _refuse_missing(region, arn)
    return forward()


def refuse_more_than_twenty(name: str, given: Iterable[str]) -> None:
    """Raise AwsError for a list that is longer than a request may name."""
    if len(list(given)) > 20:  # noqa: PLR2004 - AWS: DescribeTags, DescribeLoadBalancers
        message = f"1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must have "
        raise AwsError("ValidationError", f"{message}length less than or equal to 20")


_READS = {
    "loadbalancer": ("DescribeLoadBalancers", "LoadBalancerArns"),
    "targetgroup": ("DescribeTargetGroups", "TargetGroupArns"),
    "listener": ("DescribeListeners", "ListenerArns"),
    "listener-rule": ("DescribeRules", "RuleArns"),
}


def _refuse_missing(region: Region, arn: str) -> None:
    """Have the kind's own Describe operation refuse what does not exist, in its own words."""
    kind = arn.split(":", 5)[-1].partition("/")[0]
    if kind in _READS:
        operation, member = _READS[kind]
        region.moto("elbv2", operation, **{member: [arn]})
