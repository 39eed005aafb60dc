"""The composition root: from the file to the stack. The one place where the concerns meet; it reads as the house does.

Each `declare` takes its section of the file and late values of others, and returns late values: a wrong wiring is a
type error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from fargatectl.config.field_types import TagSelector
from fargatectl.config.images import registry_for
from fargatectl.engine.stack import Stack
from fargatectl.model import names
from fargatectl.model.images import parse
from fargatectl.model.ownership import Ownership
from fargatectl.model.status import ServiceView
from fargatectl.model.values import Address, Ref
from fargatectl.reconcilers import (
    alb,
    cloudmap,
    cluster,
    iam,
    identity,
    logs,
    network,
    registry,
    scaling,
    secrets,
    service as ecs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fargatectl.aws.secrets import SecretOut
    from fargatectl.aws.session import Identity
    from fargatectl.config.models import Config, Container, Http, LoadBalancer, Secret, Service, Sidecar
    from fargatectl.engine.reconciler import AnyReconciler
    from fargatectl.engine.stack import Declared
    from fargatectl.model.values import Late

T = TypeVar("T")

KINDS: tuple[AnyReconciler, ...] = (
    logs.LogGroups(),
    iam.Roles(),
    *network.KINDS,
    *alb.KINDS,
    cloudmap.Namespaces(),
    cloudmap.DiscoveryServices(),
    cluster.Clusters(),
    *ecs.KINDS,
    *scaling.KINDS,
)
"""Every kind there is, in the order of creation; the sweep goes backward."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a file becomes: the stack, and where on it each service's parts stand."""

    stack: Stack
    services: tuple[ServiceView, ...]


def build(config: Config, environment: str | None, region: str) -> Blueprint:
    """Declare everything that `config` wants in `region`. Pure: nothing is read from AWS."""
    return _Builder(config, environment, region).build()


