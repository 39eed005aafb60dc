from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fargatectl.config.expand import HIDDEN, expanded
from fargatectl.config.images import registry_for
from fargatectl.config.override import with_images
from fargatectl.config.references import references
from fargatectl.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from tests.config.conftest import Load

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:raw-AbCdEf"
FORMS = [
    ('"shop/db"', ("shop/db", None, None, None, None)),
    ('{ secret = "shop/db", key = "password" }', ("shop/db", "password", None, None, None)),
    ('{ secret = "shop/api", key = "key", stage = "AWSCURRENT" }', ("shop/api", "key", "AWSCURRENT", None, None)),
    ('{ secret = "shop/api", key = "key", version = "a1b2" }', ("shop/api", "key", None, "a1b2", None)),
    ('{ parameter = "/shop/web/flag" }', (None, None, None, None, "/shop/web/flag")),
    (f'"{ARN}:k::"', (ARN, "k", None, None, None)),
    (f'"{ARN}"', (ARN, None, None, None, None)),
    (f'"{ARN}:::v1"', (ARN, None, None, "v1", None)),
    (
        '"arn:aws:ssm:eu-central-1:123456789012:parameter/flag"',
        (None, None, None, None, "arn:aws:ssm:eu-central-1:123456789012:parameter/flag"),
    ),
]


@pytest.mark.parametrize(("written", "parts"), FORMS)
def test_every_form_of_a_secret_means_one_thing(load_text: Load, written: str, parts: tuple[str | None, ...]) -> None:
    secret = (
        load_text(f'app = "a"\n[services.web]\nimage = "n"\nsecrets = {{ A = {written} }}')
        .config.services["web"]
        .secrets["A"]
    )
    assert (secret.secret, secret.key, secret.stage, secret.version, secret.parameter) == parts


@pytest.mark.parametrize("image", ["acme/API", "acme/api:", "acme//api", "acme/api@sha256:00", "-/x"])
def test_what_no_runtime_can_pull_is_refused(load_text: Load, image: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f'app = "a"\n[services.web]\nimage = "{image}"')
    assert [problem.path for problem in caught.value.problems] == ["services.web.image"]


@pytest.mark.parametrize(("pattern", "image"), [("private/*", "private/app:1"), ("docker.io/acme/*", "acme/api")])
def test_a_registry_matches_an_image_as_written_and_in_canonical_form(
    load_text: Load, pattern: str, image: str
) -> None:
    text = f'app = "a"\n[registries.r]\nmatch = "{pattern}"\nsecret = "s"\n[services.web]\nimage = "{image}"'
    config = load_text(text).config
    assert registry_for(config, image) == "r"
    assert registry_for(config, "ghcr.io/other/image:1") is None


def test_references_are_told_once_with_all_their_keys(load_text: Load) -> None:
    config = load_text(
        f"""
        app = "shop"
        region = "eu-central-1"
        account = "123456789012"
        [network]
        vpc = "vpc-0123456789abcdef0"
        public_subnets = {{ tag = {{ Name = "public" }} }}
        private_subnets = ["subnet-0123456789abcdef0"]
        [services.web]
        image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:1"
        secrets = {{ A = "one", B = {{ secret = "one", key = "k" }}, C = "{ARN}:k::", D = {{ parameter = "/p" }} }}
        [services.web.sidecars.log]
        image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/elsewhere:1"
        secrets = {{ A = {{ secret = "one", key = "j" }} }}
        """
    ).config
    assert references(config) == {
        "vpc": {"id": "vpc-0123456789abcdef0"},
        "subnets": [
            {"tag": {"Name": "public"}, "public": True},
            {"ids": ["subnet-0123456789abcdef0"], "public": False},
        ],
        "secrets": [{"name": "one", "keys": ["k", "j"]}, {"arn": ARN, "keys": ["k"]}],
        "parameters": ["/p"],
        "repositories": [{"name": "web", "tags": ["1"], "digests": []}],
    }


def test_the_expanded_file_hides_what_looks_like_a_secret(load_text: Load) -> None:
    config = load_text(
        'app = "a"\n[services.web]\nimage = "n"\nenv = { DB_PASSWORD = "${env.PW}", LEVEL = "$${x}" }', PW="hunter2"
    ).config
    text = expanded(config)
    assert "hunter2" not in text
    assert f'DB_PASSWORD = "{HIDDEN}"' in text
    assert 'LEVEL = "$${x}"' in text


def test_the_expanded_file_shows_what_the_environment_gave_as_it_was_written(load_text: Load) -> None:
    file = """
        app = "a"
        [vars]
        level = "debug"
        key = "${env.KEY}"
        [services.web]
        image = "n:${env.TAG}"
        env = { A = "x-${env.KEY}", B = "${var.key}", C = "${var.level}", D = "${env.NO:-none}", E = "${app}" }
        """
    text = expanded(load_text(file, KEY="hunter2", TAG="7").config)
    assert "hunter2" not in text
    for line in ('A = "x-${env.KEY}"', f'B = "{HIDDEN}"', 'C = "debug"', 'E = "a"', 'image = "n:7"'):
        assert f"{line}\n" in text


TWO = 'app = "a"\n[services.web]\nimage = "n"\n[services.api]\nimage = "m"'


def test_images_may_come_from_the_command_line(load_text: Load) -> None:
    config = with_images(load_text(TWO).config, ["web=nginx:2", "api=ghcr.io/a/b@sha256:" + "0" * 64])
    assert [service.image for service in config.services.values()] == ["nginx:2", "ghcr.io/a/b@sha256:" + "0" * 64]
    one = load_text('app = "a"\n[services.web]\nimage = "n"').config
    assert with_images(one, ["nginx:2"]).services["web"].image == "nginx:2"


@pytest.mark.parametrize("option", ["nginx:2", "wbe=nginx", "web=", "web=a b"])
def test_a_bad_image_option_is_a_usage_error(load_text: Load, option: str) -> None:
    with pytest.raises(UsageError, match="--image"):
        with_images(load_text(TWO).config, [option])
