"""What can go wrong, in the words of the person who reads it.

Every error that a user may see is a `FargatectlError`: a message, a hint about what to do next, and an exit code.
Anything else that reaches the edge is a bug of ours (exit code 70). `docs/exit-codes.md` lists the exit codes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.model.diagnosis import Diagnosis


class ExitCode(IntEnum):
    """The process's answer; documented in `docs/exit-codes.md`."""

    DONE = 0
    USAGE = 1
    CHANGES = 2
    FAILED = 3
    REFUSED = 4
    AWS = 5
    IN_PROGRESS = 6
    BUG = 70
    NOT_STARTED = 125
    INTERRUPTED = 130
    TERMINATED = 143


class FargatectlError(Exception):
    """Base of all errors that a user may see: what is wrong, and what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE
    kind: ClassVar[str] = "usage"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(FargatectlError):
    """The command line or the environment around it asks for something impossible."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the user's file: where it stands and how to mend it.

    `line` counts from 1 and is None where the place is unknown; `path` is the dotted path of the key.
    """

    message: str
    path: str = ""
    hint: str = ""
    file: str = ""
    line: int | None = None
    severity: str = "error"


class ConfigError(FargatectlError):
    """The user's file is not valid. Carries all problems at once."""

    kind = "config"

    def __init__(self, message: str, problems: Sequence[Problem], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class NotFoundError(FargatectlError):
    """The file names a VPC, subnet, secret, parameter, certificate or zone that does not exist."""

    kind = "not_found"

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path = path


class Refused(FargatectlError):
    """fargatectl will not do this: wrong account, not ours, protected, confirmation missing."""

    exit_code = ExitCode.REFUSED
    kind = "refused"


class PlanChanged(Refused):
    """AWS no longer is what the plan was made from; going on would do what nobody has seen."""

    kind = "plan_changed"


class LockHeld(Refused):
    """Another run is changing the same app in the same environment."""

    kind = "lock_held"


class LeaseLost(Refused):
    """The lock of this run has ended, or is about to: another one may write from now on, and this one no longer."""

    kind = "lease_lost"


class Stopped(FargatectlError):
    """The user asked this run to end, and it ends before its next change of AWS."""

    exit_code = ExitCode.INTERRUPTED
    kind = "interrupted"


class AwsFailure(FargatectlError):
    """AWS said no, or could not be asked.

    `operation` is AWS's name of the call (`ecs:CreateService`), `code` its error code, `address` our name of the
    resource where one is known.
    """

    exit_code = ExitCode.AWS
    kind = "aws"

    def __init__(self, message: str, *, operation: str = "", code: str = "", address: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.operation = operation
        self.code = code
        self.address = address


class RolloutFailed(FargatectlError):
    """A deployment ended in failure, by ECS or stopped by us."""

    exit_code = ExitCode.FAILED
    kind = "rollout"

    def __init__(self, message: str, *, diagnosis: Diagnosis, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnosis = diagnosis


class JobFailed(FargatectlError):
    """A job that had to succeed did not; what it came before was left as it was."""

    exit_code = ExitCode.FAILED
    kind = "job"

    def __init__(self, message: str, *, diagnosis: Diagnosis, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnosis = diagnosis


class JobGoesOn(FargatectlError):
    """A job that had to succeed first still ran when the user left; what it comes before was left as it was."""

    exit_code = ExitCode.IN_PROGRESS
    kind = "job_goes_on"


class StillInProgress(FargatectlError):
    """The rollout was still under way when `--timeout` ended, or when the user wanted to leave.

    `diagnosis` says what keeps it, where that can be told.
    """

    exit_code = ExitCode.IN_PROGRESS
    kind = "in_progress"

    def __init__(self, message: str, *, diagnosis: Diagnosis | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnosis = diagnosis


class Paused(StillInProgress):
    """A deployment waits at one of its hooks for somebody's answer."""

    kind = "paused"
