"""The page about the local AWS against the local AWS, and against what fargatectl asks of AWS."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.session
from botocore import xform_name

import fargatectl
from fargatectl.sandbox.fidelity import SERVICES
from fargatectl.sandbox.handlers import HANDLERS
from fargatectl.sandbox.services import load
from tests.sandbox.page import PAGE, PARTS, written

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(fargatectl.__file__).parent
CLIENTS = re.compile(r"def (\w+)\(self\)[^:]*:[^\n]*\n(?:.*\n){1,4}?.*_(?:make_)?client\(\"([\w-]+)\"")
OURS = {(service.name, name) for service in SERVICES for row in service.ours for name in row.operations}
MOTO = {(service.name, name) for service in SERVICES for row in service.moto for name in row.operations}


def asked() -> Iterator[tuple[str, str]]:
    """Yield the operations that the source names: `aws.ecs.describe_services`, `aws.elb.get_paginator("…")`."""
    clients = dict(CLIENTS.findall((ROOT / "aws" / "session.py").read_text()))
    session = botocore.session.get_session()
    names = {
        service: {xform_name(name): name for name in session.get_service_model(service).operation_names}
        for service in set(clients.values())
    }
    for layer in ("aws", "cli", "engine", "reconcilers", "rollout", "stack"):
        for path in (ROOT / layer).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                    service = clients.get(node.value.attr, "")
                    if node.attr in names.get(service, {}):
                        yield service, names[service][node.attr]
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    owners = [service for service in names if node.value in names[service]]
                    if len(owners) == 1:
                        yield owners[0], names[owners[0]][node.value]


def test_the_page_says_what_the_data_say() -> None:
    text = PAGE.read_text()
    assert [name for name in PARTS if f"<!-- {name} -->" not in text] == []
    assert written(text) == text, "run python -m tests.sandbox.page"


def test_every_operation_that_is_ours_is_told_of_and_no_other() -> None:
    load()
    assert set(HANDLERS.handled()) == OURS
    assert set() == OURS & MOTO


def test_every_operation_that_fargatectl_calls_is_told_of() -> None:
    called = set(asked())
    assert len(called) > 100
    assert sorted(called - OURS - MOTO) == []


def test_what_is_told_of_exists() -> None:
    session = botocore.session.get_session()
    known = {service.name: set(session.get_service_model(service.name).operation_names) for service in SERVICES}
    assert {(service, name) for service, name in OURS | MOTO if name not in known[service]} == set()
