"""What all that follows things in AWS is given of the run that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.model.events import LogEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from fargatectl.aws.session import Aws
    from fargatectl.model.events import Emit
    from fargatectl.rollout.diagnosis import Places


@dataclass(frozen=True)
class RunContext:
    """The surroundings of one run.

    emit: is told what happens. stopped: says that the user wants to leave; what goes on in AWS goes on. place: says
    where a key of the file stands. jitter: a number from 0 to 1, a new one each time.
    """

    aws: Aws
    executor: Executor
    emit: Emit
    stopped: Callable[[], bool] = lambda: False
    place: Places = lambda _: ""
    jitter: Callable[[], float] = lambda: 0.5

    def tell(self, message: str) -> None:
        """Emit a sentence."""
        self.emit(LogEvent(message, self.aws.now()))

    def caution(self, message: str) -> None:
        """Emit a sentence that nobody should miss."""
        self.emit(LogEvent(message, self.aws.now(), "warning"))
