"""A deployment fails on the local AWS, and the command line says why, what to do, and what serves now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

LONGEST = 20  # lines that a failed deployment may end with


@pytest.mark.parametrize(
    ("image", "cause", "place"),
    [
        ("shop/web:missing", "There is no image shop/web:missing.", "fargatectl.toml:6  [services.web.image]"),
        ("shop/web:wrong-arch", "not built for linux/amd64", "fargatectl.toml:5  [services.web.arch]"),
        ("shop/web:oom", "needs more memory than the task's 512 MiB", "[services.web.memory]"),
        ("shop/web:unhealthy", "answers the health check / with an error of its own (503)", "fargatectl.toml:8"),
    ],
)
def test_a_failed_deployment_is_explained(shell: Shell, image: str, cause: str, place: str) -> None:
    shell("deploy", "--yes")
    failed = shell("deploy", "--yes", "--quiet", "--image", image, width=100)
    assert failed.code == 3
    told = " ".join(failed.err.split())
    assert cause in told
    assert " ".join(place.split()) in told
    assert "shop-web:1 serves 1 of 1 tasks" in told
    assert len(failed.err.strip().splitlines()) <= LONGEST
    shell.local.calls.clear()
    again = shell("why", "web")
    assert again.code == 0
    assert cause in " ".join(again.out.split())
    assert shell.writes() == []


def test_machines_get_it_all(shell: Shell) -> None:
    shell("deploy", "--yes")
    shell("deploy", "--yes", "--image", "shop/web:crash")
    (found,) = shell("why", "--json").json["diagnosis"]
    assert (found["service"], found["code"], found["confidence"]) == ("web", "application-error", "medium")
    assert any("log   local AWS: container web exits with code 1" in line for line in found["evidence"])
    assert any("image shop/web:1 → shop/web:crash" in line for line in found["evidence"])


def test_where_nothing_failed_it_says_so(shell: Shell) -> None:
    shell("deploy", "--yes")
    assert shell("why").out == "No deployment of web failed.\n"
    assert shell("why", "nobody").code == 1


def test_a_wall_between_load_balancer_and_tasks_is_found(shell: Shell) -> None:
    shell("deploy", "--yes")
    ec2 = shell._session(None).client("ec2", region_name="eu-central-1")
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["shop-web-task"]}])[
        "SecurityGroups"
    ]
    shell.write(FILE.replace("shop/web:1", "shop/web:2"))
    shell("deploy", "--yes", "--no-wait")
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    shell.local.clock.sleep(600)
    (found,) = shell("why", "--json").json["diagnosis"]
    assert found["code"] == "health-check-timeout"
    assert "does not let the load balancer in on port 80" in found["cause"]
    assert found["confidence"] == "high"


def test_what_ecr_has_of_an_image_is_told(shell: Shell) -> None:
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web"
    shell.write(FILE.replace("shop/web:1", f"{image}:2"))
    ecr = shell._session(None).client("ecr", region_name="eu-central-1")
    ecr.create_repository(repositoryName="shop/web")
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {"digest": f"sha256:{place:064x}", "platform": {"os": os, "architecture": architecture}}
            for place, (os, architecture) in enumerate([("linux", "arm64"), ("unknown", "unknown")])
        ],
    }
    for tag in ("1", "wrong-arch"):
        ecr.put_image(
            repositoryName="shop/web",
            imageTag=tag,
            imageManifest=json.dumps({**index, "annotations": {"tag": tag}}),
            imageManifestMediaType="application/vnd.oci.image.index.v1+json",
        )
    failed = shell("deploy", "--yes", "--json").events[-1]["diagnosis"][0]
    assert failed["code"] == "image-not-found"
    assert "shop/web has no tag 2" in failed["evidence"]
    failed = shell("deploy", "--yes", "--json", "--image", f"{image}:wrong-arch").events[-1]["diagnosis"][0]
    assert failed["code"] == "image-architecture"
    assert f"{image}:wrong-arch is built for linux/arm64" in failed["evidence"]
    denied = "error.ecr.DescribeImages=*:AccessDeniedException"
    shell.local.set(denied)
    (found,) = shell("why", "--json").json["diagnosis"]
    assert any("not checked: repository (DescribeImages: AccessDenied" in line for line in found["evidence"])
