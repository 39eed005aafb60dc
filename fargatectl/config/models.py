"""The tables of the file. Field names are the file's keys; a keyword of Python has a `_` behind it (`in_`, `from_`).

Where a default depends on other keys, the field here is empty and `complete.py` fills it: in a loaded `Config` names of
cluster, role path, log groups and discovery services, `http.load_balancer` and `allow_from` are never empty.
"""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fargatectl.config.container import (
    CommandLine,
    Container,
    ContainerHealthCheck,
    Secret,
    SecretId,
    Sidecar,
)
from fargatectl.config.field_types import (
    AccountId,
    AppName,
    Bool,
    CapacityItem,
    KmsKey,
    LocalVariable,
    Name,
    Peer,
    PolicyArn,
    Port,
    Provider,
    Region,
    Sources,
    String,
    Strings,
    Tags,
    TagSelector,
    Timeout,
    TimeZone,
    Value,
    form,
)
from fargatectl.config.logs import LogGroupName, Logs
from fargatectl.config.scalars import Number, OneOrMany, Seconds, Text, Whole
from fargatectl.config.scaling import (
    Cooldown,
    CustomScaling,
    Metric,
    Scaling,
    ScalingStep,
    ScheduledScaling,
    StepScaling,
)
from fargatectl.config.section import Section
from fargatectl.config.service import (
    Deploy,
    Efs,
    Http,
    HttpHealthCheck,
    Permissions,
    Roles,
    Service,
    ServiceDiscovery,
    Statement,
    SubnetId,
    Volume,
)

__all__ = [
    "AccessLogs",
    "Alarms",
    "CapacityItem",
    "Cluster",
    "Config",
    "Container",
    "ContainerHealthCheck",
    "Cooldown",
    "CustomScaling",
    "Dashboard",
    "Deploy",
    "Discovery",
    "Dns",
    "Efs",
    "ExecLogging",
    "FixedResponse",
    "Http",
    "HttpHealthCheck",
    "Iam",
    "Ingress",
    "Job",
    "LoadBalancer",
    "LocalVariable",
    "Logs",
    "Metric",
    "Network",
    "Permissions",
    "Provider",
    "Registry",
    "Roles",
    "Scaling",
    "ScalingStep",
    "ScheduledScaling",
    "Secret",
    "SecurityGroup",
    "Service",
    "ServiceDiscovery",
    "Sidecar",
    "Statement",
    "StepScaling",
    "TagSelector",
    "Volume",
]

VpcId = Annotated[str, Text('"default", a VPC id "vpc-…", or { tag = { … } }', r"default|vpc-[0-9a-f]{8,17}")]
VpcSelector = Annotated[
    Annotated[VpcId, Tag("~id")] | Annotated[TagSelector, Tag("~tag")], Discriminator(form({dict: "~tag"}, "~id"))
]
SubnetSelector = Annotated[
    Annotated[tuple[SubnetId, ...], Tag("~ids")] | Annotated[TagSelector, Tag("~tag")],
    Discriminator(form({dict: "~tag"}, "~ids")),
]
Certificate = Annotated[
    str,
    Text(
        "a domain name or the ARN of a certificate in ACM",
        r"(?=.{1,253}$)(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
        r"|arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]{1,64}|request",
        2048,
    ),
]
TopicArn = Annotated[
    str,
    Text(
        'the ARN of an SNS topic "arn:aws:sns:REGION:ACCOUNT:NAME"',
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
        512,
    ),
]
"""CloudWatch API Reference, PutMetricAlarm: AlarmActions. FIFO topics take no notifications of alarms."""
BucketName = Annotated[str, Text("the name of an S3 bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")]
DomainName = Annotated[
    str,
    Text(
        'a domain name such as "shop.internal"',
        r"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?",
    ),
]


ExistingCluster = Annotated[
    str,
    Text(
        "the name or ARN of an ECS cluster",
        r"[A-Za-z0-9_-]{1,255}|arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9_-]{1,255}",
        2048,
    ),
]
ExistingNamespace = Annotated[
    str,
    Text(
        "the name, id or ARN of a Cloud Map namespace",
        r"[A-Za-z0-9_.-]{1,253}|arn:aws[a-z-]*:servicediscovery:[a-z0-9-]+:[0-9]{12}:namespace/ns-[a-z0-9]{1,61}",
        2048,
    ),
]
ExistingLoadBalancer = Annotated[
    str,
    Text(
        "the name or ARN of an Application Load Balancer",
        r"[A-Za-z0-9-]{1,32}"
        r"|arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/[A-Za-z0-9-]{1,32}/[0-9a-z]{1,32}",
        2048,
    ),
]


