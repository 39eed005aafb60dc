from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.session
import pytest

from fargatectl.cli import endpoints
from fargatectl.cli.context import replace_aws_settings
from fargatectl.errors import Refused, UsageError

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


@pytest.mark.parametrize(
    "url",
    [
        "https://ecs.eu-central-1.amazonaws.com/",
        "https://ecs.cn-north-1.amazonaws.com.cn/",
        "https://ecs.eu-central-1.api.aws",
        "https://vpce-1.ecs.eu-central-1.vpce.amazonaws.com",
        "http://127.0.0.1:4566",
        "http://localhost:4566",
        "http://[::1]:4566/x",
        "https://127.8.9.1",
    ],
)
def test_aws_and_this_machine_are_believed(url: str) -> None:
    endpoints.check(url, confirmed=None)


def test_every_partition_that_the_sdk_knows_is_believed() -> None:
    known = botocore.session.Session().get_data("partitions")["partitions"]
    suffixes = {part["outputs"][key] for part in known for key in ("dnsSuffix", "dualStackDnsSuffix")}
    assert len(suffixes) > 10
    for suffix in suffixes:
        endpoints.check(f"https://ecs.some-region-1.{suffix}/", confirmed=None)


@pytest.mark.parametrize(
    "url",
    [
        "https://aws.example.com",
        "https://amazonaws.com.example.com",
        "https://evilamazonaws.com",
        "https://user@example.com/amazonaws.com",
        "https://10.0.0.1",
        "http://ecs.eu-central-1.amazonaws.com",
        "http://example.com",
        "http://169.254.169.254",
        "https://169.254.170.2",
        "https://[fe80::1]",
        "https://[::ffff:169.254.169.254]",
        "https://169.254.43518",
        "https://0xa9fea9fe",
    ],
)
def test_others_are_refused(url: str) -> None:
    with pytest.raises(Refused):
        endpoints.check(url, confirmed=None)


def test_another_host_must_be_repeated_on_the_command_line() -> None:
    endpoints.check("https://aws.example.com/x", confirmed="https://aws.example.com")
    with pytest.raises(Refused):
        endpoints.check("https://other.example.com", confirmed="https://aws.example.com")


@pytest.mark.parametrize("url", ["http://aws.example.com", "https://169.254.169.254", "http://169.254.169.254"])
def test_plain_http_and_link_local_are_refused_even_then(url: str) -> None:
    with pytest.raises(Refused):
        endpoints.check(url, confirmed=url)


@pytest.mark.parametrize("url", ["", "example", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://[::1"])
def test_what_is_no_url_is_a_mistake_of_usage(url: str) -> None:
    with pytest.raises(UsageError):
        endpoints.check(url, confirmed=None)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_STS"])
def test_an_endpoint_of_the_environment_is_refused_before_anything_is_sent(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "https://aws.example.com")
    done = shell("diff")
    assert done.code == 4
    assert "aws.example.com" in done.err
    assert not [call for call in shell.local.calls if call.service == name.rpartition("_")[2].lower()]


def test_an_endpoint_of_the_command_line_is_checked_first(shell: Shell) -> None:
    assert shell("diff", "--endpoint-url", "http://169.254.169.254").code == 4
    assert shell("diff", "--endpoint-url", "nonsense").code == 1
    assert shell.local.calls == []


def test_the_sandbox_takes_nothing_from_the_users_own_aws() -> None:
    environ = {"AWS_PROFILE": "prod", "AWS_ENDPOINT_URL_ECS": "https://x", "HOME": "/home/me", "AWS_SESSION_TOKEN": "t"}
    replace_aws_settings(environ, {"AWS_ACCESS_KEY_ID": "local"})
    assert environ["HOME"] == "/home/me"
    assert environ["AWS_ACCESS_KEY_ID"] == "local"
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_ECS", "AWS_SESSION_TOKEN"} & environ.keys()
