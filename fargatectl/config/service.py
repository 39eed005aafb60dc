"""The tables of a service: `[services.NAME]` and all below it."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fargatectl.config.container import Container, Sidecar
from fargatectl.config.field_types import (
    Bool,
    CapacityItem,
    Cpu,
    Memory,
    Name,
    PolicyArn,
    Port,
    Sources,
    String,
    Strings,
    Timeout,
    form,
)
from fargatectl.config.logs import Logs
from fargatectl.config.scalars import Number, OneOrMany, Seconds, Text, Whole
from fargatectl.config.scaling import Scaling
from fargatectl.config.section import Section

SubnetId = Annotated[str, Text('a subnet id "subnet-…"', r"subnet-[0-9a-f]{8,17}")]
SubnetChoice = Annotated[
    Annotated[Literal["public", "private"], Tag("~kind")] | Annotated[tuple[SubnetId, ...], Tag("~ids")],
    Discriminator(form({str: "~kind"}, "~ids")),
]
HostName = Annotated[
    str, Text('a host name such as "shop.example.com"; * and ? are wildcards', r"[A-Za-z0-9*?_.-]{1,128}")
]
"""ELB API Reference, HostHeaderConditionConfig: characters and length."""
PathPattern = Annotated[
    str, Text('a path such as "/app/*"; * and ? are wildcards', r"[/*][A-Za-z0-9_.$/~\"'@:+&*?-]{0,127}")
]
"""ELB API Reference, PathPatternConditionConfig: characters and length."""
HealthPath = Annotated[str, Text('a path that begins with "/"', r"/[!-~]{0,1023}", 1024)]
HttpCodes = Annotated[
    str,
    Text('status codes such as "200", "200-299" or "200,204"', r"[0-9]{1,3}(-[0-9]{1,3})?(,[0-9]{1,3}(-[0-9]{1,3})?)*"),
]
DiscoveryName = Annotated[
    str,
    Text(
        "a DNS name of letters, digits and hyphens, labels of at most 63",
        r"(?=.{1,127}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*",
    ),
]
ENV_FILE = r"arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+\.env"
RoleId = Annotated[
    str,
    Text(
        "the name of a role (letters, digits and +=,.@_-) or its ARN",
        r"[\w+=,.@-]{1,64}|arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-~]+/)?[\w+=,.@-]{1,64}",
        2048,
    ),
]
"""IAM API Reference, CreateRole: RoleName."""
EnvironmentFile = Annotated[
    str, Text('the ARN of an object in S3 that ends in .env: "arn:aws:s3:::BUCKET/KEY.env"', ENV_FILE, 2048)
]
"""ECS API Reference, EnvironmentFile: the file must have the extension .env."""


class Statement(Section):
    """One statement of the task role's policy."""

    actions: Annotated[
        tuple[
            Annotated[str, Text('an action such as "s3:GetObject"', r"[a-z0-9-]{1,64}:[A-Za-z0-9*?]{1,128}|\*")], ...
        ],
        OneOrMany(),
    ]
    """The actions that are allowed."""
    resources: Strings
    """The ARNs that they are allowed on; `*` for all."""


class Permissions(Section):
    """What the containers may do in AWS, beyond what exec needs: the task role."""

    managed: tuple[PolicyArn, ...] = ()
    """Managed policies, by ARN; at most 10."""
    allow: tuple[Statement, ...] = ()
    """Statements of the role's own policy."""


class Roles(Section):
    """Roles that exist already, instead of those that are created for the service."""

    execution: RoleId | None = None
    """What ECS uses to start tasks, by name or ARN. It must allow all that the tasks need to start."""
    task: RoleId | None = None
    """What the containers have, by name or ARN. It must allow all that they do."""


class Efs(Section):
    """An EFS file system; traffic to it is encrypted."""

    file_system: Annotated[str, Text('a file system id "fs-…"', r"fs-[0-9a-f]{8,40}")]
    """The file system's id."""
    access_point: Annotated[str, Text('an access point id "fsap-…"', r"fsap-[0-9a-f]{8,40}")] | None = None
    """The access point's id."""
    root: Annotated[str, Text("an absolute path", r"/.*")] = "/"
    """The directory to mount; `/` with an access point."""
    iam: Bool = False
    """Whether the task role is used to mount."""


