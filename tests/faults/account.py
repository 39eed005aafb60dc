"""Everything in an account that matters, in a form that two runs can be compared in.

Read from the local AWS itself, past every fault and past the tool's own readers. What AWS makes up (ids, dates, the
random ends of ARNs) is replaced by names; what goes away by itself (INACTIVE things, deployments, events) is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fargatectl.sandbox import moto_adapter, tagging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.inprocess import LocalAws

_MADE_UP = frozenset(
    {
        "CreatedTime",
        "CreateDate",
        "createdAt",
        "createdBy",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "CreationDate",
        "LastModificationDate",
        "creationTime",
        "CreationTime",
        "CreatorRequestId",
        "DNSName",
        "CanonicalHostedZoneId",
        "RoleId",
        "RoleLastUsed",
        "deployments",
        "events",
        "taskSets",
        "Alarms",
        "PolicyARN",
        "ScalableTargetARN",
        "OwnerId",
        "SecurityGroupArn",
        "revision",
        "taskDefinitionArn",
        "requiresAttributes",
        "compatibilities",
        "platformFamily",
        "pendingTasksCount",
        "runningTasksCount",
        "activeServicesCount",
        "registeredContainerInstancesCount",
        "storedBytes",
        "currentServiceRevisions",
        "statistics",
        "InstanceCount",
        "InstanceProfileList",
        "Version",
        "IpOwnerId",
        "attachments",
        "statusMessage",
    }
)


@dataclass(frozen=True)
class Account:
    """What is there, by name, and how many revisions each task definition family has."""

    things: Mapping[str, Any]
    revisions: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {"things": dict(self.things), "revisions": dict(self.revisions)}

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Return a line for each thing that `other`, an account as JSON, lacks or has another way."""
        mine, theirs = self.to_json()["things"], other["things"]
        return [
            f"{name}: {difference}"
            for name in sorted({*mine, *theirs})
            for difference in _differences(mine.get(name), theirs.get(name))
        ]


