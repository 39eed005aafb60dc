"""Where a service's output goes: `[services.NAME.logs]`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from fargatectl.config.container import IMAGE
from fargatectl.config.field_types import Bool, KmsKey, String, Value
from fargatectl.config.interpolate import Interpolated
from fargatectl.config.limits import RETENTION_DAYS
from fargatectl.config.scalars import Scalar, Text, shown
from fargatectl.config.section import Section

LogGroupName = Annotated[
    str,
    Text("a log group name of letters, digits and ._/-, not beginning with aws/", r"(?!aws/)[A-Za-z0-9._/-]{1,512}"),
]
"""CloudWatch Logs API Reference, CreateLogGroup; but `#`, which a group's ARN may not have where tags are asked for
(ListTagsForResource): nobody could tell whose it is."""
StreamPrefix = Annotated[str, Text("a log stream prefix without : and *", r"[^:*\x00]{1,256}")]
LogOption = Annotated[str, Text("the name of an option", r"[A-Za-z0-9_.-]{1,128}")]
BufferSize = Annotated[str, Text('a size as AWS writes it, such as "10m"', r"[1-9][0-9]{0,8}[bkmgBKMG]?")]


class Retention(Scalar):
    """How long logs are kept: one of CloudWatch's numbers of days, or `"never"` to forget none."""

    def parse(self, value: object) -> int | str:
        """Return the days, or `"never"`."""
        if value == "never":
            return "never"
        days = int(value) if isinstance(value, Interpolated) and value.isdecimal() else value
        if isinstance(days, int) and not isinstance(days, bool) and days in RETENTION_DAYS:
            return days
        raise ValueError(f"{shown(value)} is no retention; use {self._near(days)}")

    @staticmethod
    def _near(days: object) -> str:
        if not isinstance(days, int) or days < 1:
            return 'days such as 7, 30 or 365, or "never"'
        near = sorted(sorted(RETENTION_DAYS, key=lambda known: abs(known - days))[:2])
        return f'{near[0]} or {near[1]} days, or "never"'

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"enum": [*RETENTION_DAYS, "never"]}


DRIVER_KEYS = {
    "multiline": ("awslogs",),
    "datetime": ("awslogs",),
    "options": ("awsfirelens",),
    "router": ("awsfirelens",),
    **dict.fromkeys(
        ("group", "stream_prefix", "retention", "mode", "buffer", "keep_on_destroy", "class_", "kms_key"),
        ("awslogs", "awsfirelens"),
    ),
}
"""Keys of `logs` that belong to some drivers only."""


class Logs(Section):
    """Where the containers' output goes: CloudWatch Logs, a log router, or nowhere."""

    driver: Literal["awslogs", "awsfirelens", "none"] = "awslogs"
    """awslogs writes to the group, awsfirelens hands lines to a Fluent Bit of the task, none keeps nothing."""
    options: dict[LogOption, Value] = Field(default_factory=dict)
    """awsfirelens: the options of Fluent Bit's output, `Name` among them; by default it writes to the group."""
    router: Annotated[str, IMAGE] = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"
    """awsfirelens: the image of the log router."""
    group: LogGroupName = ""
    """The log group; by default `/APP/SERVICE`, or `/APP-ENV/SERVICE`."""
    stream_prefix: StreamPrefix = ""
    """The first part of the streams' names; by default the service's name."""
    retention: Annotated[int | Literal["never"], Retention()] = 30
    """Days after which CloudWatch forgets, or `"never"`."""
    mode: Literal["non-blocking", "blocking"] = "non-blocking"
    """Whether a container waits (`blocking`) or loses lines when CloudWatch does not take them fast enough."""
    buffer: BufferSize = "10m"
    """What non-blocking mode keeps in memory."""
    keep_on_destroy: Bool = False
    """Whether `destroy` leaves the log group."""
    class_: Literal["STANDARD", "INFREQUENT_ACCESS"] = Field("STANDARD", alias="class")
    """The log group's class; it is chosen once."""
    kms_key: KmsKey | None = None
    """The KMS key that encrypts the log group, by ARN."""
    multiline: String | None = None
    """awslogs: a regular expression that fits the first line of a message."""
    datetime: String | None = None
    """awslogs: the format of the date that begins a message, in strftime's letters."""
