"""What answers faster than moto's own answers the same."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.sandbox.botocore_adapter import decode_response, encode_request

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene

DOCUMENTS: tuple[dict[str, Any], ...] = (
    {"a": {"@xmlns": "https://x/?a=1&b='\"", "b": ["x", {"c": 1, "#text": "<&>"}, None, ""], "d": [], "e": {}}},
    {"a": {"yes": True, "no": False, "none": None, "number": 1.5, "bytes": "ü".encode(), "text": " ü\n]]>"}},
    {"a": {"many": ({"@x": 1, "y": "z"}, {"y": {}}), "deep": {"deeper": {"deepest": [[1, 2]]}}}},
    {"a": ""},
    {"a": {}},
)


@pytest.mark.parametrize("full_document", [True, False])
@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_xml_is_what_xmltodict_writes(document: dict[str, Any], *, short: bool, full_document: bool) -> None:
    spec = find_spec("xmltodict")
    assert spec
    assert spec.loader
    fresh = module_from_spec(spec)
    spec.loader.exec_module(fresh)
    how = {"full_document": full_document, "short_empty_elements": short, "pretty": False}
    quick = import_module("xmltodict").unparse
    assert quick is not fresh.unparse
    assert quick(document, **how) == fresh.unparse(document, **how)


def test_answers_without_xml_are_what_a_client_reads(scene: Scene) -> None:
    group = scene.balance()
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("ec2", "DescribeVpcs", {}),
        ("ec2", "DescribeSubnets", {}),
        ("ec2", "DescribeSecurityGroups", {}),
        ("ec2", "DescribeRouteTables", {}),
        ("elbv2", "DescribeLoadBalancers", {}),
        ("elbv2", "DescribeListeners", {"LoadBalancerArn": scene.balancer["LoadBalancerArn"]}),
        ("elbv2", "DescribeTags", {"ResourceArns": [group]}),
        ("elbv2", "DescribeTargetGroupAttributes", {"TargetGroupArn": group}),
        ("iam", "GetAccountAuthorizationDetails", {}),
    ]
    cloud = scene.local.cloud
    with cloud.moto.active():
        for service, operation, params in asked:
            request = encode_request(service, operation, params, scene.local.region)
            _, members = cloud.moto.ask(service, request, scene.local.account)
            written = cloud.moto.send(service, request, scene.local.account)
            protocol = "ec2" if service == "ec2" else "query"
            assert members
            assert members == decode_response(service, operation, protocol, written), operation