def _differences(expected: Any, found: Any) -> list[str]:
    """Return a line for each member that differs, or one for the whole."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = [key for key in sorted({*expected, *found}) if expected.get(key) != found.get(key)]
        return [f"{key}: expected {_short(expected.get(key))}, got {_short(found.get(key))}" for key in keys]
    return [] if expected == found else [f"expected {_short(expected)}, got {_short(found)}"]


def _short(value: Any) -> str:
    return json.dumps(value)[:300]


@dataclass
class _Sight:
    """What has been seen so far: things by name, and names by what AWS calls them."""

    tags: Mapping[str, Mapping[str, str]]
    things: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def named(self, text: str) -> str:
        """Return `text` with names in place of what AWS calls things."""
        for physical in sorted(self.names, key=len, reverse=True):
            text = text.replace(physical, f"<{self.names[physical]}>")
        return text

    def add(self, name: str, found: Any, *physical: str, **more: Any) -> None:
        self.names |= dict.fromkeys(physical, name)
        self.things[name] = _without_made_up({**found, **more})


def look(local: LocalAws) -> Account:
    """Return what `local` holds now."""
    region = local.cloud.region(local.account, local.region)
    with moto_adapter.LOCK, local.cloud.moto.active():
        local.cloud.catch_up()
        sight = _Sight({arn.removesuffix(":*"): tags for arn, tags in tagging.tagged(region)})
        _secrets(region, sight)  # task definitions, which are known by what they say, name them
        revisions = _task_definitions(region, sight)
        for part in _PARTS:
            part(region, sight)
    return Account(_named(sight), revisions)


def _named(sight: _Sight) -> dict[str, Any]:
    things: dict[str, Any] = json.loads(sight.named(json.dumps(sight.things, default=str, sort_keys=True)))
    return {name: _sorted(thing) for name, thing in things.items()}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(part) for key, part in sorted(value.items())}
    if isinstance(value, list):
        return sorted((_sorted(part) for part in value), key=json.dumps)
    return value


def _without_made_up(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_made_up(part) for key, part in value.items() if key not in _MADE_UP}
    if isinstance(value, list):
        return [_without_made_up(part) for part in value]
    return value


def _task_definitions(region: Region, sight: _Sight) -> dict[str, int]:
    """See each content once, however many revisions have it; return the number of live revisions by family."""
    revisions: dict[str, int] = {}
    for arn in region.ask("ecs", "ListTaskDefinitions", status="ACTIVE")["taskDefinitionArns"]:
        answer = region.ask("ecs", "DescribeTaskDefinition", taskDefinition=arn, include=["TAGS"])
        found = _without_made_up({**answer["taskDefinition"], "tags": answer.get("tags")})
        digest = sha256(sight.named(json.dumps(_sorted(found), default=str)).encode()).hexdigest()[:8]
        family = found["family"]
        revisions[family] = revisions.get(family, 0) + 1
        sight.add(f"task definition {family} {digest}", found, arn)
    return revisions


def _ecs(region: Region, sight: _Sight) -> None:
    arns = region.ask("ecs", "ListClusters")["clusterArns"]
    described = region.ask("ecs", "DescribeClusters", clusters=arns, include=["SETTINGS", "TAGS"])["clusters"]
    for cluster in described if arns else ():
        if cluster["status"] == "INACTIVE":
            continue
        sight.add(f"cluster {cluster['clusterName']}", cluster)
        services = region.ask("ecs", "ListServices", cluster=cluster["clusterArn"])["serviceArns"]
        for arn in services:
            asked = {"cluster": cluster["clusterArn"], "services": [arn], "include": ["TAGS"]}
            service = region.ask("ecs", "DescribeServices", **asked)["services"][0]
            if service["status"] != "INACTIVE":
                sight.add(f"service {service['serviceName']}", service)


def _elb(region: Region, sight: _Sight) -> None:
    for group in region.ask("elbv2", "DescribeTargetGroups").get("TargetGroups", ()):
        arn = group["TargetGroupArn"]
        attributes = region.ask("elbv2", "DescribeTargetGroupAttributes", TargetGroupArn=arn)["Attributes"]
        health = region.ask("elbv2", "DescribeTargetHealth", TargetGroupArn=arn)["TargetHealthDescriptions"]
        states = [target["TargetHealth"]["State"] for target in health]
        name = f"target group {group['TargetGroupName']}"
        label = f"targetgroup/{arn.partition(':targetgroup/')[2]}"
        sight.add(name, group, arn, label, attributes=attributes, targets=states, tags=sight.tags[arn])
    for balancer in region.ask("elbv2", "DescribeLoadBalancers").get("LoadBalancers", ()):
        arn, name = balancer["LoadBalancerArn"], balancer["LoadBalancerName"]
        attributes = region.ask("elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=arn)["Attributes"]
        tags = sight.tags[arn]
        label = arn.partition(":loadbalancer/")[2]
        sight.add(f"load balancer {name}", balancer, arn, label, attributes=attributes, tags=tags)
        sight.names[balancer["DNSName"]] = f"load balancer {name}"
        _listeners(region, sight, name, arn)


def _listeners(region: Region, sight: _Sight, name: str, balancer: str) -> None:
    for listener in region.ask("elbv2", "DescribeListeners", LoadBalancerArn=balancer)["Listeners"]:
        arn, label = listener["ListenerArn"], f"{name}:{listener['Port']}"
        sight.add(f"listener {label}", listener, arn, tags=sight.tags[arn])
        for rule in region.ask("elbv2", "DescribeRules", ListenerArn=arn)["Rules"]:
            one = rule["RuleArn"]
            sight.add(f"rule {label}/{rule['Priority']}", rule, one, tags=sight.tags.get(one))


def _groups(region: Region, sight: _Sight) -> None:
    for group in region.ask("ec2", "DescribeSecurityGroups")["SecurityGroups"]:
        sight.add(f"security group {group['VpcId']}/{group['GroupName']}", group, group["GroupId"])


def _roles(region: Region, sight: _Sight) -> None:
    details = region.ask("iam", "GetAccountAuthorizationDetails", Filter=["Role"], MaxItems=1000)
    for role in details["RoleDetailList"]:
        if not role["Path"].startswith("/aws-service-role/"):  # AWS's own, and they stay
            policies = {one["PolicyName"]: _policy(one["PolicyDocument"]) for one in role["RolePolicyList"]}
            trust = _policy(role["AssumeRolePolicyDocument"])
            sight.add(f"role {role['RoleName']}", role, RolePolicyList=policies, AssumeRolePolicyDocument=trust)


def _policy(document: Any) -> Any:
    """Return a policy as what it says: IAM answers with its URL-encoded text."""
    return json.loads(unquote(document)) if isinstance(document, str) else document


def _logs(region: Region, sight: _Sight) -> None:
    for group in region.ask("logs", "DescribeLogGroups").get("logGroups", ()):
        sight.add(f"log group {group['logGroupName']}", group, tags=sight.tags[group["arn"].removesuffix(":*")])


def _cloudmap(region: Region, sight: _Sight) -> None:
    for namespace in region.ask("servicediscovery", "ListNamespaces")["Namespaces"]:
        name = f"namespace {namespace['Name']}"
        tags = sight.tags.get(namespace["Arn"])
        zone = namespace.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId", namespace["Id"])
        sight.add(name, {**namespace, "ServiceCount": 0}, namespace["Arn"], namespace["Id"], zone, tags=tags)
    for service in region.ask("servicediscovery", "ListServices")["Services"]:
        tags = sight.tags.get(service["Arn"])
        instances = region.ask("servicediscovery", "ListInstances", ServiceId=service["Id"])["Instances"]
        label = f"discovery {service['Name']}"
        sight.add(label, service, service["Arn"], service["Id"], tags=tags, instances=len(instances))


def _scaling(region: Region, sight: _Sight) -> None:
    for target in region.ask("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")[
        "ScalableTargets"
    ]:
        arn = target["ScalableTargetARN"]
        tags = region.ask("application-autoscaling", "ListTagsForResource", ResourceARN=arn)["Tags"]
        sight.add(f"scalable target {target['ResourceId']}", target, arn, tags=tags)
    for policy in region.ask("application-autoscaling", "DescribeScalingPolicies", ServiceNamespace="ecs")[
        "ScalingPolicies"
    ]:
        sight.add(f"scaling policy {policy['ResourceId']}/{policy['PolicyName']}", policy)

    for action in region.ask("application-autoscaling", "DescribeScheduledActions", ServiceNamespace="ecs")[
        "ScheduledActions"
    ]:
        found = {key: part for key, part in action.items() if key != "ScheduledActionARN"}
        sight.add(f"scheduled action {action['ResourceId']}/{action['ScheduledActionName']}", found)


def _alarms(region: Region, sight: _Sight) -> None:
    """See the alarms that have our tags or nobody's; AWS makes those of target tracking itself."""
    for alarm in region.ask("cloudwatch", "DescribeAlarms").get("MetricAlarms", ()):
        if not alarm["AlarmName"].startswith("TargetTracking-"):
            arn = alarm["AlarmArn"]
            found = {key: part for key, part in alarm.items() if not key.startswith("State")}
            actions = sorted(action.rpartition("/")[2] for action in alarm.get("AlarmActions", ()))
            found |= {"AlarmActions": actions, "AlarmConfigurationUpdatedTimestamp": ""}
            sight.add(f"alarm {alarm['AlarmName']}", found, arn, tags=sight.tags.get(arn))


