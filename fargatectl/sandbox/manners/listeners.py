"""Listeners and rules (AWS: ELB v2 API Reference, CreateListener, CreateRule and their neighbours)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter, targets
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.handlers import HANDLERS, Answer, Forward
from fargatectl.sandbox.manners import actions, routing
from fargatectl.sandbox.manners.paging import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.wire import Call

_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
_HIGHEST_PRIORITY, _HIGHEST_PORT = 50_000, 65_535
_MOST_LISTENERS, _MOST_RULES, _MOST_CERTIFICATES = 50, 100, 25  # AWS: ALB guide, Quotas


@dataclass(slots=True)
class Listeners:
    """The request that made a listener, by its ARN."""

    requests: dict[str, dict[str, Any]] = field(default_factory=dict)


@HANDLERS.handles("elbv2", "CreateListener")
def create_listener(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a listener; equal settings return the one that exists, others on its port are refused."""
    params, state = call.params, region.state(Listeners)
    request = {key: value for key, value in params.items() if key != "Tags"}
    known = region.moto("elbv2", "DescribeListeners", LoadBalancerArn=params["LoadBalancerArn"], PageSize=ALL)[
        "Listeners"
    ]
    for listener in known:
        if listener["Port"] == params.get("Port"):
            if state.requests.get(listener["ListenerArn"]) == request:
                return {"Listeners": [_show(listener)]}
            raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    if len(known) >= _MOST_LISTENERS:
        raise AwsError("TooManyListeners", f"Load balancer '{params['LoadBalancerArn']}' has too many listeners")
    if not 1 <= params.get("Port", 0) <= _HIGHEST_PORT:
        raise AwsError("ValidationError", f"Port '{params.get('Port')}' must be between '1-65535' inclusive")
    _check_certificates(region, params)
    _check_policy(region, params)
    routing.check_actions(params.get("DefaultActions") or [])
    _check_groups(region, params.get("DefaultActions") or [], params["LoadBalancerArn"])
    secure = params.get("Protocol") == "HTTPS"
    policy = {"SslPolicy": params.get("SslPolicy") or _DEFAULT_POLICY} if secure else {}
    made = forward({**params, **policy})["Listeners"][0]
    state.requests[made["ListenerArn"]] = request
    return {"Listeners": [_show(made)]}


def _check_certificates(region: Region, params: Mapping[str, Any]) -> None:
    certificates = params.get("Certificates") or []
    if params.get("Protocol") == "HTTPS" and not certificates:
        raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
    for certificate in certificates:
        arn = certificate["CertificateArn"]
        if ":acm:" not in arn:
            continue
        try:
            status = region.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]["Status"]
        except AwsError as error:
            raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found") from error
        if status != "ISSUED":
            raise AwsError(
                "UnsupportedCertificate",
                f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a "
                "supported key size.",
            )


