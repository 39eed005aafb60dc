"""Each problem of the file is reported with the path of its key and its line, and only once."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.config.conftest import Problems

HEAD = 'app = "shop"\nregion = "eu-central-1"\n'
WEB = f'{HEAD}[services.web]\nimage = "nginx"\n'
"""Four lines: what follows begins on line 5, in [services.web]."""


def web(text: str) -> str:
    return WEB + dedent(text).lstrip("\n")


def scaled(text: str) -> str:
    return web(f"[services.web.scaling]\nmin = 1\nmax = 4\n{text}")


def stepping(steps: str) -> str:
    return f'step = [{{ name = "a", metric = {{ namespace = "S", name = "M" }}, above = 1, steps = [{steps}] }}]'


def job(text: str, name: str = "a") -> str:
    return web(f'[jobs.{name}]\n{text}\ncommand = "x"')


CRON = "services.web.scaling.schedule[0].cron"


KMS = "arn:aws:kms:eu-central-1:123456789012:key/0a1b"
TAGS = ", ".join(f"t{place} = '{place}'" for place in range(46))
CUSTOM = ", ".join(51 * ['{ metric = { namespace = "S", name = "M" }, target = 1 }'])
TOPICS = [f"arn:aws:sns:eu-central-1:123456789012:t{place}" for place in range(6)]


ERRORS = [
    # alarms of this app that the file does not make, or that come too late to watch a deployment
    (
        web(f'deploy.alarms = ["shop-web-alarm-cpu"]\n[alarms]\nnotify = "{TOPICS[0]}"\nerrors_5xx = 1\n'),
        "services.web.deploy.alarms[0]",
        5,
        "`shop-web-alarm-cpu` is one of `[alarms]`, which does not make it",
    ),
    (
        scaled(f'{stepping("{ from = 0, by = 1 }")}\n[services.web.deploy]\nalarms = ["x", "shop-web-scaling-a"]\n'),
        "services.web.deploy.alarms[1]",
        10,
        "`shop-web-scaling-a` scales web: it is made after the service, and its ringing is no failure",
    ),
    # what a load balancer has room for
    (
        HEAD + "".join(f"[services.s{n}]\nimage = 'a'\nport = 80\nhttp = {{ path = '/{n}' }}\n" for n in range(101)),
        "services.s100.http",
        406,
        "101 rules on the load balancer `public`; it takes 100",
    ),
    # certificates that are asked for
    (
        web('port = 80\nhttp = { host = "a.com" }\n[load_balancers.public]\ncertificates = "request"\n'),
        "load_balancers.public.certificates",
        8,
        "`request` needs `[dns]`",
    ),
    (
        web('port = 80\nhttp = {}\n[dns]\nzone = "a.com"\n[load_balancers.public]\ncertificates = "request"\n'),
        "load_balancers.public.certificates",
        10,
        "there is no host to ask for a certificate for",
    ),
    (
        web(
            'port = 80\nhttp = { host = "a.com" }\n[dns]\nzone = "a.com"\n'
            '[load_balancers.public]\ncertificates = ["request", "a.com"]\n'
        ),
        "load_balancers.public.certificates",
        10,
        "`request` stands alone",
    ),
    # quotas
    (
        f"{HEAD}[alarms]\ncpu_above = 90\nnotify = {TOPICS}",
        "alarms.notify",
        5,
        "6 topics; an alarm notifies 5",
    ),
    (
        f'{HEAD}[alarms]\ncpu_above = 90\nnotify = "{TOPICS[0].replace("eu-central-1", "us-east-1")}"',
        "alarms.notify",
        5,
        "the topic is in us-east-1; alarms in eu-central-1 cannot notify it",
    ),
    (f'{HEAD}[alarms]\nnotify = "{TOPICS[0]}"', "alarms", 3, "no alarm is wanted"),
    (
        scaled(f"custom = [{CUSTOM}]"),
        "services.web.scaling",
        5,
        "51 scaling policies; a service takes 50",
    ),
    (
        f"{HEAD}tags = {{ {TAGS} }}",
        "tags",
        3,
        "46 tags; at most 45 of AWS's 50 are free",
    ),
    # registries, sessions, names
    (
        f'{HEAD}[registries.hub]\nmatch = "nginx"\nusername = {{ env = "U" }}',
        "registries.hub",
        3,
        "`secret` is required, the name or ARN of one, or `username` and `password`",
    ),
    (
        f'{HEAD}[registries.hub]\nmatch = "nginx"\nsecret = "hub"\nkms_key = "{KMS}"',
        "registries.hub.kms_key",
        6,
        "`kms_key` is for a secret that is made",
    ),
    (f"{HEAD}[cluster.exec]", "cluster.exec", 3, "sessions are recorded in a `log_group` or a `bucket`"),
    (
        web('discovery = { ttl = "5s" }\n[discovery]\nnamespace = "shop"\ntype = "http"'),
        "services.web.discovery.ttl",
        5,
        "`ttl` is about DNS",
    ),
    # security groups
    (
        web('security_groups = ["task"]\n[network.security_groups.tasks]\n'),
        "services.web.security_groups[0]",
        5,
        "there is no security group `task`",
    ),
    (
        web('security_groups = ["a", "a"]\n[network.security_groups.a]\n'),
        "services.web.security_groups[1]",
        5,
        "a stands twice in the list",
    ),
    (
        web(f"security_groups = {[f'sg-0000000{place}' for place in range(5)]}\n"),
        "services.web.security_groups",
        5,
        "5 security groups; a service takes 4 beside its own",
    ),
    (
        f'{HEAD}[network.security_groups.a]\ningress = [{{ from = "b", port = 1 }}]\n',
        "network.security_groups.a.ingress[0].from",
        4,
        "there is no security group `b`",
    ),
    (
        f'{HEAD}[network.security_groups.a]\negress = ["10.0.0.1/8"]\n',
        "network.security_groups.a.egress[0]",
        4,
        "10.0.0.1/8 has bits set beyond its prefix",
    ),
    (
        f"{HEAD}[network.security_groups.a]\negress = {[f'10.0.{place}.0/24' for place in range(61)]}\n",
        "network.security_groups.a.egress",
        4,
        "61 rules; a security group takes 60 each way",
    ),
    # what exists already
    (
        f'{HEAD}[cluster]\nuse = "main"\nname = "other"\n',
        "cluster.name",
        5,
        "`name` is not ours to set: with `use` the cluster is only read",
    ),
    (f'{HEAD}[discovery]\nuse = "corp"\nnamespace = "shop"\n', "discovery.namespace", 5, "is not ours to set"),
    (f"{HEAD}[discovery]\n", "discovery", 3, "`namespace` is required"),
    (
        web('port = 80\nhttp = { path = "/a" }\n[load_balancers.edge]\nuse = "corp"\nidle_timeout = 9\n'),
        "load_balancers.edge.idle_timeout",
        9,
        "`idle_timeout` is not ours to set",
    ),
    (
        web('port = 80\nhttp = {}\n[load_balancers.edge]\nuse = "corp"\n'),
        "services.web.http",
        6,
        "the load balancer `edge` is not ours: its default action stays as it is",
    ),
    (
        f'{HEAD}[load_balancers.a]\nuse = "corp"\n[load_balancers.b]\nuse = "corp"\n',
        "load_balancers.b.use",
        6,
        "`a` is this load balancer already",
    ),
    (
        f'{HEAD}[cluster]\nuse = "arn:aws:ecs:us-east-1:123456789012:cluster/main"\n',
        "cluster.use",
        4,
        "this cluster is in us-east-1, the app in eu-central-1",
    ),
    (
        f'account = "210987654321"\n{HEAD}[cluster]\nuse = "arn:aws:ecs:eu-central-1:123456789012:cluster/main"\n',
        "cluster.use",
        5,
        "this cluster is in the account 123456789012, the app in 210987654321",
    ),
    # scaling
    (
        web('scaling = { min = 1, max = 2, suspended = ["up"] }'),
        "services.web.scaling.suspended[0]",
        5,
        'expected "in", "out" or "scheduled"',
    ),
    (
        scaled('step = [{ name = "a", metric = { namespace = "S", name = "M" }, steps = [{ by = 1 }] }]'),
        "services.web.scaling.step[0]",
        8,
        "either `above` or `below`",
    ),
    (
        scaled('step = [{ name = "a", metric = { namespace = "S", name = "M" }, above = 1, steps = [] }]'),
        "services.web.scaling.step[0].steps",
        8,
        "there are no steps",
    ),
    (
        scaled(stepping("{ from = 0, to = 1, by = 1 }, { from = 2, by = 2 }")),
        "services.web.scaling.step[0].steps",
        8,
        "each step must begin where the one before it ends",
    ),
    (
        scaled(stepping("{ from = 1, by = 1 }")),
        "services.web.scaling.step[0].steps",
        8,
        "nothing happens until 1 above",
    ),
    (scaled(stepping("{ from = 2, to = 1, by = 1 }")), "services.web.scaling.step[0].steps", 8, "below its `to`"),
    (
        scaled('custom = [{ metric = { namespace = "AWS/ApplicationELB", name = "RequestCount" }, target = 1 }]'),
        "services.web.scaling.custom[0].metric.namespace",
        8,
        "needs `http`, or `dimensions` of its own",
    ),
    (
        scaled('custom = [{ metric = { namespace = "S", name = "M", period = "5m" }, target = 1 }]'),
        "services.web.scaling.custom[0].metric.period",
        8,
        "belongs to step scaling",
    ),
    (scaled('schedule = [{ name = "a", cron = "0 7 * * *", min = 1 }]'), CRON, 8, "expected six cron fields"),
    (
        scaled('schedule = [{ name = "a", cron = "0 7 * * ? *", timezone = "Mars", min = 1 }]'),
        "services.web.scaling.schedule[0].timezone",
        8,
        'expected a time zone such as "Europe/Berlin"',
    ),
    (
        scaled('schedule = [{ name = "a", cron = "0 7 * * ? *" }]'),
        "services.web.scaling.schedule[0]",
        8,
        "sets `min`, `max` or both",
    ),
    (
        scaled('schedule = [{ name = "a", cron = "0 7 * * ? *", min = 9 }]'),
        "services.web.scaling.schedule[0]",
        8,
        "min = 9 is greater than max = 4",
    ),
    (
        scaled(
            'schedule = [{ name = "a", cron = "0 7 * * ? *", min = 2 }, { name = "a", cron = "0 9 * * ? *", min = 1 }]'
        ),
        "services.web.scaling.schedule[1].name",
        8,
        "the name a is taken already",
    ),
    (
        scaled(
            'schedule = [{ name = "a", cron = "0 7 * * ? *", min = 2, max = 3 }, '
            '{ name = "b", cron = "0 9 * * ? *", min = 1 }]'
        ),
        "services.web.scaling.schedule[1]",
        8,
        "other schedules of this service set `max`",
    ),
    # what the types refuse
    (web("port = 0"), "services.web.port", 5, "expected a whole number from 1 to 65535, got 0"),
    (web('port = "80"'), "services.web.port", 5, 'expected a whole number from 1 to 65535, got "80"'),
    (web("exec = 1"), "services.web.exec", 5, "expected true or false, got 1"),
    (web("stop_timeout = 1"), "services.web.stop_timeout", 5, "expected 2s to 2m, got 1"),
    (web('stop_timeout = "soon"'), "services.web.stop_timeout", 5, 'expected a duration such as "30s"'),
    (web('memory = "2 GP"'), "services.web.memory", 5, 'expected a size such as "2 GB" or 2048, got "2 GP"'),
    (web('arch = "ARM"'), "services.web.arch", 5, 'expected "X86_64" or "ARM64", got "ARM"'),
    (web("http = 1"), "services.web.http", 5, "expected a table, got 1"),
    (web("ephemeral_storage = 20"), "services.web.ephemeral_storage", 5, "expected a whole number from 21 to 200"),
    (web("scaling = { min = 1 }"), "services.web.scaling.max", 5, "`max` is required"),
    (web('allow_from = "everywhere"\nport = 1'), "services.web.allow_from", 5, "expected a CIDR"),
    (web("subnets = []"), "services.web.subnets", 5, "expected at least one subnet"),
    (web('subnets = "outer"'), "services.web.subnets", 5, 'expected "public" or "private"'),
    (web('subnets = ["net-1"]'), "services.web.subnets[0]", 5, "expected a subnet id"),
    (web("[services.web.logs]\nretention = 31"), "services.web.logs.retention", 6, "31 is no retention"),
    (web("ulimits = { nofile = [2, 1] }"), "services.web.ulimits.nofile", 5, "the soft limit 2 is above"),
    (web("ulimits = { files = [1, 2] }"), "services.web.ulimits.files", 5, "a bad name"),
    (web("ulimits = { nofile = [1] }"), "services.web.ulimits.nofile", 5, "too few items"),
    (f'{HEAD}[services."we b"]\nimage = "nginx"', 'services."we b"', 3, "a bad name"),
    (f"{HEAD}[services.web]\ncount = 1", "services.web.image", 3, "`image` is required"),
    ('app = "Shop"', "app", 1, "expected a name of lower-case letters"),
    (f"{HEAD}account = 123456789012", "account", 3, "expected an account id of 12 digits in quotes"),
    ('app = "a"\nregion = "Frankfurt"', "region", 2, "expected a Region"),
    (f'{HEAD}tags = {{ "aws:x" = "1" }}', 'tags."aws:x"', 3, "reserved"),
    (f'{HEAD}[iam]\npath = "shop"', "iam.path", 4, 'expected a path that begins and ends with "/"'),
    (f'{HEAD}[network]\nvpc = "main"', "network.vpc", 4, 'expected "default", a VPC id'),
    (f'{HEAD}[network]\nvpc = {{ tga = {{ Name = "main" }} }}', "network.vpc.tga", 4, "unknown key"),
    # size
    (web("cpu = 300"), "services.web.cpu", 5, "cpu 300 is no Fargate size; use 256 or 512"),
    (
        web("cpu = 256\nmemory = 8192"),
        "services.web.cpu",
        5,
        (
            "cpu = 256, memory = 8192 is not a Fargate size: 256 takes 512, 1024 or 2048 MiB; "
            "8192 MiB needs cpu 1024, 2048 or 4096"
        ),
    ),
    (
        web("cpu = 1024\nmemory = 2500"),
        "services.web.cpu",
        5,
        "1024 takes 2048 to 8192 in steps of 1024 MiB; nearest to 2500 MiB are 2048 or 3072",
    ),
    (web('[services.web.sidecars.log]\nimage = "l"\ncpu = 512'), "services.web.cpu", 3, "the sidecars keep 512"),
    # containers
    (web("exec = true\nreadonly_root = true"), "services.web.exec", 5, "`exec` needs a writable root file system"),
    (web(f'env = {{ A = "{"x" * 70_000}" }}'), "services.web", 3, "the task definition has about 68 KiB"),
    (web('env = { A = 1 }\nsecrets = { A = "a" }'), "services.web.env.A", 5, "`A` is in env and in secrets"),
    (web('secrets = { A = { key = "a" } }'), "services.web.secrets.A", 5, "expected either `secret` or `parameter`"),
    (web('health_check = { command = ["curl", "x"] }'), "services.web.health_check.command", 5, "begins with CMD"),
    (web('[services.web.sidecars.web]\nimage = "l"'), "services.web.sidecars.web", 5, "the service's main container"),
    (
        web('port = 80\n[services.web.sidecars.log]\nimage = "l"\nports = [80]'),
        "services.web.sidecars.log.ports[0]",
        8,
        "port 80 is taken by the container `web`",
    ),
    (
        web('[services.web.sidecars.log]\nimage = "l"\ndepends_on = { wep = "START" }'),
        "services.web.sidecars.log.depends_on.wep",
        7,
        "there is no container `wep` in this task",
    ),
    (
        web('[services.web.sidecars.log]\nimage = "l"\ndepends_on = { web = "HEALTHY" }'),
        "services.web.sidecars.log.depends_on.web",
        7,
        "`web` has no health check",
    ),
    (
        web('[services.web.sidecars.log]\nimage = "l"\ndepends_on = { web = "SUCCESS" }'),
        "services.web.sidecars.log.depends_on.web",
        7,
        "`web` is essential",
    ),
    (
        web('[services.web.sidecars.log]\nimage = "l"\ndepends_on = { log = "START" }'),
        "services.web.sidecars.log.depends_on",
        7,
        "`log` waits for itself",
    ),
    # volumes, files, logs, roles, waves
    (
        web('volumes.a.mount = { wep = "/a" }'),
        "services.web.volumes.a.mount.wep",
        5,
        "there is no container `wep` in this task",
    ),
    (
        web('volumes.a.mount = { web = "/a" }\nvolumes.b.mount = { web = "/a:ro" }'),
        "services.web.volumes.b.mount.web",
        6,
        "the volume `a` is mounted at /a already",
    ),
    (
        web(
            'volumes.a.mount = { web = "/a" }\n'
            'volumes.a.efs = { file_system = "fs-01234567", access_point = "fsap-01234567", root = "/x" }'
        ),
        "services.web.volumes.a.efs.root",
        6,
        "an access point has a root directory of its own",
    ),
    (web('env_files = "arn:aws:s3:::b/web.txt"'), "services.web.env_files", 5, "that ends in .env"),
    (
        web("".join(["env_files = [", *(f'"arn:aws:s3:::bucket/{n}.env",' for n in range(11)), "]"])),
        "services.web.env_files",
        5,
        "11 files; a task takes 10",
    ),
    (web('logs = { driver = "none", retention = 7 }'), "services.web.logs.retention", 5, "the driver is none"),
    (web('logs = { multiline = "a", datetime = "b" }'), "services.web.logs.datetime", 5, "either `multiline` or"),
    (
        web('logs = { driver = "awsfirelens", options = { Host = "a" } }'),
        "services.web.logs.options",
        5,
        "Fluent Bit's output needs a `Name`",
    ),
    (
        web(
            'logs = { group = "all" }\n[services.api]\nimage = "api"\nlogs = { group = "all", class = '
            '"INFREQUENT_ACCESS" }'
        ),
        "services.api.logs.class",
        8,
        "the service `web` has the same log group with another `class`",
    ),
    (
        web('roles = { task = "t" }\npermissions = { allow = [{ actions = "s3:*", resources = "*" }] }'),
        "services.web.permissions",
        6,
        "the task role is t, which is not ours to change",
    ),
    (web('depends_on = "wep"'), "services.web.depends_on", 5, "there is no service `wep`"),
    (
        web('depends_on = "api"\n[services.api]\nimage = "api"\ndepends_on = "web"'),
        "services.web.depends_on",
        5,
        "`web` waits for itself",
    ),
    (
        web("".join(f'[services.web.sidecars.s{n}]\nimage = "l"\n' for n in range(10))),
        "services.web.sidecars",
        5,
        "11 containers; a task has at most 10",
    ),
    (
        web('capacity = [{ provider = "FARGATE", base = 1 }, { provider = "FARGATE_SPOT", base = 1 }]'),
        "services.web.capacity",
        5,
        "only one item may have a base",
    ),
    (
        web('capacity = [{ provider = "FARGATE", weight = 0 }]'),
        "services.web.capacity",
        5,
        "one item at least needs a weight above 0",
    ),
    # traffic
    (web("http = {}"), "services.web.http", 5, "`http` needs `port`"),
    (web('port = 1\nhttp = { load_balancer = "in" }'), "services.web.http.load_balancer", 6, "no load balancer `in`"),
    (
        web('port = 1\nhttp = { health_check = { interval = "5s" } }'),
        "services.web.http.health_check.interval",
        6,
        "the timeout of 5 s must be shorter than the interval of 5 s",
    ),
    (
        web('port = 1\nhttp = { protocol_version = "GRPC" }'),
        "services.web.http.protocol_version",
        6,
        "gRPC needs TLS",
    ),
    (
        web('port = 1\nhttp = {}\n[services.b]\nimage = "b"\nport = 1\nhttp = {}'),
        "services.b.http",
        10,
        "both this service and `web` would answer everything",
    ),
    (
        web('port = 1\nhttp = { path = "/a" }\n[services.b]\nimage = "b"\nport = 1\nhttp = { path = "/a" }'),
        "services.b.http.path",
        10,
        "`web` answers the same requests: host *, path /a",
    ),
    (
        web(
            'port = 1\nhttp = { path = "/a", priority = 5 }\n'
            '[services.b]\nimage = "b"\nport = 1\nhttp = { path = "/b", priority = 5 }'
        ),
        "services.b.http.priority",
        10,
        "priority 5 is that of the service `web`",
    ),
    (
        web("port = 1\nhttp = {}\n[load_balancers.one]\ndefault = { status = 404 }"),
        "load_balancers.one.default",
        8,
        "the service `web` answers what no rule takes",
    ),
    (
        web("port = 1\nhttp = {}\n[load_balancers.one]\n[load_balancers.two]"),
        "services.web.http",
        6,
        "which load balancer?",
    ),
    (
        web('port = 1\nhttp = {}\n[load_balancers.a]\nallow_from = ["10.0.0.1/8"]'),
        "load_balancers.a.allow_from[0]",
        8,
        "10.0.0.1/8 has bits set beyond its prefix",
    ),
    (
        web(
            "port = 1\nhttp = {}\n[load_balancers.a]\n"
            'certificates = ["arn:aws:acm:us-east-1:123456789012:certificate/1-2"]'
        ),
        "load_balancers.a.certificates[0]",
        8,
        "this certificate is in us-east-1",
    ),
    # discovery
    (web('discovery = { name = "web" }'), "services.web.discovery", 5, "`discovery` needs the app's namespace"),
    (
        web('discovery = { records = ["SRV"] }\n[discovery]\nnamespace = "shop.internal"'),
        "services.web.discovery.records",
        5,
        "SRV records need `port`",
    ),
    (
        web(
            'discovery = { name = "a" }\n[services.b]\nimage = "b"\ndiscovery = { name = "A" }\n'
            '[discovery]\nnamespace = "shop.internal"'
        ),
        "services.b.discovery.name",
        8,
        "`A` is the name of the service `web` too",
    ),
    # scaling and deployment
    (web("scaling = { min = 3, max = 2, cpu = 50 }"), "services.web.scaling.min", 5, "min = 3 is greater than max = 2"),
    (web("scaling = { min = 1, max = 2, requests = 9 }"), "services.web.scaling.requests", 5, "needs `http`"),
    (web("port = 80\ncount = 1001\nhttp = {}"), "services.web.count", 6, "1001 tasks"),
    (web("deploy = { max = 100 }"), "services.web.deploy.max", 5, "with 1 task at least 1 must stay and at most 1 may"),
    (
        web("count = 3\ndeploy = { min_healthy = 100, max = 125 }"),
        "services.web.deploy.max",
        6,
        "with 3 tasks at least 3 must stay and at most 3 may run",
    ),
    (web('deploy = { bake = "5m" }'), "services.web.deploy.bake", 5, "`bake` belongs to blue_green and linear and"),
    # the app
    (f'app = "{"a" * 32}"\n[services.{"w" * 30}]\nimage = "n"', f"services.{'w' * 30}", 2, "IAM takes 64"),
    (web('[services.WEB]\nimage = "n"'), "services.WEB", 5, "differs from the service `web` only by case"),
    (f'{HEAD}[registries.hub]\nmatch = "*"', "registries.hub", 3, "`secret` is required"),
    ('app = "sg"\n[services.web]\nimage = "n"', "app", 1, "may not begin with `sg-`"),
    # not yet
    (web('deploy = { strategy = "canary" }'), "services.web.deploy.strategy", 5, "the service has no `http`"),
    (
        web('port = 80\nhttp = {}\ndeploy = { strategy = "canary", bake = 90 }'),
        "services.web.deploy.bake",
        7,
        "no whole",
    ),
    (
        web('port = 80\nhttp = {}\ndeploy = { strategy = "linear", percent = 2 }'),
        "services.web.deploy.percent",
        7,
        "a linear step is at least 3 %",
    ),
    (
        web('port = 80\nhttp = {}\ndeploy = { strategy = "canary", hooks = [{ stage = "pre_scale_up" }] }'),
        "services.web.deploy.hooks[0]",
        7,
        "either `lambda` or `pause = true`",
    ),
    (
        web('port = 80\nhttp = { host = "a.de" }\ndeploy = { strategy = "canary", test = { host = "a.de" } }'),
        "services.web.deploy.test",
        7,
        "these are the requests of everybody",
    ),
    (web('logs.group = "/shop/web#1"'), "services.web.logs.group", 5, "a log group name of letters, digits and ._/-"),
    # jobs
    (job('from = "wep"'), "jobs.a.from", 6, "there is no service wep"),
    (job('from = "web"', name="web"), "jobs.web", 5, "a service is called web too"),
    (job('from = "web"\ntimezone = "Europe/Berlin"'), "jobs.a.timezone", 7, "belongs to a job with a `schedule`"),
    (job('from = "web"\nschedule = "cron(0 3 * * *)"'), "jobs.a.schedule", 7, "cron has 5 fields where AWS wants six"),
    (job('from = "web"\nschedule = "cron(0 3 * * * *)"'), "jobs.a.schedule", 7, "exactly one of day of month and day"),
    (job('from = "web"\nschedule = "cron(0 25 * * ? *)"'), "jobs.a.schedule", 7, "`25` is nothing that hours can be"),
    (job('from = "web"\nschedule = "rate(5 min)"'), "jobs.a.schedule", 7, "a rate is a whole number and a unit"),
    (job('from = "web"\nschedule = "at(2026-02-30T00:00:00)"'), "jobs.a.schedule", 7, "a moment is a date and a time"),
    (job('from = "web"\nschedule = "daily"'), "jobs.a.schedule", 7, 'expected "cron(…)", "rate(…)" or "at(…)"'),
    (
        job('from = "web"\nschedule = "rate(1 day)"') + "\n[tags]\nnote = ''\n",
        "tags.note",
        10,
        "an empty value, which the group of the jobs' schedules cannot carry",
    ),
    (
        web('deploy.before = "migrat"\n') + '[jobs.migrate]\nfrom = "web"\ncommand = "x"',
        "services.web.deploy.before",
        5,
        "there is no job migrat",
    ),
    # versions and environments
    (
        f'requires_fargatectl = ">=99"\nwhatever = 1\n{HEAD}',
        "requires_fargatectl",
        1,
        "this file is for fargatectl >=99",
    ),
    (f'requires_fargatectl = "new"\n{HEAD}', "requires_fargatectl", 1, "expected versions such as"),
    (f"require_environment = true\n{HEAD}", "require_environment", 1, "an environment must be chosen"),
    (f"{HEAD}[environments.Prod]", "environments.Prod", 3, "expected a name of lower-case letters"),
    (f"{HEAD}[environments]\nprod = 1", "environments.prod", 4, "expected a table"),
    (
        f"{HEAD}[environments.prod.services.web]\nmemmory = 1",
        "environments.prod.services.web.memmory",
        4,
        "unknown key",
    ),
]


@pytest.mark.parametrize(("text", "path", "line", "message"), ERRORS, ids=lambda value: str(value)[-40:])
def test_a_mistake_is_one_error_at_its_place(problems: Problems, text: str, path: str, line: int, message: str) -> None:
    errors = [problem for problem in problems(text) if problem.severity == "error"]
    assert [(error.path, error.line) for error in errors] == [(path, line)]
    assert message in errors[0].message


WARNINGS = [
    (web('env = { DB_PASSWORD = "x" }'), "services.web.env.DB_PASSWORD", 5, "looks like a secret"),
    (web("scaling = { min = 1, max = 2 }"), "services.web.scaling", 5, "nothing here says when to scale"),
    (web("scaling = { min = 0, max = 2, cpu = 50 }"), "services.web.scaling.min", 5, "stays there"),
    (web("count = 5\nscaling = { min = 1, max = 2, cpu = 50 }"), "services.web.count", 5, "between 1 and 2"),
    (web('subnets = "private"\npublic_ip = true'), "services.web.public_ip", 6, "of no use"),
    (web('subnets = "public"\npublic_ip = false'), "services.web.public_ip", 6, "reaches nothing"),
    (
        web("deploy = { circuit_breaker = false, rollback = true }"),
        "services.web.deploy.rollback",
        5,
        "never rolls back",
    ),
    (web('[registries.r]\nmatch = "ghcr.io/*"\nsecret = "r"'), "registries.r.match", 6, "no image matches"),
    (web("[load_balancers.idle]"), "load_balancers.idle", 5, "no service uses this load balancer"),
    (
        web('port = 1\nhttp = { host = "b.org" }\n[load_balancers.a]\ncertificates = "a.org"'),
        "services.web.http.host",
        6,
        "no certificate of the load balancer `a` has the name b.org",
    ),
    (
        web('health_check = { command = ["CMD", "x"], interval = "5s", timeout = "6s" }'),
        "services.web.health_check.timeout",
        5,
        "longer than the interval",
    ),
    (HEAD, "services", 1, "the file has no services"),
]


@pytest.mark.parametrize(("text", "path", "line", "message"), WARNINGS, ids=lambda value: str(value)[-40:])
def test_what_is_doubtful_is_one_warning_at_its_place(
    problems: Problems, text: str, path: str, line: int, message: str
) -> None:
    found = problems(text)
    assert [(one.severity, one.path, one.line) for one in found] == [("warning", path, line)]
    assert message in found[0].message


HINTS = [
    ("memmory = 512", "did you mean `memory`?"),
    ("desired_count = 2", "did you mean `count`?"),
    ("environment = {}", "did you mean `env`?"),
    ("retention = 30", "`retention` belongs to `logs`: write `logs.retention`"),
    ('xyzzy = "1"', "known here: allow_from, arch, "),
]


@pytest.mark.parametrize(("line", "hint"), HINTS)
def test_an_unknown_key_comes_with_the_one_that_was_meant(problems: Problems, line: str, hint: str) -> None:
    (problem,) = problems(web(line))
    assert problem.message == "unknown key"
    assert problem.hint.startswith(hint)


def test_a_mistyped_key_does_not_cause_a_second_problem(problems: Problems) -> None:
    (problem,) = problems(web('cpu = "1 vCPU"\nmemmory = "3 GB"'))
    assert problem.path == "services.web.memmory"


def test_all_problems_of_a_file_come_at_once_in_its_order(problems: Problems) -> None:
    found = problems(
        """
        app = "shop"
        region = "eu-central-1"

        [services.web]
        image = "nginx"
        memmory = "2 GB"
        cpu = 256
        memory = 8192
        port = "eighty"
        env = { TAG = "${env.TAG}" }

        [services.web.http]
        healthcheck = "/"

        [services.web.scaling]
        min = 10
        max = 3
        cpu = 60

        [alarms]
        notify = "ops"
        """
    )
    assert [(one.line, one.path, one.message, one.hint) for one in found if one.severity == "error"] == [
        (7, "services.web.memmory", "unknown key", "did you mean `memory`?"),
        (
            8,
            "services.web.cpu",
            (
                "cpu = 256, memory = 8192 is not a Fargate size: 256 takes 512, 1024 or 2048 MiB; "
                "8192 MiB needs cpu 1024, 2048 or 4096"
            ),
            "",
        ),
        (10, "services.web.port", 'expected a whole number from 1 to 65535, got "eighty"', ""),
        (
            11,
            "services.web.env.TAG",
            "the environment variable TAG is not set",
            "set the environment variable TAG, or give a default: ${env.TAG:-value}",
        ),
        (14, "services.web.http.healthcheck", "unknown key", "did you mean `health_check`?"),
        (17, "services.web.scaling.min", "min = 10 is greater than max = 3", ""),
        (22, "alarms.notify", 'expected the ARN of an SNS topic "arn:aws:sns:REGION:ACCOUNT:NAME", got "ops"', ""),
    ]


def test_a_message_never_shows_what_a_variable_holds(problems: Problems) -> None:
    found = problems(web('cpu = "${env.SECRET}"'), SECRET="hunter2")
    assert "hunter2" not in str(found)
    assert "${env.SECRET}" in found[0].message


def test_two_mistakes_in_one_place_do_not_hide_the_rest(problems: Problems) -> None:
    found = problems(web('memory = 9\n[services.web.sidecars]\n"" = false\nlog = false\n[services.api]\ncount = -1'))
    assert {(one.line, one.path) for one in found} == {
        (5, "services.web.memory"),
        (7, 'services.web.sidecars.""'),
        (8, "services.web.sidecars.log"),
        (9, "services.api.image"),
        (10, "services.api.count"),
    }


def test_a_mistyped_required_key_is_not_said_to_be_missing_too(problems: Problems) -> None:
    (found,) = problems(f'{HEAD}[services.web]\nimgae = "nginx"')
    assert (found.path, found.hint) == ("services.web.imgae", "did you mean `image`?")


def test_a_path_as_a_containers_health_check_is_told_where_it_belongs(problems: Problems) -> None:
    (found,) = problems(web('health_check = "/"'))
    assert found.message == 'expected a table, got "/"'
    assert "`http.health_check`" in found.hint
