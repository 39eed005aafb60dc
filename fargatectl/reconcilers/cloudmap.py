"""Cloud Map: the app's namespace, private DNS or for API calls alone, and each service's name in it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, code_of, says
from fargatectl.aws.tags import as_dict, pairs
from fargatectl.aws.waits import Transient, polling, retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.existing import missing, require_foreign
from fargatectl.engine.proof import require_ours, same_owner, tags_shown
from fargatectl.engine.reconciler import Live, Lookup, Reconciler
from fargatectl.errors import AwsFailure, NotFoundError, Refused
from fargatectl.model.change import Action, diff
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT, owner_of
from fargatectl.model.spec import Effect, Spec, setting
from fargatectl.model.values import Late, known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

VPC = "fargatectl:vpc"
"""Our tag that says in which VPC a namespace is: Cloud Map itself does not show it."""

_OPERATION_SECONDS = 300
_EMPTYING_SECONDS = 180

# Cloud Map API Reference, DeleteService and DeleteNamespace: what was in it still counts for a while.
_IN_USE = Transient("ResourceInUse", seconds=_EMPTYING_SECONDS)

_HINTS = {
    "CANNOT_CREATE_HOSTED_ZONE": "the VPC has a private hosted zone of this or an overlapping name already: choose "
    "another discovery.namespace, or remove that zone from the VPC",
}
DNS_PRIVATE = "DNS_PRIVATE"
HTTP = "HTTP"
_HEALTH_CHECK = {"FailureThreshold": 1}  # the only value that there is, whatever is sent


@dataclass(frozen=True, kw_only=True)
class Namespace(Spec):
    """A private DNS namespace in a VPC, where its name is a private hosted zone; or one of the type HTTP, in no VPC.

    Namespaces of one name may exist in several VPCs. Of ours, a tag says which; of somebody else's Cloud Map does not,
    and it counts as being in this VPC.
    """

    identity: ClassVar[tuple[str, ...]] = ("name", "vpc_id")

    name: str = setting(immutable=True)
    vpc_id: Late[str] = setting(immutable=True)
    type: str = setting(immutable=True, default=DNS_PRIVATE)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.lower().rstrip("."))


@dataclass(frozen=True, slots=True)
class NamespaceOut:
    """A namespace."""

    id: str
    arn: str
    name: str


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


@dataclass(frozen=True, slots=True)
class DiscoveryOut:
    """A Cloud Map service."""

    id: str
    arn: str


NamespaceLive = Live[Namespace, NamespaceOut]
DiscoveryLive = Live[DiscoveryService, DiscoveryOut]


class Namespaces(Reconciler[Namespace, NamespaceOut]):
    """Reads and changes namespaces."""

    kind = "cloudmap.namespace"
    noun = "namespace"
    tagged_as = "servicediscovery"
    effects: ClassVar[dict[Action, Effect]] = {
        Action.DELETE: Effect.INTERRUPTION,
        Action.REPLACE: Effect.INTERRUPTION,
    }

    def read(self, aws: Aws, specs: Sequence[Namespace]) -> Sequence[NamespaceLive | None]:
        return aws.each(lambda spec: self._read(aws, spec), specs)

    def _read(self, aws: Aws, spec: Namespace) -> NamespaceLive | None:
        pages = aws.cloudmap.get_paginator("list_namespaces").paginate(
            Filters=[
                {"Name": "TYPE", "Values": [spec.type], "Condition": "EQ"},
                {"Name": "NAME", "Values": [spec.name], "Condition": "EQ"},
            ]
        )
        named: list[Any] = [n for page in pages for n in page["Namespaces"] if n["Name"].lower() == spec.name]
        lives = [_namespace(found, _tags(aws, found["Arn"], spec.tags)) for found in named]
        here = [live for live in lives if live.spec.vpc_id in {"", spec.vpc_id}]
        return min(here, key=lambda live: (not same_owner(spec.tags, live.spec.tags), live.id), default=None)

    def compare(self, spec: Namespace, live: NamespaceLive) -> Delta:
        # An empty VPC means that nobody can tell.
        return diff(spec, live.spec if live.spec.vpc_id else replace(live.spec, vpc_id=spec.vpc_id))

    def create(self, aws: Aws, spec: Namespace) -> NamespaceOut:
        live: NamespaceLive | None = _find(_described_namespace, aws, _made(aws, spec))
        if live is None:
            # An app that was destroyed asks with the same token again. Whether Cloud Map still knows how that ended,
            # it does not say: then the answer is the namespace of then.
            live = _described_namespace(aws, _made(aws, spec, aws.now().isoformat()))
        require_ours(self.summary(spec), spec.tags, live.spec.tags)
        if live.spec.type != spec.type:
            message = (
                f"the namespace {spec.name} exists as {live.spec.type}, and AWS has no room for one of {spec.type}"
            )
            raise Refused(message, hint="choose another discovery.namespace for the new type")
        return live.out

    def update(self, aws: Aws, live: NamespaceLive, spec: Namespace, delta: Delta) -> NamespaceOut:
        if delta.touches("tags"):
            aws.cloudmap.tag_resource(ResourceARN=live.out.arn, Tags=pairs(_marked(spec)))
        return live.out

    def delete(self, aws: Aws, live: NamespaceLive) -> None:
        def try_to() -> Mapping[str, Any]:
            try:
                return aws.cloudmap.delete_namespace(Id=live.out.id)
            except ClientError as error:
                if _IN_USE.matches(error):
                    _require_none_of_others(aws, live, error)
                raise

        def ask() -> Mapping[str, Any]:
            return retrying(aws, try_to, _IN_USE, interval=5)

        try:
            _operation(aws, "DeleteNamespace", f"deletion of the namespace {live.out.name}", ask)
        except ClientError as error:
            if not says(error, "NamespaceNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[NamespaceLive]:
        found = aws.each(lambda arn: _find(_described_namespace, aws, arn), _tagged(aws, owner, ":namespace/", known))
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]


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
        pages = dict(zip(namespaces, aws.each(lambda namespace: _services_in(aws, namespace), namespaces), strict=True))
        found = [pages[known(spec.namespace_id)].get(spec.name) for spec in specs]
        tags = aws.each(
            lambda pair: _tags(aws, pair[1]["Arn"], pair[0].tags) if pair[1] else {},
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
            "CreatorRequestId": _request_id(spec, namespace, spec.records, spec.routing),
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
            return self._take_up(aws, spec, _existing(error, "ServiceId"))
        return DiscoveryOut(made["Id"], made["Arn"])

    def _take_up(self, aws: Aws, spec: DiscoveryService, service: str) -> DiscoveryOut:
        live = _described_service(aws, service)
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

            _operation(aws, "UpdateService", f"change of the discovery service {spec.name}", ask)
        return live.out

    def delete(self, aws: Aws, live: DiscoveryLive) -> None:
        def ask() -> object:
            # ECS takes its tasks out some time after they stopped; what it left behind goes here.
            _deregister(aws, live.out.id)
            return aws.cloudmap.delete_service(Id=live.out.id)

        try:
            retrying(aws, ask, _IN_USE, interval=5)
        except ClientError as error:
            if not says(error, "ServiceNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[DiscoveryLive]:
        found = aws.each(lambda arn: _find(_described_service, aws, arn), _tagged(aws, owner, ":service/", known))
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]


@dataclass(frozen=True, kw_only=True)
class ExistingQuery(Spec):
    """A namespace that is not ours, by name, id or ARN; `path` is where the file names it; the tags are ours, which it
    must not have."""

    namespace: str
    path: str


class ExistingNamespaces(Lookup[ExistingQuery, NamespaceOut]):
    """Finds namespaces that are used as they are."""

    kind = "cloudmap.existing_namespace"

    def read(self, aws: Aws, specs: Sequence[ExistingQuery]) -> Sequence[NamespaceOut | FargatectlError]:
        """Return the namespaces; `NotFoundError` for what is missing, `Refused` for what is ours or not private DNS."""
        return answer_each(aws, lambda spec: _usable(aws, spec), specs)


def _usable(aws: Aws, spec: ExistingQuery) -> NamespaceOut:
    pages = aws.cloudmap.get_paginator("list_namespaces").paginate()
    there: list[Any] = [namespace for page in pages for namespace in page["Namespaces"]]
    wanted = spec.namespace.rstrip(".")
    found = [one for one in there if wanted in {one["Id"], one["Arn"]} or one["Name"].lower() == wanted.lower()]
    if not found:
        raise missing("namespace", spec.namespace, (one["Name"] for one in there), path=spec.path)
    if len(found) > 1:
        ids = ", ".join(sorted(one["Id"] for one in found))
        raise NotFoundError(f"several namespaces are named {wanted}", path=spec.path, hint=f"use one's id: {ids}")
    (one,) = found
    if one["Type"] != DNS_PRIVATE:
        message = f"the namespace {one['Name']} is of the type {one['Type']}, not {DNS_PRIVATE}"
        raise Refused(message, hint="name a private DNS namespace of the VPC")
    require_foreign(f"the namespace {one['Name']}", spec.tags, _tags(aws, one["Arn"], spec.tags), path=spec.path)
    return NamespaceOut(one["Id"], one["Arn"], one["Name"])


def use_namespace(stack: Stack, namespace: str) -> Declared[NamespaceOut]:
    """Declare that `namespace` (a name, id or ARN) exists and is not ours."""
    query = ExistingQuery(namespace=namespace, path="discovery.use", tags=stack.owner.tags())
    return stack.find(ExistingNamespaces(), namespace, query)


def declare_namespace(
    stack: Stack, name: str, vpc_id: Late[str], *, namespace_type: str = DNS_PRIVATE
) -> Declared[NamespaceOut]:
    """Declare the namespace `name`: private DNS in the VPC, or of the type HTTP, which is in none."""
    vpc = "" if namespace_type == HTTP else vpc_id
    return stack.add(Namespaces(), name, Namespace(name=name, vpc_id=vpc, type=namespace_type), group="discovery")


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


def _made(aws: Aws, spec: Namespace, *again: str) -> str:
    """Ask for a namespace, wait until it is there, and return its id; `again` makes another request of it."""
    vpc = known(spec.vpc_id)
    token = _request_id(spec, vpc, *again)

    def ask() -> Mapping[str, Any]:
        request: Any = {"Name": spec.name, "CreatorRequestId": token, "Tags": pairs(_marked(spec))}
        if spec.type == HTTP:
            return aws.cloudmap.create_http_namespace(**request)
        return aws.cloudmap.create_private_dns_namespace(**request, Vpc=vpc)

    name = "CreateHttpNamespace" if spec.type == HTTP else "CreatePrivateDnsNamespace"
    try:
        return _operation(aws, name, f"namespace {spec.name}", ask)["NAMESPACE"]
    except ClientError as error:
        if not says(error, "NamespaceAlreadyExists"):
            raise
        return _existing(error, "NamespaceId")


def _namespace(found: Any, tags: Mapping[str, str]) -> NamespaceLive:  # noqa: ANN401 - Cloud Map's namespace
    spec = Namespace(name=found["Name"], vpc_id=tags.get(VPC, ""), type=found["Type"], tags=tags)
    return Live(spec, NamespaceOut(found["Id"], found["Arn"], spec.name), found["Arn"])


def _marked(spec: Namespace) -> dict[str, str]:
    return {**spec.tags, VPC: known(spec.vpc_id)} if spec.type == DNS_PRIVATE else dict(spec.tags)


def _described_namespace(aws: Aws, namespace: str) -> NamespaceLive:
    found = aws.cloudmap.get_namespace(Id=namespace)["Namespace"]
    return _namespace(found, _listed_tags(aws, found["Arn"]))


def _services_in(aws: Aws, namespace: str) -> dict[str, Any]:
    """Return the namespace's services by name; ListServices has no filter for that."""

    def ask() -> dict[str, Any]:
        pages = aws.cloudmap.get_paginator("list_services").paginate(
            Filters=[{"Name": "NAMESPACE_ID", "Values": [namespace], "Condition": "EQ"}]
        )
        return {service["Name"].lower(): service for page in pages for service in page["Services"]}

    return aws.reads.once(("cloudmap services", namespace), ask)


