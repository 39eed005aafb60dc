from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from fargatectl.sandbox.clock import Timeline, VirtualClock
from fargatectl.sandbox.cloud import Cloud
from fargatectl.sandbox.server import Application

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=LOCALAWS210987654321/20260101/eu-west-1/sts/aws4_request, SignedHeaders=host, "
    "Signature=0"
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def http(clock: VirtualClock) -> Client:
    return Client(Application(Cloud(Timeline(clock)), clock, token="t"))


def post(http: Client, path: str, content: Any = None) -> TestResponse:
    return http.post(path, base_url="http://127.0.0.1:4566", json=content or {})


def status(http: Client) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(http.get("/_fargatectl/status", base_url="http://127.0.0.1").data)
    return answer


def identity(http: Client, host: str = "127.0.0.1") -> TestResponse:
    return http.post(
        "/",
        base_url=f"http://{host}:4566",
        data={"Action": "GetCallerIdentity", "Version": "2011-06-15"},
        headers={"Authorization": AUTHORIZATION},
    )


def test_aws_requests_are_answered(http: Client) -> None:
    assert "<Account>210987654321</Account>" in identity(http).text


def test_foreign_host_names_are_refused(http: Client) -> None:
    assert identity(http, "rebound.example.com").status_code == 403


def test_unsigned_requests_are_told_what_is_missing(http: Client) -> None:
    answer = post(http, "/")
    assert answer.status_code == 403
    assert "signed requests" in answer.text


def test_requests_put_off_the_idle_stop_and_looking_does_not(http: Client, clock: VirtualClock) -> None:
    begin = status(http)["idle_stop_at"]
    clock.sleep(600)
    assert status(http)["idle_stop_at"] == begin
    identity(http)
    assert status(http)["idle_stop_at"] > begin


def test_provisioning_tells_what_it_made_and_what_went_wrong(http: Client) -> None:
    wish = {"account": "210987654321", "region": "eu-west-1", "references": {"parameters": ["/a"]}}
    assert post(http, "/_fargatectl/provision", wish).json == {"made": ["parameter /a"]}
    assert post(http, "/_fargatectl/provision", wish).json == {"made": []}
    wish["references"] = {"repositories": [{"name": "UPPER"}]}
    assert "error" in (post(http, "/_fargatectl/provision", wish).json or {})


def test_reset_forgets_and_stop_stops(http: Client) -> None:
    wish = {"account": "210987654321", "region": "eu-west-1", "references": {"parameters": ["/a"]}}
    post(http, "/_fargatectl/provision", wish)
    assert post(http, "/_fargatectl/reset").status_code == 200
    assert post(http, "/_fargatectl/provision", wish).json == {"made": ["parameter /a"]}
    assert http.get("/_fargatectl/stop", base_url="http://127.0.0.1").status_code == 405
    application = http.application
    assert isinstance(application, Application)
    assert not application.stopping.is_set()
    post(http, "/_fargatectl/stop")
    assert application.stopping.is_set()


def test_settings_are_made_listed_and_refused_with_a_hint(http: Client) -> None:
    made = post(http, "/_fargatectl/set", {"assignments": ["latency=0"]}).json or {}
    assert made["settings"] == {"latency": "0"}
    listed = json.loads(http.get("/_fargatectl/settings", base_url="http://127.0.0.1").data)
    assert listed == made
    assert {key["key"] for key in listed["keys"]} >= {"latency", "error.SERVICE.OPERATION", "health.CLUSTER/SERVICE"}
    refused = post(http, "/_fargatectl/set", {"assignments": ["latancy=0"]})
    assert refused.status_code == 400
    assert refused.json == {"problem": "There is no setting 'latancy'", "hint": "did you mean latency?"}
    post(http, "/_fargatectl/reset")
    assert json.loads(http.get("/_fargatectl/settings", base_url="http://127.0.0.1").data)["settings"] == {}


def test_a_lost_answer_closes_the_connection(http: Client) -> None:
    post(http, "/_fargatectl/set", {"assignments": ["lost.sts.GetCallerIdentity=1"]})
    with pytest.raises(ConnectionResetError):
        identity(http)
    assert identity(http).status_code == 200


def test_starting_and_finding_a_server_needs_no_moto() -> None:
    import subprocess  # noqa: PLC0415 - what is imported can only be seen in a fresh interpreter

    heavy = "{'moto', 'botocore', 'werkzeug'}"
    code = f"import sys, fargatectl.sandbox.lifetime; print(sorted({heavy} & sys.modules.keys()))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert answer.stdout.strip() == "[]"
