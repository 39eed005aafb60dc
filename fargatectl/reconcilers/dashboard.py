"""CloudWatch dashboards: one page with the curves of all services."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.tags import as_dict, pairs
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import tags_shown
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model import names
from fargatectl.model.spec import Spec, setting
from fargatectl.model.values import Late, known as settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 3
_HEADER_HEIGHT = 2
_PERIOD_SECONDS = 60
_GRID = 24  # columns of a dashboard: CloudWatch API Reference, "Dashboard body structure and syntax"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve: a metric by its dimensions, and the statistic of each minute."""

    key: ClassVar[str] = "label"

    label: str
    namespace: str
    metric: str
    statistic: str
    dimensions: Mapping[str, Late[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves in one frame. `rest` is the JSON of what we never write, kept so that it shows as a difference."""

    key: ClassVar[str] = "title"

    title: str
    lines: tuple[Line, ...] = ()
    rest: str = ""


@dataclass(frozen=True, kw_only=True)
class Dashboard(Spec):
    """A dashboard: a text on top, and charts below it, three a row. `region` is that of all its metrics."""

    name: str = setting(immutable=True)
    region: str = setting(wiring=True, default="")
    text: str = ""
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class DashboardOut:
    """A dashboard."""

    name: str
    arn: str


DashboardLive = Live[Dashboard, DashboardOut]


class Dashboards(Reconciler[Dashboard, DashboardOut]):
    """Reads and changes dashboards.

    They are global: an account has one of a name, whatever the Region, so that ours have the Region in their names.
    PutDashboard makes and replaces alike, as PutMetricAlarm does.
    """

    kind = "dashboard.dashboard"
    noun = "dashboard"
    tagged_as = ""
    foresees = True

    def read(self, aws: Aws, specs: Sequence[Dashboard]) -> Sequence[DashboardLive | None]:
        return aws.each(lambda spec: _look(aws, spec), specs)

    def foresee(self, aws: Aws, owner: Ownership) -> None:
        _body_of(aws, names.dashboard(owner, aws.region))

    def create(self, aws: Aws, spec: Dashboard) -> DashboardOut:
        _put(aws, spec)
        return DashboardOut(spec.name, _arn(aws, spec.name))

    def update(self, aws: Aws, live: DashboardLive, spec: Dashboard, delta: Delta) -> DashboardOut:
        if delta.touches("tags"):
            aws.cloudwatch.tag_resource(ResourceARN=live.out.arn, Tags=pairs(spec.tags))
        if delta.touches("text", "charts"):
            _put(aws, spec)
        return live.out

    def delete(self, aws: Aws, live: DashboardLive) -> None:
        try:
            aws.cloudwatch.delete_dashboards(DashboardNames=[live.out.name])
        except ClientError as error:
            if not says(error, "ResourceNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[DashboardLive]:
        # The tagging API shows global resources in one Region only; there is one dashboard, and its name is known.
        name = names.dashboard(owner, aws.region)
        live = None if _arn(aws, name) in known else _look(aws, Dashboard(name=name))
        return [live] if live is not None and owner.owns(live.spec.tags) else []


def declare(stack: Stack, region: str, *, text: str, charts: Iterable[Chart]) -> Declared[DashboardOut]:
    """Declare the app's dashboard in `region`."""
    spec = Dashboard(name=names.dashboard(stack.owner, region), region=region, text=text, charts=tuple(charts))
    return stack.add(Dashboards(), region, spec, group="dashboard")


def _arn(aws: Aws, name: str) -> str:
    identity = aws.identity()
    return f"arn:{identity.partition}:cloudwatch::{identity.account}:dashboard/{name}"


def _put(aws: Aws, spec: Dashboard) -> None:
    # Tags are ignored for a dashboard that exists. They go along for one that is deleted at this moment.
    aws.cloudwatch.put_dashboard(DashboardName=spec.name, DashboardBody=_body(spec), Tags=pairs(spec.tags))


def _body_of(aws: Aws, name: str) -> str | None:
    def ask() -> str | None:
        try:
            return aws.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
        except ClientError as error:
            if says(error, "ResourceNotFound"):
                return None
            raise

    return aws.reads.once(("dashboard", name), ask)


def _look(aws: Aws, spec: Dashboard) -> DashboardLive | None:
    body = _body_of(aws, spec.name)
    if body is None:
        return None
    arn = _arn(aws, spec.name)
    tags = tags_shown(
        aws, arn, spec.tags, lambda: as_dict(aws.cloudwatch.list_tags_for_resource(ResourceARN=arn).get("Tags"))
    )
    text, charts = _parsed(json.loads(body), spec.region or aws.region)
    return Live(Dashboard(name=spec.name, text=text, charts=charts, tags=tags), DashboardOut(spec.name, arn), arn)


def _body(spec: Dashboard) -> str:
    header = {"type": "text", **_frame(0, 0, _GRID, _HEADER_HEIGHT), "properties": {"markdown": spec.text}}
    charts = [_widget(chart, place, spec.region) for place, chart in enumerate(spec.charts)]
    return json.dumps({"widgets": [header, *charts]}, separators=(",", ":"))


def _frame(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "width": width, "height": height}


def _widget(chart: Chart, place: int, region: str) -> dict[str, Any]:
    row, column = divmod(place, _COLUMNS)
    return {
        "type": "metric",
        **_frame(column * _WIDTH, _HEADER_HEIGHT + row * _HEIGHT, _WIDTH, _HEIGHT),
        "properties": {
            "title": chart.title,
            "view": "timeSeries",
            "stacked": False,
            "region": region,
            "period": _PERIOD_SECONDS,
            "yAxis": {"left": {"min": 0}},
            "metrics": [_metric(line) for line in chart.lines],
        },
    }


def _metric(line: Line) -> list[Any]:
    dimensions = [part for name, value in sorted(line.dimensions.items()) for part in (name, settled(value))]
    return [line.namespace, line.metric, *dimensions, {"label": line.label, "stat": line.statistic}]


def _parsed(body: Any, region: str) -> tuple[str, tuple[Chart, ...]]:  # noqa: ANN401 - JSON that anybody may write
    """Return the text and the charts of a body. A widget that is not as we would write it keeps its JSON."""
    first, *others = body.get("widgets") or [{}]
    text = (first.get("properties") or {}).get("markdown", "") if first.get("type") == "text" else ""
    return text, tuple(_chart(widget, place, region) for place, widget in enumerate(others))


def _chart(widget: Any, place: int, region: str) -> Chart:  # noqa: ANN401 - as above
    try:
        properties = widget["properties"]
        chart = Chart(title=properties["title"], lines=tuple(map(_line, properties["metrics"])))
    except (KeyError, TypeError, ValueError, IndexError):
        return Chart(title=f"widget {place + 1}", rest=json.dumps(widget, sort_keys=True))
    same = _widget(chart, place, region) == widget
    return chart if same else Chart(title=chart.title, lines=chart.lines, rest=json.dumps(widget, sort_keys=True))


def _line(metric: list[Any]) -> Line:
    namespace, name, *parts, options = metric
    return Line(
        label=options["label"],
        namespace=namespace,
        metric=name,
        statistic=options["stat"],
        dimensions=dict(zip(parts[::2], parts[1::2], strict=True)),
    )