def _require_none_of_others(aws: Aws, live: NamespaceLive, error: ClientError) -> None:
    """Raise `AwsFailure` for services in the namespace that are not of its owner: no wait takes these away."""
    aws.reads.clear()
    found = _services_in(aws, live.out.id)
    lives = aws.each(lambda service: _find(_described_service, aws, service["Arn"]), list(found.values()))
    theirs = [
        f"{one.spec.name}, which belongs to {owner_of(one.spec.tags)}"
        for one in lives
        if one is not None and not same_owner(live.spec.tags, one.spec.tags)
    ]
    if theirs:
        message = f"namespace {live.out.name} stays: in it is {'; '.join(theirs)}"
        hint = "delete these services, or move them to another namespace, then run the same command again"
        raise AwsFailure(message, operation="servicediscovery:DeleteNamespace", code=code_of(error), hint=hint)


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


def _described_service(aws: Aws, service: str) -> DiscoveryLive:
    found = aws.cloudmap.get_service(Id=service)["Service"]
    return _discovery(found, found["NamespaceId"], _listed_tags(aws, found["Arn"]))


def _dns_records(spec: DiscoveryService) -> list[Any]:
    return [{"Type": record, "TTL": spec.ttl} for record in spec.records]


def _deregister(aws: Aws, service: str) -> None:
    pages = aws.cloudmap.get_paginator("list_instances").paginate(ServiceId=service)
    for instance in [instance["Id"] for page in pages for instance in page["Instances"]]:

        def ask(instance: str = instance) -> Mapping[str, Any]:
            return aws.cloudmap.deregister_instance(ServiceId=service, InstanceId=instance)

        try:
            _operation(aws, "DeregisterInstance", f"removal of {instance}", ask)
        except ClientError as error:
            if not says(error, "InstanceNotFound"):
                raise


