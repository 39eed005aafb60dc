"""What the command line accepts: the options of each command, declared once, with the words that `--help` shows."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import Annotated

from typer import Argument, Option

from fargatectl.dataclass import dataclass

WHERE = "Which file, which account"
OUTPUT = "Output"
CONSENT = "Consent"
SCOPE = "Scope"
FOLLOW = "Following the rollout"
TURN = "One deployer at a time"


class Format(StrEnum):
    """How `diff` prints the plan."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


JsonFlag = Annotated[bool, Option("--json", help="Print JSON for machines.", rich_help_panel=OUTPUT)]
VerboseFlag = Annotated[
    bool, Option("--verbose", "-v", help="Tell more: addresses, every setting.", rich_help_panel=OUTPUT)
]
QuietFlag = Annotated[bool, Option("--quiet", "-q", help="Tell only outcomes and errors.", rich_help_panel=OUTPUT)]
ServiceNames = Annotated[
    list[str],
    Option(
        "--service",
        metavar="NAME",
        help="Only this service and what it needs; repeatable. Deletes nothing.",
        rich_help_panel=SCOPE,
    ),
]
Adopted = Annotated[
    list[str],
    Option(
        "--adopt",
        metavar="ADDRESS",
        help="Take over a resource of this name that somebody else made; repeatable.",
        rich_help_panel=CONSENT,
    ),
]
Images = Annotated[
    list[str],
    Option(
        "--image",
        metavar="[SERVICE=]REF",
        help="Deploy this image instead of the file's; repeatable. SERVICE= may be left out if there is one.",
        rich_help_panel=SCOPE,
    ),
]
NoWait = Annotated[bool, Option("--no-wait", help="Do not follow the rollout.", rich_help_panel=FOLLOW)]
Timeout = Annotated[
    str | None,
    Option(
        "--timeout",
        metavar="DURATION",
        help='How long to wait for one rollout: "15m", "90s".',
        rich_help_panel=FOLLOW,
    ),
]
Yes = Annotated[bool, Option("--yes", "-y", help="Go on without asking.", rich_help_panel=CONSENT)]


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What every command takes."""

    json: JsonFlag = False
    verbose: VerboseFlag = False
    quiet: QuietFlag = False


@dataclass(frozen=True, kw_only=True)
class FileOptions(OutputOptions):
    """What every command takes that has to do with a file."""

    config: Annotated[
        Path | None,
        Option(
            "--config",
            "-c",
            metavar="PATH",
            help="The file; by default fargatectl.toml here or in a parent folder, up to the repository's root.",
            rich_help_panel=WHERE,
        ),
    ] = None
    env: Annotated[
        str | None,
        Option(
            "--env",
            "-e",
            metavar="NAME",
            envvar="FARGATECTL_ENV",
            help=r"The environment: \[environments.NAME] is laid over the file.",
            rich_help_panel=WHERE,
        ),
    ] = None
    profile: Annotated[
        str | None,
        Option("--profile", metavar="NAME", help="The AWS profile to use.", rich_help_panel=WHERE),
    ] = None
    region: Annotated[
        str | None,
        Option("--region", metavar="REGION", help="The AWS Region; it outranks the file's.", rich_help_panel=WHERE),
    ] = None
    endpoint_url: Annotated[
        str | None,
        Option("--endpoint-url", metavar="URL", help="Send every call there instead of to AWS.", rich_help_panel=WHERE),
    ] = None
    sandbox: Annotated[
        bool,
        Option("--sandbox", help="Use a local AWS on this machine: no account needed.", rich_help_panel=WHERE),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ValidateOptions(FileOptions):
    """The options of `validate`."""

    expanded: Annotated[
        bool, Option("--expanded", help="Print the file with its defaults.", rich_help_panel=OUTPUT)
    ] = False


@dataclass(frozen=True, kw_only=True)
class DiffOptions(FileOptions):
    """The options of `diff`."""

    adopt: Adopted = field(default_factory=list)
    image: Images = field(default_factory=list)
    service: ServiceNames = field(default_factory=list)
    exit_code: Annotated[
        bool, Option("--exit-code", help="End with 2 if there are changes.", rich_help_panel=OUTPUT)
    ] = False
    out: Annotated[
        Path | None,
        Option("--out", metavar="FILE", help="Keep the plan for deploy --plan.", rich_help_panel=OUTPUT),
    ] = None
    format: Annotated[Format, Option("--format", help="How to print the plan.", rich_help_panel=OUTPUT)] = Format.TEXT


@dataclass(frozen=True, kw_only=True)
class LockOptions(FileOptions):
    """What every command takes that writes to AWS."""

    lock_timeout: Annotated[
        str,
        Option(
            "--lock-timeout",
            metavar="DURATION",
            help='How long to wait while another run has the lock: "10m", "30s".',
            rich_help_panel=TURN,
        ),
    ] = "0s"
    no_lock: Annotated[
        bool, Option("--no-lock", help="Do without the lock: nothing keeps two runs apart.", rich_help_panel=TURN)
    ] = False


@dataclass(frozen=True, kw_only=True)
class DeployOptions(LockOptions):
    """The options of `deploy`."""

    yes: Yes = False
    max_deletes: Annotated[
        int | None,
        Option(
            "--max-deletes",
            metavar="N",
            min=0,
            help="Refuse if more than N things would be deleted.",
            rich_help_panel=CONSENT,
        ),
    ] = None
    plan: Annotated[
        Path | None,
        Option(
            "--plan",
            metavar="FILE",
            help="Do exactly what diff --out wrote there, or refuse and say what has moved.",
            rich_help_panel=CONSENT,
        ),
    ] = None
    adopt: Adopted = field(default_factory=list)
    image: Images = field(default_factory=list)
    service: ServiceNames = field(default_factory=list)
    no_wait: NoWait = False
    attach: Annotated[
        bool,
        Option("--attach", help="Follow the rollouts that run already; change nothing.", rich_help_panel=FOLLOW),
    ] = False
    timeout: Timeout = None
    report: Annotated[
        Path | None,
        Option(
            "--report",
            metavar="PATH",
            help="Write a report of the run: .html and .md for people, .json for machines.",
            rich_help_panel=OUTPUT,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class DestroyOptions(LockOptions):
    """The options of `destroy`."""

    yes: Yes = False
    service: Annotated[
        list[str],
        Option(
            "--service",
            metavar="NAME",
            help="Only this service and what no other service uses; repeatable.",
            rich_help_panel=SCOPE,
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class UnlockOptions(FileOptions):
    """What `unlock` takes."""

    generation: Annotated[int, Argument(metavar="GENERATION", help="The exact number, as the refusal names it.")]


ServiceArguments = Annotated[list[str] | None, Argument(metavar="SERVICE", help="By default all services.")]


@dataclass(frozen=True, kw_only=True)
class WhyOptions(FileOptions):
    """What `why` takes."""

    service: ServiceArguments = None


@dataclass(frozen=True, kw_only=True)
class HistoryOptions(FileOptions):
    """What `history` takes."""

    service: ServiceArguments = None
    limit: Annotated[
        int, Option("--limit", "-n", metavar="N", min=1, help="So many of each service.", rich_help_panel=OUTPUT)
    ] = 20


@dataclass(frozen=True, kw_only=True)
class OperationOptions(LockOptions):
    """What every command takes that changes running services without the file."""

    no_wait: NoWait = False
    timeout: Timeout = None


@dataclass(frozen=True, kw_only=True)
class RollbackOptions(OperationOptions):
    """What `rollback` takes."""

    service: Annotated[
        str | None, Argument(metavar="SERVICE", help="The service; may be left out if there is one.")
    ] = None
    to: Annotated[
        str | None,
        Option(
            "--to",
            metavar="REVISION",
            help='Go to this one, as history names it: "shop-web:7", or 7.',
            rich_help_panel=SCOPE,
        ),
    ] = None
    yes: Yes = False


@dataclass(frozen=True, kw_only=True)
class AnswerOptions(OperationOptions):
    """What `continue` and `abort` take."""

    service: Annotated[str, Argument(metavar="SERVICE", help="The service whose deployment pauses.")]


@dataclass(frozen=True, kw_only=True)
class RestartOptions(OperationOptions):
    """What `restart` takes."""

    service: ServiceArguments = None


@dataclass(frozen=True, kw_only=True)
class ScaleOptions(OperationOptions):
    """What `scale` takes."""

    service: Annotated[str, Argument(metavar="SERVICE", help="The service.")]
    count: Annotated[
        int | None, Argument(metavar="N", min=0, max=5000, help="So many tasks, where no autoscaler owns the count.")
    ] = None
    min: Annotated[
        int | None,
        Option("--min", metavar="N", min=0, max=5000, help="The autoscaler's lower bound.", rich_help_panel=SCOPE),
    ] = None
    max: Annotated[
        int | None,
        Option("--max", metavar="N", min=0, max=5000, help="The autoscaler's upper bound.", rich_help_panel=SCOPE),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RunOptions(FileOptions):
    """What `run` takes."""

    job: Annotated[str, Argument(metavar="JOB", help="The job: a table \\[jobs.JOB].")]
    command: Annotated[
        list[str] | None, Argument(metavar="-- COMMAND", help="Run this instead of the job's own command.")
    ] = None
    no_wait: Annotated[
        bool, Option("--no-wait", help="Start it and leave, without its lines.", rich_help_panel=FOLLOW)
    ] = False


@dataclass(frozen=True, kw_only=True)
class LogsOptions(FileOptions):
    """What `logs` takes."""

    follow: Annotated[
        bool, Option("--follow", "-f", help="Go on with new lines, until Ctrl-C.", rich_help_panel=OUTPUT)
    ] = False
    since: Annotated[
        str,
        Option("--since", metavar="WHEN", help='How far back: "10m", "2h", "1d", or a time.', rich_help_panel=SCOPE),
    ] = "1h"
    service: Annotated[
        list[str], Option("--service", metavar="NAME", help="Only this service; repeatable.", rich_help_panel=SCOPE)
    ] = field(default_factory=list)
    container: Annotated[
        str | None,
        Option(
            "--container", metavar="NAME", help="Only this container; a job's bears its name.", rich_help_panel=SCOPE
        ),
    ] = None
    task: Annotated[
        str | None,
        Option("--task", metavar="ID", help="Only the task whose id begins so.", rich_help_panel=SCOPE),
    ] = None
    previous: Annotated[
        bool,
        Option("--previous", help="Of each service the task that ended last.", rich_help_panel=SCOPE),
    ] = False
    grep: Annotated[
        str | None,
        Option("--grep", metavar="REGEX", help="Only lines in which this is found.", rich_help_panel=SCOPE),
    ] = None


@dataclass(frozen=True, kw_only=True)
class InsightsOptions(FileOptions):
    """What `insights` takes."""

    name: Annotated[str | None, Argument(metavar="NAME", help="A ready-made query; without one, they are listed.")] = (
        None
    )
    query: Annotated[
        str | None,
        Option("--query", metavar="QUERY", help="A query in the language of Logs Insights.", rich_help_panel=SCOPE),
    ] = None
    since: Annotated[
        str,
        Option("--since", metavar="WHEN", help='How far back: "10m", "2h", "1d", or a time.', rich_help_panel=SCOPE),
    ] = "1h"
    service: Annotated[
        list[str], Option("--service", metavar="NAME", help="Only this service; repeatable.", rich_help_panel=SCOPE)
    ] = field(default_factory=list)
    limit: Annotated[
        int,
        Option("--limit", "-n", metavar="N", min=1, max=10_000, help="At most so many rows.", rich_help_panel=OUTPUT),
    ] = 50


@dataclass(frozen=True, kw_only=True)
class StatusOptions(FileOptions):
    """The options of `status`."""

    watch: Annotated[
        bool, Option("--watch", help="Look again every few seconds, with CPU and memory.", rich_help_panel=OUTPUT)
    ] = False


@dataclass(frozen=True, kw_only=True)
class SandboxStartOptions(OutputOptions):
    """The options of `sandbox start`."""

    speed: Annotated[float | None, Option("--speed", metavar="N", help="How many AWS seconds pass in one.")] = None
    port: Annotated[
        int | None,
        Option("--port", metavar="N", min=0, max=65535, help="The port on 127.0.0.1; by default a free one."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class SandboxSetOptions(OutputOptions):
    """What `sandbox set` takes."""

    assignment: Annotated[
        list[str] | None,
        Argument(metavar="KEY=VALUE", help="What to set; KEY= clears. Without one, all keys are listed."),
    ] = None
