from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.sandbox import permissions
from fargatectl.sandbox.ecs.fates import tag_of
from fargatectl.sandbox.moto_adapter import RoleView
from tests.sandbox.ecs_scene import TRUST

if TYPE_CHECKING:
    from datetime import datetime

    from tests.sandbox.ecs_scene import Scene

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret"


def stopped_reason(scene: Scene, definition: str, **settings: Any) -> str:
    """Return why the first task of a service stopped, or "" if it runs."""
    scene.serve(definition, desiredCount=1, **settings)
    scene.wait(200)
    stopped = scene.tasks("STOPPED")
    if not stopped:
        assert scene.service()["runningCount"] == 1
        return ""
    assert stopped[0]["stopCode"] == "TaskFailedToStart"
    return str(stopped[0]["stoppedReason"])


def allow(scene: Scene, *actions: str, resource: str = "*") -> None:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    scene.client("iam").put_role_policy(RoleName="execution", PolicyName="p", PolicyDocument=document)


def secret(scene: Scene, value: str = '{"k": "v"}') -> str:
    return str(scene.client("secretsmanager").create_secret(Name="s", SecretString=value)["ARN"])


def with_secret(scene: Scene, reference: str) -> str:
    return scene.define(secrets=[{"name": "S", "valueFrom": reference}])


def test_a_task_with_all_it_needs_runs(scene: Scene) -> None:
    assert stopped_reason(scene, with_secret(scene, f"{secret(scene)}:k::")) == ""


def test_a_missing_secret(scene: Scene) -> None:
    reason = stopped_reason(scene, with_secret(scene, f"{SECRET}:gone-AbCdEf"))
    assert reason.startswith("ResourceInitializationError: unable to pull secrets or registry auth")
    assert "ResourceNotFoundException" in reason


def test_a_deleted_secret(scene: Scene) -> None:
    arn = secret(scene)
    scene.client("secretsmanager").delete_secret(SecretId=arn)
    assert "unable to retrieve secret from asm" in stopped_reason(scene, with_secret(scene, arn))


def test_a_missing_json_key(scene: Scene) -> None:
    reason = stopped_reason(scene, with_secret(scene, f"{secret(scene)}:other::"))
    assert "did not contain json key other" in reason


def test_a_secret_the_execution_role_may_not_read(scene: Scene) -> None:
    allow(scene, "logs:*", "ecr:*")
    reason = stopped_reason(scene, with_secret(scene, secret(scene)))
    assert "AccessDeniedException" in reason
    assert "secretsmanager:GetSecretValue" in reason
    assert "assumed-role/execution/" in reason


def test_a_parameter(scene: Scene) -> None:
    scene.client("ssm").put_parameter(Name="/shop/flag", Value="x", Type="SecureString")
    arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/shop"
    assert stopped_reason(scene, with_secret(scene, f"{arn}/flag")) == ""


def test_a_missing_parameter(scene: Scene) -> None:
    reason = stopped_reason(scene, with_secret(scene, "/shop/gone"))
    assert "unable to retrieve secrets from ssm" in reason
    assert "invalid parameters: /shop/gone" in reason


def test_registry_credentials_that_are_missing(scene: Scene) -> None:
    definition = scene.define(repositoryCredentials={"credentialsParameter": f"{SECRET}:registry-AbCdEf"})
    assert "unable to retrieve secret from asm" in stopped_reason(scene, definition)


def test_a_missing_log_group(scene: Scene) -> None:
    scene.client("logs").delete_log_group(logGroupName="/c/web")
    reason = stopped_reason(scene, scene.define())
    assert reason.startswith("ResourceInitializationError: failed to validate logger args")
    assert "The specified log group does not exist" in reason


def log_group_made_by_the_driver(scene: Scene) -> str:
    options = {
        "awslogs-group": "/new",
        "awslogs-region": "eu-central-1",
        "awslogs-stream-prefix": "x",
        "awslogs-create-group": "true",
    }
    return scene.define(logConfiguration={"logDriver": "awslogs", "options": options})


def test_a_log_group_that_the_driver_makes(scene: Scene) -> None:
    assert stopped_reason(scene, log_group_made_by_the_driver(scene)) == ""
    groups = scene.client("logs").describe_log_groups(logGroupNamePrefix="/new")["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/new"]


def test_a_log_group_that_the_driver_may_not_make(scene: Scene) -> None:
    allow(scene, "logs:CreateLogStream", "logs:PutLogEvents")
    assert "logs:CreateLogGroup" in stopped_reason(scene, log_group_made_by_the_driver(scene))


def test_a_public_subnet_without_a_public_address_reaches_no_registry(scene: Scene) -> None:
    network = {"awsvpcConfiguration": {"subnets": scene.subnets}}
    reason = stopped_reason(scene, scene.define(), networkConfiguration=network)
    assert reason.startswith("CannotPullContainerError")
    assert "i/o timeout" in reason


def test_a_private_subnet_with_nat_reaches_every_registry(scene: Scene) -> None:
    scene.local.provision({"vpc": {"tag": {"Name": "main"}}})
    filters = [{"Name": "tag:Name", "Values": ["private"]}]
    subnets = [one["SubnetId"] for one in scene.ec2.describe_subnets(Filters=filters)["Subnets"]]
    network = {"awsvpcConfiguration": {"subnets": subnets}}
    assert stopped_reason(scene, scene.define(), networkConfiguration=network) == ""


def test_an_image_of_our_own_registry_must_exist(scene: Scene) -> None:
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1.0.0"
    assert "not found" in stopped_reason(scene, scene.define(image))
    scene.local.provision({"repositories": [{"name": "shop/web", "tags": ["1.0.0"]}]})
    scene.update(taskDefinition=scene.define(image))
    scene.wait(120)
    assert scene.service()["runningCount"] == 1


