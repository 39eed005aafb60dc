"""`docs/deploy-policy.json` against the calls that the code can make: every one is allowed, and nothing beside them."""

from __future__ import annotations

import ast
import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore import xform_name

from tests.docs.reading import DOCS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = {
    "acm": ("acm", "acm"),
    "autoscaling": ("application-autoscaling", "application-autoscaling"),
    "cloudwatch": ("cloudwatch", "cloudwatch"),
    "cloudmap": ("servicediscovery", "servicediscovery"),
    "ec2": ("ec2", "ec2"),
    "ecr": ("ecr", "ecr"),
    "ecs": ("ecs", "ecs"),
    "efs": ("efs", "elasticfilesystem"),
    "elb": ("elbv2", "elasticloadbalancing"),
    "iam": ("iam", "iam"),
    "s3": ("s3", "s3"),
    "route53": ("route53", "route53"),
    "locks": ("ssm", "ssm"),
    "logs": ("logs", "logs"),
    "scheduler": ("scheduler", "scheduler"),
    "secrets": ("secretsmanager", "secretsmanager"),
    "sns": ("sns", "sns"),
    "ssm": ("ssm", "ssm"),
    "sts": ("sts", "sts"),
    "tagging": ("resourcegroupstaggingapi", "tag"),
}
"""Property of `Aws` → botocore's name of the service, and the prefix of its actions."""
FREE = {"sts:GetCallerIdentity"}
"""STS API Reference: no permission is needed to call it."""
IMPLIED = {
    "iam:PassRole",  # to hand a service's roles to ECS
    "iam:CreateServiceLinkedRole",  # the first cluster, load balancer and scalable target of an account
    "ec2:DescribeAccountAttributes",  # what ELB looks at with the caller's rights
    "ec2:DescribeInternetGateways",
    # Cloud Map guide, "AWS Cloud Map API permissions reference": a private DNS namespace is a hosted zone, and an
    # instance may have a health check, whether or not these have.
    "ec2:DescribeRegions",
    "route53:DeleteHealthCheck",
    "route53:GetHealthCheck",
    "route53:UpdateHealthCheck",
    "route53:ChangeResourceRecordSets",
    "route53:CreateHostedZone",
    "route53:DeleteHostedZone",
    "route53:GetHostedZone",
    "route53:ListHostedZonesByName",
    "ssm:AddTagsToResource",  # to make a parameter with tags
}
"""What AWS asks for beside the calls themselves."""


def calls() -> Iterator[str]:
    """Yield the actions of all calls in the code: what is taken from a client, and paginators by their name."""
    for part in ("aws", "reconcilers", "rollout"):
        for path in sorted((ROOT / "fargatectl" / part).rglob("*.py")):
            nodes = list(ast.walk(ast.parse(path.read_text())))
            used = {node.attr for node in nodes if isinstance(node, ast.Attribute)} & CLIENTS.keys()
            for node in nodes:
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                    yield from _action(node.value.attr, node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "_" in node.value:
                    for client in used:
                        yield from _action(client, node.value)


def _action(client: str, method: str) -> Iterator[str]:
    if client in CLIENTS:
        service, prefix = CLIENTS[client]
        operation = _operations(service).get(method)
        if operation:
            yield f"{prefix}:{operation}"


def _operations(service: str) -> dict[str, str]:
    if service not in _KNOWN:
        names = _SESSION.get_service_model(service).operation_names
        _KNOWN[service] = {xform_name(name): name for name in names}
    return _KNOWN[service]


_SESSION = botocore.session.Session()
_KNOWN: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="module")
def called() -> set[str]:
    return set(calls()) - FREE


@pytest.fixture(scope="module")
def statements() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DOCS / "deploy-policy.json").read_text())["Statement"]
    return found


def test_every_call_is_allowed_and_nothing_else(called: set[str], statements: list[dict[str, Any]]) -> None:
    allowed = {action for one in statements for action in one["Action"]}
    assert {action for action in called if not any(fnmatchcase(action, each) for each in allowed)} == set()
    assert allowed - called - IMPLIED == set()


def test_only_reading_is_allowed_by_the_statement_for_it(statements: list[dict[str, Any]]) -> None:
    (reading,) = [one for one in statements if one["Sid"] == "Read"]
    verbs = ("Describe", "List", "Get", "BatchGet", "Filter")
    asking = {"logs:StartQuery", "logs:StopQuery"}  # of Logs Insights: nothing of the account's changes
    others = [action for action in reading["Action"] if not action.partition(":")[2].startswith(verbs)]
    assert set(others) <= asking
