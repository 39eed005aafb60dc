"""Cloud Map services: the name under which the tasks of a service are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.errors import ClientError, says
from fargatectl.aws.tags import pairs
from fargatectl.aws.waits import retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.model.change import Action
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known
from fargatectl.reconcilers.cloudmap.operations import (
    IN_USE,
    existing_id,
    find,
    listed_tags,
    operation,
    owned_arns,
    request_id,
    tags_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership
    from fargatectl.reconcilers.cloudmap.namespace import NamespaceOut

_HEALTH_CHECK = {"FailureThreshold": 1}  # the only value that there is, whatever is sent


@dataclass(frozen=True, kw_only=True)
class DiscoveryService(Spec):
    """A Cloud Map service: the name in the namespace under which ECS registers its tasks. `ttl` in seconds.

    In an HTTP namespace it has neither `records` nor a `ttl`, and cannot be changed in place.

    ECS reports the health of tasks itself: in Cloud Map's words a custom health check. `after` is what must be in
    place before this is replaced: the exchange of a target group deploys tasks that register here as before.
    """

    identity: ClassVar[tuple[str, ...]] = ("name", "namespace_id")

    name: str = setting(immutable=True)
    namespace_id: Late[str] = setting(immutable=True)
    records: tuple[str, ...] = setting(immutable=True)
    ttl: int | None
    routing: str = setting(immutable=True, default="MULTIVALUE")
    custom_health_check: bool = setting(immutable=True, default=True)
    after: Late[str] = setting(wiring=True, default="")

    def __post_init__(self) -> None:
        # DNS names are the same in any case, and Cloud Map compares them so.
        object.__setattr__(self, "name", self.name.lower())
        object.__setattr__(self, "records", tuple(sorted({record.upper() for record in self.records})))


@dataclass(frozen=True)
class DiscoveryOut:
    """A Cloud Map service."""

    id: str
    arn: str


DiscoveryLive = Live[DiscoveryService, DiscoveryOut]


class DiscoveryServices(Reconciler[DiscoveryService, DiscoveryOut]):
    """Reads and changes Cloud Map services. The DNS name of one that is replaced has a gap: it cannot exist twice."""

    kind = "cloudmap.service"
    noun = "discovery service"
    tagged_as = "servicediscovery"
    effects: ClassVar[dict[Action, Effect]] = {
        Action.DELETE: Effect.INTERRUPTION,
        Action.REPLACE: Effect.INTERRUPTION,
    }

    def read(self, aws: Aws, specs: Sequence[DiscoveryService]) -> Sequence[DiscoveryLive | None]:
        namespaces = sorted({known(spec.namespace_id) for spec in specs})
        pages = dict(zip(namespaces, aws.each(lambda namespace: services_in(aws, namespace), namespaces), strict=True))
        found = [pages[known(spec.namespace_id)].get(spec.name) for spec in specs]
        tags = aws.each(
            lambda pair: tags_of(aws, pair[1]["Arn"], pair[0].tags) if pair[1] else {},
            list(zip(specs, found, strict=True)),
        )
        return [
            _discovery(one, known(spec.namespace_id), tagged) if one else None
            for spec, one, tagged in zip(specs, found, tags, strict=True)
        ]

    def create(self, aws: Aws, spec: DiscoveryService) -> DiscoveryOut:
        namespace = known(spec.namespace_id)
        request: dict[str, Any] = {
            "Name": spec.name,
            "NamespaceId": namespace,
            "CreatorRequestId": request_id(spec, namespace, spec.records, spec.routing),
            "Tags": pairs(spec.tags),
        }
        if spec.records:
            request["DnsConfig"] = {"RoutingPolicy": spec.routing, "DnsRecords": _dns_records(spec)}
        if spec.custom_health_check:
            request["HealthCheckCustomConfig"] = _HEALTH_CHECK
        try:
            made = aws.cloudmap.create_service(**request)["Service"]
        except ClientError as error:
            if not says(error, "ServiceAlreadyExists"):
                raise
            return self._take_up(aws, spec, existing_id(error, "ServiceId"))
        return DiscoveryOut(made["Id"], made["Arn"])

    def _take_up(self, aws: Aws, spec: DiscoveryService, service: str) -> DiscoveryOut:
        live = described(aws, service)
        require_ours(self.summary(spec), spec.tags, live.spec.tags)
        return self.update(aws, live, spec, self.compare(spec, live))

    def update(self, aws: Aws, live: DiscoveryLive, spec: DiscoveryService, delta: Delta) -> DiscoveryOut:
        if delta.touches("tags"):
            aws.cloudmap.tag_resource(ResourceARN=live.out.arn, Tags=pairs(spec.tags))
        if delta.touches("ttl"):
            # UpdateService removes what it is not given: all records go along, not only what changes.
            change: Any = {"DnsConfig": {"DnsRecords": _dns_records(spec)}}

            def ask() -> Mapping[str, Any]:
                return aws.cloudmap.update_service(Id=live.out.id, Service=change)

            operation(aws, "UpdateService", f"change of the discovery service {spec.name}", ask)
        return live.out

    def delete(self, aws: Aws, live: DiscoveryLive) -> None:
        def ask() -> object:
            # ECS takes its tasks out some time after they stopped; what it left behind goes here.
            _deregister(aws, live.out.id)
            return aws.cloudmap.delete_service(Id=live.out.id)

        try:
            retrying(aws, ask, IN_USE, interval=5)
        except ClientError as error:
            if not says(error, "ServiceNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[DiscoveryLive]:
        found = aws.each(lambda arn: find(described, aws, arn), owned_arns(aws, owner, ":service/", known))
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]


def declare_service(  # noqa: PLR0913 - what makes up a name
    stack: Stack,
    service: str,
    *,
    name: str,
    namespace: Declared[NamespaceOut],
    records: Sequence[str],
    ttl: int | None,
    routing: str = "MULTIVALUE",
    after: Late[str] = "",
) -> Declared[DiscoveryOut]:
    """Declare that `service` is found as `name` in the namespace; `ttl` in seconds, `after` as in the spec.

    Without `records` it is found by API calls alone, and has no `ttl`.
    """
    spec = DiscoveryService(
        name=name,
        namespace_id=namespace.ref(lambda out: out.id),
        records=tuple(records),
        ttl=ttl,
        routing=routing,
        after=after,
    )
    return stack.add(DiscoveryServices(), service, spec, group=f"service {service}")


def services_in(aws: Aws, namespace: str) -> dict[str, Any]:
    """Return the namespace's services by name; ListServices has no filter for that."""

    def ask() -> dict[str, Any]:
        pages = aws.cloudmap.get_paginator("list_services").paginate(
            Filters=[{"Name": "NAMESPACE_ID", "Values": [namespace], "Condition": "EQ"}]
        )
        return {service["Name"].lower(): service for page in pages for service in page["Services"]}

    return aws.reads.once(("cloudmap services", namespace), ask)


