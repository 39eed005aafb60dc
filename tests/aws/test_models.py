from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.loaders import Loader

from fargatectl.aws.models import TrimmedModels
from fargatectl.aws.operations import OPERATIONS
from fargatectl.aws.session import make_session
from tests.docs.test_permissions import CLIENTS, FREE, calls

if TYPE_CHECKING:
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
    assert set(copy.operation_names) == set(OPERATIONS[service])
    for name in OPERATIONS[service]:
        ours, theirs = copy.operation_model(name), whole.operation_model(name)
        assert (ours.http, ours.idempotent_members) == (theirs.http, theirs.idempotent_members)
        assert shapes(ours.input_shape, set()) == shapes(theirs.input_shape, set())
        assert shapes(ours.output_shape, set()) == shapes(theirs.output_shape, set())


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
    assert TrimmedModels(tmp_path / "file").load_service_model("sts", "service-2")["operations"].keys() == {
        "GetCallerIdentity"
    }


def test_a_user_with_models_of_their_own_gets_those(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def known() -> list[str]:
        keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        client: Any = make_session(environment=keys, cache=tmp_path).client("sts", region_name="eu-west-1")
        return list(client.meta.service_model.operation_names)

    monkeypatch.setattr(Loader, "CUSTOMER_DATA_PATH", str(tmp_path / "none"))
    assert known() == ["GetCallerIdentity"]
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "mine"))
    assert "AssumeRole" in known()
