"""The types of the file's values that more than one table uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fargatectl.config.scalars import CPU, MEMORY, Flag, Number, OneOrMany, Seconds, Text, VariableValue, Whole, Zone
from fargatectl.config.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Bool = Annotated[bool, Flag()]
Cpu = Annotated[int, CPU]
"""CPU units; 1024 are one vCPU."""
Memory = Annotated[int, MEMORY]
"""MiB."""
String = Annotated[str, Text("a string that is not empty")]
Strings = Annotated[tuple[String, ...], OneOrMany()]
Words = tuple[Annotated[str, Text("a string", r"[^\x00]*", 65536)], ...]
"""The words of a command; an empty one is a word."""
Value = Annotated[str, VariableValue()]
Port = Annotated[int, Whole(1, 65535)]
Percent = Annotated[float, Number(1, 100)]
Day = 86400
Timeout = Annotated[int, Seconds(1, Day)]
TimeZone = Annotated[str, Zone()]

AppName = Annotated[str, Text("a name of lower-case letters, digits and hyphens, of at most 32", r"[a-z0-9-]{1,32}")]
AccountId = Annotated[str, Text("an account id of 12 digits in quotes", r"[0-9]{12}")]
Region = Annotated[str, Text('a Region such as "eu-central-1"', r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")]
Name = Annotated[str, Text("a name of letters, digits, _ and -, of at most 255", r"[A-Za-z0-9_-]{1,255}")]
"""ECS API Reference, CreateCluster, CreateService, RegisterTaskDefinition: names."""
VariableName = Annotated[str, Text("the name of an environment variable", r"[^=\x00]{1,512}")]
TagKey = Annotated[str, Text("a tag key of at most 128 letters, digits, spaces and _.:/=+-@", r"[\w .:/=+\-@]{1,128}")]
TagValue = Annotated[
    str, Text("a tag value of at most 256 letters, digits, spaces and _.:/=+-@", r"[\w .:/=+\-@]{0,256}")
]
"""The characters that all services accept: Tagging AWS Resources, Tag naming limits and requirements."""
Tags = dict[TagKey, TagValue]
Source = Annotated[
    str,
    Text(
        'a CIDR such as "10.0.0.0/8", a security group "sg-…" or a prefix list "pl-…"',
        r"[0-9a-fA-F.:]+/[0-9]{1,3}|sg-[0-9a-f]{8,17}|pl-[0-9a-f]{8,17}",
    ),
]
"""Where traffic may come from: EC2 API Reference, IpPermission."""
Sources = Annotated[tuple[Source, ...], OneOrMany()]
Peer = Annotated[
    str,
    Text(
        'a CIDR such as "10.0.0.0/8", a security group "sg-…", a prefix list "pl-…" or a group of the file by its name',
        r"[0-9a-fA-F.:]+/[0-9]{1,3}|[A-Za-z0-9_-]{1,255}",
    ),
]
"""Where traffic may come from, groups of `[network.security_groups]` included."""
PolicyArn = Annotated[
    str, Text("the ARN of an IAM policy", r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\w+=,.@/-]+", 2048)
]
KmsKey = Annotated[
    str,
    Text('the ARN of a KMS key "arn:aws:kms:…:key/…"', r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+"),
]
Provider = Literal["FARGATE", "FARGATE_SPOT"]


class TagSelector(Section):
    """Existing things, found by their tags."""

    tag: Tags
    """All of these tags must be there, with these values."""


class CapacityItem(Section):
    """One item of a capacity provider strategy."""

    provider: Provider
    """The capacity provider."""
    base: Annotated[int, Whole(0, 100_000)] = 0
    """So many tasks at least run on this provider; one item only may have a base."""
    weight: Annotated[int, Whole(0, 1000)] = 1
    """The share of the other tasks; one item at least needs a weight above 0."""


class LocalVariable(Section):
    """A value from the environment of the machine that deploys."""

    env: VariableName
    """The name of the environment variable."""


def form(tags: Mapping[type, str], otherwise: str) -> Callable[[object], str]:
    """Return the discriminator of a value that may be written in several forms, told apart by their TOML type.

    The tags begin with `~`, by which `problems.py` leaves them out of the paths of keys.
    """

    def tag(value: object) -> str:
        return next((name for kind, name in tags.items() if isinstance(value, kind)), otherwise)

    return tag
