"""Dataclasses of ours behave as those of the standard library, which is why nothing else is said of them anywhere."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import FrozenInstanceError, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

import fargatectl
from fargatectl import dataclass as ours

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(fargatectl.__file__).parent
KINDS = [{"frozen": frozen, "kw_only": kw_only} for frozen in (False, True) for kw_only in (False, True)]


def made_by(dataclass: Any, options: dict[str, bool]) -> tuple[type[Any], type[Any]]:
    """Return a dataclass and one derived from it."""

    @dataclass(**options)
    class Task:
        kind: ClassVar[str] = "task"
        name: str
        cpu: int = 256
        ports: list[int] = field(default_factory=list)
        seen: str = field(default="", compare=False)
        secret: str = field(default="hidden", repr=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "name", self.name.lower())

    @dataclass(**options)
    class Job(Task):
        keep: Any = None  # nothing that a constructor is made of may bear the name of a field

    return Task, Job


def told(make: Any) -> Any:
    """Return what came of it: a value's looks and place in sets, or the kind of refusal."""
    try:
        value = make()
    except (TypeError, FrozenInstanceError) as error:
        return type(error)
    try:
        return repr(value).rpartition("<locals>.")[2], hash(value)
    except TypeError:
        return repr(value).rpartition("<locals>.")[2], "unhashable"


USES: dict[str, Callable[[Any, Any], object]] = {
    "by name": lambda task, _: task(name="WEB", ports=(80,)),
    "by position": lambda task, _: task("WEB", 512, (80,)),
    "too many": lambda task, _: task("WEB", 512, (), "", "", None),
    "too few": lambda task, _: task(cpu=1),
    "unknown": lambda task, _: task(name="web", gpu=1),
    "twice": lambda task, _: task("web", name="web"),
    "default": lambda task, _: task(name="web"),
    "derived": lambda _, job: job(name="web", ports=(), keep=3),
    "replaced": lambda _, job: replace(job(name="web", ports=(1,)), cpu=2, keep=(4,)),
    "as tuple": lambda task, _: dataclasses.astuple(task(name="web")),
    "fields": lambda _, job: [(f.name, f.kw_only, f.compare) for f in fields(job)],
    "equal": lambda task, _: task(name="web", seen="a") == task(name="WEB", seen="b"),
    "other": lambda task, _: task(name="web") == task(name="web", secret="x"),
    "of another class": lambda task, job: task(name="web") == job(name="web"),
    "set": lambda task, _: setattr(task(name="web"), "cpu", 3),
    "set anew": lambda task, _: setattr(task(name="web"), "keep", 3),
    "set in derived": lambda _, job: setattr(job(name="web"), "cpu", 3),
    "deleted": lambda task, _: delattr(task(name="web"), "cpu"),
    "class variable": lambda task, _: task(name="web").kind,
    "matched": lambda task, _: matched(task(name="web", cpu=3)),
    "known as one": lambda task, job: (dataclasses.is_dataclass(task), dataclasses.is_dataclass(job)),
    "copied": lambda task, _: copy.deepcopy(task(name="web", ports=[1])),
    "documentation": lambda task, _: task.__doc__ is not None,
    "itself": lambda task, _: itself(task(name="web")),
}


def matched(one: Any) -> Any:
    kind = type(one)
    match one:
        case kind(name, cpu):
            return name, cpu
        case _:
            return "no match"


def itself(one: Any) -> Any:
    one.ports.append(one)
    return one


@pytest.mark.parametrize("options", KINDS, ids=lambda options: "+".join(k for k, v in options.items() if v) or "plain")
@pytest.mark.parametrize("use", USES)
def test_they_do_as_those_of_the_standard_library(use: str, options: dict[str, bool]) -> None:
    task, job = made_by(ours.dataclass, options)
    standard_task, standard_job = made_by(dataclasses.dataclass, options)
    assert told(lambda: USES[use](task, job)) == told(lambda: USES[use](standard_task, standard_job))


def test_methods_of_the_class_itself_are_kept() -> None:
    @ours.dataclass(frozen=True)
    class Same:
        name: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Same)

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "the same"

    assert (Same("a"), hash(Same("a")), repr(Same("a"))) == (Same("b"), 7, "the same")


def test_no_module_takes_those_that_are_slow_to_make() -> None:
    # But for the local AWS: a server starts once.
    modules = {path.relative_to(PACKAGE): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    slow = {
        str(path)
        for path, text in modules.items()
        for line in text.splitlines()
        if path.parts[0] != "sandbox" and "dataclasses import" in line and " dataclass" in line.partition("import")[2]
    }
    assert slow == {"dataclass.py"}
