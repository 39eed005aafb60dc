"""A person who deletes things by hand, past the tool: whatever a call of the tool is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call


def vanish(local: LocalAws, call: Call) -> bool:
    """Delete what `call` makes or changes, as far as AWS lets somebody; tell whether anything went."""
    region = local.cloud.region(local.account, local.region)
    gone = False
    for member, delete in _DELETIONS.items():
        service, _, name = member.partition(":")
        if service == call.service and name in call.params:
            for operation, params in delete(region, call.params):
                gone |= _try(region, service, operation, params)
            break
    return gone


def _try(region: Region, service: str, operation: str, params: dict[str, Any]) -> bool:
    try:
        region.ask(service, operation, **params)
    except AwsError:
        return False
    return True


def _role(region: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = params["RoleName"]
    try:
        policies = region.ask("iam", "ListRolePolicies", RoleName=name)["PolicyNames"]
    except AwsError:
        return
    for policy in policies:
        yield "DeleteRolePolicy", {"RoleName": name, "PolicyName": policy}
    yield "DeleteRole", {"RoleName": name}


def _named(
    key: str, kind: str, arn: str
) -> Callable[[Region, Mapping[str, Any]], Iterator[tuple[str, dict[str, Any]]]]:
    """Delete a load balancer or target group by the name that creates it."""

    def delete(region: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            found = region.ask("elbv2", f"Describe{kind}s", Names=[params["Name"]])[f"{kind}s"]
        except AwsError:
            return
        for one in found:
            yield f"Delete{kind}", {arn: one[key]}

    return delete


def _name(region: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = "LoadBalancer" if "Subnets" in params else "TargetGroup"
    yield from _named(f"{kind}Arn", kind, f"{kind}Arn")(region, params)


def _group(region: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    filters = [{"Name": "group-name", "Values": [params["GroupName"]]}]
    for group in region.ask("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]:
        yield "DeleteSecurityGroup", {"GroupId": group["GroupId"]}


def _member(operation: str, member: str) -> Callable[[Region, Mapping[str, Any]], Iterator[tuple[str, dict[str, Any]]]]:
    return lambda _, params: iter([(operation, {member: params[member]})])


def _service(_: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "DeleteService", {"cluster": params["cluster"], "service": params["service"], "force": True}


def _new_service(_: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "DeleteService", {"cluster": params["cluster"], "service": params["serviceName"], "force": True}


def _secret(key: str) -> Callable[[Region, Mapping[str, Any]], Iterator[tuple[str, dict[str, Any]]]]:
    return lambda _, params: iter(
        [("DeleteSecret", {"SecretId": params[key], "ForceDeleteWithoutRecovery": True})],
    )


def _schedule(_: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "DeleteSchedule", {"GroupName": params["GroupName"], "Name": params["Name"]}


def _certificate(region: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Delete the certificates for a domain."""
    for one in region.ask("acm", "ListCertificates")["CertificateSummaryList"]:
        if one["DomainName"] == params["DomainName"]:
            yield "DeleteCertificate", {"CertificateArn": one["CertificateArn"]}


def _scaled(_: Region, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    keys = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    yield "DeregisterScalableTarget", {key: params[key] for key in keys}


# The member of a request that names what it is about; the first that fits is taken.
_DELETIONS: Mapping[str, Callable[[Region, Mapping[str, Any]], Iterator[tuple[str, dict[str, Any]]]]] = {
    "iam:RoleName": _role,
    "logs:logGroupName": _member("DeleteLogGroup", "logGroupName"),
    "ec2:GroupName": _group,
    "ec2:GroupId": _member("DeleteSecurityGroup", "GroupId"),
    "elbv2:RuleArn": _member("DeleteRule", "RuleArn"),
    "elbv2:ListenerArn": _member("DeleteListener", "ListenerArn"),
    "elbv2:TargetGroupArn": _member("DeleteTargetGroup", "TargetGroupArn"),
    "elbv2:LoadBalancerArn": _member("DeleteLoadBalancer", "LoadBalancerArn"),
    "elbv2:Name": _name,
    "ecs:service": _service,
    "ecs:serviceName": _new_service,
    "ecs:clusterName": lambda _, params: iter([("DeleteCluster", {"cluster": params["clusterName"]})]),
    "ecs:taskDefinition": _member("DeregisterTaskDefinition", "taskDefinition"),
    "application-autoscaling:ResourceId": _scaled,
    "secretsmanager:SecretId": _secret("SecretId"),
    "secretsmanager:Name": _secret("Name"),
    "scheduler:GroupName": _schedule,
    "scheduler:Name": _member("DeleteScheduleGroup", "Name"),
    "cloudwatch:AlarmName": lambda _, params: iter([("DeleteAlarms", {"AlarmNames": [params["AlarmName"]]})]),
    "cloudwatch:DashboardName": lambda _, params: iter(
        [("DeleteDashboards", {"DashboardNames": [params["DashboardName"]]})]
    ),
    "acm:CertificateArn": _member("DeleteCertificate", "CertificateArn"),
    "acm:DomainName": _certificate,
    "servicediscovery:Id": _member("DeleteService", "Id"),
}
