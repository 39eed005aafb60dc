"""`sandbox`: start, stop, empty, find and direct the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.cli.context import LOCAL_ACCOUNT
from fargatectl.errors import ExitCode, UsageError
from fargatectl.render.machine import VERSION
from fargatectl.render.plain import timestamp
from fargatectl.sandbox import lifetime

if TYPE_CHECKING:
    from fargatectl.cli.options import OutputOptions, SandboxSetOptions, SandboxStartOptions
    from fargatectl.cli.surroundings import Surroundings

_REGION = "us-east-1"


def start(options: SandboxStartOptions, surroundings: Surroundings) -> ExitCode:
    """Start it, or find the one that runs, and print how to reach it."""
    running = lifetime.start(
        speed=options.speed,
        port=options.port,
        directories=_directories(surroundings),
        environment=surroundings.environ,
    )
    region = surroundings.environ.get("AWS_REGION") or _REGION
    environment = lifetime.environment(running, LOCAL_ACCOUNT, region)
    if surroundings.json:
        surroundings.voice.document({**_document(running), "environment": environment})
        return ExitCode.DONE
    surroundings.voice.aside(f"The local AWS runs at {running.endpoint}. For any AWS client of this shell:")
    surroundings.voice.data(Text("\n".join(f"export {name}={value}" for name, value in environment.items())))
    return ExitCode.DONE


def stop(options: OutputOptions, surroundings: Surroundings) -> ExitCode:
    """Stop it."""
    del options
    stopped = lifetime.stop(directories=_directories(surroundings))
    return _told({"stopped": stopped}, "The local AWS has stopped." if stopped else "No local AWS runs.", surroundings)


def reset(options: OutputOptions, surroundings: Surroundings) -> ExitCode:
    """Empty it."""
    del options
    emptied = lifetime.reset(directories=_directories(surroundings))
    return _told({"reset": emptied}, "The local AWS is empty." if emptied else "No local AWS runs.", surroundings)


def status(options: OutputOptions, surroundings: Surroundings) -> ExitCode:
    """Tell whether it runs, and where."""
    del options
    running = lifetime.status(directories=_directories(surroundings))
    if surroundings.json:
        surroundings.voice.document({"version": VERSION, "running": False} if running is None else _document(running))
    elif running is None:
        surroundings.voice.data(Text("No local AWS runs. fargatectl sandbox start starts one."))
    else:
        stops = running.idle_stop_at.astimezone().strftime("%H:%M:%S")
        surroundings.voice.data(
            Text(f"The local AWS runs at {running.endpoint} (process {running.pid}); left alone, it stops at {stops}.")
        )
    return ExitCode.DONE


def set(options: SandboxSetOptions, surroundings: Surroundings) -> ExitCode:  # noqa: A001 - the command's own name
    """Have it misbehave or let something happen in it; without a KEY=VALUE, list what can be set and what is."""
    running = lifetime.status(directories=_directories(surroundings))
    if running is None:
        raise UsageError("No local AWS runs", hint="start one: fargatectl sandbox start")
    wishes = options.assignment
    known = lifetime.change_settings(running, wishes) if wishes else lifetime.settings(running)
    if surroundings.json:
        surroundings.voice.document({"version": VERSION, **known})
        return ExitCode.DONE
    if not wishes:
        surroundings.voice.data(_keys(known["keys"]))
    lines = [f"{name}={value}" for name, value in known["settings"].items()]
    surroundings.voice.data(Text("\n".join(lines) or "Nothing is set."))
    return ExitCode.DONE


def _keys(keys: list[dict[str, str]]) -> Text:
    forms = [f"{one['key']}={one['value']}" for one in keys]
    width = max(len(form) for form in forms)
    return Text("\n".join(f"{form:{width}}  {one['meaning']}" for form, one in zip(forms, keys, strict=True)) + "\n")


def _directories(surroundings: Surroundings) -> lifetime.Directories:
    return lifetime.Directories.of(surroundings.environ)


def _document(running: lifetime.Running) -> dict[str, object]:
    return {
        "version": VERSION,
        "running": True,
        "endpoint": running.endpoint,
        "pid": running.pid,
        "speed": running.speed,
        "idle_stop_at": timestamp(running.idle_stop_at),
    }


def _told(document: dict[str, bool], sentence: str, surroundings: Surroundings) -> ExitCode:
    if surroundings.json:
        surroundings.voice.document({"version": VERSION, **document})
    else:
        surroundings.voice.data(Text(sentence))
    return ExitCode.DONE
