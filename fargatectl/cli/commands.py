"""The commands: their names, texts and options. What a command does is in a module of its own, loaded when it runs."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from fargatectl import __version__
from fargatectl.cli import options
from fargatectl.cli.surroundings import Answer, Surroundings
from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from fargatectl.cli.options import OutputOptions

_READING = "reading AWS"


def _version(wanted: bool) -> None:  # noqa: FBT001 - a callback of typer
    if wanted:
        typer.echo(f"fargatectl {__version__}")
        raise typer.Exit


class _Group(TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own types are not public
        """Return the options of the group itself."""
        return _light(super().get_params(ctx), ctx)


class _Command(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - as above
        """Return the options."""
        return _light(super().get_params(ctx), ctx)


class _SettingsCommand(_Command):
    """A command whose help ends with every setting of the local AWS."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        """Write the help."""
        from fargatectl.sandbox.settings import KEYS  # noqa: PLC0415 - nothing but this help needs it

        super().format_help(ctx, formatter)
        lines = [line for key in KEYS.values() for line in (f"   {key.example}", f"       {key.meaning}")]
        typer.echo("\n".join([" Keys, each with an example:", "", *lines, ""]))


def _light(params: list[Any], ctx: Any) -> list[Any]:  # noqa: ANN401 - as above
    """Have flags be false unless given, and shown without a type; and leave values as they are to complete a line.

    For other values, and a flag that is neither true nor false (its own `--help`), typer loads pydantic: neither help
    nor completion must pay for that.
    """
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
            param.default = False if param.default is None else param.default
        if ctx.resilient_parsing:
            param.process_value = _as_it_is
    return params


def _as_it_is(_: object, value: object) -> object:
    return value


def _group(**settings: Any) -> typer.Typer:  # noqa: ANN401 - as typer.Typer takes them
    return typer.Typer(
        cls=_Group,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


@dataclass(frozen=True)
class _Entry:
    """A command that takes the fields of `accepts` as its options. Its work is in the module of the same name.

    `waits` is what people see until its first output; `work` is another place of its work: "module:function".
    """

    name: str
    accepts: type[OutputOptions]
    text: str
    examples: tuple[str, ...] = ()
    answer: Answer = Answer.DOCUMENT
    waits: str = ""
    work: str = ""
    kind: type[_Command] = _Command


_COMMANDS = (
    _Entry(
        "deploy",
        options.DeployOptions,
        "Bring AWS to what the file says, and follow the rollout to its end.",
        examples=(
            "fargatectl deploy",
            "fargatectl deploy -e prod --yes --image web=shop/web:1.1.0",
            "fargatectl deploy --sandbox",
        ),
        answer=Answer.EVENTS,
        waits=_READING,
    ),
    _Entry(
        "diff",
        options.DiffOptions,
        "Show what deploy would do. Changes nothing.",
        examples=(
            "fargatectl diff",
            "fargatectl diff -e prod --exit-code",
            "fargatectl diff --format markdown > plan.md",
        ),
        waits=_READING,
    ),
    _Entry(
        "destroy",
        options.DestroyOptions,
        "Delete all that this app owns, and prove that nothing is left.",
        examples=("fargatectl destroy -e staging",),
        answer=Answer.EVENTS,
        waits=_READING,
    ),
    _Entry(
        "status",
        options.StatusOptions,
        "Show the services: tasks, revision, health, address, recent events.",
        examples=(
            "fargatectl status",
            "fargatectl status --watch",
        ),
        waits=_READING,
    ),
    _Entry(
        "why",
        options.WhyOptions,
        "Explain the last failed deployment, or the running one if its tasks fail. Changes nothing.",
        examples=(
            "fargatectl why",
            "fargatectl why web -v",
        ),
        waits=_READING,
    ),
    _Entry(
        "history",
        options.HistoryOptions,
        "Show the deployments of services: when, which image, how each ended. Changes nothing.",
        examples=(
            "fargatectl history",
            "fargatectl history web --limit 5 --json",
        ),
        waits=_READING,
    ),
    _Entry(
        "rollback",
        options.RollbackOptions,
        "Take a service back to its last successful deployment, or to a revision; stops the one that is under way.",
        examples=(
            "fargatectl rollback",
            "fargatectl rollback web --to 7 --yes",
        ),
        answer=Answer.EVENTS,
        waits=_READING,
    ),
    _Entry(
        "restart",
        options.RestartOptions,
        "Replace the tasks of services by new ones of the same revision.",
        examples=(
            "fargatectl restart",
            "fargatectl restart web",
        ),
        answer=Answer.EVENTS,
        waits=_READING,
    ),
    _Entry(
        "scale",
        options.ScaleOptions,
        "Set the number of a service's tasks, or the bounds of its autoscaler, until the next deploy.",
        examples=(
            "fargatectl scale web 4",
            "fargatectl scale web --min 4 --max 20",
        ),
        answer=Answer.EVENTS,
        waits=_READING,
    ),
    _Entry(
        "logs",
        options.LogsOptions,
        "Show what the containers say, of all tasks in the order of time.",
        examples=(
            "fargatectl logs --follow",
            "fargatectl logs --service web --since 1d --grep 'ERROR|WARN'",
            "fargatectl logs --previous",
        ),
        answer=Answer.EVENTS,
        waits="reading the logs",
    ),
    _Entry(
        "insights",
        options.InsightsOptions,
        "Ask CloudWatch Logs Insights: errors, slow, requests, cpu, memory, restarts, oom, or a query of your own.",
        examples=(
            "fargatectl insights",
            "fargatectl insights errors --since 1d",
            "fargatectl insights --query 'filter @message like /timeout/ | stats count(*) by bin(1h)'",
        ),
        waits="starting a query",
    ),
    _Entry(
        "run",
        options.RunOptions,
        "Run a job once: show its lines, and end with its exit code.",
        examples=(
            "fargatectl run migrate",
            "fargatectl run migrate -- ./manage.py migrate --plan",
        ),
        answer=Answer.EVENTS,
        waits="starting a task",
    ),
    _Entry(
        "continue",
        options.AnswerOptions,
        "Let a deployment that pauses at a hook go on.",
        examples=("fargatectl continue web",),
        answer=Answer.EVENTS,
        waits=_READING,
        work="answering:go_on",
    ),
    _Entry(
        "abort",
        options.AnswerOptions,
        "Have a deployment that pauses at a hook rolled back.",
        examples=("fargatectl abort web",),
        answer=Answer.EVENTS,
        waits=_READING,
        work="answering:abort",
    ),
    _Entry(
        "validate",
        options.ValidateOptions,
        "Check the file, without AWS.",
        examples=(
            "fargatectl validate",
            "fargatectl validate -e prod --expanded",
        ),
    ),
    _Entry(
        "unlock",
        options.UnlockOptions,
        "Free the lock of a run that is dead, by its exact number.",
        examples=(
            "fargatectl unlock 1790000000",
            "fargatectl unlock 1790000000 -e prod",
        ),
    ),
)
_SANDBOX = (
    _Entry(
        "start",
        options.SandboxStartOptions,
        "Start the local AWS, and say how any AWS client reaches it.",
        examples=("fargatectl sandbox start --speed 20",),
        waits="starting the local AWS",
    ),
    _Entry("stop", options.OutputOptions, "Stop the local AWS; what it holds is gone."),
    _Entry("reset", options.OutputOptions, "Empty the local AWS."),
    _Entry("status", options.OutputOptions, "Tell whether the local AWS runs, and where."),
    _Entry(
        "set",
        options.SandboxSetOptions,
        "Have something go wrong in the local AWS, or something happen.",
        examples=(
            "fargatectl sandbox set",
            "fargatectl sandbox set error.ecs.UpdateService=2:ThrottlingException",
            "fargatectl sandbox set health.hello/web=failing",
            "fargatectl sandbox set health.hello/web=",
        ),
        kind=_SettingsCommand,
    ),
)
NAMES = frozenset(entry.name for entry in (*_COMMANDS, *_SANDBOX))


def application(wanted: Container[str] | None = None) -> typer.Typer:
    """Return all commands; with `wanted`, only those of these names have options. To make them all takes its time."""
    app = _group(
        help="One TOML file in, a running Fargate service out.",
        epilog="First steps, without an AWS account:\n\n  fargatectl deploy --sandbox\n\n"
        "With one:\n\n  fargatectl validate\n\n  fargatectl diff\n\n  fargatectl deploy",
    )
    app.callback()(_app)
    sandbox = _group(help="The local AWS: try everything without an account.")
    for entry in _COMMANDS:
        _add(app, entry, entry.work or f"{entry.name}:run", bare=wanted is not None and entry.name not in wanted)
    app.add_typer(sandbox, name="sandbox")
    for entry in _SANDBOX:
        _add(sandbox, entry, f"sandbox:{entry.name}", bare=wanted is not None and entry.name not in wanted)
    return app


def _add(group: typer.Typer, entry: _Entry, work: str, *, bare: bool) -> None:
    module, _, function = work.partition(":")

    def command(context: typer.Context, **given: Any) -> int:  # noqa: ANN401 - typed by `accepts`
        surroundings: Surroundings = context.obj
        chosen = entry.accepts(**given)
        surroundings.begin(chosen, entry.answer)
        if entry.waits:
            surroundings.voice.wait_for(entry.waits)
        run: Callable[..., int] = getattr(import_module(f"fargatectl.cli.{module}"), function)
        return int(run(chosen, surroundings))

    parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    parameters += [] if bare else _parameters(entry.accepts)
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    epilog = "\n\n".join(["Examples:", *(f"  {example}" for example in entry.examples)]) if entry.examples else None
    group.command(entry.name, cls=entry.kind, help=entry.text, epilog=epilog)(command)


def _parameters(accepts: type[OutputOptions]) -> list[inspect.Parameter]:
    hints = get_type_hints(accepts, include_extras=True)
    found = []
    for f in fields(accepts):
        default = f.default if f.default_factory is MISSING else f.default_factory()
        default = inspect.Parameter.empty if default is MISSING else default
        found.append(
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[f.name])
        )
    return found


def _app(
    version: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass
