"""AWS's limits as data, as of `AS_OF`. Tables like these go stale: each names the page to look at again."""

from __future__ import annotations

from fargatectl.dataclass import dataclass

AS_OF = "2026-11-01"


@dataclass(frozen=True)
class TaskSize:
    """The memory that goes with one CPU size, in MiB."""

    cpu: int
    memory: tuple[int, ...]


def _gb(*sizes: int) -> tuple[int, ...]:
    return tuple(1024 * size for size in sizes)


TASK_SIZES = (
    TaskSize(256, (512, 1024, 2048)),
    TaskSize(512, _gb(*range(1, 5))),
    TaskSize(1024, _gb(*range(2, 9))),
    TaskSize(2048, _gb(*range(4, 17))),
    TaskSize(4096, _gb(*range(8, 31))),
    TaskSize(8192, _gb(*range(16, 61, 4))),
    TaskSize(16384, _gb(*range(32, 121, 8))),
    TaskSize(32768, _gb(60, 120, 244)),
)
"""ECS Developer Guide, Task definition differences for Fargate: task CPU and memory (Linux)."""

CONTAINERS_PER_TASK = 10
"""ECS Developer Guide, Service quotas: containers per task definition."""
TASKS_PER_SERVICE = 5000
"""ECS Developer Guide, Service quotas: tasks per service."""
TASKS_PER_REGISTERED_SERVICE = 1000
"""ECS Developer Guide, Service discovery and Application Load Balancer target quotas."""
ECS_NAME_LENGTH = 255
"""ECS API Reference, CreateService: serviceName; RegisterTaskDefinition: family."""
ALARM_ACTIONS = 5
"""CloudWatch User Guide, CloudWatch service quotas: actions per alarm and state."""
SCALING_POLICIES = 50
"""Application Auto Scaling User Guide, Quotas: scaling policies per scalable target."""
SCHEDULED_ACTIONS = 200
"""Application Auto Scaling User Guide, Quotas: scheduled actions per scalable target."""
ROLE_NAME_LENGTH = 64
"""IAM API Reference, CreateRole: RoleName."""
SCHEDULE_NAME_LENGTH = 64
"""EventBridge Scheduler API Reference, CreateSchedule and CreateScheduleGroup: Name."""
SECURITY_GROUP_NAME_LENGTH = 255
"""EC2 API Reference, CreateSecurityGroup: GroupName."""
NAMESPACE_LENGTH = 253
"""Cloud Map API Reference, CreatePrivateDnsNamespace: Name."""
MANAGED_POLICIES_PER_ROLE = 10
"""IAM User Guide, IAM and STS quotas."""
POLICY_LENGTH = 10_240
"""IAM User Guide, IAM and STS quotas: all inline policies of a role, without white space."""
SUBNETS_PER_SERVICE = 16
"""ECS API Reference, AwsVpcConfiguration: subnets."""
ENVIRONMENT_FILES_PER_TASK = 10
"""ECS Developer Guide, "Passing environment variables to a container": files per task definition."""
SECURITY_GROUPS_PER_SERVICE = 5
"""ECS API Reference, AwsVpcConfiguration: securityGroups."""
RULES_PER_SECURITY_GROUP = 60
"""VPC User Guide, "Amazon VPC quotas": inbound or outbound rules per security group."""
TARGET_GROUPS_PER_LOAD_BALANCER = 100
"""ELB quotas: target groups per Application Load Balancer."""
RULES_PER_LOAD_BALANCER = 100
"""ELB quotas: rules per Application Load Balancer, default rules not counted."""
USER_TAGS = 45
"""Fifty tags a resource (Tagging AWS Resources). Five are for fargatectl: app, environment, address, a mark of what AWS
does not keep itself (VPC, bounds, zone, …), and the mark of a zone that was there before."""
CERTIFICATES_PER_LISTENER = 26
"""ELB quotas: 25 certificates beside the default one."""
CERTIFICATE_NAMES = 10
"""ACM User Guide, Quotas: domain names per certificate, unless raised."""
CERTIFICATE_NAME_LENGTH = 64
"""ACM User Guide, "Request a public certificate": the first domain name; ours are in alphabetical order."""
CONDITION_VALUES_PER_RULE = 5
"""ELB quotas: condition values per rule."""
WILDCARDS_PER_RULE = 5
"""ELB quotas: condition wildcards per rule."""
STEP_ADJUSTMENTS = 20
"""Application Auto Scaling User Guide, Quotas: step adjustments per policy."""
DASHBOARD_METRICS = 2500
"""CloudWatch User Guide, CloudWatch service quotas: metrics of all widgets of a dashboard; 500 of one."""
TASK_DEFINITION_BYTES = 65_536
"""ECS Developer Guide, Service quotas: task definition size."""
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""CloudWatch Logs API Reference, PutRetentionPolicy: retentionInDays."""
