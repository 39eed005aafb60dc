"""Other tools at the same task behind the same proxy, where they are installed; a word where they are not."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench.files import services
from tests.bench.lab import Failed
from tests.bench.phases import DESTROY, FIRST, IMAGE, NOTHING
from tests.bench.proxy import Network

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.lab import Lab, Run

_NETWORK = Network(0.05)
_INIT_SECONDS = 120
_TERRAFORM = """
variable "tag" { default = "stable" }
provider "aws" {
  region                      = "eu-central-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
data "aws_vpc" "main" { default = true }
data "aws_subnets" "all" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.main.id]
  }
}
resource "aws_ecs_cluster" "it" { name = "peer" }
resource "aws_cloudwatch_log_group" "it" { name = "/peer/web" }
resource "aws_iam_role" "execution" {
  name               = "peer-web-execution"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] })
}
resource "aws_security_group" "web" {
  name   = "peer-web"
  vpc_id = data.aws_vpc.main.id
}
resource "aws_ecs_task_definition" "web" {
  family                   = "peer-web"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions    = jsonencode([{ name = "web", image = "public.ecr.aws/nginx/nginx:${var.tag}",
    essential = true, portMappings = [{ containerPort = 80 }] }])
}
resource "aws_ecs_service" "web" {
  name            = "peer-web"
  cluster         = aws_ecs_cluster.it.id
  task_definition = aws_ecs_task_definition.web.arn
  desired_count   = 1
  launch_type     = "FARGATE"
  network_configuration {
    subnets          = data.aws_subnets.all.ids
    security_groups  = [aws_security_group.web.id]
    assign_public_ip = true
  }
}
"""
"""Less than what fargatectl makes of its file: no load balancer, no scaling."""


@dataclass
class Peer:
    """A tool with what was measured of it, or why nothing was."""

    name: str
    rows: list[tuple[str, Run]] = field(default_factory=list)
    why: str = "not installed"


def measure(lab: Lab, *, plugins: Path | None) -> list[Peer]:
    """Return all peers. `plugins` is a folder from which Terraform takes its provider, instead of from its registry."""
    return [_terraform(lab, plugins), _ecs_deploy(lab), Peer("deployfish"), Peer("AWS CDK")]


def _ecs_deploy(lab: Lab) -> Peer:
    peer = Peer("ecs-deploy")
    tool = shutil.which("ecs")
    if tool is None:
        return peer
    lab.reset()
    lab.write(services(1))
    lab.run("deploy", "--yes")
    command = [tool, "deploy", "bench", "bench-s0", "-i", "s0", "public.ecr.aws/nginx/nginx:next", "--timeout", "-1"]
    try:
        peer.rows.append((IMAGE, lab.measure(command, network=_NETWORK)))
    except Failed as error:
        peer.why = str(error).splitlines()[0]
    return peer


def _terraform(lab: Lab, plugins: Path | None) -> Peer:
    peer = Peer("Terraform with its AWS provider")
    tool = shutil.which("terraform")
    if tool is None:
        return peer
    lab.reset()
    (lab.directory / "main.tf").write_text(_TERRAFORM)
    source = [f"-plugin-dir={plugins}"] if plugins else []
    try:
        subprocess.run(  # noqa: S603 - a peer
            [tool, "init", "-input=false", *source],
            cwd=lab.directory,
            capture_output=True,
            check=True,
            timeout=_INIT_SECONDS,
        )
    except subprocess.SubprocessError:
        peer.why = "its provider cannot be had here; PLUGINS=FOLDER names a mirror"
        return peer
    apply, plan = [tool, "apply", "-auto-approve", "-input=false"], [tool, "plan", "-input=false"]
    new = ["-var", "tag=next"]
    phases = {FIRST: apply, NOTHING: plan, IMAGE: [*apply, *new], DESTROY: [*apply, "-destroy", *new]}
    try:
        for phase, command in phases.items():
            peer.rows.append((phase, lab.measure(command, network=_NETWORK)))
    except Failed as error:
        peer.why, peer.rows = str(error).splitlines()[0], []
    return peer
