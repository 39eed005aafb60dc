"""`full.toml` uses every key of the schema: all are modelled, and those of features to come are refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fargatectl.config.known import section_at
from fargatectl.config.load import load
from fargatectl.config.models import Config
from fargatectl.config.pending import PENDING, Pending, refused
from fargatectl.config.schema import json_schema
from fargatectl.errors import ConfigError

FULL = Path(__file__).parents[2] / "examples" / "full.toml"


@pytest.mark.parametrize("environment", [None, "staging", "prod"])
def test_every_key_of_the_schema_is_modelled(environment: str | None) -> None:
    loaded = load(FULL, environment=environment, variables={}, git_sha=lambda: None, pending=())
    assert loaded.config.alarms is not None
    assert loaded.config.services["web"].deploy.strategy == ("rolling" if environment == "staging" else "canary")


def test_editors_accept_every_key() -> None:
    assert not list(Draft202012Validator(json_schema()).iter_errors(tomllib.loads(FULL.read_text())))


def test_every_key_has_a_description_for_editors() -> None:
    schema = json_schema()
    bare = [
        f"{name}.{key}"
        for name, table in {"": schema, **schema["$defs"]}.items()
        for key, value in table.get("properties", {}).items()
        if "description" not in value
    ]
    assert bare == []


def test_what_is_pending_is_refused_each_key_once_with_its_line() -> None:
    rows = (Pending("cluster.exec"), Pending("services.*.deploy.strategy", ("canary",)), Pending("jobs"))
    with pytest.raises(ConfigError) as caught:
        load(FULL, environment=None, variables={}, git_sha=lambda: None, pending=rows)
    refusals = [one for one in caught.value.problems if one.severity == "error"]
    lines = FULL.read_text().splitlines()
    assert {problem.path for problem in refusals} == {"cluster.exec", "services.web.deploy.strategy", "jobs"}
    for problem in refusals:
        assert problem.message.endswith("is not supported by this version yet")
        assert problem.line is not None
        assert problem.path.rpartition(".")[2] in lines[problem.line - 1]


@pytest.mark.parametrize("row", PENDING, ids=lambda row: row.path)
def test_each_row_names_a_key_of_the_schema(row: Pending) -> None:
    *table, key = row.path.split(".")
    section = section_at(tuple("any" if part == "*" else part for part in table), Config)
    assert section is not None
    assert key in section.model_fields


@pytest.mark.parametrize("data", [{"jobs": {}}, {"protect": False}, {"services": {"web": {"volumes": {}}}}])
def test_what_is_empty_asks_for_nothing(data: dict[str, Any]) -> None:
    assert refused(data) == []
