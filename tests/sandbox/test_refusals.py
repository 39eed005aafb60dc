from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from fargatectl.sandbox.handlers import HANDLERS
from fargatectl.sandbox.services import load
from fargatectl.sandbox.settings import KEYS
from tests.sandbox.refusals.ecs import DEFINITIONS, SERVICES
from tests.sandbox.refusals.load_balancing import BALANCERS
from tests.sandbox.refusals.others import GROUPS, REST, ROLES

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene
    from tests.sandbox.refusals.row import Refusal

REFUSALS = [*DEFINITIONS, *SERVICES, *BALANCERS, *GROUPS, *ROLES, *REST]
PAGE = Path(__file__).parents[2] / "docs" / "local-aws.md"


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.fact)
def test_what_aws_refuses_is_refused(row: Refusal, scene: Scene) -> None:
    with pytest.raises(ClientError) as caught:
        row.act(scene)
    error = caught.value.response["Error"]
    assert (error["Code"], row.says in error["Message"]) == (row.code, True), error


def test_the_page_lists_what_is_refused() -> None:
    listed = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and line.count("|") == 4]
    assert [row.fact for row in REFUSALS if f"| {row.fact} | {row.page} | `{row.code}` |" not in listed] == []


def test_the_page_tells_of_every_operation_that_is_ours_and_of_no_other() -> None:
    told: dict[str, list[str]] = {}
    heading = ""
    for line in PAGE.read_text().splitlines():
        found = re.fullmatch(r"#### .+ \(`(.+)`\)", line)
        heading = found.group(1) if found else "" if line.startswith("#") else heading
        if heading and line.startswith("| `"):
            told.setdefault(heading, []).extend(re.findall(r"`(\w+)`", line.split("|")[1]))
    load()
    ours: dict[str, list[str]] = {}
    for service, operation in HANDLERS.handled():
        ours.setdefault(service, []).append(operation)
    assert {service: sorted(names) for service, names in told.items()} == {
        service: sorted(names) for service, names in ours.items()
    }


def test_the_page_lists_every_setting() -> None:
    text = PAGE.read_text()
    missing = [key.name for key in KEYS.values() if f"| `{key.pattern}={key.value}` | {key.meaning} |" not in text]
    assert missing == []
