"""What may never happen, checked at every mutating call of the tool against the local AWS itself.

The numbers are those of docs/reliability.md: I4 (only what carries our tags), I6 (no duplicate), I9 (the count is the
autoscaler's), I10 (order), I14 (reading commands write nothing), I18 (one account, one Region).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.model.ownership import ADDRESS
from fargatectl.sandbox import tagging
from tests.faults import canaries
from tests.faults.whose import or_none, tags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call

Params = dict[str, Any]

_FREE = frozenset(
    {
        "ecs:CreateCluster",
        "ecs:RegisterTaskDefinition",
        "ec2:CreateSecurityGroup",
        "elbv2:CreateTargetGroup",
        "elbv2:CreateLoadBalancer",
        "iam:CreateRole",
        "iam:CreateServiceLinkedRole",
        "logs:CreateLogGroup",
        "servicediscovery:CreatePrivateDnsNamespace",
        "secretsmanager:CreateSecret",
        "acm:RequestCertificate",
        "scheduler:CreateScheduleGroup",
    }
)
"""Calls that make something which hangs on nothing of ours."""

_TARGETS: Mapping[str, Callable[[Params], Any]] = {
    # What a call changes, by the name of the member that says it; creates: what the new thing hangs on.
    "ecs:CreateService": lambda p: [_cluster(p["cluster"])],
    "ecs:UpdateService": lambda p: [_service(p)],
    "ecs:DeleteService": lambda p: [_service(p)],
    "ecs:UpdateCluster": lambda p: [_cluster(p["cluster"])],
    "ecs:PutClusterCapacityProviders": lambda p: [_cluster(p["cluster"])],
    "ecs:DeleteCluster": lambda p: [_cluster(p["cluster"])],
    "ecs:DeregisterTaskDefinition": lambda p: [p["taskDefinition"]],
    "ecs:DeleteTaskDefinitions": lambda p: p["taskDefinitions"],
    "ecs:TagResource": lambda p: [_path(p["resourceArn"])],
    "ecs:RunTask": lambda p: [p["taskDefinition"]],
    "ecs:StopTask": lambda p: [p["task"]],
    "elbv2:CreateListener": lambda p: [p["LoadBalancerArn"]],
    "elbv2:CreateRule": lambda p: [p["ListenerArn"]],
    "elbv2:ModifyListener": lambda p: [p["ListenerArn"]],
    "elbv2:AddListenerCertificates": lambda p: [p["ListenerArn"]],
    "elbv2:RemoveListenerCertificates": lambda p: [p["ListenerArn"]],
    "elbv2:ModifyRule": lambda p: [p["RuleArn"]],
    "elbv2:SetRulePriorities": lambda p: [one["RuleArn"] for one in p["RulePriorities"]],
    "elbv2:ModifyTargetGroup": lambda p: [p["TargetGroupArn"]],
    "elbv2:ModifyTargetGroupAttributes": lambda p: [p["TargetGroupArn"]],
    "elbv2:ModifyLoadBalancerAttributes": lambda p: [p["LoadBalancerArn"]],
    "elbv2:SetSecurityGroups": lambda p: [p["LoadBalancerArn"]],
    "elbv2:SetSubnets": lambda p: [p["LoadBalancerArn"]],
    "elbv2:AddTags": lambda p: p["ResourceArns"],
    "elbv2:DeleteLoadBalancer": lambda p: [p["LoadBalancerArn"]],
    "elbv2:DeleteListener": lambda p: [p["ListenerArn"]],
    "elbv2:DeleteRule": lambda p: [p["RuleArn"]],
    "elbv2:DeleteTargetGroup": lambda p: [p["TargetGroupArn"]],
    "ec2:CreateTags": lambda p: p["Resources"],
    "ec2:AuthorizeSecurityGroupIngress": lambda p: [p["GroupId"]],
    "ec2:RevokeSecurityGroupIngress": lambda p: [p["GroupId"]],
    "ec2:DeleteSecurityGroup": lambda p: [p["GroupId"]],
    "logs:PutRetentionPolicy": lambda p: [p["logGroupName"]],
    "logs:DeleteRetentionPolicy": lambda p: [p["logGroupName"]],
    "logs:DeleteLogGroup": lambda p: [p["logGroupName"]],
    "logs:TagResource": lambda p: [p["resourceArn"].rpartition(":log-group:")[2]],
    "logs:UntagResource": lambda p: [p["resourceArn"].rpartition(":log-group:")[2]],
    "iam:PutRolePolicy": lambda p: [p["RoleName"]],
    "iam:DeleteRolePolicy": lambda p: [p["RoleName"]],
    "iam:AttachRolePolicy": lambda p: [p["RoleName"]],
    "iam:DetachRolePolicy": lambda p: [p["RoleName"]],
    "iam:UpdateAssumeRolePolicy": lambda p: [p["RoleName"]],
    "iam:PutRolePermissionsBoundary": lambda p: [p["RoleName"]],
    "iam:TagRole": lambda p: [p["RoleName"]],
    "iam:DeleteRole": lambda p: [p["RoleName"]],
    "cloudwatch:PutMetricAlarm": lambda p: [p["AlarmName"]],
    "cloudwatch:DeleteAlarms": lambda p: p["AlarmNames"],
    "cloudwatch:TagResource": lambda p: [p["ResourceARN"]],
    "cloudwatch:UntagResource": lambda p: [p["ResourceARN"]],
    "cloudwatch:PutDashboard": lambda p: [_dashboard(p["DashboardName"])],
    "cloudwatch:DeleteDashboards": lambda p: [_dashboard(name) for name in p["DashboardNames"]],
    "secretsmanager:UpdateSecret": lambda p: [p["SecretId"]],
    "secretsmanager:PutSecretValue": lambda p: [p["SecretId"]],
    "secretsmanager:TagResource": lambda p: [p["SecretId"]],
    "secretsmanager:RestoreSecret": lambda p: [p["SecretId"]],
    "secretsmanager:DeleteSecret": lambda p: [p["SecretId"]],
    "acm:AddTagsToCertificate": lambda p: [p["CertificateArn"]],
    "acm:DeleteCertificate": lambda p: [p["CertificateArn"]],
    "scheduler:TagResource": lambda p: [p["ResourceArn"]],
    "scheduler:DeleteScheduleGroup": lambda p: [p["Name"]],
    "scheduler:CreateSchedule": lambda p: [p["GroupName"]],
    "scheduler:UpdateSchedule": lambda p: [p["GroupName"]],
    "scheduler:DeleteSchedule": lambda p: [p["GroupName"]],
    "servicediscovery:CreateService": lambda p: [p["NamespaceId"]],
    "servicediscovery:UpdateService": lambda p: [p["Id"]],
    "servicediscovery:DeleteService": lambda p: [p["Id"]],
    "servicediscovery:DeregisterInstance": lambda p: [p["ServiceId"]],
    "servicediscovery:DeleteNamespace": lambda p: [p["Id"]],
    "servicediscovery:TagResource": lambda p: [p["ResourceARN"].rpartition("/")[2]],
    "application-autoscaling:RegisterScalableTarget": lambda p: [_scaled(p)],
    "application-autoscaling:DeregisterScalableTarget": lambda p: [_scaled(p)],
    "application-autoscaling:PutScalingPolicy": lambda p: [_scaled(p)],
    "application-autoscaling:DeleteScalingPolicy": lambda p: [_scaled(p)],
    "application-autoscaling:PutScheduledAction": lambda p: [_scaled(p)],
    "application-autoscaling:DeleteScheduledAction": lambda p: [_scaled(p)],
    "application-autoscaling:TagResource": lambda p: [p["ResourceARN"]],
}


def _cluster(name: str) -> str:
    return name.rpartition("/")[2]


def _path(arn: str) -> str:
    """Return `cluster` or `cluster/service` for what has such a name, else the ARN."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    return path if kind in {"cluster", "service"} else arn


