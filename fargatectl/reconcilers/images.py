"""Images: which digest a tag stands for, in ECR or by the API that all registries have. Looked up, never changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, says
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError
from fargatectl.model.images import DOCKER_HUB, Image, parse
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.http import Fetch, Reply
    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError
    from fargatectl.model.images import EcrRepository

_HUB_API = "registry-1.docker.io"
# OCI Distribution Specification, "Pulling manifests"; the image manifest of Docker is the older form of the same.
_ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
_CHALLENGE = re.compile(r'(realm|service|scope)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_OK, _UNAUTHORIZED, _MISSING = 200, 401, 404


@dataclass(frozen=True, kw_only=True)
class DigestQuery(Spec):
    """An image by its tag; `path` is where the file names it."""

    image: str
    path: str = setting(wiring=True, default="")


@dataclass(frozen=True)
class DigestOut:
    """The image by its digest, or as it was written where that cannot be found out; `warning` says why, else ""."""

    image: str
    warning: str = ""


class Digests(Lookup[DigestQuery, DigestOut]):
    """Finds digests. A tag that ECR or a public registry does not have is told before anything is deployed."""

    kind = "images.digest"

    def read(self, aws: Aws, specs: Sequence[DigestQuery]) -> Sequence[DigestOut | FargatectlError]:
        """Return the images by digest; `NotFoundError` for what their registry does not have."""
        return answer_each(aws, lambda spec: _resolve(aws, spec), specs)


def declare(stack: Stack, image: str, *, path: str) -> Declared[DigestOut]:
    """Declare that `image` is to be known by its digest; the file names it at `path`."""
    return stack.find(Digests(), image, DigestQuery(image=image, path=path))


def _resolve(aws: Aws, spec: DigestQuery) -> DigestOut:
    image = parse(spec.image)
    if image.ecr is not None:
        return _pinned(image, _in_ecr(aws, image, image.ecr, spec))
    if aws.fetch is None:
        return _as_written(image, "registries other than ECR are not asked here")
    try:
        digest = _in_registry(aws.fetch, image)
    except (OSError, ValueError) as error:
        return _as_written(image, str(error))
    if digest is None:
        hint = "push it, or correct the tag"
        raise NotFoundError(f"the image {image} does not exist", path=spec.path, hint=hint)
    return _pinned(image, digest)


def _pinned(image: Image, digest: str) -> DigestOut:
    # ECS takes a tag or a digest (ECS API Reference, ContainerDefinition: image).
    written = image.written.removesuffix(f":{image.tag}") if image.tag else image.written
    return DigestOut(f"{written}@{digest}")


def _as_written(image: Image, why: str) -> DigestOut:
    return DigestOut(image.written, f"{image.written} keeps its tag, its digest could not be found out: {why}")


def _in_ecr(aws: Aws, image: Image, repository: EcrRepository, spec: DigestQuery) -> str:
    there, tag = aws.at(repository.region), [{"imageTag": image.tag or "latest"}]
    try:
        found = there.ecr.describe_images(registryId=repository.account, repositoryName=repository.name, imageIds=tag)
        return str(found["imageDetails"][0]["imageDigest"])
    except ClientError as error:
        if says(error, "ImageNotFoundException"):
            message = f"the image {image} does not exist in ECR"
            raise NotFoundError(message, path=spec.path, hint="push it, or correct the tag") from error
        if says(error, "RepositoryNotFoundException"):
            message = f"the repository {repository.name} does not exist in ECR of {repository.account}"
            raise NotFoundError(f"{message}, {repository.region}", path=spec.path, hint="correct the image") from error
        raise


def _in_registry(fetch: Fetch, image: Image) -> str | None:
    """Return the digest of a tag in a registry that answers strangers, None where it has no such tag.

    Raises OSError where it cannot be reached, ValueError where it answers otherwise.
    """
    host = _HUB_API if image.host == DOCKER_HUB else image.host
    url = f"https://{host}/v2/{image.repository}/manifests/{image.tag or 'latest'}"
    headers = {"Accept": _ACCEPT}
    reply = fetch("HEAD", url, headers)
    if reply.status == _UNAUTHORIZED:
        reply = fetch("HEAD", url, {**headers, "Authorization": f"Bearer {_token(fetch, reply, image)}"})
    if reply.status == _MISSING:
        return None
    digest = reply.headers.get("docker-content-digest", "")
    if reply.status == _OK and _DIGEST.fullmatch(digest):
        return digest
    message = f"{image.host} answered {reply.status}"
    raise ValueError(message + (", it does not show it to strangers" if reply.status == _UNAUTHORIZED else ""))


def _token(fetch: Fetch, refusal: Reply, image: Image) -> str:
    """Return a stranger's token for pulling, from where the registry says (Distribution, "Token authentication")."""
    asked = dict(_CHALLENGE.findall(refusal.headers.get("www-authenticate", "")))
    realm = asked.pop("realm", "")
    answer = fetch("GET", f"{realm}?{urlencode(asked)}", {})
    held = json.loads(answer.body or b"{}") if answer.status == _OK else {}
    token = held.get("token") or held.get("access_token") if isinstance(held, dict) else None
    if not isinstance(token, str):
        message = f"{image.host} does not show it to strangers"
        raise ValueError(message)  # noqa: TRY004 - the caller takes it for an answer that nobody can use
    return token
