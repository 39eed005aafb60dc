"""What ELB refuses of actions and conditions (AWS: ELB v2 API Reference, Action, RuleCondition; ALB guide, Quotas)."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.manners.actions import target_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VALUES, _WILDCARDS, _GROUPS, _HEAVIEST, _LONGEST_BODY = 5, 6, 5, 999, 1024
_HOST = re.compile(r"[A-Za-z0-9.*?-]{1,128}")
_TERMINAL = ("forward", "redirect", "fixed-response")
_ONCE = ("host-header", "path-pattern", "http-request-method", "source-ip")
_PLACE = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _unsound(message: str) -> AwsError:
    return AwsError("InvalidLoadBalancerAction", message)


def check_actions(given: Sequence[Mapping[str, Any]]) -> None:
    """Raise AwsError unless exactly one action ends a request, and it can be done."""
    if not given:
        raise _invalid("A rule or listener must have at least one action")
    if sum(action.get("Type") in _TERMINAL for action in given) != 1:
        raise _unsound("Exactly one action of type forward, redirect or fixed-response must be specified")
    for action in given:
        _check_forward(action)
        _check_redirect(action.get("RedirectConfig"))
        body = (action.get("FixedResponseConfig") or {}).get("MessageBody") or ""
        if len(body) > _LONGEST_BODY:
            raise _invalid(f"The message body cannot be longer than '{_LONGEST_BODY}' characters")


def _check_forward(action: Mapping[str, Any]) -> None:
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if action.get("Type") == "forward" and not list(target_groups([action])):
        raise _invalid("A target group must be specified for forward actions")
    if len(groups) > _GROUPS:
        raise _invalid(f"A forward action can have at most '{_GROUPS}' target groups")
    if any(not 0 <= group.get("Weight", 1) <= _HEAVIEST for group in groups):
        raise _invalid(f"The weight of a target group must be between '0-{_HEAVIEST}' inclusive")


def _check_redirect(redirect: Mapping[str, Any] | None) -> None:
    if not redirect:
        return
    if redirect.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        raise _invalid(f"Redirect status code '{redirect.get('StatusCode')}' must be one of '[HTTP_301, HTTP_302]'")
    place = {**_PLACE, **{key: value for key, value in redirect.items() if key in _PLACE}}
    if all(place[key] == _PLACE[key] for key in ("Protocol", "Port", "Host", "Path")):
        raise _unsound("The redirect configuration is not valid because it creates a loop.")


def check_conditions(given: Sequence[Mapping[str, Any]]) -> None:
    """Raise AwsError for conditions that are too many, or that no request could be compared with."""
    configs = [config for condition in given for config in condition.values() if isinstance(config, dict)]
    values = [value for config in configs for value in config.get("Values") or []]
    if len(values) > _VALUES:
        raise _invalid(f"A rule can have at most {_VALUES} condition values")
    texts = [value for value in values if isinstance(value, str)]
    if sum(text.count("*") + text.count("?") for text in texts) > _WILDCARDS:
        raise _invalid(f"A rule can have at most {_WILDCARDS} condition wildcards")
    fields = [condition.get("Field") for condition in given]
    for field in _ONCE:
        if fields.count(field) > 1:
            raise _invalid(f"A rule can have only one '{field}' condition")
    for condition in given:
        for host in (condition.get("HostHeaderConfig") or {}).get("Values") or []:
            _check_host(host)
        for block in (condition.get("SourceIpConfig") or {}).get("Values") or []:
            _check_block(block)


def _check_host(host: str) -> None:
    if not _HOST.fullmatch(host) or "." not in host:
        raise _invalid(f"The 'host-header' value '{host}' is not valid: it must contain at least one '.' character")


def _check_block(block: str) -> None:
    try:
        ipaddress.ip_network(block, strict=False)
    except ValueError as error:
        raise _invalid(f"The 'source-ip' value '{block}' is not a valid CIDR block") from error
