from __future__ import annotations

import string

import pytest
from hypothesis import given, strategies as st

from fargatectl.errors import UsageError
from fargatectl.model.images import EcrRepository, parse

DIGEST = "sha256:" + "0123456789abcdef" * 4

words = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
hosts = st.one_of(
    st.builds("{}.{}".format, words, words),
    st.builds("{}:{}".format, words, st.integers(1, 65535)),
    st.just("localhost"),
)
paths = st.lists(words, min_size=1, max_size=3).map("/".join)
tags = st.one_of(st.just(""), st.text(string.ascii_letters + string.digits, min_size=1, max_size=12))
digests = st.sampled_from(["", DIGEST])


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("acme/web", "docker.io/acme/web:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("docker.io/acme/web:1", "docker.io/acme/web:1"),
        ("private-repo/private-image:1.0", "docker.io/private-repo/private-image:1.0"),
        ("localhost/web", "localhost/web:latest"),
        ("registry:5000/web", "registry:5000/web:latest"),
        ("ghcr.io/acme/web", "ghcr.io/acme/web:latest"),
        (f"ghcr.io/acme/web@{DIGEST}", f"ghcr.io/acme/web@{DIGEST}"),
        (f"ghcr.io/acme/web:1@{DIGEST}", f"ghcr.io/acme/web:1@{DIGEST}"),
    ],
)
def test_what_docker_leaves_out_is_filled_in(written: str, canonical: str) -> None:
    assert str(parse(written)) == canonical


@pytest.mark.parametrize(
    "written", ["", "Nginx", "a b", "nginx:", "a:b:c", "ghcr.io/", "web@sha256:12", "-x/y", "a//b"]
)
def test_what_nobody_can_pull_is_refused(written: str) -> None:
    with pytest.raises(UsageError):
        parse(written)


@given(hosts, paths, tags, digests)
def test_parsing_takes_a_reference_apart_where_it_was_put_together(host: str, path: str, tag: str, digest: str) -> None:
    written = f"{host}/{path}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"

    image = parse(written)

    assert (image.host, image.repository, image.tag, image.digest) == (host, path, tag, digest)


@given(st.one_of(st.just(""), hosts.map("{}/".format)), paths, tags, digests)
def test_the_canonical_form_names_the_same_image(host: str, path: str, tag: str, digest: str) -> None:
    image = parse(f"{host}{path}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}")

    again = parse(str(image))

    assert str(again) == str(image)
    assert again.name == image.name


@pytest.mark.parametrize(
    ("host", "account", "region", "partition"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "123456789012", "eu-central-1", "aws"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "123456789012", "us-gov-west-1", "aws-us-gov"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "123456789012", "cn-north-1", "aws-cn"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "123456789012", "eu-west-1", "aws"),
    ],
)
def test_an_ecr_host_says_account_and_region(host: str, account: str, region: str, partition: str) -> None:
    repository = parse(f"{host}/shop/web:1").ecr

    assert repository == EcrRepository(account, region, "shop/web")
    assert repository.arn == f"arn:{partition}:ecr:{region}:{account}:repository/shop/web"


@pytest.mark.parametrize("image", ["nginx", "public.ecr.aws/nginx/nginx", "evil.com/123456789012.dkr.ecr.x/y"])
def test_other_registries_are_not_ecr(image: str) -> None:
    assert parse(image).ecr is None


def test_the_public_gallery_is_told_from_private_ecr() -> None:
    assert parse("public.ecr.aws/nginx/nginx:stable").is_public_ecr
    assert not parse("nginx").is_public_ecr


@pytest.mark.parametrize(
    ("image", "pattern"),
    [
        ("private-repo/private-image:1.0", "private-repo/*"),
        ("private-repo/private-image:1.0", "docker.io/private-repo/*"),
        ("acme/web:1", "acme/web"),
        ("acme/web:1", "acme/web:1"),
        ("acme/web", "docker.io/acme/web:latest"),
        ("nginx", "docker.io/library/nginx"),
        ("nginx", "docker.io/nginx"),
        ("docker.io/library/nginx:1", "docker.io/nginx:1"),
        ("registry.gitlab.com/acme/shop/web:1", "registry.gitlab.com/acme/*"),
        ("registry.gitlab.com/acme/shop/web:1", "registry.gitlab.com/*"),
        (f"ghcr.io/acme/web@{DIGEST}", "ghcr.io/acme/web"),
        ("localhost:5000/web:2", "localhost:5000/web"),
    ],
)
def test_a_pattern_matches_as_written_or_in_canonical_form(image: str, pattern: str) -> None:
    assert parse(image).matches(pattern)


@pytest.mark.parametrize(
    ("image", "pattern"),
    [
        ("acme/web", "acme/we"),
        ("acme/web", "ghcr.io/acme/*"),
        ("ghcr.io/acme/web", "docker.io/*"),
        ("nginx", "library/*"),
    ],
)
def test_other_patterns_do_not_match(image: str, pattern: str) -> None:
    assert not parse(image).matches(pattern)
