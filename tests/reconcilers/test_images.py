from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from fargatectl.aws.http import Reply, fetch
from fargatectl.engine.stack import Stack
from fargatectl.errors import NotFoundError
from fargatectl.reconcilers import images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.aws.session import Aws
    from fargatectl.model.ownership import Ownership
    from fargatectl.sandbox.inprocess import LocalAws
    from tests.reconcilers.conftest import Converger

DIGEST = "sha256:" + "ab" * 32
HUB = "https://registry-1.docker.io/v2/library/nginx/manifests/stable"


@dataclass
class Registry:
    """A registry that may want a token first; `tags` are URLs with their digests."""

    tags: dict[str, str]
    wants_token: bool = False
    gives_token: bool = True
    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, url: str, headers: Mapping[str, str]) -> Reply:
        self.asked.append(f"{method} {url}")
        if url.startswith("https://auth.example.com/token"):
            return Reply(200, {}, json.dumps({"token": "stranger"}).encode()) if self.gives_token else Reply(403)
        if self.wants_token and headers.get("Authorization") != "Bearer stranger":
            challenge = 'Bearer realm="https://auth.example.com/token",service="hub",scope="repository:x:pull"'
            return Reply(401, {"www-authenticate": challenge})
        found = self.tags.get(url)
        return Reply(200, {"docker-content-digest": found}) if found else Reply(404)


def find(aws: Aws, image: str) -> images.DigestOut:
    (found,) = images.Digests().read(aws, [images.DigestQuery(image=image, path="services.web.image")])
    if isinstance(found, Exception):
        raise found
    return found


@pytest.mark.parametrize("wants_token", [False, True])
def test_a_public_tag_becomes_a_digest(aws: Aws, wants_token: bool) -> None:  # noqa: FBT001 - a parameter of the test
    registry = aws.fetch = Registry({HUB: DIGEST}, wants_token=wants_token)

    assert find(aws, "nginx:stable") == images.DigestOut(f"nginx@{DIGEST}")

    assert all(line.startswith(("HEAD https://registry-1.", "GET https://auth.")) for line in registry.asked)


def test_a_missing_tag_is_told_with_its_place(aws: Aws) -> None:
    aws.fetch = Registry({})

    with pytest.raises(NotFoundError) as missing:
        find(aws, "ghcr.io/acme/web:9")

    assert "ghcr.io/acme/web:9" in missing.value.message
    assert missing.value.path == "services.web.image"


def nobody(method: str, url: str, headers: Mapping[str, str]) -> Reply:
    message = f"{method} {url}: no route, {len(headers)} headers"
    raise OSError(message)


@pytest.mark.parametrize(
    ("registry", "why"),
    [
        (nobody, "no route"),
        (Registry({}, wants_token=True, gives_token=False), "does not show it to strangers"),
        (Registry({HUB: "not-a-digest"}), "answered 200"),
        (None, "not asked"),
    ],
)
def test_what_cannot_be_found_out_keeps_its_tag_and_is_said(
    aws: Aws, converger: Converger, owner: Ownership, registry: Registry | None, why: str
) -> None:
    aws.fetch = registry
    stack = Stack(owner, kinds=[])
    found = images.declare(stack, "nginx:stable", path="services.web.image")
    stack.note(found.ref(lambda out: out.warning))

    planning = converger.plan(stack)

    assert planning.outputs[found.address].image == "nginx:stable"
    assert why in planning.plan.notes[0]


def test_ecr_of_another_account_and_region_is_asked_there(aws: Aws, local: LocalAws) -> None:
    local.provision(
        {"repositories": [{"name": "team/web", "tags": ["1"], "account": "210987654321", "region": "us-east-1"}]}
    )

    found = find(aws, "210987654321.dkr.ecr.us-east-1.amazonaws.com/team/web:1")

    assert found.image.startswith("210987654321.dkr.ecr.us-east-1.amazonaws.com/team/web@sha256:")


@pytest.mark.parametrize(("image", "what"), [("shop/web:2", "image"), ("shop/none:1", "repository shop/none")])
def test_what_ecr_does_not_have_is_told(aws: Aws, local: LocalAws, image: str, what: str) -> None:
    local.provision({"repositories": [{"name": "shop/web", "tags": ["1"]}]})

    with pytest.raises(NotFoundError, match=what):
        find(aws, f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{image}")


def test_nothing_but_tls_is_spoken() -> None:
    with pytest.raises(OSError, match="not https"):
        fetch("GET", "http://169.254.169.254/latest/meta-data", {})
