"""The examples from the first deploy to the last trace, as their user drives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.config.load import load
from fargatectl.config.references import references
from fargatectl.sandbox.inprocess import LocalAws
from tests.cli.conftest import Shell
from tests.local import make_aws
from tests.sandbox.ecs_scene import TRUST
from tests.scenarios.account import contents

if TYPE_CHECKING:
    from fargatectl.aws.session import Aws

EXAMPLES = Path(__file__).parents[2] / "examples"


class Example:
    """One example in a folder of its own, with an account that has what it refers to."""

    def __init__(self, name: str, directory: Path) -> None:
        self.text = (EXAMPLES / f"{name}.toml").read_text()
        self.path = directory / "fargatectl.toml"
        self.path.write_text(self.text)
        self.local = LocalAws()
        loaded = load(self.path, environment=None, variables={}, git_sha=lambda: None)
        self.local.provision({**references(loaded.config), "repositories": []})
        self.image = next(iter(loaded.config.services.values())).image
        self.shell = Shell(directory, self.local)
        self.aws: Aws = make_aws(self.local)

    def run(self, *arguments: str) -> Any:
        """Run a command that must succeed; return what it printed."""
        self.local.calls.clear()
        done = self.shell(*arguments)
        assert done.code == 0, done.err
        return done

    @property
    def writes(self) -> list[str]:
        return self.shell.writes()


@pytest.fixture(params=["minimal", "guide"])
def example(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    return Example(request.param, tmp_path)


def test_a_whole_life_leaves_the_account_as_it_was(example: Example) -> None:
    before = contents(example.aws)
    example.run("deploy", "--yes")
    assert contents(example.aws) != before
    example.run("destroy", "--yes")
    assert contents(example.aws) == before
    example.run("destroy", "--yes")
    assert example.writes == []


def test_a_second_deploy_writes_nothing_and_the_diff_is_empty(example: Example) -> None:
    example.run("deploy", "--yes")
    example.run("deploy", "--yes")
    assert example.writes == []
    done = example.run("diff", "--json", "--exit-code")
    assert done.json["changes"] == []
    assert example.writes == []


def test_a_new_image_is_one_revision_and_one_update(example: Example) -> None:
    example.run("deploy", "--yes")
    example.path.write_text(example.text.replace(example.image, f"{example.image}-next"))
    example.run("deploy", "--yes")
    assert sorted(example.writes) == ["ecs:RegisterTaskDefinition", "ecs:UpdateService"]
    example.run("deploy", "--yes")
    assert example.writes == []


def test_what_somebody_changed_by_hand_is_healed(example: Example) -> None:
    example.run("deploy", "--yes")
    group = example.aws.elb.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    example.aws.elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/by-hand")
    (change,) = example.run("diff", "--json").json["changes"]
    assert (change["action"], change["fields"][0]["before"]) == ("update", "/by-hand")
    example.run("deploy", "--yes")
    assert example.writes == ["elbv2:ModifyTargetGroup"]


def test_the_count_is_left_to_the_autoscaler(tmp_path: Path) -> None:
    guide = Example("guide", tmp_path)
    guide.run("deploy", "--yes")
    guide.aws.ecs.update_service(cluster="best-cluster", service="best-app", desiredCount=7)
    guide.local.clock.sleep(300)
    guide.run("deploy", "--yes")
    assert guide.writes == []
    guide.path.write_text(guide.text.replace(guide.image, f"{guide.image}-next"))
    guide.run("deploy", "--yes")
    (update,) = [call for call in guide.local.calls if call.operation == "UpdateService"]
    assert "desiredCount" not in update.params
    (service,) = guide.run("status", "--json").json["services"]
    assert (service["desired"], service["running"]) == (7, 7)


def test_a_service_that_left_the_file_is_swept(example: Example) -> None:
    example.run("deploy", "--yes")
    text = example.text + '\n[services.extra]\nimage = "docker.io/acme/extra:1"\n'
    example.path.write_text(text)
    example.run("deploy", "--yes")
    assert {service["name"] for service in example.run("status", "--json").json["services"]} >= {"extra"}
    example.path.write_text(example.text)
    deletes = [c["address"] for c in example.run("diff", "--json").json["changes"] if c["action"] == "delete"]
    assert "service.service/extra" in deletes
    example.run("deploy", "--yes")
    example.run("deploy", "--yes")
    assert example.writes == []


def test_what_is_not_ours_is_refused_and_left_alone(example: Example) -> None:
    name = example.text.split('"')[1]
    role = f"{name}-{'web' if name == 'hello' else 'app'}-execution"
    example.aws.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST), Path="/fargatectl/x/")
    example.local.calls.clear()
    done = example.shell("deploy", "--yes")
    assert done.code == 4
    assert role in done.err
    assert example.writes == []
