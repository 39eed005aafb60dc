from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from boto3.session import Session

from fargatectl.errors import AwsFailure, UsageError
from fargatectl.sandbox import lifetime
from fargatectl.sandbox.lifetime import Directories
from fargatectl.sandbox.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def directories(tmp_path: Path) -> Iterator[Directories]:
    directories = Directories(tmp_path / "state")
    yield directories
    lifetime.stop(directories=directories)


def test_a_server_is_started_found_used_and_stopped(directories: Directories) -> None:
    assert lifetime.status(directories=directories) is None
    running = lifetime.start(speed=50, directories=directories, environment=os.environ)
    assert running.endpoint.startswith("http://127.0.0.1:")
    assert running.speed == 50
    assert (running.idle_stop_at - running.started_at).total_seconds() >= 29 * 60
    again = lifetime.start(directories=directories, environment=os.environ)
    assert (again.pid, again.endpoint, again.speed) == (running.pid, running.endpoint, 50)

    made = lifetime.provision(running, {"vpc": {"tag": {"Name": "main"}}}, "210987654321", "eu-west-1")
    assert made == ["VPC Name=main with two public and two private subnets, internet and NAT gateways"]
    variables = lifetime.environment(running, "210987654321", "eu-west-1")
    session = Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    endpoint = variables["AWS_ENDPOINT_URL"]
    assert session.client("sts", endpoint_url=endpoint).get_caller_identity()["Account"] == "210987654321"
    assert len(session.client("ec2", endpoint_url=endpoint).describe_vpcs()["Vpcs"]) == 2
    assert lifetime.reset(directories=directories)
    assert len(session.client("ec2", endpoint_url=endpoint).describe_vpcs()["Vpcs"]) == 1

    process = Process.of(running.pid)
    assert process is not None
    assert lifetime.stop(directories=directories)
    assert not process.alive()
    assert lifetime.status(directories=directories) is None
    assert not lifetime.stop(directories=directories)


def test_a_stale_state_file_is_not_believed(directories: Directories) -> None:
    directories.state.mkdir()
    stale = f'{{"endpoint": "http://127.0.0.1:9", "pid": {os.getpid()}, "token": "old"}}'
    directories.state_file.write_text(stale)
    assert lifetime.status(directories=directories) is None
    assert not lifetime.stop(directories=directories)
    assert not directories.state_file.exists()


def test_what_the_server_says_when_it_cannot_start_is_told(directories: Directories) -> None:
    running = lifetime.start(directories=directories, environment=os.environ)
    elsewhere = Directories(directories.state / "elsewhere")
    with pytest.raises(AwsFailure, match="did not start") as caught:
        lifetime.start(port=int(running.endpoint.rpartition(":")[2]), directories=elsewhere, environment=os.environ)
    assert str(elsewhere.log) in caught.value.hint


def test_impossible_options_are_refused(directories: Directories) -> None:
    with pytest.raises(UsageError, match="speed must be above zero"):
        lifetime.start(speed=0, directories=directories, environment={})
    with pytest.raises(UsageError, match="port must be between"):
        lifetime.start(port=70000, directories=directories, environment={})


def test_the_state_directory_follows_xdg() -> None:
    assert Directories.of({"XDG_STATE_HOME": "/x/state"}).state == Path("/x/state/fargatectl/sandbox")
    assert Directories.of({"XDG_STATE_HOME": "relative"}).state.is_absolute()
    assert Directories.of({}).state.is_absolute()


def test_a_process_is_known_by_its_start_and_not_by_its_pid_alone() -> None:
    own = Process.of(os.getpid())
    assert own is not None
    assert own.alive()
    assert not Process(own.pid, own.started + "0").alive()