class _Builder:
    """Holds what several concerns need while the stack is being declared."""

    def __init__(self, config: Config, environment: str | None, region: str) -> None:
        self.config = config
        self.region = region
        self.owner = Ownership(config.app, environment)
        self.stack = Stack(self.owner, KINDS, extra_tags=config.tags)

    def build(self) -> Blueprint:
        config, stack = self.config, self.stack
        self.identity: Declared[Identity] = identity.declare(stack, config.account)
        self.network = network.declare(
            stack,
            vpc=_tags_or(config.network.vpc),
            public_subnets=_tags_or(config.network.public_subnets),
            private_subnets=_tags_or(config.network.private_subnets),
        )
        self.vpc = self.network.ref(lambda found: found.vpc_id)
        self.cluster = cluster.declare(
            stack,
            config.cluster.name,
            container_insights=config.cluster.container_insights,
            capacity=[cluster.Capacity(**item.model_dump()) for item in config.cluster.capacity],
            providers={item.provider for service in config.services.values() for item in service.capacity},
        )
        self.registries = {
            name: registry.declare(stack, name, secret=one.secret, path=f"registries.{name}.secret")
            for name, one in config.registries.items()
            if one.secret
        }
        if config.discovery:
            self.namespace = cloudmap.declare_namespace(stack, config.discovery.namespace, self.vpc)
        self.placements = {name: self._placement(name, service) for name, service in config.services.items()}
        self.balancer_groups: dict[str, Ref[str]] = {}
        self.balancers = {name: self._load_balancer(name, one) for name, one in config.load_balancers.items()}
        self.groups = {name: network.task_group(stack, name, vpc_id=self.vpc) for name in config.services}
        self._log_groups()
        views = tuple(self._service(name, service) for name, service in config.services.items())
        stack.check()
        return Blueprint(stack, views)

    # ---- what services share

    def _log_groups(self) -> None:
        """Declare each log group once; the first service that names it says how it is kept."""
        self.log_groups: dict[str, Declared[logs.LogGroupOut]] = {}
        for name, service in self.config.services.items():
            group = service.logs.group
            if group not in self.log_groups:
                days = 0 if service.logs.retention == "never" else service.logs.retention
                keep = service.logs.keep_on_destroy
                headline = f"service {name}"
                self.log_groups[group] = logs.declare(self.stack, group, retention_days=days, keep=keep, group=headline)

    def _load_balancer(self, name: str, one: LoadBalancer) -> alb.LoadBalancerHandles:
        routed = {
            service: found
            for service, found in self.config.services.items()
            if found.http and found.http.load_balancer == name
        }
        placements = [self.placements[service] for service in routed]

        def subnets(found: network.Network) -> tuple[str, ...]:
            zones = {zone for placement in placements for zone in found.zones_of(placement(found).subnets)}
            return network.load_balancer_subnets(found, one.scheme, zones)

        settings = alb.Settings(
            scheme=one.scheme,
            certificates=one.certificates,
            ssl_policy=one.ssl_policy,
            ip_address_type=one.ip_address_type,
            idle_timeout=one.idle_timeout,
            drop_invalid_headers=one.drop_invalid_headers,
            deletion_protection=one.deletion_protection,
            default=_fixed_response(one),
        )
        self.balancer_groups[name] = network.load_balancer_group(
            self.stack, name, vpc_id=self.vpc, ports=settings.ports, allow_from=one.allow_from
        )
        return alb.declare(
            self.stack,
            name,
            settings,
            vpc_id=self.vpc,
            subnets=self.network.ref(subnets),
            security_groups=(self.balancer_groups[name],),
            routes=[_route(service, found, found.http) for service, found in routed.items() if found.http],
        )

    def _placement(self, name: str, service: Service) -> Callable[[network.Network], network.TaskPlacement]:
        """Return how to choose the subnets of a service's tasks, once the network is known."""
        reach = self._reach(service)
        wanted, public_ip, path = service.subnets, service.public_ip, f"services.{name}"

        def place(found: network.Network) -> network.TaskPlacement:
            return network.place_tasks(found, wanted, reach, public_ip=public_ip, path=path)

        self.stack.note(self.network.ref(lambda found: place(found).reason))
        return place

    def _reach(self, service: Service) -> network.Reach:
        """Return what the tasks of a service must get to before and while they run."""
        endpoints = {"logs"}
        internet = False
        for container in _containers(service):
            ecr = parse(container.image).ecr
            if ecr is not None and ecr.region == self.region:
                endpoints |= {"ecr.api", "ecr.dkr", "s3"}
            else:
                internet = True
            endpoints |= {"ssm" if one.parameter else "secretsmanager" for one in container.secrets.values()}
        if service.exec:
            endpoints.add("ssmmessages")
        return network.Reach(internet, frozenset(endpoints))

    # ---- one service

    def _service(self, name: str, service: Service) -> ServiceView:
        group = f"service {name}"
        placed = self.network.ref(self.placements[name])
        target = self.balancers[service.http.load_balancer].targets[name] if service.http else None
        discovery = self._discovery(name, service)
        definition = self._definition(name, service, group)
        self._ingress(name, service)
        scaled = service.scaling
        count = max(scaled.min, min(service.count, scaled.max)) if scaled else service.count
        declared = self.stack.add(
            ecs.Services(),
            name,
            ecs.Service(
                name=names.family(self.owner, name),
                cluster=self.config.cluster.name,
                after=(self.cluster.ref(lambda made: made.arn), *(target.attached if target else ())),
                task_definition=definition.ref(lambda made: made.arn),
                initial_count=count,
                desired_count=None if scaled else count,
                capacity=self._capacity(service),
                subnets=placed.then(lambda placement: placement.subnets),
                security_groups=(self.groups[name],),
                public_ip=placed.then(lambda placement: placement.public_ip),
                targets=_targets(name, service, target),
                discovery=discovery,
                grace_period=service.http.grace_period if service.http else None,
                deployment=ecs.DeploymentConfiguration(
                    min_percent=service.deploy.min_healthy,
                    max_percent=service.deploy.max,
                    circuit_breaker=service.deploy.circuit_breaker,
                    rollback=service.deploy.rollback,
                ),
                # ECS refuses zone rebalancing for a service that may not run more tasks than desired.
                zone_rebalancing=service.deploy.max > 100,  # noqa: PLR2004 - percent
                exec=service.exec,
            ),
            group=group,
        )
        self._scaling(name, service, declared, target)
        return self._view(name, service)

    def _capacity(self, service: Service) -> tuple[ecs.Capacity, ...]:
        """Return the effective strategy: the service's, else the cluster's; empty for plain on-demand Fargate."""
        items = service.capacity or self.config.cluster.capacity
        return tuple(ecs.Capacity(provider=one.provider, base=one.base, weight=one.weight) for one in items)

    def _definition(self, name: str, service: Service, group: str) -> Declared[ecs.TaskDefinitionOut]:
        log_group = self.log_groups[service.logs.group]
        roles = self._roles(name, service)
        containers = [
            self._container(name, service, one_name, one) for one_name, one in _named_containers(name, service)
        ]
        spec = ecs.TaskDefinition(
            family=names.family(self.owner, name),
            cluster=self.config.cluster.name,
            service=names.family(self.owner, name),
            after=(log_group.ref(lambda made: made.arn),),
            cpu=service.cpu,
            memory=service.memory,
            architecture=service.arch,
            storage_gib=service.ephemeral_storage or ecs.DEFAULT_STORAGE_GIB,
            execution_role=roles.execution,
            task_role=roles.task,
            containers=tuple(sorted(containers, key=lambda one: one.name)),
        )
        return self.stack.add(ecs.TaskDefinitions(), name, spec, group=group)

    def _container(self, name: str, service: Service, own_name: str, one: Container) -> ecs.Container:
        main = own_name == name
        path = f"services.{name}" if main else f"services.{name}.sidecars.{own_name}"
        ports = ((service.port,) if service.port else ()) if main else one.ports  # type: ignore[attr-defined]
        check, credentials = one.health_check, self._credentials(one.image)
        return ecs.Container(
            name=own_name,
            image=one.image,
            essential=main or one.essential,  # type: ignore[attr-defined]
            cpu=0 if main else one.cpu or 0,  # type: ignore[attr-defined]
            memory=None if main else one.memory,  # type: ignore[attr-defined]
            ports=ports,
            command=one.command,
            entrypoint=one.entrypoint,
            workdir=one.workdir or "",
            user=one.user or "",
            environment=dict(one.env),
            secrets={key: self._value_from(value, f"{path}.secrets.{key}") for key, value in one.secrets.items()},
            registry_credentials=credentials.ref(lambda found: found.arn) if credentials else None,
            health_check=ecs.HealthCheck(**check.model_dump()) if check else None,
            logging=self._logging(service),
            depends_on={} if main else dict(one.depends_on),  # type: ignore[attr-defined]
            readonly_root=one.readonly_root,
            init=one.init,
            stop_timeout=one.stop_timeout,
            ulimits={str(limit): values for limit, values in one.ulimits.items()},
        )

    def _logging(self, service: Service) -> ecs.Logging:
        """Return the log options; the mode is always sent, for an account's setting changes what leaving it out means
        (ECS API Reference, LogConfiguration)."""
        options = {
            "awslogs-group": service.logs.group,
            "awslogs-region": self.region,
            "awslogs-stream-prefix": service.logs.stream_prefix,
            "mode": service.logs.mode,
        }
        if service.logs.mode == "non-blocking":
            options["max-buffer-size"] = service.logs.buffer
        return ecs.Logging(driver="awslogs", options=options)

    def _roles(self, name: str, service: Service) -> iam.ServiceRoles:
        """Give the execution role exactly what starting these tasks takes, and the task role what the file says."""
        repositories = {ecr.arn for one in _containers(service) if (ecr := parse(one.image).ecr)}
        read = [found for one in _containers(service) if (found := self._credentials(one.image))]
        parameters = []
        for place, one in _placed_secrets(name, service):
            if one.parameter:
                parameters.append(secrets.declare_parameter(self.stack, one.parameter, path=place))
            else:
                read.append(secrets.declare_secret(self.stack, one.secret or "", path=place))
        keys = [
            *(found.ref(lambda secret: secret.key_arn) for found in read),
            *(found.ref(lambda parameter: parameter.key_arn) for found in parameters),
        ]
        execution = (
            *iam.pull_from_ecr(sorted(repositories)),
            *iam.write_logs([self.log_groups[service.logs.group].ref(lambda made: made.arn)]),
            *iam.read_secrets([found.ref(lambda secret: secret.arn) for found in read]),
            *iam.read_parameters([found.ref(lambda parameter: parameter.arn) for found in parameters]),
            *iam.decrypt(keys),
        )
        allowed = [
            iam.allow(f"Allow{place}", one.actions, one.resources)
            for place, one in enumerate(service.permissions.allow, start=1)
        ]
        return iam.declare(
            self.stack,
            name,
            path=self.config.iam.path,
            permissions_boundary=self.config.iam.permissions_boundary,
            account=self.identity,
            region=self.region,
            execution=execution,
            task=(*allowed, *(iam.exec_channels() if service.exec else ())),
            managed=service.permissions.managed,
        )

    def _value_from(self, secret: Secret, path: str) -> Ref[str]:
        """Return what a container definition names a secret by; ARNs always, so that live and wanted are the same."""
        if secret.parameter:
            return secrets.declare_parameter(self.stack, secret.parameter, path=path).ref(lambda found: found.arn)
        key, stage, version = secret.key or "", secret.stage or "", secret.version or ""
        declared = secrets.declare_secret(self.stack, secret.secret or "", path=path)
        return declared.ref(lambda found: secrets.value_from(found.arn, key=key, stage=stage, version=version))

    def _credentials(self, image: str) -> Declared[SecretOut] | None:
        """Return the credentials that pull `image`, None where it needs none."""
        chosen = registry_for(self.config, image)
        return self.registries[chosen] if chosen else None

    def _ingress(self, name: str, service: Service) -> None:
        """Let the load balancer reach the port, and the app's other services where this one can be discovered."""
        sources: list[Late[str]] = []
        if service.http:
            sources.append(self.balancer_groups[service.http.load_balancer])
        if service.discovery:
            sources += [group for other, group in self.groups.items() if other != name]
        sources += service.allow_from
        network.task_ingress(self.stack, name, group_id=self.groups[name], port=service.port, sources=sources)

    def _discovery(self, name: str, service: Service) -> tuple[ecs.DiscoveryRegistration, ...]:
        if service.discovery is None:
            return ()
        declared = cloudmap.declare_service(
            self.stack,
            name,
            name=service.discovery.name,
            namespace=self.namespace,
            records=service.discovery.records,
            ttl=service.discovery.ttl,
            routing=service.discovery.routing,
        )
        # With SRV records ECS wants the port, with A records alone it refuses one (ECS API Reference, ServiceRegistry).
        port = service.port if "SRV" in service.discovery.records else None
        return (ecs.DiscoveryRegistration(arn=declared.ref(lambda made: made.arn), port=port),)

    def _scaling(
        self, name: str, service: Service, declared: Declared[ecs.ServiceOut], target: alb.Target | None
    ) -> None:
        wanted = service.scaling
        if wanted is None:
            return
        balancer = self.balancers[service.http.load_balancer] if service.http else None
        scaling.declare(
            self.stack,
            name,
            resource_id=f"service/{self.config.cluster.name}/{names.family(self.owner, name)}",
            service_arn=declared.ref(lambda made: made.arn),
            bounds=(wanted.min, wanted.max),
            cpu=wanted.cpu,
            memory=wanted.memory,
            requests=wanted.requests,
            label=(balancer.arn_suffix, target.target_group_suffix) if balancer and target else None,
            cooldown_out=wanted.cooldown.out,
            cooldown_in=wanted.cooldown.in_,
        )

    def _view(self, name: str, service: Service) -> ServiceView:
        http = service.http
        balancer = self.config.load_balancers[http.load_balancer] if http else None
        found = None
        if service.discovery and self.config.discovery:
            port = f":{service.port}" if service.port else ""
            found = f"{service.discovery.name}.{self.config.discovery.namespace}{port}"
        return ServiceView(
            name=name,
            service=Address(f"service.service/{name}"),
            task_definition=Address(f"service.task_definition/{name}"),
            load_balancer=Address(f"alb.load_balancer/{http.load_balancer}") if http else None,
            target_group=Address(f"alb.target_group/{name}") if http else None,
            scaling=Address(f"scaling.target/{name}") if service.scaling else None,
            host=next((host for host in http.host if not _has_wildcard(host)), None) if http else None,
            path=next((path for path in http.path if path != "/" and not _has_wildcard(path)), "") if http else "",
            https=bool(balancer and balancer.certificates),
            discovery=found,
        )