def _records(region: Region, sight: _Sight) -> None:
    for zone in region.ask("route53", "ListHostedZones")["HostedZones"]:
        found = region.ask("route53", "ListResourceRecordSets", HostedZoneId=zone["Id"])["ResourceRecordSets"]
        for record in found:
            if record["Type"] not in {"NS", "SOA"} and not zone.get("Config", {}).get("PrivateZone"):
                alias = record.get("AliasTarget", {})
                leads_to = {**record, "AliasTarget": {**alias, "leads_to": alias.get("DNSName", "").rstrip(".")}}
                sight.add(f"record {record['Name']} {record['Type']}", leads_to)


def _secrets(region: Region, sight: _Sight) -> None:
    """See secrets with a digest of what they hold, those too that go in some days."""
    for secret in region.ask("secretsmanager", "ListSecrets", IncludePlannedDeletion=True)["SecretList"]:
        going = "DeletedDate" in secret
        held = "" if going else region.ask("secretsmanager", "GetSecretValue", SecretId=secret["ARN"])["SecretString"]
        found = {key: secret.get(key) for key in ("Name", "Description", "KmsKeyId", "Tags")}
        digest = sha256(held.encode()).hexdigest()[:8]
        sight.add(f"secret {secret['Name']}", found, secret["ARN"], going=going, holds=digest)


def _dashboards(region: Region, sight: _Sight) -> None:
    for entry in region.ask("cloudwatch", "ListDashboards")["DashboardEntries"]:
        name, arn = entry["DashboardName"], entry["DashboardArn"]
        body = json.loads(region.ask("cloudwatch", "GetDashboard", DashboardName=name)["DashboardBody"])
        sight.add(f"dashboard {name}", {"body": body}, arn, tags=sight.tags.get(arn))


def _schedules(region: Region, sight: _Sight) -> None:
    for group in region.ask("scheduler", "ListScheduleGroups")["ScheduleGroups"]:
        sight.add(f"schedule group {group['Name']}", group, group["Arn"], tags=sight.tags.get(group["Arn"]) or {})
    for one in region.ask("scheduler", "ListSchedules")["Schedules"]:
        found = region.ask("scheduler", "GetSchedule", GroupName=one["GroupName"], Name=one["Name"])
        sight.add(f"schedule {one['GroupName']}/{one['Name']}", found, one["Arn"])


def _certificates(region: Region, sight: _Sight) -> None:
    for summary in region.ask("acm", "ListCertificates")["CertificateSummaryList"]:
        arn = summary["CertificateArn"]
        found = region.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
        domains = sorted({found["DomainName"], *found.get("SubjectAlternativeNames", ())})
        kept = {"domains": domains, "status": found["Status"], "used": bool(found.get("InUseBy"))}
        sight.add(f"certificate {' '.join(domains)}", kept, arn, tags=sight.tags.get(arn))


_PARTS = (
    _ecs,
    _elb,
    _groups,
    _roles,
    _logs,
    _cloudmap,
    _scaling,
    _alarms,
    _dashboards,
    _records,
    _schedules,
    _certificates,
)