def _operation(aws: Aws, name: str, what: str, ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, str]:
    """Begin an asynchronous operation and return its targets (kind → id) when it has succeeded.

    Raises `AwsFailure` with Cloud Map's own code and words when it fails, or takes more than five minutes.
    """
    try:
        operation = ask()["OperationId"]
    except ClientError as error:
        # The same request is under way already: an earlier run sent it, or botocore did twice.
        if not says(error, "DuplicateRequest"):
            raise
        operation = _existing(error, "DuplicateOperationId")

    def look() -> Mapping[str, Any] | None:
        found = aws.cloudmap.get_operation(OperationId=operation)["Operation"]
        return found if found.get("Status") in {"SUCCESS", "FAIL"} else None

    ended = polling(aws, what, look, seconds=_OPERATION_SECONDS)
    if ended["Status"] == "FAIL":
        code = ended.get("ErrorCode", "")
        message = f"Cloud Map could not finish {what}: {ended.get('ErrorMessage', code)}"
        raise AwsFailure(message, operation=f"servicediscovery:{name}", code=code, hint=_HINTS.get(code, ""))
    targets: Mapping[str, str] = ended.get("Targets", {})
    return targets


def _existing(error: ClientError, member: str) -> str:
    """Return the id that Cloud Map's "already exists" carries beside its message."""
    found: Any = error.response
    if not found.get(member):
        raise error
    return str(found[member])


