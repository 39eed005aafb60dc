from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.loaders import Loader

from fargatectl.aws.connections import CONNECTIONS
from fargatectl.aws.models import TrimmedModels
from fargatectl.aws.operations import ENDPOINTS, IMPLIED, OPERATIONS
from fargatectl.aws.session import make_session
from tests.docs.test_permissions import CLIENTS, FREE, calls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def shapes(shape: Any, seen: set[str]) -> dict[str, Any]:
    """Return what a serialiser and a parser need to know of a shape, down to its last member."""
    if shape is None or shape.name in seen:
        return {}
    seen = {*seen, shape.name}
    parts = getattr(shape, "members", {}) if shape.type_name == "structure" else {}
    inner = {"list": ("member",), "map": ("key", "value")}.get(shape.type_name, ())
    return {
        "type": shape.type_name,
        "wire": shape.serialization,
        "metadata": shape.metadata,
        "members": {name: shapes(part, seen) for name, part in parts.items()},
        **{name: shapes(getattr(shape, name), seen) for name in inner},
    }


def test_the_list_of_operations_is_what_the_code_calls() -> None:
    service = {prefix: name for name, prefix in CLIENTS.values()}
    called = {(service[action.split(":")[0]], action.split(":")[1]) for action in {*calls(), *FREE}}
    assert {(name, operation) for name, operations in OPERATIONS.items() for operation in operations} == called


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_a_copy_says_of_our_operations_what_the_whole_says(service: str, tmp_path: Path) -> None:
    TrimmedModels(tmp_path).load_service_model(service, "service-2")
    session = botocore.session.Session()
    whole = session.get_service_model(service)
    session.register_component("data_loader", TrimmedModels(tmp_path))
    copy = session.get_service_model(service)
    assert [(one.name, one.type) for one in copy.client_context_parameters] == [
        (one.name, one.type) for one in whole.client_context_parameters
    ]
    assert set(copy.operation_names) == {*OPERATIONS[service], *IMPLIED.get(service, ())}
    for name in copy.operation_names:
        ours, theirs = copy.operation_model(name), whole.operation_model(name)
        assert (ours.http, ours.idempotent_members) == (theirs.http, theirs.idempotent_members)
        assert shapes(ours.input_shape, set()) == shapes(theirs.input_shape, set())
        assert shapes(ours.output_shape, set()) == shapes(theirs.output_shape, set())


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_copies_lead_to_the_same_endpoints_and_pages(service: str, tmp_path: Path) -> None:
    ours: Any = botocore.session.Session()
    theirs: Any = botocore.session.Session()
    ours.register_component("data_loader", TrimmedModels(tmp_path))
    assert theirs.get_service_model(service).endpoint_prefix == ENDPOINTS.get(service, service)
    for region in ("eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"):
        mine, whole = (
            session.create_client(service, region, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="example")
            for session in (ours, theirs)
        )
        assert (mine.meta.endpoint_url, mine.meta.partition) == (whole.meta.endpoint_url, whole.meta.partition)
        assert mine._request_signer.region_name == whole._request_signer.region_name
        for name, operation in mine.meta.method_to_api_mapping.items():
            assert mine.can_paginate(name) == whole.can_paginate(name), operation


def test_the_copy_of_a_bucket_s_service_can_follow_it_to_its_region(tmp_path: Path) -> None:
    assert "HeadBucket" in TrimmedModels(tmp_path).load_service_model("s3", "service-2")["operations"]


@pytest.mark.parametrize("kind", ["AssumeRole", "AssumeRoleWithWebIdentity"])
def test_the_credentials_of_a_role_can_be_had(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token, settings = tmp_path / "token", tmp_path / "config"
    token.write_text("of the pipeline")
    role = "role_arn = arn:aws:iam::123456789012:role/deploy"
    proof = {"AssumeRole": "source_profile = base", "AssumeRoleWithWebIdentity": f"web_identity_token_file = {token}"}
    base = "[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = example\n"
    settings.write_text(f"{base}[profile deploy]\nregion = eu-west-1\n{role}\n{proof[kind]}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(settings))
    session = make_session(profile="deploy", cache=tmp_path / "cache")

    def answer(**_: Any) -> Any:
        keys = "<AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        body = f"<A><{kind}Result><Credentials>{keys}<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        return AWSResponse("", 200, HTTPHeaders(), Raw(f"{body}</{kind}Result></A>".encode()))

    session.events.unregister("before-send", unique_id=CONNECTIONS)
    session.events.register(f"before-send.sts.{kind}", answer)
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.get_frozen_credentials().access_key == "AKIDROLE"


class Raw:
    """The body of an answer."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.content


def test_the_whole_model_is_read_once_and_again_when_the_copy_is_damaged(tmp_path: Path) -> None:
    reads = [0, 0, 0, 0]

    def reader(place: int) -> Loader:
        reads[place] += 1
        return Loader()

    models = [TrimmedModels(tmp_path, whole=partial(reader, place)) for place in range(4)]
    first = models[0].load_service_model("sts", "service-2")
    assert models[1].load_service_model("sts", "service-2") == first
    (copy,) = tmp_path.rglob("sts.json")
    copy.write_bytes(copy.read_bytes().replace(b"GetCallerIdentity", b"GetCallerIdentitx", 1))
    assert models[2].load_service_model("sts", "service-2") == first
    assert models[3].load_service_model("sts", "service-2") == first
    assert reads == [1, 0, 1, 0]


def test_without_a_place_to_keep_copies_it_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = TrimmedModels(tmp_path / "file").load_service_model("sts", "service-2")
    assert "GetCallerIdentity" in found["operations"]


def test_a_user_with_models_of_their_own_gets_those(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def known() -> list[str]:
        keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        client: Any = make_session(environment=keys, cache=tmp_path).client("sts", region_name="eu-west-1")
        return list(client.meta.service_model.operation_names)

    monkeypatch.setattr(Loader, "CUSTOMER_DATA_PATH", str(tmp_path / "none"))
    assert "GetSessionToken" not in known()
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "mine"))
    assert "GetSessionToken" in known()