class Volume(Section):
    """A volume of the task; without `efs` it is empty at the start and shared by its containers."""

    efs: Efs | None = None
    """An EFS file system."""
    mount: dict[Name, Annotated[str, Text("an absolute path, `:ro` behind it if read-only", r"/.*")]]
    """Container → path."""


class HttpHealthCheck(Section):
    """How the load balancer asks a task whether it is well: ELB API Reference, CreateTargetGroup."""

    shorthand = "path"

    path: HealthPath = "/"
    """The path to ask for."""
    codes: HttpCodes = "200"
    """The HTTP (or gRPC) codes of a healthy answer."""
    interval: Annotated[int, Seconds(5, 300)] = 10
    """Time between two checks."""
    timeout: Annotated[int, Seconds(2, 120)] = 5
    """After this time a check has failed."""
    healthy: Annotated[int, Whole(2, 10)] = 2
    """So many good checks in a row make a target healthy."""
    unhealthy: Annotated[int, Whole(2, 10)] = 3
    """So many failed checks in a row make a target unhealthy."""


class Http(Section):
    """How requests reach the service through a load balancer."""

    load_balancer: String = ""
    """One of `[load_balancers]`; by default the only one, else an internet-facing `public`."""
    host: Annotated[tuple[HostName, ...], OneOrMany()] = ()
    """Host names that lead here; without host and path the service answers everything that no rule takes."""
    path: Annotated[tuple[PathPattern, ...], OneOrMany()] = ()
    """Paths that lead here."""
    priority: Annotated[int, Whole(1, 50_000)] | None = None
    """The rule's place among the others, lowest first; by default chosen so that the more specific comes first."""
    protocol_version: Literal["HTTP1", "HTTP2", "GRPC"] = "HTTP1"
    """The protocol towards the tasks."""
    health_check: HttpHealthCheck = Field(default_factory=HttpHealthCheck)
    """The target group's health check; a lone string is its path."""
    grace_period: Annotated[int, Seconds(0, 2**31 - 1)] = 60
    """Time after a task's start in which failed health checks do not count."""
    deregistration_delay: Annotated[int, Seconds(0, 3600)] = 30
    """Time in which a target that leaves may finish its requests."""
    algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = "round_robin"
    """How the load balancer chooses a target."""
    stickiness: Annotated[int, Seconds(1, 604_800)] | None = None
    """Time for which a browser keeps its target, by a cookie of the load balancer's."""


class ServiceDiscovery(Section):
    """How other services find this one: a service in the Cloud Map namespace of `[discovery]`."""

    name: DiscoveryName = ""
    """The name below the namespace; by default the service's."""
    records: tuple[Literal["A", "SRV"], ...] = ("A",)
    """The DNS records; SRV tells the port too."""
    ttl: Annotated[int, Seconds(0, 2**31 - 1)] = 10
    """How long an answer may be remembered."""
    routing: Literal["MULTIVALUE", "WEIGHTED"] = "MULTIVALUE"
    """MULTIVALUE answers with up to eight healthy tasks, WEIGHTED with one."""


class TestTraffic(Section):
    """Requests that reach the new version before all others do; exactly `host`, `path`, or both of them."""

    host: Annotated[tuple[HostName, ...], OneOrMany()] = ()
    """Host names that lead to the new version while it is tried; at other times to the one that serves."""
    path: Annotated[tuple[PathPattern, ...], OneOrMany()] = ()
    """Paths that do."""


class DeploymentHook(Section):
    """Something that a deployment waits for at a stage: a Lambda function's word, or somebody's."""

    stage: Literal[
        "reconcile_service",
        "pre_scale_up",
        "post_scale_up",
        "test_traffic_shift",
        "post_test_traffic_shift",
        "pre_production_traffic_shift",
        "production_traffic_shift",
        "post_production_traffic_shift",
    ]
    """The stage of the deployment: ECS API Reference, DeploymentLifecycleHook."""
    lambda_: Annotated[str, Text("the ARN of a Lambda function", r"arn:aws[\w-]*:lambda:\S+")] | None = Field(
        default=None, alias="lambda"
    )
    """The function to ask, by ARN; it answers whether the deployment may go on."""
    pause: Bool = False
    """Whether to wait for `fargatectl continue` or `abort`."""
    timeout: Annotated[int, Seconds(60, 1_209_600)] | None = None
    """Whole minutes to wait for the answer; by default ECS's."""
    on_timeout: Literal["rollback", "continue"] = "rollback"
    """What happens when no answer has come by then."""


