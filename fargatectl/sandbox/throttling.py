"""The rates at which ECS takes calls (AWS: ECS API Reference, "Request throttling for the Amazon ECS API").

Each account and Region has a bucket of tokens for each family of actions, refilled at so many a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from fargatectl.sandbox.wire import Call

_RATES = {
    "cluster modify": (20, 1),
    "cluster read": (50, 20),
    "definition modify": (20, 1),
    "definition read": (50, 20),
    "definition delete": (5, 1),
    "tag modify": (20, 10),
    "tag read": (50, 20),
    "setting modify": (10, 1),
    "setting read": (50, 20),
    "task modify": (100, 40),
    "task read": (100, 20),
    "service modify": (50, 5),
    "service read": (100, 20),
    "deployment read": (50, 20),
    "revision read": (50, 20),
}
_FAMILIES = {
    "cluster modify": (
        "CreateCluster",
        "DeleteCluster",
        "PutClusterCapacityProviders",
        "UpdateCluster",
        "UpdateClusterSettings",
    ),
    "cluster read": ("DescribeClusters", "ListClusters"),
    "definition modify": ("RegisterTaskDefinition", "DeregisterTaskDefinition"),
    "definition read": ("DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"),
    "definition delete": ("DeleteTaskDefinitions",),
    "tag modify": ("TagResource", "UntagResource"),
    "tag read": ("ListTagsForResource",),
    "setting modify": ("PutAccountSetting", "PutAccountSettingDefault"),
    "setting read": ("ListAccountSettings",),
    "task modify": ("RunTask", "StopTask"),
    "task read": ("DescribeTasks", "ListTasks"),
    "service modify": ("CreateService", "UpdateService", "DeleteService"),
    "service read": ("DescribeServices", "ListServices"),
    "deployment read": ("DescribeServiceDeployments", "ListServiceDeployments"),
    "revision read": ("DescribeServiceRevisions",),
}
_FAMILY = {operation: family for family, operations in _FAMILIES.items() for operation in operations}


class Buckets:
    """The tokens that are left, by account, Region and family of actions."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str, str], tuple[float, float]] = {}

    def take(self, call: Call, now: float) -> None:
        """Take a token for a call. Raises AwsError where none is left.

        `now` is the clock's, by which callers pace themselves, however fast AWS's own time runs.
        """
        family = _FAMILY.get(call.operation) if call.service == "ecs" else None
        if family is None:
            return
        burst, rate = _RATES[family]
        key = (call.account, call.region, family)
        left, since = self._left.get(key, (float(burst), now))
        left = min(float(burst), left + (now - since) * rate)
        if left < 1:
            self._left[key] = (left, now)
            raise AwsError("ThrottlingException", "Rate exceeded")
        self._left[key] = (left - 1, now)
