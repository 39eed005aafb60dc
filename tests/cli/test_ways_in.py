"""How requests find a live service, through the command line: records, access logs, another protocol, what exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.local import make_aws
from tests.scenarios.account import contents

if TYPE_CHECKING:
    from tests.cli.conftest import Done, Shell

OWN = """
app = "shop"
region = "eu-central-1"

[dns]
zone = "example.com"

[load_balancers.public]
access_logs = { bucket = "shop-logs", prefix = "public" }

[services.web]
image = "shop/web:1"
port = 80
http = { host = "shop.example.com", health_check = "/" }
"""
USED = (
    OWN.replace('access_logs = { bucket = "shop-logs", prefix = "public" }', 'use = "edge"')
    + """
[cluster]
use = "main"
"""
)
NEEDS: dict[str, Any] = {"zones": ["example.com"], "buckets": ["shop-logs"]}
EXISTING: dict[str, Any] = {"clusters": ["main"], "load_balancers": [{"name": "edge", "vpc": {"default": True}}]}


def effects(done: Done) -> dict[str, str]:
    return {change["address"]: change["effect"] for change in done.json["changes"]}


def test_a_public_service_is_found_moved_and_gone(shell: Shell) -> None:
    shell.local.provision(NEEDS)
    aws = make_aws(shell.local)
    begun = contents(aws)
    shell.write(OWN)
    done = shell("deploy", "--yes")
    assert (done.code, "http://shop.example.com" in done.out + done.err) == (0, True)
    assert shell("diff", "--exit-code").code == 0
    (balancer,) = aws.elb.describe_load_balancers()["LoadBalancers"]
    listed = aws.elb.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
    kept = {one["Key"]: one["Value"] for one in listed if one["Key"].startswith("access_logs")}
    assert (kept["access_logs.s3.enabled"], kept["access_logs.s3.bucket"]) == ("true", "shop-logs")

    shell.write(OWN.replace('"/" }', '"/up" }'))
    assert "asked by the new health check at once" in " ".join(shell("diff").out.split())

    shell.write(OWN.replace("access_logs", 'scheme = "internal"\naccess_logs'))
    told = effects(shell("diff", "--json"))
    assert told["alb.load_balancer/public"] == "interruption"

    spoken = OWN.replace('"/" }', '"/", protocol_version = "HTTP2" }')
    shell.write(spoken)
    assert effects(shell("diff", "--json"))["alb.target_group/web"] == "replacement"
    assert shell("deploy", "--yes").code == 0
    (group,) = aws.elb.describe_target_groups()["TargetGroups"]
    assert group["ProtocolVersion"] == "HTTP2"
    assert shell("diff", "--exit-code").code == 0

    assert shell("destroy", "--yes").code == 0
    assert {**contents(aws), "inactive": None} == {**begun, "inactive": None}


def test_what_exists_is_used_and_left(shell: Shell) -> None:
    shell.local.provision(NEEDS | EXISTING)
    shell.local.clock.sleep(60)  # until the cluster is ACTIVE
    aws = make_aws(shell.local)
    begun = contents(aws)
    shell.write(USED)
    checked = " ".join(shell("validate").err.split())
    assert "no DNS record is made for the hosts: the load balancer `public` is not ours" in checked
    assert shell("deploy", "--yes").code == 0
    (service,) = shell("status", "--json").json["services"]
    assert (service["state"], service["url"]) == ("steady", "http://shop.example.com")

    shell.write(USED.replace('"main"', '"maine"'))
    missing = shell("diff", "--json")
    assert (missing.code, missing.json["error"]["kind"]) == (1, "not_found")
    assert missing.json["error"]["hint"] == "did you mean main?"

    shell.write(USED)
    done = shell("destroy", "--yes")
    assert done.code == 0
    told = " ".join(done.err.split())
    assert "not ours" in told
    assert "existing cluster main" in told
    assert "existing load balancer edge" in told
    assert {**contents(aws), "inactive": None} == {**begun, "inactive": None}