class Ingress(Section):
    """Who may reach a security group, at which port."""

    from_: Peer = Field(alias="from")
    """A CIDR, a security group by its id or its name in the file, or a prefix list."""
    port: Port
    """The TCP port."""


class SecurityGroup(Section):
    """A security group that is created and owned."""

    ingress: tuple[Ingress, ...] = ()
    """What may come in."""
    egress: Sources = ("0.0.0.0/0",)
    """Where traffic may go, at any port; `[]` is nowhere."""


class Network(Section):
    """The VPC and its subnets, which must exist."""

    vpc: VpcSelector = "default"
    """`"default"`, an id, or tags."""
    public_subnets: SubnetSelector | None = None
    """Subnets with a route to the internet; by default found by their routes."""
    private_subnets: SubnetSelector | None = None
    """Subnets without one; by default found by their routes."""
    security_groups: dict[Name, SecurityGroup] = Field(default_factory=dict)
    """Security groups of one's own."""


class ExecLogging(Section):
    """Where sessions of `exec` are recorded."""

    log_group: LogGroupName | None = None
    """The log group; it is made and owned, and kept 30 days."""
    bucket: BucketName | None = None
    """An S3 bucket, which must exist."""
    prefix: String | None = None
    """The prefix in the bucket."""
    kms_key: KmsKey | None = None
    """The key that encrypts the sessions themselves, beside TLS."""


class Cluster(Section):
    """The ECS cluster."""

    use: ExistingCluster | None = None
    """A cluster that exists already: only read. Instead of all other keys."""
    name: Name = ""
    """By default `APP`, or `APP-ENV`."""
    container_insights: Literal["enhanced", "enabled", "disabled"] = "enabled"
    """CloudWatch Container Insights."""
    capacity: tuple[CapacityItem, ...] = ()
    """The strategy of services that have none of their own; without it on-demand Fargate."""
    exec: ExecLogging | None = None
    """Recording of `exec` sessions."""


class Iam(Section):
    """Roles that are created: a pair for each service."""

    path: Annotated[str, Text('a path that begins and ends with "/"', r"/([!-.0-~]+/)*", 512)] = ""
    """The path of all roles, by default `/fargatectl/APP/`."""
    permissions_boundary: PolicyArn | None = None
    """The boundary of all roles."""


class Registry(Section):
    """Credentials of a private registry: an existing secret, or one made from local environment variables."""

    match: Strings
    """Patterns, tried against the image as written and in canonical form (`docker.io/…`); `*` is anything."""
    secret: SecretId | None = None
    """A secret with `username` and `password`, by name or ARN."""
    username: LocalVariable | None = None
    """Where the user's name comes from."""
    password: LocalVariable | None = None
    """Where the password comes from."""
    kms_key: KmsKey | None = None
    """The key that encrypts the secret made from them, by default AWS's own."""


class Discovery(Section):
    """The Cloud Map namespace of the app."""

    use: ExistingNamespace | None = None
    """A namespace that exists already: only read. Instead of all other keys."""
    namespace: DomainName = ""
    """Its name; a private DNS zone in the VPC. Required without `use`."""
    type: Literal["dns_private", "http"] = "dns_private"
    """Private DNS, or API calls only."""


class AccessLogs(Section):
    """Where a load balancer writes its access logs."""

    bucket: BucketName
    """The bucket, which must exist and allow it."""
    prefix: String | None = None
    """The prefix in the bucket."""


class FixedResponse(Section):
    """What a load balancer answers to what no service takes: ELB API Reference, FixedResponseActionConfig."""

    status: Annotated[int, Whole(200, 599)] = 404
    """The HTTP status: 2XX, 4XX or 5XX."""
    body: Annotated[str, Text("at most 1024 characters", r"(?s).*", 1024)] = ""
    """The text, as text/plain."""


