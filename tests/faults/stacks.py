"""The stacks that faults are tried on, and what is done with them: create, update, replace, adopt, destroy.

Another stack is another line in `STACKS`: the name of its example, and the edits of the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.canaries import CANARY

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"

Edits = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Stack:
    """A file, many changes of it in place, and a change that makes AWS replace things."""

    name: str
    update: Edits
    replace: Edits
    folder: Path = EXAMPLES
    variables: Mapping[str, str] = field(default_factory=dict)
    every: int = 1
    """In the suite every n-th call is hit, and the first of each of its `own` operations; `make torture` hits each."""
    own: tuple[str, ...] = ()
    """The operations that no flow of the guide calls."""

    @property
    def text(self) -> str:
        """The example, with a variable in its first container that nobody may show."""
        first, image, rest = (self.folder / f"{self.name}.toml").read_text().partition("\nimage = ")
        line, _, rest = rest.partition("\n")
        return f"{first}{image}{line}\nenv = {{ SIGNING_SECRET = {json.dumps(CANARY)} }}\n{rest}"

    def edited(self, edits: Edits) -> str:
        text = self.text
        for before, after in edits:
            assert before in text, f"{self.name} has no {before!r} to edit"
            text = text.replace(before, after)
        return text


STACKS = {
    stack.name: stack
    for stack in (
        Stack(
            "minimal",
            update=(
                ("nginx:stable", "nginx:mainline"),
                ("port  = 80", 'port  = 8080\ncount = 2\ncpu = "0.5 vCPU"\nmemory = "1 GB"\nexec = true'),
                ('health_check = "/"', 'health_check = "/up"'),
                ("[services.web]", '[cluster]\ncontainer_insights = "enhanced"\n\n[services.web]'),
                ('app    = "hello"', 'app    = "hello"\ntags   = { team = "web" }'),
            ),
            replace=(('health_check = "/"', 'health_check = "/", protocol_version = "HTTP2"'),),
            every=10,
            own=("ecs:UpdateCluster", "elbv2:ModifyListener"),
        ),
        Stack(
            "guide",
            update=(
                ("private-image:1.0", "private-image:1.1"),
                ('ttl     = "10s"', 'ttl     = "20s"'),
                ("max = 10", "max = 12"),
                ("cpu = 70", "cpu = 60\nmemory = 80"),
                ("retention     = 30", "retention     = 7"),
                ('"/healthz"', '"/up"'),
                ('host          = ["best.domain.com"]', 'host          = ["best.domain.com"]\npath          = "/v2/*"'),
                ("port  = 5001", "port  = 5002"),
                ('region = "eu-central-1"', 'region = "eu-central-1"\ntags   = { team = "web" }'),
            ),
            replace=(
                ('grace_period  = "60s"', 'grace_period  = "60s"\nprotocol_version = "HTTP2"'),
                ('["A", "SRV"]', '["A"]'),
            ),
        ),
        Stack(
            "whole",
            update=(
                ("acme/web:1", "acme/web:2"),
                ("acme/api:1", "acme/api:2"),
                ('prefix = "public"', 'prefix = "edge"'),
                ('"www.whole.example.com"', '["www.whole.example.com", "shop.whole.example.com"]'),
                ('security_groups = ["metrics"]\n', ""),
                ("port = 9090 }]", "port = 9091 }]"),
                ('mount = { web = "/srv/uploads" }', 'mount = { web = "/srv/files:ro" }'),
                ("requests = 500", "requests = 700"),
                ("min = 3, max = 6", "min = 4, max = 6"),
                ("target = 100", "target = 50"),
                ("above = 100", "above = 200"),
            ),
            replace=(
                ('http  = { host = "api', 'http  = { protocol_version = "HTTP2", host = "v2'),
                ("discovery = {}", 'discovery = { records = ["SRV"] }'),
                ('"burst"', '"surge"'),
                ('"morning"', '"dawn"'),
            ),
            folder=HERE,
            every=25,
            own=(
                "application-autoscaling:DeleteScheduledAction",
                "application-autoscaling:PutScheduledAction",
                "cloudwatch:DeleteAlarms",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "route53:ChangeResourceRecordSets",
            ),
        ),
        Stack(
            "shifted",
            update=(
                ("acme/web:1", "acme/web:2"),
                ("percent   = 10", "percent   = 20"),
                ("requests = 500", "requests = 700"),
                ('"next.example.com"', '"test.example.com"'),
            ),
            # To rolling requests stay with the group that has them; the other one, its rule and the role go.
            replace=(
                ("acme/web:1", "acme/web:2"),
                ('strategy = "canary"\npercent   = 10\nstep_bake = "1m"\nbake = "1m"\n', ""),
                ('test = { host = "next.example.com" }\n', ""),
            ),
            folder=HERE,
            every=10,
            own=("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
        ),
        Stack(
            "tended",
            update=(
                ("acme/web:1", "acme/web:2"),
                ('"GITLAB_TOKEN"', '"NEXT_TOKEN"'),
                ("errors_5xx = 10", "errors_5xx = 20\ncpu_above  = 90"),
                ("[dashboard]\nenabled = true\n", ""),
                ('"cron(0 3 * * ? *)"', '"cron(0 4 * * ? *)"'),
            ),
            replace=(
                ('"www.tended.example.com"', '["www.tended.example.com", "shop.tended.example.com"]'),
                ("nightly", "daily"),
                ("registries.gitlab", "registries.forge"),
            ),
            folder=HERE,
            variables={"GITLAB_USER": "acme", "GITLAB_TOKEN": CANARY, "NEXT_TOKEN": f"{CANARY} next"},
            every=25,
            own=(
                "acm:DeleteCertificate",
                "acm:RequestCertificate",
                "cloudwatch:DeleteDashboards",
                "cloudwatch:PutDashboard",
                "ecs:RunTask",
                "scheduler:CreateSchedule",
                "scheduler:CreateScheduleGroup",
                "scheduler:DeleteSchedule",
                "scheduler:DeleteScheduleGroup",
                "scheduler:TagResource",
                "scheduler:UpdateSchedule",
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteSecret",
                "secretsmanager:PutSecretValue",
                "secretsmanager:TagResource",
            ),
        ),
    )
}


@dataclass(frozen=True)
class Flow:
    """What a run is to do: from the state that deploying `before` leaves (None: nothing) to `after`."""

    stack: Stack
    name: str
    before: str | None
    after: str
    absent: bool = False
    adopt: bool = False

    def __str__(self) -> str:
        return f"{self.stack.name}-{self.name}"


FLOWS = ("create", "update", "replace", "adopt", "destroy")


def flow(stack: str, name: str) -> Flow:
    """Return the flow `name` of a stack."""
    chosen = STACKS[stack]
    text = chosen.text
    return {
        "create": Flow(chosen, name, None, text),
        "update": Flow(chosen, name, text, chosen.edited(chosen.update)),
        "replace": Flow(chosen, name, text, chosen.edited(chosen.replace)),
        "adopt": Flow(chosen, name, text, chosen.edited(chosen.update), adopt=True),
        "destroy": Flow(chosen, name, text, text, absent=True),
    }[name]
