"""Cloud Map namespaces: private DNS in a VPC, or for API calls alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.errors import ClientError, code_of, says
from fargatectl.aws.tags import pairs
from fargatectl.aws.waits import retrying
from fargatectl.dataclass import dataclass
from fargatectl.engine.proof import require_ours, same_owner
from fargatectl.engine.reconciler import Live, Reconciler
from fargatectl.errors import AwsFailure, Refused
from fargatectl.model.change import Action, diff
from fargatectl.model.ownership import owner_of
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
from fargatectl.reconcilers.cloudmap.service import described, services_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set as AbstractSet

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.model.change import Delta
    from fargatectl.model.ownership import Ownership

VPC = "fargatectl:vpc"
"""Our tag that says in which VPC a namespace is: Cloud Map itself does not show it."""

DNS_PRIVATE = "DNS_PRIVATE"
HTTP = "HTTP"


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


@dataclass(frozen=True)
class NamespaceOut:
    """A namespace."""

    id: str
    arn: str
    name: str


NamespaceLive = Live[Namespace, NamespaceOut]


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
        lives = [_namespace(found, tags_of(aws, found["Arn"], spec.tags)) for found in named]
        here = [live for live in lives if live.spec.vpc_id in {"", spec.vpc_id}]
        return min(here, key=lambda live: (not same_owner(spec.tags, live.spec.tags), live.id), default=None)

    def compare(self, spec: Namespace, live: NamespaceLive) -> Delta:
        # An empty VPC means that nobody can tell.
        return diff(spec, live.spec if live.spec.vpc_id else replace(live.spec, vpc_id=spec.vpc_id))

    def create(self, aws: Aws, spec: Namespace) -> NamespaceOut:
        live: NamespaceLive | None = find(_described_namespace, aws, _made(aws, spec))
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
                if IN_USE.matches(error):
                    _require_none_of_others(aws, live, error)
                raise

        def ask() -> Mapping[str, Any]:
            return retrying(aws, try_to, IN_USE, interval=5)

        try:
            operation(aws, "DeleteNamespace", f"deletion of the namespace {live.out.name}", ask)
        except ClientError as error:
            if not says(error, "NamespaceNotFound"):
                raise

    def owned(self, aws: Aws, owner: Ownership, known: AbstractSet[str]) -> Iterable[NamespaceLive]:
        found = aws.each(lambda arn: find(_described_namespace, aws, arn), owned_arns(aws, owner, ":namespace/", known))
        return [live for live in found if live is not None and owner.owns(live.spec.tags)]


def declare_namespace(
    stack: Stack, name: str, vpc_id: Late[str], *, namespace_type: str = DNS_PRIVATE
) -> Declared[NamespaceOut]:
    """Declare the namespace `name`: private DNS in the VPC, or of the type HTTP, which is in none."""
    vpc = "" if namespace_type == HTTP else vpc_id
    return stack.add(Namespaces(), name, Namespace(name=name, vpc_id=vpc, type=namespace_type), group="discovery")


def _made(aws: Aws, spec: Namespace, *again: str) -> str:
    """Ask for a namespace, wait until it is there, and return its id; `again` makes another request of it."""
    vpc = known(spec.vpc_id)
    token = request_id(spec, vpc, *again)

    def ask() -> Mapping[str, Any]:
        request: Any = {"Name": spec.name, "CreatorRequestId": token, "Tags": pairs(_marked(spec))}
        if spec.type == HTTP:
            return aws.cloudmap.create_http_namespace(**request)
        return aws.cloudmap.create_private_dns_namespace(**request, Vpc=vpc)

    name = "CreateHttpNamespace" if spec.type == HTTP else "CreatePrivateDnsNamespace"
    try:
        return operation(aws, name, f"namespace {spec.name}", ask)["NAMESPACE"]
    except ClientError as error:
        if not says(error, "NamespaceAlreadyExists"):
            raise
        return existing_id(error, "NamespaceId")


def _namespace(found: Any, tags: Mapping[str, str]) -> NamespaceLive:  # noqa: ANN401 - Cloud Map's namespace
    spec = Namespace(name=found["Name"], vpc_id=tags.get(VPC, ""), type=found["Type"], tags=tags)
    return Live(spec, NamespaceOut(found["Id"], found["Arn"], spec.name), found["Arn"])


def _marked(spec: Namespace) -> dict[str, str]:
    return {**spec.tags, VPC: known(spec.vpc_id)} if spec.type == DNS_PRIVATE else dict(spec.tags)


def _described_namespace(aws: Aws, namespace: str) -> NamespaceLive:
    found = aws.cloudmap.get_namespace(Id=namespace)["Namespace"]
    return _namespace(found, listed_tags(aws, found["Arn"]))


def _require_none_of_others(aws: Aws, live: NamespaceLive, error: ClientError) -> None:
    """Raise `AwsFailure` for services in the namespace that are not of its owner: no wait takes these away."""
    aws.reads.clear()
    found = services_in(aws, live.out.id)
    lives = aws.each(lambda service: find(described, aws, service["Arn"]), list(found.values()))
    theirs = [
        f"{one.spec.name}, which belongs to {owner_of(one.spec.tags)}"
        for one in lives
        if one is not None and not same_owner(live.spec.tags, one.spec.tags)
    ]
    if theirs:
        message = f"namespace {live.out.name} stays: in it is {'; '.join(theirs)}"
        hint = "delete these services, or move them to another namespace, then run the same command again"
        raise AwsFailure(message, operation="servicediscovery:DeleteNamespace", code=code_of(error), hint=hint)
