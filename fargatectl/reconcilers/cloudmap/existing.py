"""Namespaces that are used as they are: looked up, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.answers import answer_each
from fargatectl.dataclass import dataclass
from fargatectl.engine.existing import missing, require_foreign
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError, Refused
from fargatectl.model.spec import Spec
from fargatectl.reconcilers.cloudmap.namespace import DNS_PRIVATE, NamespaceOut
from fargatectl.reconcilers.cloudmap.operations import tags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError


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
    require_foreign(f"the namespace {one['Name']}", spec.tags, tags_of(aws, one["Arn"], spec.tags), path=spec.path)
    return NamespaceOut(one["Id"], one["Arn"], one["Name"])


def use_namespace(stack: Stack, namespace: str) -> Declared[NamespaceOut]:
    """Declare that `namespace` (a name, id or ARN) exists and is not ours."""
    query = ExistingQuery(namespace=namespace, path="discovery.use", tags=stack.owner.tags())
    return stack.find(ExistingNamespaces(), namespace, query)
