"""Clients that are proven on the real AWS must be content with the local one.

Opt-in, for they take minutes: FARGATECTL_CALIBRATION=1, and for Terraform also FARGATECTL_TERRAFORM_PLUGINS, a folder
that `terraform init -plugin-dir` takes, with its AWS provider.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from boto3.session import Session

from fargatectl.sandbox import lifetime
from fargatectl.sandbox.lifetime import Directories

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGINS = os.environ.get("FARGATECTL_TERRAFORM_PLUGINS", "")
REGION = "eu-central-1"
pytestmark = pytest.mark.skipif(
    not os.environ.get("FARGATECTL_CALIBRATION"), reason="takes minutes: set FARGATECTL_CALIBRATION=1"
)


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a client of a local AWS that runs for this test."""
    directories = Directories(tmp_path / "state")
    running = lifetime.start(speed=60, directories=directories, environment=os.environ)
    foreign = ("AWS_", "TF_")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    yield {**clean, **lifetime.environment(running, "123456789012", REGION), "CHECKPOINT_DISABLE": "1"}
    lifetime.stop(directories=directories)


def run(environ: dict[str, str], directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program, whatever it answers."""
    return subprocess.run(  # noqa: S603 - programs that the developer has installed and asked for
        command, env=environ, cwd=directory, capture_output=True, text=True, check=False, timeout=900
    )


def client(environ: dict[str, str], service: str) -> Any:
    session = Session(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    return session.client(service, endpoint_url=environ["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]


@pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not installed")
def test_the_aws_cli_reads_and_writes(variables: dict[str, str], tmp_path: Path) -> None:
    def aws(*arguments: str) -> Any:
        done = run(variables, tmp_path, "aws", "--output", "json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    assert aws("sts", "get-caller-identity")["Account"] == "123456789012"
    aws("ecs", "create-cluster", "--cluster-name", "c")
    (missing,) = aws("ecs", "describe-services", "--cluster", "c", "--services", "no")["failures"]
    assert missing["reason"] == "MISSING"
    (vpc,) = aws("ec2", "describe-vpcs")["Vpcs"]
    wish = ("--name", "t", "--protocol", "HTTP", "--port", "80", "--target-type", "ip", "--vpc-id", vpc["VpcId"])
    (made,) = aws("elbv2", "create-target-group", *wish)["TargetGroups"]
    assert made["HealthCheckPath"] == "/"
    refused = run(variables, tmp_path, "aws", "ecs", "delete-service", "--cluster", "c", "--service", "no")
    assert "ServiceNotFoundException" in refused.stderr


@pytest.mark.skipif(not (shutil.which("terraform") and PLUGINS), reason="Terraform or its AWS provider is not here")
def test_terraform_applies_plans_nothing_scales_rolls_and_destroys(variables: dict[str, str], tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent / "calibration" / "main.tf", tmp_path)
    environ = {**variables, "TF_VAR_endpoint": variables["AWS_ENDPOINT_URL"]}

    def terraform(*arguments: str, code: int = 0) -> None:
        done = run(environ, tmp_path, "terraform", *arguments, "-no-color", "-input=false")
        assert done.returncode == code, done.stdout + done.stderr

    terraform("init", f"-plugin-dir={PLUGINS}")
    terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode")
    changes = ("-var=image=public.ecr.aws/nginx/nginx:1.27", "-var=least=2")
    terraform("apply", "-auto-approve", *changes)
    terraform("plan", "-detailed-exitcode", *changes)
    (service,) = client(environ, "ecs").describe_services(cluster="calibration", services=["web"])["services"]
    assert (service["desiredCount"], service["taskDefinition"].rpartition(":")[2]) == (2, "2")
    terraform("destroy", "-auto-approve")
    assert client(environ, "elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert client(environ, "ecs").list_clusters()["clusterArns"] == []
