from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from fargatectl.sandbox.clock import Timeline, VirtualClock
from fargatectl.sandbox.cloud import Cloud
from fargatectl.sandbox.faults import LostAnswer
from fargatectl.sandbox.http import Request, Response
from fargatectl.sandbox.server import Application

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=LOCALAWS210987654321/20260101/eu-west-1/sts/aws4_request, SignedHeaders=host, "
    "Signature=0"
)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


class Door:
    """A client of the application, without a socket."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def get(self, path: str) -> Response:
        return self.application.answer(Request("GET", f"http://127.0.0.1:4566{path}", {}))

    def post(self, path: str, content: Any = None) -> Response:
        body = json.dumps(content or {}).encode()
        return self.application.answer(Request("POST", f"http://127.0.0.1:4566{path}", {}, body))


@pytest.fixture
def http(clock: VirtualClock) -> Door:
    return Door(Application(Cloud(Timeline(clock)), clock, token="t"))


def post(http: Door, path: str, content: Any = None) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(http.post(path, content).body)
    return answer


def looked(http: Door, what: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(http.get(f"/_fargatectl/{what}").body)
    return answer


def identity(http: Door, host: str = "127.0.0.1") -> Response:
    headers = {"authorization": AUTHORIZATION, "content-type": "application/x-www-form-urlencoded"}
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    return http.application.answer(Request("POST", f"http://{host}:4566/", headers, body))


def test_aws_requests_are_answered(http: Door) -> None:
    assert "<Account>210987654321</Account>" in identity(http).body.decode()


def test_foreign_host_names_are_refused(http: Door) -> None:
    assert identity(http, "rebound.example.com").status == 403


def test_unsigned_requests_are_told_what_is_missing(http: Door) -> None:
    answer = http.post("/")
    assert answer.status == 403
    assert b"signed requests" in answer.body


def test_requests_put_off_the_idle_stop_and_looking_does_not(http: Door, clock: VirtualClock) -> None:
    begin = looked(http, "status")["idle_stop_at"]
    clock.sleep(600)
    assert looked(http, "status")["idle_stop_at"] == begin
    identity(http)
    assert looked(http, "status")["idle_stop_at"] > begin


def test_provisioning_tells_what_it_made_and_what_went_wrong(http: Door) -> None:
    wish = {"account": "210987654321", "region": "eu-west-1", "references": {"parameters": ["/a"]}}
    assert post(http, "/_fargatectl/provision", wish) == {"made": ["parameter /a"]}
    assert post(http, "/_fargatectl/provision", wish) == {"made": []}
    wish["references"] = {"repositories": [{"name": "UPPER"}]}
    assert "error" in post(http, "/_fargatectl/provision", wish)


def test_reset_forgets_and_stop_stops(http: Door) -> None:
    wish = {"account": "210987654321", "region": "eu-west-1", "references": {"parameters": ["/a"]}}
    post(http, "/_fargatectl/provision", wish)
    assert http.post("/_fargatectl/reset").status == 200
    assert post(http, "/_fargatectl/provision", wish) == {"made": ["parameter /a"]}
    assert http.get("/_fargatectl/stop").status == 405
    assert not http.application.stopping.is_set()
    post(http, "/_fargatectl/stop")
    assert http.application.stopping.is_set()


def test_settings_are_made_listed_and_refused_with_a_hint(http: Door) -> None:
    made = post(http, "/_fargatectl/set", {"assignments": ["latency=0"]})
    assert made["settings"] == {"latency": "0"}
    listed = looked(http, "settings")
    assert listed == made
    assert {key["key"] for key in listed["keys"]} >= {"latency", "error.SERVICE.OPERATION", "health.CLUSTER/SERVICE"}
    refused = http.post("/_fargatectl/set", {"assignments": ["latancy=0"]})
    assert refused.status == 400
    assert json.loads(refused.body) == {"problem": "There is no setting 'latancy'", "hint": "did you mean latency?"}
    post(http, "/_fargatectl/reset")
    assert looked(http, "settings")["settings"] == {}


def test_a_lost_answer_closes_the_connection(http: Door) -> None:
    post(http, "/_fargatectl/set", {"assignments": ["lost.sts.GetCallerIdentity=1"]})
    with pytest.raises(LostAnswer):
        identity(http)
    assert identity(http).status == 200


def test_starting_and_finding_a_server_needs_no_moto() -> None:
    import subprocess  # noqa: PLC0415 - what is imported can only be seen in a fresh interpreter

    heavy = "{'moto', 'botocore', 'werkzeug'}"
    code = f"import sys, fargatectl.sandbox.lifetime; print(sorted({heavy} & sys.modules.keys()))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert answer.stdout.strip() == "[]"
