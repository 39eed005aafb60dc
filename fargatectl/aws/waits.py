"""Named waits: polling what AWS does in its own time, and retrying errors that pass by themselves.

Every retried error has a name, a bound in seconds and a reason with its source. botocore owns throttles, 5xx answers
and sockets: none of them is named here, so that nothing is retried in two layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fargatectl.aws.errors import says
from fargatectl.dataclass import dataclass
from fargatectl.errors import AwsFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    import tenacity

    from fargatectl.aws.session import Aws

T = TypeVar("T")


@dataclass(frozen=True)
class Transient:
    """An answer of AWS that stops by itself: code and fragment of its message, and for how many seconds to try."""

    code: str
    fragment: str = ""
    seconds: float = 120

    def matches(self, error: BaseException) -> bool:
        """Tell whether `error` is this one."""
        return says(error, self.code, self.fragment)


def retrying(aws: Aws, call: Callable[[], T], *transients: Transient, interval: float = 2) -> T:
    """Make `call` until it gives no answer of `transients`, or one of them has lasted too long: then it is raised.

    Raises `Stopped` after Ctrl-C, as `polling` does.
    """
    import tenacity  # noqa: PLC0415 - who only reads has no need of it

    began = aws.monotonic()

    def goes_on(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        return error is not None and any(
            transient.matches(error) and aws.monotonic() - began < transient.seconds for transient in transients
        )

    retry = tenacity.Retrying(
        retry=goes_on, wait=tenacity.wait_exponential(interval, max=interval * 5), sleep=_pausing(aws), reraise=True
    )
    return retry(call)


TIMEOUT = "Timeout"
"""The code of a wait that missed its bound."""


def polling(  # noqa: PLR0913 - one keyword for each property of a wait
    aws: Aws,
    what: str,
    look: Callable[[], T | None],
    *,
    seconds: float,
    interval: float = 2,
    hint: str = "run the same command again to go on",
) -> T:
    """Call `look` until it gives something; raise `AwsFailure` naming `what` after `seconds`.

    The first looks come fast, the later ones every `interval` × 5 seconds at most.
    """
    import tenacity  # noqa: PLC0415 - as above

    began = aws.monotonic()
    retry = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda found: found is None),
        wait=tenacity.wait_exponential(interval / 2, max=interval * 5),
        stop=lambda _: aws.monotonic() - began >= seconds,
        sleep=_pausing(aws),
    )
    try:
        found = retry(look)
    except tenacity.RetryError as error:
        message = f"AWS did not finish within {seconds:.0f} s: {what}"
        raise AwsFailure(message, code=TIMEOUT, hint=hint) from error
    assert found is not None  # noqa: S101 - the retry ends with a result or raises
    return found


def _pausing(aws: Aws) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        aws.sleep(seconds)
        aws.go_on()

    return pause
