"""Image references: which registry, repository, tag and digest a name stands for."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fargatectl.dataclass import dataclass
from fargatectl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCKER_HUB = "docker.io"
PUBLIC_ECR = "public.ecr.aws"
_OFFICIAL = "library/"

# The grammar of the OCI distribution project, "Reference".
_HOST = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?"
)
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(
    rf"(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}))?"
)
# Amazon ECR User Guide, "Private registries": IPv4, FIPS, and dual-stack names.
_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn))"
)


@dataclass(frozen=True)
class EcrRepository:
    """A repository in Amazon ECR's private registry of an account and Region."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The repository's ARN, as policies name it."""
        return f"arn:{_partition(self.region)}:ecr:{self.region}:{self.account}:repository/{self.name}"


@dataclass(frozen=True)
class Image:
    """An image reference with everything that Docker leaves out: host, `library/`. `str` gives it in full."""

    written: str
    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """Return the canonical form; `latest` is not added where a digest stands."""
        tag = self.tag or ("" if self.digest else "latest")
        return f"{self.name}{f':{tag}' if tag else ''}{f'@{self.digest}' if self.digest else ''}"

    @property
    def name(self) -> str:
        """The canonical name without tag and digest."""
        return f"{self.host}/{self.repository}"

    @property
    def ecr(self) -> EcrRepository | None:
        """The private ECR repository that it lies in, None for any other registry."""
        found = _ECR.fullmatch(self.host)
        return EcrRepository(found["account"], found["region"], self.repository) if found else None

    @property
    def is_public_ecr(self) -> bool:
        """Tell whether it lies in Amazon ECR's public gallery."""
        return self.host == PUBLIC_ECR

    def matches(self, pattern: str) -> bool:
        """Tell whether a shell-style pattern names it, as written or in canonical form, with or without its tag.

        `*` is anything, slashes included.
        """
        return any(fnmatchcase(form, pattern) for form in self._forms())

    def _forms(self) -> Iterable[str]:
        yield self.written
        yield self.written.removesuffix(f"@{self.digest}").removesuffix(f":{self.tag}")
        yield str(self)
        yield self.name
        if self.host == DOCKER_HUB and self.repository.startswith(_OFFICIAL):
            short = f"{DOCKER_HUB}/{self.repository.removeprefix(_OFFICIAL)}"
            yield short
            yield short + str(self).removeprefix(self.name)


def parse(image: str) -> Image:
    """Return what `image` names. Raises `UsageError` for what no container runtime could pull."""
    host, rest = _split(image)
    found = _PATH.fullmatch(rest)
    if found is None or _HOST.fullmatch(host) is None:
        message = f"{image!r} is not an image reference"
        raise UsageError(message, hint='write it as "HOST/REPOSITORY:TAG", in lower case: "docker.io/acme/web:1.0"')
    repository = found["repository"]
    if host == DOCKER_HUB and "/" not in repository:
        repository = f"{_OFFICIAL}{repository}"
    return Image(image, host, repository, found["tag"] or "", found["digest"] or "")


def is_valid(image: str) -> bool:
    """Tell whether a container runtime could pull what `image` names."""
    try:
        parse(image)
    except UsageError:
        return False
    return True


def _split(image: str) -> tuple[str, str]:
    """Tell host from repository as Docker does: a first part with a dot, port or capital, or `localhost`."""
    first, slash, rest = image.partition("/")
    is_host = slash and (first == "localhost" or "." in first or ":" in first or first != first.lower())
    host, path = (first, rest) if is_host else (DOCKER_HUB, image)
    return (DOCKER_HUB if host == "index.docker.io" else host), path


def _partition(region: str) -> str:
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-isob-": "aws-iso-b", "us-iso-": "aws-iso"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")