def test_our_own_registry_needs_rights(scene: Scene) -> None:
    allow(scene, "logs:*")
    reason = stopped_reason(scene, scene.define("123456789012.dkr.ecr.eu-central-1.amazonaws.com/a:1"))
    assert "ecr:GetAuthorizationToken" in reason


def test_a_role_that_ecs_may_not_assume(scene: Scene) -> None:
    trust = json.dumps(TRUST).replace("ecs-tasks", "ec2")
    scene.client("iam").update_assume_role_policy(RoleName="execution", PolicyDocument=trust)
    assert stopped_reason(scene, scene.define()).startswith("ECS was unable to assume the role")


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("nginx", "latest"),
        ("nginx:1", "1"),
        ("localhost:5000/nginx", "latest"),
        ("localhost:5000/nginx:crash", "crash"),
        ("nginx:1@sha256:" + "0" * 64, ""),
    ],
)
def test_the_tag_of_an_image(image: str, tag: str) -> None:
    assert tag_of(image) == tag


@pytest.fixture
def now(scene: Scene) -> datetime:
    return scene.local.clock.now()


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ([], False),
        ([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}], True),
        ([{"Effect": "Allow", "Action": "s3:get*", "Resource": "arn:aws:s3:::b/*"}], True),
        ([{"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::other/*"}], False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
        (
            [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/k"},
            ],
            False,
        ),
    ],
)
def test_policies_are_evaluated(statements: list[dict[str, Any]], allowed: bool, now: datetime) -> None:  # noqa: FBT001
    role = RoleView("arn:aws:iam::123456789012:role/r", "{}", (json.dumps({"Statement": statements}),), now)
    assert permissions.allows(role, "s3:GetObject", "arn:aws:s3:::b/k") == allowed


def with_volume(scene: Scene, *, point: str = "") -> str:
    authorization = {"authorizationConfig": {"accessPointId": point}} if point else {}
    volume = {"fileSystemId": "fs-0123456789abcdef0", "transitEncryption": "ENABLED", **authorization}
    mounts = {"name": "web", "image": "nginx:stable", "mountPoints": [{"sourceVolume": "data", "containerPath": "/d"}]}
    return scene.register(volumes=[{"name": "data", "efsVolumeConfiguration": volume}], containerDefinitions=[mounts])


def mount_targets(scene: Scene) -> list[dict[str, Any]]:
    scene.local.provision({"file_systems": ["fs-0123456789abcdef0"]})
    efs = scene.client("efs")
    return list(efs.describe_mount_targets(FileSystemId="fs-0123456789abcdef0")["MountTargets"])


def test_a_volume_with_a_mount_target_in_each_zone_is_mounted(scene: Scene) -> None:
    zones = {one["AvailabilityZoneName"] for one in mount_targets(scene)}
    assert len(zones) == len(scene.subnets)
    assert stopped_reason(scene, with_volume(scene)) == ""


def test_a_volume_needs_a_mount_target_in_the_tasks_zone(scene: Scene) -> None:
    for target in mount_targets(scene):
        if target["SubnetId"] == scene.subnets[0]:
            scene.client("efs").delete_mount_target(MountTargetId=target["MountTargetId"])
    network = {"awsvpcConfiguration": {"subnets": scene.subnets[:1], "assignPublicIp": "ENABLED"}}
    reason = stopped_reason(scene, with_volume(scene), networkConfiguration=network)
    assert 'Failed to resolve "fs-0123456789abcdef0.efs.eu-central-1.amazonaws.com"' in reason


def test_a_volume_whose_mount_targets_are_closed(scene: Scene) -> None:
    (group,) = scene.client("efs").describe_mount_target_security_groups(
        MountTargetId=mount_targets(scene)[0]["MountTargetId"]
    )["SecurityGroups"]
    (found,) = scene.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    scene.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])
    assert "mount.nfs4: mount system call failed" in stopped_reason(scene, with_volume(scene))


def test_a_volume_whose_access_point_is_gone(scene: Scene) -> None:
    mount_targets(scene)
    reason = stopped_reason(scene, with_volume(scene, point="fsap-0123456789abcdef0"))
    assert "access denied by server" in reason


def with_file(scene: Scene) -> str:
    return scene.define(environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::settings/web.env"}])


def test_an_environment_file_that_may_be_read_is_read(scene: Scene) -> None:
    scene.local.provision({"objects": ["arn:aws:s3:::settings/web.env"]})
    allow(scene, "logs:*", "s3:GetObject", "s3:GetBucketLocation")
    assert stopped_reason(scene, with_file(scene)) == ""


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["s3:GetObject", "s3:GetBucketLocation"], "HeadObject, https response error StatusCode: 403"),
        (["s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket"], "HeadObject, https response error StatusCode: 404"),
        (["s3:GetObject"], "GetBucketLocation, https response error StatusCode: 403"),
    ],
)
def test_an_environment_file_that_is_not_there(actions: list[str], expected: str, scene: Scene) -> None:
    scene.client("s3").create_bucket(
        Bucket="settings", CreateBucketConfiguration={"LocationConstraint": scene.local.region}
    )
    allow(scene, "logs:*", *actions)
    reason = stopped_reason(scene, with_file(scene))
    assert reason.startswith("ResourceInitializationError: failed to download env files: ")
    assert expected in reason


def test_an_environment_file_that_the_execution_role_may_not_read(scene: Scene) -> None:
    scene.local.provision({"objects": ["arn:aws:s3:::settings/web.env"]})
    allow(scene, "logs:*", "s3:GetBucketLocation")
    assert "api error Forbidden" in stopped_reason(scene, with_file(scene))
