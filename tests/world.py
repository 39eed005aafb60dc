"""A whole app on a local AWS of its own, as a test drives it: deploy a file, look, break something, deploy again.

No socket, no threads, no waiting: everything runs inline on a virtual clock, so that a rollout of ten minutes takes
milliseconds and the same test makes the same calls in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fargatectl.config.load import load
from fargatectl.config.references import references
from fargatectl.engine.executor import execute
from fargatectl.engine.planner import plan
from fargatectl.rollout.context import RunContext
from fargatectl.rollout.follow import Follower
from fargatectl.rollout.jobs import Gate
from fargatectl.rollout.status import statuses
from fargatectl.stack import build
from tests.inline import Inline
from tests.local import make_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fargatectl.aws.session import Aws
    from fargatectl.engine.executor import Outcome
    from fargatectl.engine.planner import Planning
    from fargatectl.model.events import Event
    from fargatectl.model.status import ServiceStatus
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.stack import Blueprint


@dataclass
class World:
    """One app, one local AWS, and all that happened."""

    local: LocalAws
    directory: Path
    environment: str | None = None
    events: list[Event] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    _blueprints: dict[tuple[Any, ...], tuple[dict[str, Any], Blueprint]] = field(default_factory=dict)

    @cached_property
    def aws(self) -> Aws:
        return make_aws(self.local)

    def blueprint(self, text: str) -> Blueprint:
        read = (text, *self.variables.items())
        if read not in self._blueprints:
            path = self.directory / "fargatectl.toml"
            path.write_text(text)
            loaded = load(path, environment=self.environment, variables=self.variables, git_sha=lambda: None)
            blueprint = build(loaded.config, self.environment, self.local.region, self.variables)
            self._blueprints[read] = (references(loaded.config), blueprint)
        referred, blueprint = self._blueprints[read]
        self.local.provision(referred)
        return blueprint

    def plan(self, text: str, **options: Any) -> Planning:
        self.aws.reads.clear()
        return plan(self.blueprint(text).stack, self.aws, Inline(), **options)

    def deploy(self, text: str, **options: Any) -> Outcome:
        """Deploy `text` and follow the rollouts to their end; nothing may fail."""
        outcome = self.try_to_deploy(text, **options)
        if outcome.failed:
            raise next(iter(outcome.failed.values()))
        assert outcome.complete, outcome
        return outcome

    def try_to_deploy(self, text: str, **options: Any) -> Outcome:
        self.aws.reads.clear()
        blueprint = self.blueprint(text)
        planning = plan(blueprint.stack, self.aws, Inline(), **options)
        context = RunContext(self.aws, Inline(), self.events.append)
        settle, gate = Follower(context, blueprint.services), Gate(context, blueprint.jobs)
        return execute(planning, self.aws, Inline(), emit=self.events.append, settle=settle, prepare=gate)

    def destroy(self, text: str) -> Outcome:
        return self.deploy(text, absent=True)

    def status(self, text: str) -> tuple[ServiceStatus, ...]:
        self.aws.reads.clear()
        blueprint = self.blueprint(text)
        return statuses(blueprint.services, blueprint.stack, self.aws, Inline())

    def writes(self) -> Iterator[str]:
        """The mutating calls so far, as `service:Operation`, the oldest first."""
        return (f"{call.service}:{call.operation}" for call in self.local.calls if call.mutating)