class LoadBalancer(Section):
    """An Application Load Balancer with its listeners."""

    use: ExistingLoadBalancer | None = None
    """A load balancer that exists already: only read, but for the services' rules. Instead of all other keys."""
    scheme: Literal["internet-facing", "internal"] = "internet-facing"
    """Who can reach it: everybody, or the VPC."""
    certificates: Annotated[tuple[Certificate, ...], OneOrMany()] = ()
    """Certificates in ACM by domain name or ARN, the default one first; with them port 80 redirects to 443."""
    ssl_policy: Annotated[
        str, Text('the name of a security policy, "ELBSecurityPolicy-…"', r"ELBSecurityPolicy-[\w.-]{1,100}")
    ] = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    """The TLS versions and ciphers of port 443."""
    allow_from: Sources = ()
    """Who may reach it; by default everybody, for an internal one all private addresses."""
    ip_address_type: Literal["ipv4", "dualstack"] = "ipv4"
    """The load balancer's addresses."""
    idle_timeout: Annotated[int, Seconds(1, 4000)] = 60
    """Idle connections are closed after this time."""
    drop_invalid_headers: Bool = True
    """Whether headers with invalid names are removed."""
    deletion_protection: Bool = False
    """Whether AWS refuses to delete it."""
    access_logs: AccessLogs | None = None
    """Access logs to S3."""
    default: FixedResponse | None = None
    """The answer to what no service takes, by default a 404; None when a service answers everything."""


class Dns(Section):
    """Route 53 alias records for the services' hosts."""

    zone: DomainName
    """The hosted zone, which must exist."""


class Job(Section):
    """A task with a service's image, environment and network that ends by itself."""

    from_: Name = Field(alias="from")
    """The service."""
    command: CommandLine
    """What to run."""
    timeout: Timeout | None = None
    """After this time `run` stops the task."""
    schedule: Annotated[str, Text('"cron(…)", "rate(…)" or "at(…)"', r"(cron|rate|at)\([^()]{1,250}\)", 256)] | None = (
        None
    )
    """When EventBridge Scheduler starts it."""
    timezone: TimeZone = "UTC"
    """The schedule's time zone, by its IANA name."""
    retries: Annotated[int, Whole(0, 185)] = 0
    """How often the start is tried again; a task that fails is not."""
    capacity: tuple[CapacityItem, ...] = ()
    """The capacity provider strategy; by default on-demand Fargate."""


class Alarms(Section):
    """CloudWatch alarms for each service."""

    notify: Annotated[tuple[TopicArn, ...], OneOrMany()]
    """SNS topics, by ARN, that hear of an alarm and of its end."""
    unhealthy_targets: Annotated[int, Whole(1, 5000)] | None = None
    """From so many unhealthy targets on, for three minutes; services with `http`."""
    errors_5xx: Annotated[int, Whole(1, 10**9)] | None = None
    """From so many 5XX answers of the tasks a minute on; services with `http`."""
    cpu_above: Annotated[float, Number(1, 100)] | None = None
    """From this average CPU on, in percent, for five minutes."""


class Dashboard(Section):
    """A CloudWatch dashboard of all services."""

    enabled: Bool = True
    """Whether there is one."""


class Config(Section):
    """The file, with the chosen environment laid over it and `${…}` replaced."""

    app: AppName
    """The app's name: everything that is created bears it."""
    region: Region | None = None
    """The Region; by default that of the AWS configuration."""
    account: AccountId | None = None
    """The only account to deploy to."""
    tags: Tags = Field(default_factory=dict)
    """Tags of everything that is created."""
    requires_fargatectl: String | None = None
    """The versions of fargatectl that this file is for, such as `">=0.1"`."""
    require_environment: Bool = False
    """Whether an environment must be chosen."""
    protect: Bool = False
    """Whether `destroy` is refused."""
    vars: dict[Name, Value] = Field(default_factory=dict)
    """Values for `${var.NAME}`."""
    network: Network = Field(default_factory=Network)
    """VPC and subnets."""
    cluster: Cluster = Field(default_factory=Cluster)
    """The ECS cluster."""
    iam: Iam = Field(default_factory=Iam)
    """Roles."""
    registries: dict[Name, Registry] = Field(default_factory=dict)
    """Credentials of private registries."""
    discovery: Discovery | None = None
    """The Cloud Map namespace."""
    load_balancers: dict[Name, LoadBalancer] = Field(default_factory=dict)
    """Application Load Balancers."""
    dns: Dns | None = None
    """DNS records."""
    services: dict[Name, Service] = Field(default_factory=dict)
    """Services."""
    jobs: dict[Name, Job] = Field(default_factory=dict)
    """One-off and scheduled tasks."""
    alarms: Alarms | None = None
    """CloudWatch alarms."""
    dashboard: Dashboard | None = None
    """A CloudWatch dashboard."""
