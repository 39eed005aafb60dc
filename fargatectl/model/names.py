"""Names of what we create, all computed from the file: a resource is found again by its name, never by a stored id."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fargatectl.model.ownership import Ownership
    from fargatectl.model.values import Address

ELB_NAME_MAX = 32  # ELB API Reference, CreateLoadBalancer and CreateTargetGroup: Name
ALARM_NAME_MAX = 255  # CloudWatch API Reference, PutMetricAlarm: AlarmName
_DIGEST = 8
_STEM = ELB_NAME_MAX - _DIGEST - 1
_HYPHENS = re.compile("[-_]+")


def hashed(owner: Ownership, name: str, address: Address, *immutable: object) -> str:
    """Return a name for a load balancer or a target group, unique per account and Region, of at most 32 characters.

    It ends in a digest of the fields that AWS cannot change, so that a replacement can live beside the old one. ELB
    refuses names that begin with `internal-`, that begin or end with a hyphen, or (of target groups) that have two
    hyphens side by side.
    """
    seed = "\n".join(str(part) for part in (owner.app, owner.environment, address, *immutable))
    digest = sha256(seed.encode()).hexdigest()[:_DIGEST]
    stem = _HYPHENS.sub("-", f"{owner.prefix}-{name}")[:_STEM].strip("-") or "x"
    if stem.startswith("internal-") or stem == "internal":
        stem = f"x-{stem}"[:_STEM].strip("-")
    return f"{stem}-{digest}"


def execution_role(owner: Ownership, service: str) -> str:
    """Return the name of the role that ECS uses to start a service's tasks."""
    return f"{owner.prefix}-{service}-execution"


def task_role(owner: Ownership, service: str) -> str:
    """Return the name of the role that a service's containers have."""
    return f"{owner.prefix}-{service}-task"


def scheduler_role(owner: Ownership, job: str) -> str:
    """Return the name of the role that EventBridge Scheduler starts a job with."""
    return f"{owner.prefix}-{job}-schedule"


def schedule_group(owner: Ownership) -> str:
    """Return the name of the group of all schedules of an app in one environment."""
    return owner.prefix


def infrastructure_role(owner: Ownership, service: str) -> str:
    """Return the name of the role with which ECS shifts a service's requests."""
    return f"{owner.prefix}-{service}-infrastructure"


def family(owner: Ownership, service: str) -> str:
    """Return the task definition family of a service."""
    return f"{owner.prefix}-{service}"


def log_group(owner: Ownership, service: str) -> str:
    """Return the log group of a service for which the file names none."""
    return f"/{owner.prefix}/{service}"


def registry_secret(owner: Ownership, registry: str) -> str:
    """Return the name of the secret with the credentials of a registry."""
    return f"{owner.prefix}/registry/{registry}"


def load_balancer_security_group(owner: Ownership, load_balancer: str) -> str:
    """Return the name of the security group of a load balancer."""
    return f"{owner.prefix}-{load_balancer}-alb"


def task_security_group(owner: Ownership, service: str) -> str:
    """Return the name of the security group of a service's tasks."""
    return f"{owner.prefix}-{service}-task"


def own_security_group(owner: Ownership, name: str) -> str:
    """Return the name of a security group that the file describes."""
    return f"{owner.prefix}-{name}-sg"


def scaling_alarm(owner: Ownership, service: str, policy: str) -> str:
    """Return the name of the alarm of a step policy."""
    return f"{owner.prefix}-{service}-scaling-{policy}"[:ALARM_NAME_MAX]


def service_alarm(owner: Ownership, service: str, what: str) -> str:
    """Return the name of an alarm that tells people about a service."""
    return f"{owner.prefix}-{service}-alarm-{what}"[:ALARM_NAME_MAX]


def dashboard(owner: Ownership, region: str) -> str:
    """Return the name of the dashboard of an app in a Region: an account's dashboards are common to all Regions."""
    return f"{owner.prefix}-{region}"


def lock_path(owner: Ownership) -> str:
    """Return the path in Parameter Store below which the generations of the lock are."""
    return "/".join(filter(None, ("/fargatectl/locks", owner.app, owner.environment)))


def role_path(owner: Ownership) -> str:
    """Return the default path of our roles; the sweep finds roles by it, for ListRoles shows no tags."""
    return f"/fargatectl/{owner.app}/"
