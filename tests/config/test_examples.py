from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fargatectl.config.expand import expanded
from fargatectl.config.load import load
from fargatectl.config.references import references
from fargatectl.config.schema import json_schema

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


def by_name(name: str) -> Path:
    return next(path for path in EXAMPLES if path.stem == name)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid_for_the_loader_and_for_editors(path: Path) -> None:
    load(path, environment=None, variables={}, git_sha=lambda: None)
    assert not list(Draft202012Validator(json_schema()).iter_errors(tomllib.loads(path.read_text())))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_expanded_file_means_the_same_and_is_its_own_expansion(path: Path, tmp_path: Path) -> None:
    config = load(path, environment=None, variables={}, git_sha=lambda: None).config
    text = expanded(config)
    again = tmp_path / "fargatectl.toml"
    again.write_text(text)
    reloaded = load(again, environment=None, variables={}, git_sha=lambda: None).config
    assert reloaded == config
    assert expanded(reloaded) == text


def test_minimal_gets_the_documented_defaults() -> None:
    config = load(by_name("minimal"), environment=None, variables={}, git_sha=lambda: None).config
    web = config.services["web"]
    assert (web.cpu, web.memory, web.count, web.exec) == (256, 512, 1, False)
    assert web.http is not None
    assert (web.http.load_balancer, web.http.health_check.path) == ("public", "/")
    assert (web.http.grace_period, web.http.deregistration_delay) == (60, 30)
    assert config.load_balancers["public"].scheme == "internet-facing"
    assert config.load_balancers["public"].ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert config.load_balancers["public"].drop_invalid_headers
    assert (config.cluster.name, config.cluster.container_insights) == ("hello", "enabled")
    assert (web.logs.group, web.logs.retention, web.logs.mode, web.logs.buffer) == (
        "/hello/web",
        30,
        "non-blocking",
        "10m",
    )
    assert (web.deploy.min_healthy, web.deploy.max, web.deploy.circuit_breaker, web.deploy.rollback) == (
        100,
        200,
        True,
        True,
    )
    assert config.iam.path == "/fargatectl/hello/"


def test_minimal_warns_that_it_speaks_plain_http() -> None:
    (warning,) = load(by_name("minimal"), environment=None, variables={}, git_sha=lambda: None).warnings
    assert (warning.path, warning.line, warning.severity) == ("services.web.http", 7, "warning")


def test_guide_is_read_as_it_says() -> None:
    config = load(by_name("guide"), environment=None, variables={}, git_sha=lambda: None).config
    app = config.services["app"]
    assert (app.port, app.cpu, app.memory, app.count) == (5001, 512, 1024, 2)
    assert app.http is not None
    assert app.discovery is not None
    assert app.scaling is not None
    assert (app.http.host, app.http.health_check.interval, app.http.health_check.unhealthy) == (
        ("best.domain.com",),
        10,
        3,
    )
    assert (app.discovery.name, app.discovery.records, app.discovery.ttl) == ("best", ("A", "SRV"), 10)
    assert (app.scaling.min, app.scaling.max, app.scaling.cpu) == (2, 10, 70)
    assert (app.logs.group, app.logs.stream_prefix, app.logs.retention) == ("ecs", "best", 30)


def test_guide_names_what_must_exist() -> None:
    config = load(by_name("guide"), environment=None, variables={}, git_sha=lambda: None).config
    assert references(config) == {
        "vpc": {"tag": {"Name": "main"}},
        "secrets": [
            {"name": "best/registry", "keys": ["username", "password"]},
            {"name": "best/app", "keys": ["secret-key"]},
        ],
        "certificates": ["best.domain.com"],
    }


def test_what_belongs_to_something_else_is_not_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "fargatectl.toml"
    path.write_text(
        """
        app = "shop"
        region = "eu-central-1"
        [discovery]
        namespace = "shop"
        type = "http"
        [services.web]
        image = "nginx"
        discovery = {}
        scaling = { min = 1, max = 2, custom = [{ metric = { namespace = "S", name = "M" }, target = 1 }] }
        [jobs.once]
        from = "web"
        command = "true"
        [registries.hub]
        match = "docker.io/*"
        username = { env = "HUB_USER" }
        password = { env = "HUB_TOKEN" }
        [cluster]
        exec = { log_group = "/shop/exec" }
        [alarms]
        notify = "arn:aws:sns:eu-central-1:123456789012:ops"
        cpu_above = 90
        [dashboard]
        """
    )
    config = load(path, environment=None, variables={}, git_sha=lambda: None).config
    path.write_text(expanded(config))
    assert load(path, environment=None, variables={}, git_sha=lambda: None).config == config
