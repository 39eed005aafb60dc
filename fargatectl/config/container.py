"""The tables of one container: what a service's main container and its sidecars have in common."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fargatectl.config.field_types import Bool, Cpu, Memory, Name, Port, String, Value, VariableName, Words
from fargatectl.config.scalars import OneOrMany, Seconds, Text, Whole, shown
from fargatectl.config.section import Section
from fargatectl.model import images


class ImageReference(Text):
    """An image as a container runtime can pull it: ECS API Reference, ContainerDefinition: image."""

    def parse(self, value: object) -> str:
        """Return the string."""
        image = super().parse(value)
        if not images.is_valid(image):
            raise ValueError(f"expected {self.expected}, got {shown(value)}")
        return image


IMAGE = ImageReference('an image such as "docker.io/acme/api:1.0"', r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}", 512)
CommandLine = Annotated[Words, OneOrMany()]
SecretId = Annotated[
    str,
    Text(
        "the name of a secret (letters, digits and /_+=.@-) or its ARN",
        r"[A-Za-z0-9/_+=.@-]{1,512}|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}",
        2048,
    ),
]
ParameterId = Annotated[
    str,
    Text(
        "the name of a parameter (letters, digits and /_.-) or its ARN",
        r"[A-Za-z0-9/_.-]{1,1011}|arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9/_.-]{1,1011}",
        2048,
    ),
]
SecretPart = Annotated[str, Text("a string without colons", r"[^:\x00]{1,512}")]
UlimitName = Literal[
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
    "rttime", "sigpending", "stack",
]  # fmt: skip
"""ECS API Reference, Ulimit."""
UlimitValue = Annotated[int, Whole(-1, 2**31 - 1)]


class ContainerHealthCheck(Section):
    """A command that ECS runs in the container: ECS API Reference, HealthCheck."""

    command: CommandLine
    """`["CMD-SHELL", "…"]`, or `["CMD", "program", "argument"]`."""
    interval: Annotated[int, Seconds(5, 300)] = 30
    """Time between two checks."""
    timeout: Annotated[int, Seconds(2, 60)] = 5
    """After this time a check has failed."""
    retries: Annotated[int, Whole(1, 10)] = 3
    """So many failed checks in a row make the container unhealthy."""
    start_period: Annotated[int, Seconds(0, 300)] = 0
    """Failures in this time after the start do not count."""


class Secret(Section):
    """Where a secret environment variable comes from; only the reference is ever stored, never the value."""

    shorthand = "secret"

    secret: SecretId | None = None
    """The name or ARN of a secret in Secrets Manager."""
    key: SecretPart | None = None
    """One key of the secret's JSON; without it the whole value."""
    stage: SecretPart | None = None
    """The version's stage, such as AWSCURRENT."""
    version: SecretPart | None = None
    """The version's id."""
    parameter: ParameterId | None = None
    """The name or ARN of a parameter in SSM's Parameter Store."""

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: object) -> object:
        """Read a lone string: a secret's name, its ARN as ECS takes it (`…:key:stage:version`), a parameter's ARN."""
        if not isinstance(value, str):
            return value
        parts = value.split(":")
        if parts[0] != "arn" or len(parts) < _ARN_PARTS or parts[2] == "ssm":
            return {"parameter" if parts[0] == "arn" and "ssm" in parts[2:3] else "secret": value}
        tail = dict(zip(("key", "stage", "version"), parts[_ARN_PARTS:], strict=False))
        return {"secret": ":".join(parts[:_ARN_PARTS]), **{key: part for key, part in tail.items() if part}}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.secret is None) == (self.parameter is None):
            raise ValueError("expected either `secret` or `parameter`")
        if self.parameter is not None and (self.key or self.stage or self.version):
            raise ValueError("`key`, `stage` and `version` are for secrets; a parameter has none")
        return self


_ARN_PARTS = 7


class Container(Section):
    """What the main container and its sidecars have in common."""

    image: Annotated[str, IMAGE]
    """The image, with its registry unless it is on Docker Hub."""
    command: CommandLine = ()
    """Instead of the image's CMD."""
    entrypoint: CommandLine = ()
    """Instead of the image's ENTRYPOINT."""
    workdir: String | None = None
    """The working directory."""
    user: String | None = None
    """`user`, `uid`, `user:group` or `uid:gid`."""
    readonly_root: Bool = False
    """Whether the root file system is read-only."""
    init: Bool = False
    """Whether an init process forwards signals and reaps processes."""
    stop_timeout: Annotated[int, Seconds(2, 120)] = 30
    """Time between SIGTERM and SIGKILL."""
    ulimits: dict[UlimitName, tuple[UlimitValue, UlimitValue]] = Field(default_factory=dict)
    """Soft and hard limit by name."""
    env: dict[VariableName, Value] = Field(default_factory=dict)
    """Environment variables; everybody who may describe the task definition can read them."""
    secrets: dict[VariableName, Secret] = Field(default_factory=dict)
    """Environment variables whose values ECS fetches when a task starts."""
    health_check: ContainerHealthCheck | None = None
    """The container's own health check; the load balancer's is `http.health_check`."""


class Sidecar(Container):
    """One more container of the task: `[services.X.sidecars.NAME]`."""

    essential: Bool = True
    """Whether the task stops when this container does."""
    ports: tuple[Port, ...] = ()
    """Ports that the container listens on."""
    cpu: Cpu | None = None
    """CPU units of the task's that are kept for this container."""
    memory: Memory | None = None
    """MiB; the container is stopped when it uses more."""
    depends_on: dict[Name, Literal["START", "COMPLETE", "SUCCESS", "HEALTHY"]] = Field(default_factory=dict)
    """Containers that must have come so far before this one starts."""