def _dashboard(name: str) -> str:
    return f"dashboard/{name}"


def _service(params: Params) -> str:
    return f"{_cluster(params['cluster'])}/{params['service'].rpartition('/')[2]}"


def _scaled(params: Params) -> str:
    return str(params["ResourceId"].removeprefix("service/"))


@dataclass
class Oracles:
    """The judges of one run. `taken` is what `--adopt` may touch though it does not carry our tags."""

    local: LocalAws
    owner: Ownership
    taken: frozenset[str] = frozenset()
    reading: bool = False
    violations: list[str] = field(default_factory=list)

    @property
    def region(self) -> Region:
        return self.local.cloud.region(self.local.account, self.local.region)

    def secrets(self, call: Call) -> None:
        """Judge any call by what it does with secrets."""
        secret = call.params["SecretId"] if call.operation == "GetSecretValue" else ""
        if secret and (secret in self.taken or self._is_ours("secretsmanager", secret)):
            return  # it was made from this machine's environment, and is compared with it
        for what in canaries.sent(call):
            self._blame("I16", f"{call.service}:{call.operation}", what)

    def before(self, call: Call) -> None:
        """Judge a mutating call before it is applied."""
        name = f"{call.service}:{call.operation}"
        if self.reading:
            self._blame("I14", name, "a command that reads made it")
        if (call.account, call.region) not in {
            (self.local.account, self.local.region),
            (self.local.account, "us-east-1"),
        }:
            self._blame("I18", name, f"it went to {call.account} in {call.region}")
        self._ownership(name, call.params)
        self._count(name, call.params)
        self._order(name, call.params)

    def after(self, call: Call) -> None:
        """Judge what a mutating call has left."""
        if call.operation.startswith("Create"):
            for what in _duplicates(self.region):
                self._blame("I6", f"{call.service}:{call.operation}", what)

    def _blame(self, invariant: str, name: str, why: str) -> None:
        self.violations.append(f"{invariant}: {name}: {why}")

    def _ownership(self, name: str, params: Params) -> None:
        if name in _FREE:
            return
        if name == "route53:ChangeResourceRecordSets":
            self._records(name, params)
            return
        if name not in _TARGETS:
            self._blame("I4", name, "nobody says what this call changes: tell the oracle in _TARGETS")
            return
        for target in _TARGETS[name](params):
            tags = tags_of(self.region, name.partition(":")[0], target)
            if tags is not None and target not in self.taken and not self.owner.owns(tags):
                self._blame("I4", name, f"{target} carries {tags}, which does not prove it ours")

    def _is_ours(self, service: str, target: str) -> bool:
        return self.owner.owns(tags_of(self.region, service, target) or {})

    def _leads_to_ours(self) -> set[str]:
        """Return what records of ours lead to: our load balancers, and where our certificates want to be proven."""
        balancers = self.region.ask("elbv2", "DescribeLoadBalancers").get("LoadBalancers", ())
        ours = {one["DNSName"].lower() for one in balancers if self._is_ours("elbv2", one["LoadBalancerArn"])}
        for summary in self.region.ask("acm", "ListCertificates")["CertificateSummaryList"]:
            arn = summary["CertificateArn"]
            if self._is_ours("acm", arn):
                found = self.region.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
                options = (one.get("ResourceRecord") for one in found["DomainValidationOptions"])
                ours |= {one["Value"].rstrip(".").lower() for one in options if one}
        return ours

    def _records(self, name: str, params: Params) -> None:
        """A record is ours that leads to what is ours; one that is not there may be made."""
        zone, records = params["HostedZoneId"], [one["ResourceRecordSet"] for one in params["ChangeBatch"]["Changes"]]
        changed = {(one["Name"].rstrip("."), one["Type"]) for one in records}
        ours = self._leads_to_ours()
        for record in self.region.ask("route53", "ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]:
            values = [one["Value"] for one in record.get("ResourceRecords", ())]
            said = record.get("AliasTarget", {}).get("DNSName") or next(iter(values), "")
            leads_to = said.rstrip(".").removeprefix("dualstack.").lower()
            is_meant = (record["Name"].rstrip("."), record["Type"]) in changed
            if is_meant and leads_to not in ours and record["Name"] not in self.taken:
                self._blame("I4", name, f"the record {record['Name']} leads to {leads_to}, which is not ours")

    def _count(self, name: str, params: Params) -> None:
        if name == "ecs:UpdateService" and "desiredCount" in params:
            resource = f"service/{_service(params)}"
            if any(target["ResourceId"] == resource for target in _scalable_targets(self.region)):
                self._blame("I9", name, f"desiredCount was sent though {resource} is scaled")

    def _order(self, name: str, params: Params) -> None:
        if name in {"ecs:CreateService", "ecs:UpdateService"}:
            for lack in _lacks(self.region, params):
                self._blame("I10", name, f"it points to what is not there: {lack}")
        elif name in _USED:
            for service in _services(self.region):
                if any(target in str(_uses(self.region, service)) for target in _USED[name](params)):
                    self._blame("I10", name, f"{service['serviceName']} uses it still: {params}")


_USED: Mapping[str, Callable[[Params], list[str]]] = {
    # Cloud Map's services are left out: their names are unique, so one that is replaced must go first.
    "elbv2:DeleteTargetGroup": lambda p: [p["TargetGroupArn"]],
    "ec2:DeleteSecurityGroup": lambda p: [p["GroupId"]],
    "iam:DeleteRole": lambda p: [f"/{p['RoleName']}'"],
    "logs:DeleteLogGroup": lambda p: [f"'{p['logGroupName']}'"],
    "ecs:DeregisterTaskDefinition": lambda p: [p["taskDefinition"]],
}


def _services(region: Region) -> Iterator[Any]:
    for cluster in region.ask("ecs", "ListClusters")["clusterArns"]:
        for arn in region.ask("ecs", "ListServices", cluster=cluster)["serviceArns"]:
            service = region.ask("ecs", "DescribeServices", cluster=cluster, services=[arn])["services"][0]
            if service["status"] == "ACTIVE":
                yield service


def _uses(region: Region, service: Any) -> list[Any]:
    """Return the settings of a service and of its task definition, as far as they name other things."""
    definition = or_none(region, "ecs", "DescribeTaskDefinition", taskDefinition=service["taskDefinition"]) or {}
    found = definition.get("taskDefinition", {})
    parts = ("taskDefinition", "loadBalancers", "networkConfiguration")
    roles = [str(found.get(role, "")) for role in ("executionRoleArn", "taskRoleArn")]
    return [*(service.get(part) for part in parts), *roles, found.get("containerDefinitions")]


def _lacks(region: Region, params: Params) -> Iterator[str]:
    for balancer in params.get("loadBalancers", ()):
        arn = balancer["targetGroupArn"]
        group = or_none(region, "elbv2", "DescribeTargetGroups", TargetGroupArns=[arn])
        if group is None or not group["TargetGroups"][0].get("LoadBalancerArns"):
            yield f"{arn} behind a load balancer"
    for registry in params.get("serviceRegistries", ()):
        service = registry["registryArn"].rpartition("/")[2]
        if or_none(region, "servicediscovery", "GetService", Id=service) is None:
            yield registry["registryArn"]
    if "taskDefinition" in params:
        yield from _lacks_of_tasks(region, params["taskDefinition"])


def _lacks_of_tasks(region: Region, arn: str) -> Iterator[str]:
    answer = or_none(region, "ecs", "DescribeTaskDefinition", taskDefinition=arn)
    if answer is None or answer["taskDefinition"]["status"] != "ACTIVE":
        yield f"{arn}, ACTIVE"
        return
    definition = answer["taskDefinition"]
    for role in filter(None, (definition.get("executionRoleArn"), definition.get("taskRoleArn"))):
        if or_none(region, "iam", "GetRole", RoleName=role.rpartition("/")[2]) is None:
            yield role
    for container in definition["containerDefinitions"]:
        group = (container.get("logConfiguration") or {}).get("options", {}).get("awslogs-group")
        if group and tags_of(region, "logs", group) is None:
            yield f"log group {group}"


def _scalable_targets(region: Region) -> Any:
    return region.ask("application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")["ScalableTargets"]


def _duplicates(region: Region) -> Iterator[str]:
    """Yield what one owner has twice. A replacement may stand beside its old half: under another name, or elsewhere."""
    seen: dict[tuple[str, ...], int] = {}
    for arn, tags in tagging.tagged(region):
        if ADDRESS in tags and any(kind in arn for kind in _REPEATABLE):
            place = _place(region, arn)
            key = (place, *(tags[tag] for tag in sorted(tags) if tag.startswith("fargatectl:")))
            seen[key] = seen.get(key, 0) + 1
    yield from (f"{key} is there {times} times" for key, times in seen.items() if times > 1)


def _place(region: Region, arn: str) -> str:
    """Return where there may be one only: a group's VPC, the domains of a certificate, what comes before the name."""
    if ":certificate/" in arn:
        found = region.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
        return " ".join(sorted({found["DomainName"], *found.get("SubjectAlternativeNames", ())}))
    if ":security-group/" not in arn:
        return arn.rpartition("/")[0]
    filters = [{"Name": "group-id", "Values": [arn.rpartition("/")[2]]}]
    return str(region.ask("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"][0]["VpcId"])


_REPEATABLE = (
    # What AWS would make twice of the same name or with the same tags; the names of all others are unique.
    ":loadbalancer/",
    ":targetgroup/",
    ":listener/",
    ":listener-rule/",
    ":security-group/",
    ":servicediscovery:",
    ":certificate/",
)
