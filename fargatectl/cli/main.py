"""The commands, and the edge of the process. A command's own module is imported when the command runs."""

from __future__ import annotations

import gc
import inspect
import sys
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from fargatectl import __version__
from fargatectl.cli import options
from fargatectl.cli.surroundings import Answer, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fargatectl.cli.options import OutputOptions

_READING = "reading AWS"
_GARBAGE = 200_000
"""Objects between two looks for unreachable cycles. Start-up makes many objects that stay: looking at them all, again
and again, as Python's default of 700 does, is a tenth of a short command's time."""


def _version(wanted: bool) -> None:  # noqa: FBT001 - a callback of typer
    if wanted:
        typer.echo(f"fargatectl {__version__}")
        raise typer.Exit


class _Group(TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own types are not public
        """Return the options of the group itself."""
        return _with_plain_flags(super().get_params(ctx))


class _Command(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - as above
        """Return the options."""
        return _with_plain_flags(super().get_params(ctx))


class _SettingsCommand(_Command):
    """A command whose help ends with every setting of the local AWS."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        """Write the help."""
        from fargatectl.sandbox.settings import KEYS  # noqa: PLC0415 - nothing but this help needs it

        super().format_help(ctx, formatter)
        lines = [line for key in KEYS.values() for line in (f"   {key.example}", f"       {key.meaning}")]
        typer.echo("\n".join([" Keys, each with an example:", "", *lines, ""]))


def _with_plain_flags(params: list[Any]) -> list[Any]:
    """Have flags be false unless given, and shown without a type.

    For a flag that is neither true nor false (its own `--help`), typer loads pydantic: help must not pay for that.
    """
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
            param.default = False if param.default is None else param.default
    return params


def _group(**settings: Any) -> typer.Typer:  # noqa: ANN401 - as typer.Typer takes them
    return typer.Typer(
        cls=_Group,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


app = _group(
    help="One TOML file in, a running Fargate service out.",
    epilog="First steps, without an AWS account:\n\n  fargatectl deploy --sandbox\n\n"
    "With one:\n\n  fargatectl validate\n\n  fargatectl diff\n\n  fargatectl deploy",
)
sandbox = _group(help="The local AWS: try everything without an account.")


@app.callback()
def _app(
    version: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def _command(  # noqa: PLR0913 - what a command is
    group: typer.Typer,
    name: str,
    accepts: type[OutputOptions],
    text: str,
    *examples: str,
    answer: Answer = Answer.DOCUMENT,
    waits: str = "",
    work: str = "",
    kind: type[_Command] = _Command,
) -> None:
    """Add a command that takes the fields of `accepts` as its options. Its work is in the module of the same name.

    `waits` is what people see until its first output; `work` is another place of its work: "module:function".
    """
    module = f"fargatectl.cli.{name if group is app else 'sandbox'}"
    function = "run" if group is app else name
    if work:
        module, _, function = f"fargatectl.cli.{work}".partition(":")

    def command(context: typer.Context, **given: Any) -> int:  # noqa: ANN401 - typed by `accepts`
        surroundings: Surroundings = context.obj
        chosen = accepts(**given)
        surroundings.begin(chosen, answer)
        if waits:
            surroundings.voice.wait_for(waits)
        run: Callable[..., int] = getattr(import_module(module), function)
        return int(run(chosen, surroundings))

    hints = get_type_hints(accepts, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("context", keyword, annotation=typer.Context)]
    for f in fields(accepts):
        default = f.default if f.default_factory is MISSING else f.default_factory()
        default = inspect.Parameter.empty if default is MISSING else default
        parameters.append(inspect.Parameter(f.name, keyword, default=default, annotation=hints[f.name]))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    epilog = "\n\n".join(["Examples:", *(f"  {example}" for example in examples)]) if examples else None
    group.command(name, cls=kind, help=text, epilog=epilog)(command)


_command(
    app,
    "deploy",
    options.DeployOptions,
    "Bring AWS to what the file says, and follow the rollout to its end.",
    "fargatectl deploy",
    "fargatectl deploy -e prod --yes --image web=shop/web:1.1.0",
    "fargatectl deploy --sandbox",
    answer=Answer.EVENTS,
    waits=_READING,
)
_command(
    app,
    "diff",
    options.DiffOptions,
    "Show what deploy would do. Changes nothing.",
    "fargatectl diff",
    "fargatectl diff -e prod --exit-code",
    "fargatectl diff --format markdown > plan.md",
    waits=_READING,
)
_command(
    app,
    "destroy",
    options.DestroyOptions,
    "Delete all that this app owns, and prove that nothing is left.",
    "fargatectl destroy -e staging",
    answer=Answer.EVENTS,
    waits=_READING,
)
_command(
    app,
    "status",
    options.StatusOptions,
    "Show the services: tasks, revision, health, address, recent events.",
    "fargatectl status",
    "fargatectl status --watch",
    waits=_READING,
)
_command(
    app,
    "why",
    options.WhyOptions,
    "Explain the last failed deployment, or the running one if its tasks fail. Changes nothing.",
    "fargatectl why",
    "fargatectl why web -v",
    waits=_READING,
)
_command(
    app,
    "history",
    options.HistoryOptions,
    "Show the deployments of services: when, which image, how each ended. Changes nothing.",
    "fargatectl history",
    "fargatectl history web --limit 5 --json",
    waits=_READING,
)
_command(
    app,
    "rollback",
    options.RollbackOptions,
    "Take a service back to its last successful deployment, or to a revision; stops the one that is under way.",
    "fargatectl rollback",
    "fargatectl rollback web --to 7 --yes",
    answer=Answer.EVENTS,
    waits=_READING,
)
_command(
    app,
    "restart",
    options.RestartOptions,
    "Replace the tasks of services by new ones of the same revision.",
    "fargatectl restart",
    "fargatectl restart web",
    answer=Answer.EVENTS,
    waits=_READING,
)
_command(
    app,
    "scale",
    options.ScaleOptions,
    "Set the number of a service's tasks, or the bounds of its autoscaler, until the next deploy.",
    "fargatectl scale web 4",
    "fargatectl scale web --min 4 --max 20",
    answer=Answer.EVENTS,
    waits=_READING,
)
_command(
    app,
    "logs",
    options.LogsOptions,
    "Show what the containers say, of all tasks in the order of time.",
    "fargatectl logs --follow",
    "fargatectl logs --service web --since 1d --grep 'ERROR|WARN'",
    "fargatectl logs --previous",
    answer=Answer.EVENTS,
    waits="reading the logs",
)
_command(
    app,
    "insights",
    options.InsightsOptions,
    "Ask CloudWatch Logs Insights: errors, slow, requests, cpu, memory, restarts, oom, or a query of your own.",
    "fargatectl insights",
    "fargatectl insights errors --since 1d",
    "fargatectl insights --query 'filter @message like /timeout/ | stats count(*) by bin(1h)'",
    waits="starting a query",
)
_command(
    app,
    "run",
    options.RunOptions,
    "Run a job once: show its lines, and end with its exit code.",
    "fargatectl run migrate",
    "fargatectl run migrate -- ./manage.py migrate --plan",
    answer=Answer.EVENTS,
    waits="starting a task",
)
_command(
    app,
    "continue",
    options.AnswerOptions,
    "Let a deployment that pauses at a hook go on.",
    "fargatectl continue web",
    answer=Answer.EVENTS,
    waits=_READING,
    work="answering:go_on",
)
_command(
    app,
    "abort",
    options.AnswerOptions,
    "Have a deployment that pauses at a hook rolled back.",
    "fargatectl abort web",
    answer=Answer.EVENTS,
    waits=_READING,
    work="answering:abort",
)
_command(
    app,
    "validate",
    options.ValidateOptions,
    "Check the file, without AWS.",
    "fargatectl validate",
    "fargatectl validate -e prod --expanded",
)
_command(
    app,
    "unlock",
    options.UnlockOptions,
    "Free the lock of a run that is dead, by its exact number.",
    "fargatectl unlock 1790000000",
    "fargatectl unlock 1790000000 -e prod",
)
app.add_typer(sandbox, name="sandbox")
_command(
    sandbox,
    "start",
    options.SandboxStartOptions,
    "Start the local AWS, and say how any AWS client reaches it.",
    "fargatectl sandbox start --speed 20",
    waits="starting the local AWS",
)
_command(sandbox, "stop", options.OutputOptions, "Stop the local AWS; what it holds is gone.")
_command(sandbox, "reset", options.OutputOptions, "Empty the local AWS.")
_command(sandbox, "status", options.OutputOptions, "Tell whether the local AWS runs, and where.")
_command(
    sandbox,
    "set",
    options.SandboxSetOptions,
    "Have something go wrong in the local AWS, or something happen.",
    "fargatectl sandbox set",
    "fargatectl sandbox set error.ecs.UpdateService=2:ThrottlingException",
    "fargatectl sandbox set health.hello/web=failing",
    "fargatectl sandbox set health.hello/web=",
    kind=_SettingsCommand,
)


@cache
def _tree() -> Any:  # noqa: ANN401 - a command of click, which typer carries within
    return typer.main.get_command(app)


def run(arguments: Sequence[str], surroundings: Surroundings) -> int:
    """Run one command and return the exit code. Raises nothing: what goes wrong is told, and has a code."""
    command = _tree()
    try:
        surroundings.expect(arguments)
        answer = command.main(args=list(arguments), prog_name="fargatectl", standalone_mode=False, obj=surroundings)
        surroundings.deliver()
    except BaseException as error:  # noqa: BLE001 - the edge: everything becomes words and a code
        from fargatectl.cli.failures import tell  # noqa: PLC0415 - nothing but failures needs it

        return tell(error, surroundings)
    return answer if isinstance(answer, int) else 0


def main() -> None:
    """Run fargatectl on this process's arguments, streams and environment."""
    gc.set_threshold(_GARBAGE)
    surroundings = Surroundings.of_process()
    # Looking for plugins reads the metadata of every package that is installed; none is wanted here.
    surroundings.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = run(sys.argv[1:], surroundings)
    surroundings.leave(code)


__all__ = ["app", "main", "run"]
