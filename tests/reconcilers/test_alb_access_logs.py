"""Access logs: the bucket is looked at before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.errors import NotFoundError, Refused
from fargatectl.reconcilers.alb.access_logs import BucketQuery, Buckets
from fargatectl.sandbox.inprocess import LocalAws
from tests.world import World

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
app = "shop"
region = "eu-central-1"
[load_balancers.public]
access_logs = { bucket = "shop-logs", prefix = "public" }
[services.web]
image = "public.ecr.aws/nginx/nginx:stable"
port = 80
http = { health_check = "/" }
"""


def attributes(world: World) -> dict[str, str]:
    (found,) = world.aws.elb.describe_load_balancers()["LoadBalancers"]
    listed: Any = world.aws.elb.describe_load_balancer_attributes(LoadBalancerArn=found["LoadBalancerArn"])
    return {one["Key"]: one["Value"] for one in listed["Attributes"] if one["Key"].startswith("access_logs")}


def test_logs_are_switched_on_and_off(tmp_path: Path) -> None:
    world = World(LocalAws(), tmp_path)
    world.deploy(FILE)
    assert attributes(world) == {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "shop-logs",
        "access_logs.s3.prefix": "public",
    }
    assert not world.plan(FILE).plan
    without = FILE.replace("access_logs", "# access_logs")
    (change,) = world.plan(without).plan.changes
    assert change.fields.paths == {"attributes.access_logs.s3.enabled"}
    world.deploy(without)
    assert attributes(world)["access_logs.s3.enabled"] == "false"
    assert not world.plan(without).plan


def test_a_bucket_that_does_not_let_elb_write_is_refused_before_the_first_write(tmp_path: Path) -> None:
    world = World(LocalAws(), tmp_path)
    world.blueprint(FILE)
    s3 = world.aws.s3
    elsewhere = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::shop-logs/x/*",
    }
    s3.put_bucket_policy(Bucket="shop-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [elsewhere]}))
    world.local.calls.clear()
    with pytest.raises(Refused) as refused:
        world.plan(FILE)
    statement = json.loads(refused.value.hint.partition(": ")[2])
    assert statement["Resource"] == "arn:aws:s3:::shop-logs/public/AWSLogs/123456789012/*"
    old = {**statement, "Principal": {"AWS": "arn:aws:iam::054676820928:root"}}
    for allowed in (statement, old):
        s3.put_bucket_policy(Bucket="shop-logs", Policy=json.dumps({"Statement": [allowed], "Version": "2012-10-17"}))
        assert world.plan(FILE).plan
    s3.delete_bucket_policy(Bucket="shop-logs")
    with pytest.raises(Refused):
        world.plan(FILE)
    s3.delete_bucket(Bucket="shop-logs")
    (answer,) = Buckets().read(world.aws, [BucketQuery(bucket="shop-logs")])
    assert isinstance(answer, NotFoundError)
