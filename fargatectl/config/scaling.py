"""The tables of `[services.X.scaling]`: Application Auto Scaling of a service's desired count."""

from typing import Annotated, Literal

from pydantic import Field

from fargatectl.config.field_types import Bool, Percent, String, TimeZone
from fargatectl.config.scalars import Number, OneOrMany, Seconds, Text, Whole
from fargatectl.config.section import Section

Count = Annotated[int, Whole(0, 5000)]
Cooldown_ = Annotated[int, Seconds(0, 86_400)]
AnyNumber = Annotated[float, Number(-1e300, 1e300)]
ActionName = Annotated[
    str, Text("a name of at most 255 characters without : / |", r"[^:/|\x00\s]([^:/|\x00]{0,253}[^:/|\x00\s])?")
]
"""Application Auto Scaling API Reference, PutScheduledAction: ScheduledActionName."""
CronFields = Annotated[
    str,
    Text(
        'six cron fields: minutes, hours, day of month, month, day of week, year, such as "0 7 ? * MON-FRI *"',
        r"\s*[A-Za-z0-9*?,/#-]+(\s+[A-Za-z0-9*?,/#-]+){5}\s*",
    ),
]
"""Application Auto Scaling User Guide, Schedule recurring scaling actions using cron expressions."""


class Cooldown(Section):
    """Time that must pass after one scaling before the next."""

    out: Cooldown_ = 60
    """After tasks were added."""
    in_: Cooldown_ = Field(default=300, alias="in")
    """After tasks were removed."""


class Metric(Section):
    """A CloudWatch metric."""

    namespace: String
    """The metric's namespace."""
    name: String
    """The metric's name."""
    statistic: Annotated[
        str,
        Text(
            "Average, Minimum, Maximum, Sum, SampleCount or a percentile such as p95",
            r"Average|Minimum|Maximum|Sum|SampleCount|p[0-9]{1,2}(\.[0-9]{1,2})?|p100",
        ),
    ] = "Average"
    """The statistic."""
    dimensions: dict[String, String] = Field(default_factory=dict)
    """The dimensions; in AWS/ECS and AWS/ApplicationELB by default this service's."""
    period: Annotated[int, Seconds(10, 86_400)] = 60
    """The length of one period, for step scaling."""
    periods: Annotated[int, Whole(1, 1440)] = 1
    """So many periods in a row must be beyond the threshold, for step scaling."""


class CustomScaling(Section):
    """Target tracking on a metric of one's own."""

    metric: Metric
    """The metric; it must fall when tasks are added."""
    target: AnyNumber
    """The value to hold."""
    scale_in: Bool = True
    """Whether tasks are removed too."""


class ScalingStep(Section):
    """One step: by how much, in which distance from the threshold."""

    from_: AnyNumber | None = Field(default=None, alias="from")
    """The lower end, from the threshold."""
    to: AnyNumber | None = None
    """The upper end, from the threshold."""
    by: Annotated[int, Whole(-5000, 5000)]
    """Tasks or percent."""


class StepScaling(Section):
    """Step scaling, with its alarm."""

    name: ActionName
    """The policy's name."""
    metric: Metric
    """What the alarm looks at."""
    above: AnyNumber | None = None
    """The alarm's threshold, of a metric that is too high."""
    below: AnyNumber | None = None
    """The alarm's threshold, of a metric that is too low."""
    adjust: Literal["change", "percent", "exact"] = "change"
    """What the steps' `by` means."""
    steps: tuple[ScalingStep, ...]
    """The steps."""
    cooldown: Cooldown_ = 300
    """Time before the next step."""


class ScheduledScaling(Section):
    """Other bounds from a time on."""

    name: ActionName
    """The action's name."""
    cron: CronFields
    """Six fields, as in Application Auto Scaling's `cron(…)`."""
    timezone: TimeZone = "UTC"
    """The time zone's IANA name."""
    min: Count | None = None
    """The new least number of tasks."""
    max: Count | None = None
    """The new greatest number of tasks."""


class Scaling(Section):
    """Automatic scaling between `min` and `max`."""

    min: Count
    """The least number of tasks."""
    max: Count
    """The greatest number of tasks."""
    cpu: Percent | None = None
    """Target tracking: average CPU, in percent of what is reserved."""
    memory: Percent | None = None
    """Target tracking: average memory, in percent of what is reserved."""
    requests: Annotated[float, Number(1, 1e9)] | None = None
    """Target tracking: requests per target and minute."""
    cooldown: Cooldown = Field(default_factory=Cooldown)
    """Cooldowns of the target tracking."""
    custom: tuple[CustomScaling, ...] = ()
    """Target tracking on other metrics."""
    step: tuple[StepScaling, ...] = ()
    """Step scaling."""
    schedule: tuple[ScheduledScaling, ...] = ()
    """Scheduled bounds."""
    suspended: Annotated[tuple[Literal["in", "out", "scheduled"], ...], OneOrMany()] = ()
    """What is held: removing tasks, adding tasks, scheduled bounds."""
