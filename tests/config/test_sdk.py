from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.aws.sdk import knows
from fargatectl.config.load import load
from fargatectl.config.sdk import findings, needs

if TYPE_CHECKING:
    from pathlib import Path

    from fargatectl.config.models import Config

FILE = """
app = "shop"
region = "eu-central-1"
[services.web]
image = "nginx"
port = 80
http = {}
deploy = { strategy = "canary" }
[dashboard]
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "fargatectl.toml"
    path.write_text(FILE)
    return load(path, environment=None, variables={}, git_sha=lambda: None, pending=()).config


def test_keys_that_the_sdk_lacks_are_told_with_its_version(config: Config) -> None:
    found = list(findings(config, lambda service, *_: service != "ecs", lambda: "1.0"))
    assert [one.path for one in found] == [("services", "web", "deploy", "strategy")]
    assert "botocore 1.0" in found[0].message


def test_the_sdk_that_is_installed_knows_all_keys(config: Config) -> None:
    assert list(findings(config, knows, str)) == []
    assert {need.operation for need in needs(config)} == {"PutDashboard", "CreateService"}


@pytest.mark.parametrize(
    ("service", "operation", "member", "known"),
    [
        ("ecs", "CreateService", "loadBalancers.targetGroupArn", True),
        ("ecs", "CreateService", "loadBalancers.magic", False),
        ("ecs", "CreateService", "serviceName.magic", False),
        ("ecs", "CreateMagic", "name", False),
        ("magic", "CreateService", "name", False),
    ],
)
def test_members_are_found_however_deep(service: str, operation: str, member: str, known: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert knows(service, operation, member) is known
