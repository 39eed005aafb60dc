"""What AWS answers may hold anything: somebody wrote the names, tags, log lines and reasons that are in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.faults import AwsError
from tests.render.hostile import PIECES
from tests.render.test_hostile_text import require_harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Done, Shell

EVIL = "evil" + "".join(piece for piece in PIECES if piece != "\ud800")  # no answer of AWS can hold half a character
POISONED = {"message", "reason", "stoppedReason", "statusReason", "rolloutStateReason", "stopCode"}


def poison(call: Call, apply: Callable[[], Response]) -> Response:
    """Append the hostile text to all that people read in answers."""
    if call.operation == "DeleteCluster":
        raise AwsError("AccessDeniedException", EVIL, status=403)
    answer = apply()
    if call.service not in {"ecs", "logs"} or not answer.body:
        return answer
    body = json.dumps(_poisoned(json.loads(answer.body))).encode()
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    return replace(answer, body=body, headers=headers)


def _poisoned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: part + EVIL if _is_read(key, part) else _poisoned(part) for key, part in value.items()}
    return [_poisoned(part) for part in value] if isinstance(value, list) else value


def _is_read(key: str, part: object) -> bool:
    return key in POISONED and isinstance(part, str)


def require_telling_and_harmless(done: Done) -> None:
    assert "evil" in done.out + done.err
    require_harmless(done.out)
    require_harmless(done.err)


def test_nothing_that_aws_answers_steers_a_terminal(shell: Shell) -> None:
    shell.write(
        """
        app = "shop"
        region = "eu-central-1"
        [services.web]
        image = "shop/web:crash"
        """
    )
    shell.local.intercept(poison)
    failed = shell("deploy", "--yes", "-v", "--report", "report.md")
    assert failed.code == 3
    require_harmless(failed.err)
    require_harmless((shell.directory / "report.md").read_text())
    for command in ("status", "status --json", "why -v", "why --json", "deploy --yes --json --timeout 1s"):
        require_telling_and_harmless(shell(*command.split()))
    ecs = shell.local.cloud.region(shell.local.account, shell.local.region)
    twin = [{"key": "fargatectl:app", "value": "evil"}]
    ecs.ask("ecs", "UntagResource", resourceArn=_cluster(shell), tagKeys=["fargatectl:app"])
    ecs.ask("ecs", "TagResource", resourceArn=_cluster(shell), tags=twin)
    for command in ("diff", "diff --json", "deploy --yes"):
        refused = shell(*command.split())
        assert refused.code == 4
        require_telling_and_harmless(refused)
    twin[0]["value"] = "shop"
    ecs.ask("ecs", "TagResource", resourceArn=_cluster(shell), tags=twin)
    for command in ("destroy --yes", "destroy --yes --json"):
        denied = shell(*command.split())
        assert denied.code == 5
        require_telling_and_harmless(denied)


def _cluster(shell: Shell) -> str:
    return f"arn:aws:ecs:{shell.local.region}:{shell.local.account}:cluster/shop"