def _discovery(found: Any, namespace: str, tags: Mapping[str, str]) -> DiscoveryLive:  # noqa: ANN401 - Cloud Map's
    config = found.get("DnsConfig") or {}
    records = config.get("DnsRecords", [])
    spec = DiscoveryService(
        name=found["Name"],
        namespace_id=namespace,
        records=tuple(record["Type"] for record in records),
        ttl=_ttl(records),
        routing=config.get("RoutingPolicy", "MULTIVALUE"),
        # `{}` and a threshold of 1 say the same.
        custom_health_check=found.get("HealthCheckCustomConfig") is not None,
        tags=tags,
    )
    return Live(spec, DiscoveryOut(found["Id"], found["Arn"]), found["Arn"])


def _ttl(records: Sequence[Any]) -> int:
    """Return the TTL that all records have, as ours do; -1 where somebody set them apart."""
    ttls = {record["TTL"] for record in records}
    return ttls.pop() if len(ttls) == 1 else -1


def described(aws: Aws, service: str) -> DiscoveryLive:
    """Return a service by its id."""
    found = aws.cloudmap.get_service(Id=service)["Service"]
    return _discovery(found, found["NamespaceId"], listed_tags(aws, found["Arn"]))


def _dns_records(spec: DiscoveryService) -> list[Any]:
    return [{"Type": record, "TTL": spec.ttl} for record in spec.records]


def _deregister(aws: Aws, service: str) -> None:
    pages = aws.cloudmap.get_paginator("list_instances").paginate(ServiceId=service)
    for instance in [instance["Id"] for page in pages for instance in page["Instances"]]:

        def ask(instance: str = instance) -> Mapping[str, Any]:
            return aws.cloudmap.deregister_instance(ServiceId=service, InstanceId=instance)

        try:
            operation(aws, "DeregisterInstance", f"removal of {instance}", ask)
        except ClientError as error:
            if not says(error, "InstanceNotFound"):
                raise
