"""The local AWS inside this process, for tests: no socket, and a clock that moves only when somebody sleeps on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import botocore_adapter, identity
from fargatectl.sandbox.clock import Timeline, VirtualClock
from fargatectl.sandbox.cloud import Cloud, RecordedCall
from fargatectl.sandbox.services import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.session import Session

    from fargatectl.sandbox.clock import Clock
    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call

load()


class LocalAws:
    """A local AWS of its own: sessions attached to it see one state, and nothing of any other LocalAws.

    `clock` is what tests and code under test sleep on; `account` and `region` are those of `environment` and of
    `provision`, while requests are served for whatever account and Region they are signed for.
    """

    def __init__(
        self,
        *,
        account: str = identity.DEFAULT_ACCOUNT,
        region: str = "eu-central-1",
        clock: Clock | None = None,
        speed: float = 1.0,
    ) -> None:
        self.account = account
        self.region = region
        self.clock: Clock = clock or VirtualClock()
        self.cloud = Cloud(Timeline(self.clock, speed))

    @property
    def calls(self) -> list[RecordedCall]:
        """What clients called so far, oldest first; clear it as you like."""
        return self.cloud.calls

    @property
    def environment(self) -> dict[str, str]:
        """Credentials and Region by their names in the environment."""
        return {
            "AWS_ACCESS_KEY_ID": identity.access_key(self.account),
            "AWS_SECRET_ACCESS_KEY": identity.SECRET_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def attach(self, session: Session) -> None:
        """Make the clients that `session` creates from now on talk to this local AWS."""
        botocore_adapter.attach(session, self.cloud.handle)

    def intercept(self, interceptor: Callable[[Call, Callable[[], Response]], Response] | None) -> None:
        """Put a fault between clients and the cloud: called with each call and a function that applies it.

        It may raise AwsError (answered in the service's protocol), any other exception (botocore's caller sees it),
        before or after applying; None takes it away.
        """
        self.cloud.intercept = interceptor

    def observe(self, observer: Callable[[Call, Mapping[str, Any]], None] | None) -> None:
        """Have a function see each answer of ours before it is encoded: encoding drops what no client would see."""
        self.cloud.observe = observer

    def set(self, *assignments: str) -> None:
        """Do or keep what each `KEY=VALUE` of `settings` says; `KEY=` clears. Raises SettingError."""
        self.cloud.set(*assignments)

    def reset(self) -> None:
        """Forget all state, settings and calls; the clock goes on."""
        self.cloud.reset()

    def provision(self, references: dict[str, Any]) -> list[str]:
        """Create what a file refers to and this account lacks; returns a sentence for each thing made."""
        from fargatectl.sandbox.references import provision  # noqa: PLC0415 - only tests that refer to things pay

        return provision(self.cloud.region(self.account, self.region), references)