def _check_groups(region: Region, given: Sequence[Mapping[str, Any]], balancer: str) -> None:
    for arn in actions.target_groups(given):
        # Refuses one that does not exist.
        (group,) = region.moto("elbv2", "DescribeTargetGroups", TargetGroupArns=[arn])["TargetGroups"]
        (home,) = region.moto("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[balancer])["LoadBalancers"]
        if group.get("VpcId") != home["VpcId"]:
            message = f"The following target group is not in the VPC of load balancer '{balancer}': {arn}"
            raise AwsError("ValidationError", message)
        if set(targets.load_balancers_of(region, arn)) - {balancer}:
            message = f"The following target groups cannot be associated with more than one load balancer: {arn}"
            raise AwsError("TargetGroupAssociationLimit", message)


def _show(listener: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(listener)
    if not shown.get("AlpnPolicy"):
        shown.pop("AlpnPolicy", None)
    if shown.get("Protocol") == "HTTP":
        shown.pop("SslPolicy", None)
        shown.pop("Certificates", None)
    shown["DefaultActions"] = [actions.canonical(action) for action in listener.get("DefaultActions", [])]
    return shown


@HANDLERS.handles("elbv2", "ModifyListener")
def modify_listener(region: Region, call: Call, forward: Forward) -> Answer:
    """Change a listener; what is left out stays."""
    params, arn = call.params, call.params["ListenerArn"]
    current = region.moto("elbv2", "DescribeListeners", ListenerArns=[arn])["Listeners"][0]
    balancer = current["LoadBalancerArn"]
    others = region.moto("elbv2", "DescribeListeners", LoadBalancerArn=balancer, PageSize=ALL)["Listeners"]
    if any(one["Port"] == params.get("Port") and one["ListenerArn"] != arn for one in others):
        raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
    _check_certificates(region, {"Certificates": params.get("Certificates") or []})
    _check_policy(region, params)
    if params.get("DefaultActions"):
        routing.check_actions(params["DefaultActions"])
        _check_groups(region, params["DefaultActions"], balancer)
    more = _more_certificates(region, arn)
    answer = forward()
    if more and answer["Listeners"][0]["Protocol"] == "HTTPS":
        region.moto("elbv2", "AddListenerCertificates", ListenerArn=arn, Certificates=more)
    region.state(Listeners).requests.pop(arn, None)
    return {**answer, "Listeners": [_show(listener) for listener in answer["Listeners"]]}


def _check_policy(region: Region, params: Mapping[str, Any]) -> None:
    policy = params.get("SslPolicy")
    if policy and policy not in [one["Name"] for one in region.moto("elbv2", "DescribeSSLPolicies")["SslPolicies"]]:
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")


def _more_certificates(region: Region, listener: str) -> list[dict[str, Any]]:
    """Return the certificates beside the default one: a change of the listener leaves them as they are."""
    try:
        known = region.moto("elbv2", "DescribeListenerCertificates", ListenerArn=listener)["Certificates"]
    except AwsError:
        return []
    return [{"CertificateArn": one["CertificateArn"]} for one in known if not one.get("IsDefault")]


@HANDLERS.handles("elbv2", "AddListenerCertificates")
def add_listener_certificates(region: Region, call: Call, forward: Forward) -> Answer:
    """Add certificates that are chosen by server name."""
    known = _more_certificates(region, call.params["ListenerArn"])
    added = {one["CertificateArn"] for one in [*known, *call.params["Certificates"]]}
    if len(added) > _MOST_CERTIFICATES:
        raise AwsError(
            "TooManyCertificates", "You've reached the limit on the number of certificates per load balancer"
        )
    _check_certificates(region, call.params)
    return forward()


@HANDLERS.handles("elbv2", "DescribeListeners")
def describe_listeners(_region: Region, _call: Call, forward: Forward) -> Answer:
    """Return listeners in canonical form."""
    answer = forward()
    return {**answer, "Listeners": [_show(listener) for listener in answer.get("Listeners", [])]}


@HANDLERS.handles("elbv2", "CreateRule")
def create_rule(region: Region, call: Call, forward: Forward) -> Answer:
    """Create a rule."""
    params = call.params
    conditions = [actions.condition_in(condition) for condition in params.get("Conditions") or []]
    _check_rule(conditions, int(params.get("Priority") or 0))
    balancer = params["ListenerArn"].replace(":listener/", ":loadbalancer/").rpartition("/")[0]
    region.moto("elbv2", "DescribeListeners", ListenerArns=[params["ListenerArn"]])  # refuses one that does not exist
    routing.check_actions(params.get("Actions") or [])
    _check_groups(region, params.get("Actions") or [], balancer)
    _check_number(region, balancer)
    answer = forward({**params, "Conditions": conditions})
    return {"Rules": [_show_rule(rule) for rule in answer["Rules"]]}


def _check_rule(conditions: Sequence[Mapping[str, Any]], priority: int) -> None:
    if not conditions:
        raise AwsError("ValidationError", "A condition must be specified")
    if not 1 <= priority <= _HIGHEST_PRIORITY:
        raise AwsError("ValidationError", f"Priority must be between 1 and {_HIGHEST_PRIORITY}")
    routing.check_conditions(conditions)


def _check_number(region: Region, balancer: str) -> None:
    if moto_adapter.number_of_rules(region.view("elbv2"), balancer) >= _MOST_RULES:
        raise AwsError("TooManyRules", f"Load balancer '{balancer}' has too many rules")


@HANDLERS.handles("elbv2", "ModifyRule")
def modify_rule(region: Region, call: Call, forward: Forward) -> Answer:
    """Change conditions or actions of a rule, each as a whole."""
    params = dict(call.params)
    if params.get("Conditions"):
        params["Conditions"] = [actions.condition_in(condition) for condition in params["Conditions"]]
        routing.check_conditions(params["Conditions"])
    balancer = params["RuleArn"].replace(":listener-rule/", ":loadbalancer/").rsplit("/", 2)[0]
    if params.get("Actions"):
        routing.check_actions(params["Actions"])
        _check_groups(region, params["Actions"], balancer)
    return {"Rules": [_show_rule(rule) for rule in forward(params)["Rules"]]}


@HANDLERS.handles("elbv2", "DescribeRules")
def describe_rules(_region: Region, _call: Call, forward: Forward) -> Answer:
    """Return rules in the order in which they are tried, in canonical form."""
    answer = forward()
    rules = sorted(answer.get("Rules", []), key=lambda rule: (rule["IsDefault"], _number(rule["Priority"])))
    return {**answer, "Rules": [_show_rule(rule) for rule in rules]}


def _number(priority: str) -> int:
    return int(priority) if priority.isdigit() else _HIGHEST_PRIORITY


def _show_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(rule)
    shown["Actions"] = [actions.canonical(action) for action in rule.get("Actions", [])]
    shown["Conditions"] = [actions.condition_out(condition) for condition in rule.get("Conditions", [])]
    return shown


@HANDLERS.handles("elbv2", "DeleteRule")
def delete_rule(region: Region, call: Call, forward: Forward) -> Answer:
    """Delete a rule; a listener's default rule stays."""
    arn = call.params["RuleArn"]
    if region.moto("elbv2", "DescribeRules", RuleArns=[arn])["Rules"][0]["IsDefault"]:
        raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
    return forward()


@HANDLERS.handles("elbv2", "SetRulePriorities")
def set_rule_priorities(region: Region, call: Call, _forward: Forward) -> Answer:
    """Set several priorities at once: rules may swap theirs."""
    wanted = {one["RuleArn"]: int(one["Priority"]) for one in call.params["RulePriorities"]}
    if len(set(wanted.values())) < len(wanted):
        raise AwsError("PriorityInUse", "The specified priority is in use")
    listener = next(iter(wanted)).replace(":listener-rule/", ":listener/").rpartition("/")[0]
    known = region.moto("elbv2", "DescribeRules", ListenerArn=listener, PageSize=ALL)["Rules"]
    if missing := wanted.keys() - {rule["RuleArn"] for rule in known}:
        raise AwsError("RuleNotFound", f"One or more rules not found: {', '.join(sorted(missing))}")
    others = {rule["Priority"] for rule in known if rule["RuleArn"] not in wanted}
    if others & {str(priority) for priority in wanted.values()}:
        raise AwsError("PriorityInUse", "The specified priority is in use")
    moto_adapter.set_rule_priorities(region.backend("elbv2"), wanted)
    return {"Rules": region.ask("elbv2", "DescribeRules", RuleArns=list(wanted))["Rules"]}
