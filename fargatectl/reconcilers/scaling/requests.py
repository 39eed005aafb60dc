"""Requests per target of two target groups, as metric math: at any time only one of them need have requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_METRIC = "RequestCountPerTarget"
_NAMESPACE = "AWS/ApplicationELB"


def both(balancer: str, groups: Sequence[str]) -> dict[str, Any]:
    """Return the metric of the requests of `groups`, a pair, per target and minute; all by CloudWatch's names.

    A group without requests has no data, which FILL counts as none (CloudWatch User Guide, "Using metric math").
    """
    ids = [f"m{place}" for place in range(1, len(groups) + 1)]
    stats = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": _NAMESPACE, "MetricName": _METRIC, "Dimensions": _dimensions(balancer, group)},
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for name, group in zip(ids, groups, strict=True)
    ]
    total = " + ".join(f"FILL({name}, 0)" for name in ids)
    return {"Metrics": [*stats, {"Id": "requests", "Expression": total, "ReturnData": True}]}


def requests_of(found: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - AWS's CustomizedMetricSpecification
    """Return load balancer and groups of such a metric, None for any other."""
    queries = (found or {}).get("Metrics") or []
    stats = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
    if not stats or len(stats) == len(queries) or any(one.get("MetricName") != _METRIC for one in stats):
        return None
    by_name = [{pair["Name"]: pair["Value"] for pair in one.get("Dimensions", ())} for one in stats]
    return (by_name[0].get("LoadBalancer", ""), *(one.get("TargetGroup", "") for one in by_name))


def _dimensions(balancer: str, group: str) -> list[dict[str, str]]:
    return [{"Name": "LoadBalancer", "Value": balancer}, {"Name": "TargetGroup", "Value": group}]
