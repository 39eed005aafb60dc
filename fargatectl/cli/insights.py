"""`insights`: a query of CloudWatch Logs Insights, a ready-made one by name or one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.cli.context import require_account, target
from fargatectl.cli.signals import Interrupted
from fargatectl.cli.timeouts import since_of
from fargatectl.dataclass import dataclass
from fargatectl.errors import ExitCode, UsageError
from fargatectl.model.insights import READY, QueryResult
from fargatectl.model.nearest import nearest
from fargatectl.render import insights as screens, machine
from fargatectl.render.console import width_of
from fargatectl.rollout.insights import Query, performance_group

if TYPE_CHECKING:
    from datetime import datetime

    from fargatectl.cli.context import Target
    from fargatectl.cli.options import InsightsOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.model.insights import ReadyQuery
    from fargatectl.model.status import ServiceView


@dataclass(frozen=True)
class _Question:
    """What is asked, and of which log groups."""

    text: str
    groups: tuple[str, ...]
    name: str = ""


def run(options: InsightsOptions, surroundings: Surroundings) -> ExitCode:
    """Print what a query finds; without one, the names of the ready-made ones."""
    ready = _ready(options)
    voice = surroundings.voice
    if ready is None and not options.query:
        voice.document(machine.ready_queries(READY)) if surroundings.json else voice.data(screens.ready(READY))
        return ExitCode.DONE
    now = surroundings.clock()
    since = since_of(options.since, now)
    with target(options, surroundings) as there:
        require_account(there)
        question = _question(options, ready, there)
        try:
            found = _ask(question, options, there, surroundings, since=since, until=now)
        except Interrupted as asked:
            return asked.exit_code
        if surroundings.json:
            voice.document(machine.query(found, text=question.text, name=question.name, groups=question.groups))
        else:
            voice.data(screens.table(found, width=width_of(voice.out)))
            voice.aside(screens.counts(found, since=options.since))
    return ExitCode.DONE


def _ready(options: InsightsOptions) -> ReadyQuery | None:
    if options.name and options.query:
        raise UsageError("a query has a name or comes with --query, not both")
    if not options.name:
        return None
    found = next((one for one in READY if one.name == options.name), None)
    if found is None:
        names = [one.name for one in READY]
        close = nearest(options.name, names)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(names)}; your own comes with --query"
        raise UsageError(f"there is no query {options.name}", hint=hint)
    return found


def _question(options: InsightsOptions, ready: ReadyQuery | None, there: Target) -> _Question:
    views = there.views(options.service)
    if ready is not None and ready.performance:
        return _of_performance(ready, views, there)
    names = {view.name for view in views}
    groups = tuple(dict.fromkeys(one.group for one in there.logs if one.name in names and one.group))
    if not groups:
        silent = next((one.silent for one in there.logs if one.name in names and one.silent), "there is no service")
        raise UsageError(f"there is no log group to ask: {silent}")
    return _Question(ready.text if ready else options.query or "", groups, ready.name if ready else "")


def _of_performance(ready: ReadyQuery, views: tuple[ServiceView, ...], there: Target) -> _Question:
    specs = [there.stack.resources[view.service].spec for view in views]
    if there.config.cluster.container_insights == "disabled":
        hint = 'set cluster.container_insights = "enabled"; it records from then on'
        raise UsageError(f"{ready.name} is about what Container Insights records, which is off", hint=hint)
    services = ", ".join(f'"{spec.name}"' for spec in specs)
    groups = tuple(dict.fromkeys(performance_group(spec.cluster) for spec in specs))
    return _Question(ready.text.replace("SERVICES", services), groups, ready.name)


def _ask(  # noqa: PLR0913 - what a question is asked with
    question: _Question,
    options: InsightsOptions,
    there: Target,
    surroundings: Surroundings,
    *,
    since: datetime,
    until: datetime,
) -> QueryResult:
    """Return what the query found in the end; Ctrl-C stops it in AWS, too."""
    found = QueryResult("Scheduled")
    query = Query(there.aws, question.text, question.groups, since=since, until=until, limit=options.limit)
    try:
        for found in query.results():
            surroundings.voice.wait_for(screens.progress(found))
    except Interrupted:
        query.stop()
        raise
    return found