class Deploy(Section):
    """How a new version takes over."""

    strategy: Literal["rolling", "blue_green", "linear", "canary"] = "rolling"
    """ECS's deployment strategy."""
    min_healthy: Annotated[int, Whole(0, 100)] = 100
    """Percent of the wanted tasks that stay healthy meanwhile, rounded up."""
    max: Annotated[int, Whole(100, 200)] = 200
    """Percent of the wanted tasks that may run meanwhile, rounded down."""
    circuit_breaker: Bool = True
    """Rolling: whether ECS gives up when tasks keep failing."""
    rollback: Bool = True
    """Rolling: whether it then goes back to the last version that worked."""
    percent: Annotated[float, Number(0.1, 100)] | None = None
    """Linear and canary: the share of traffic of a step; by default 10 for linear, 5 for canary."""
    step_bake: Annotated[int, Seconds(0, 86_400)] | None = None
    """Linear and canary: time between steps, in whole minutes; by default 6 for linear, 10 for canary."""
    bake: Annotated[int, Seconds(0, 86_400)] | None = None
    """Not rolling: time that both versions stay after all traffic has moved, in whole minutes; by default 5."""
    test: TestTraffic | None = None
    """Not rolling: requests that reach the new version first."""
    hooks: tuple[DeploymentHook, ...] = ()
    """Not rolling: what the deployment waits for at its stages."""
    alarms: Strings = ()
    """CloudWatch alarms that fail the deployment."""
    timeout: Timeout | None = None
    """How long to follow a deployment; by default what it should take, twice."""
    before: String | None = None
    """A job that must succeed before the service is touched."""
    stop_early: Bool = True
    """Whether to stop a deployment whose failure cannot heal."""


class Service(Container):
    """A service: its tasks, how they are reached, scaled, logged and replaced. Its main container bears its name."""

    port: Port | None = None
    """The port that the main container listens on."""
    cpu: Cpu = 256
    """CPU units of a task; 1024 are one vCPU."""
    memory: Memory = 512
    """MiB of a task."""
    arch: Literal["X86_64", "ARM64"] = "X86_64"
    """The processor that the images are made for."""
    ephemeral_storage: Annotated[int, Whole(21, 200)] | None = None
    """GiB of disk of a task; without it 20."""
    count: Annotated[int, Whole(0, 5000)] = 1
    """Number of tasks; with scaling, at creation only."""
    exec: Bool = False
    """Whether `exec` can open a shell in a task; needs a writable root."""
    subnets: SubnetChoice | None = None
    """Where tasks run; by default private subnets when everything the tasks need is reachable from there."""
    public_ip: Bool | None = None
    """Whether tasks have a public address; by default in public subnets."""
    security_groups: Strings = ()
    """Groups of `[network.security_groups]`, or ids, beside the service's own."""
    allow_from: Sources = ()
    """Who else may reach the service's port, beside the load balancer and the app's own services."""
    capacity: tuple[CapacityItem, ...] = ()
    """The capacity provider strategy; by default the cluster's, else on-demand Fargate."""
    pin_digest: Bool = False
    """Whether the image's tag is resolved to a digest."""
    env_files: Annotated[tuple[EnvironmentFile, ...], OneOrMany()] = ()
    """Environment files in S3, by ARN."""
    roles: Roles = Field(default_factory=Roles)
    """Existing roles instead of those that are created."""
    platform_version: Literal["LATEST", "1.4.0"] = "LATEST"
    """Fargate's platform version."""
    propagate_tags: Literal["SERVICE", "TASK_DEFINITION", "NONE"] = "NONE"
    """Whose tags the tasks get."""
    depends_on: Annotated[tuple[Name, ...], OneOrMany()] = ()
    """Services whose rollout must have succeeded before this one is touched."""
    permissions: Permissions = Field(default_factory=Permissions)
    """The task role."""
    sidecars: dict[Name, Sidecar] = Field(default_factory=dict)
    """More containers of the task."""
    volumes: dict[Name, Volume] = Field(default_factory=dict)
    """Volumes of the task."""
    http: Http | None = None
    """Requests through a load balancer."""
    discovery: ServiceDiscovery | None = None
    """A name in the app's namespace."""
    scaling: Scaling | None = None
    """Automatic scaling."""
    logs: Logs = Field(default_factory=Logs)
    """Logs."""
    deploy: Deploy = Field(default_factory=Deploy)
    """How a new version takes over."""
