"""Actions and conditions of listeners and rules in the form that ELB reads them back (AWS: ELB v2 API Reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Members = dict[str, Any]

_REDIRECT = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
_CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}


def canonical(action: Mapping[str, Any]) -> Members:
    """Return an action as ELB shows it: a forward to one group in both of its forms, a redirect with all defaults."""
    shown = dict(action)
    if shown.get("RedirectConfig"):
        shown["RedirectConfig"] = {**_REDIRECT, **shown["RedirectConfig"]}
    if shown.get("Type") == "forward":
        groups = [{"Weight": 1, **group} for group in _groups(action)]
        given = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
        shown["ForwardConfig"] = {
            "TargetGroups": groups,
            "TargetGroupStickinessConfig": {"Enabled": False, **given},
        }
        if len(groups) == 1:
            shown["TargetGroupArn"] = groups[0]["TargetGroupArn"]
        else:
            shown.pop("TargetGroupArn", None)
    return shown


def _groups(action: Mapping[str, Any]) -> list[Members]:
    groups: list[Members] = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        return [{"TargetGroupArn": action["TargetGroupArn"]}]
    return groups


def target_groups(actions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the target groups that actions forward to."""
    for action in actions:
        yield from (group["TargetGroupArn"] for group in _groups(action))


def condition_in(condition: Mapping[str, Any]) -> Members:
    """Return a condition in its `*Config` form, which moto takes with any number of values."""
    config = _CONFIGS.get(condition.get("Field", ""))
    if config and condition.get("Values") and not condition.get(config):
        return {"Field": condition["Field"], config: {"Values": condition["Values"]}}
    return dict(condition)


def condition_out(condition: Mapping[str, Any]) -> Members:
    """Return a condition as ELB shows it: `Values` mirrors the `*Config` form."""
    shown = {key: value for key, value in condition.items() if value not in (None, [], {})}
    config = _CONFIGS.get(shown.get("Field", ""))
    if config and config in shown:
        shown["Values"] = list(shown[config].get("Values", []))
    return shown