def _request_id(spec: Spec, *parts: object) -> str:
    """Return a token of 64 characters, the same for the same request in this run and the next."""
    seed = (*(spec.tags.get(key, "") for key in (APP, ENVIRONMENT, ADDRESS)), getattr(spec, "name", ""), *parts)
    return sha256("\n".join(str(part) for part in seed).encode()).hexdigest()


def _tags(aws: Aws, arn: str, wanted: Mapping[str, str]) -> Mapping[str, str]:
    return tags_shown(aws, arn, wanted, lambda: _listed_tags(aws, arn))


def _listed_tags(aws: Aws, arn: str) -> dict[str, str]:
    return as_dict(aws.cloudmap.list_tags_for_resource(ResourceARN=arn)["Tags"])


def _tagged(aws: Aws, owner: Ownership, part: str, known: AbstractSet[str]) -> list[str]:
    arns = aws.tagged(owner.tags())
    return sorted(arn for arn in arns if ":servicediscovery:" in arn and part in arn and arn not in known)


def _find(describe: Callable[[Aws, str], Any], aws: Aws, arn: str) -> Any:  # noqa: ANN401 - a live half, or None
    try:
        return describe(aws, arn.rpartition("/")[2])
    except ClientError as error:
        if not (says(error, "ServiceNotFound") or says(error, "NamespaceNotFound")):
            raise
        return None