def _targets(name: str, service: Service, target: alb.Target | None) -> tuple[ecs.Target, ...]:
    if target is None or service.port is None:
        return ()
    return (ecs.Target(container=name, port=service.port, target_group_arn=target.target_group_arn),)


def _route(name: str, service: Service, http: Http) -> alb.Route:
    check = http.health_check
    return alb.Route(
        service=name,
        port=service.port or 0,
        host=http.host,
        path=http.path,
        priority=http.priority,
        protocol_version=http.protocol_version,
        health_check=alb.HealthCheck(
            path=check.path,
            codes=check.codes,
            interval=check.interval,
            timeout=check.timeout,
            healthy=check.healthy,
            unhealthy=check.unhealthy,
        ),
        deregistration_delay=http.deregistration_delay,
        algorithm=http.algorithm,
        stickiness=http.stickiness,
    )


def _fixed_response(one: LoadBalancer) -> alb.FixedResponse:
    if one.default is None:
        return alb.FixedResponse()
    return alb.FixedResponse(status=one.default.status, body=one.default.body)


def _tags_or(selector: TagSelector | T) -> Mapping[str, str] | T:
    """Return a selector of the file as the network takes it: tags, or what was written instead of them."""
    return selector.tag if isinstance(selector, TagSelector) else selector


def _named_containers(name: str, service: Service) -> Iterable[tuple[str, Container]]:
    yield name, service
    yield from service.sidecars.items()


def _placed_secrets(name: str, service: Service) -> Iterable[tuple[str, Secret]]:
    """Yield every secret of a service with its place in the file."""
    for own_name, one in _named_containers(name, service):
        path = f"services.{name}" if own_name == name else f"services.{name}.sidecars.{own_name}"
        for key, secret in one.secrets.items():
            yield f"{path}.secrets.{key}", secret


def _containers(service: Service) -> Iterable[Service | Sidecar]:
    yield service
    yield from service.sidecars.values()


def _has_wildcard(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern
