"""AWS's service models, cut down to what is called here.

To make a client, botocore reads the model of the whole service: for Amazon EC2 4 MB of JSON, nearly all of it
documentation and operations that nobody here calls; and it looks through the folders and endpoints of all services that
AWS has. The first run leaves a small copy for each service in the user's cache directory, and the next ones read that.
What is wrong with a copy only costs the time to read the whole again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader

from fargatectl.aws.operations import ENDPOINTS, IMPLIED, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

_MODEL, _RULES, _PAGINATORS = _PARTS = ("service-2", "endpoint-rule-set-1", "paginators-1")
_ENDPOINTS = "endpoints"
_PROSE = ("documentation", "documentationUrl", "examples")


_TEXT = rb'("documentation"\s*:\s*)"[^"\\]*(?:\\.[^"\\]*)*"'


class _WithoutProse(JSONFileLoader):
    """Reads JSON without its texts: they are two thirds of a model, and would be the peak of a run's memory."""

    def load_file(self, file_path: str) -> dict[str, Any] | None:
        for name, opened in ((f"{file_path}.json", open), (f"{file_path}.json.gz", gzip.open)):
            try:
                with opened(name, "rb") as file:
                    text = re.sub(_TEXT, rb'\1""', file.read())
            except FileNotFoundError:
                continue
            content: dict[str, Any] = json.loads(text, object_pairs_hook=_mute)
            return content
        return None


def _mute(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Leave out the prose; a member may be called "documentation", but it is no text."""
    return {key: value for key, value in pairs if key not in _PROSE or isinstance(value, dict)}


class WholeModels(Loader):
    """botocore's loader, for what is called here alone, and without prose."""

    FILE_LOADER_CLASS = _WithoutProse

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the services that are called here. All that there are would take a look into 400 folders."""
        del type_name
        return sorted(OPERATIONS)


class TrimmedModels(Loader):
    """botocore's loader, with copies of the service models in `directory`.

    A loader keeps all that it has read. So whole models are read by another, which `whole` makes and which then goes.
    """

    def __init__(self, directory: Path, whole: Callable[[], Loader] = WholeModels) -> None:
        super().__init__()
        self._whole = whole
        wanted = hashlib.sha256(json.dumps([OPERATIONS, IMPLIED, ENDPOINTS], sort_keys=True).encode()).hexdigest()[:12]
        self._copies = directory / f"botocore-{botocore.__version__}-{wanted}"
        self._read: dict[str, dict[str, Any]] = {}
        # The C library keeps memory apart for each thread, and gives little of it back: one thread reads all wholes.
        self._trimming = ThreadPoolExecutor(1)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> dict[str, Any]:
        """Return a model as botocore's own loader does; a service's from its copy, which is made if there is none."""
        if service_name in OPERATIONS and type_name in _PARTS:
            parts = self._copy(service_name, lambda: _trimmed(self._whole(), service_name))
            # A user's settings may ask for the model of another time.
            if api_version in {None, parts[_MODEL]["metadata"]["apiVersion"]}:
                part: dict[str, Any] = parts[type_name]
                return part
        whole: dict[str, Any] = super().load_service_model(service_name, type_name, api_version)
        return whole

    def load_data_with_path(self, name: str) -> tuple[dict[str, Any], str]:
        """Return data as botocore's own loader does, with where it is from; of endpoints those of our services."""
        if name == _ENDPOINTS:
            return self._copy(name, lambda: _near(self._whole().load_data(name))), f"{self.BUILTIN_DATA_PATH}/{name}"
        whole: tuple[dict[str, Any], str] = super().load_data_with_path(name)
        return whole

    def _copy(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if name not in self._read:
            copy = self._copies / f"{name}.json"
            content = _read(copy)
            if content is None:
                text = self._trimming.submit(lambda: json.dumps(make(), separators=(",", ":")).encode()).result()
                _write(copy, text)
                # Made anew from its text: parts of the whole would keep the memory around them.
                content = json.loads(text)
            self._read[name] = content
        return self._read[name]


def _trimmed(whole: Loader, service: str) -> dict[str, Any]:
    """Return the parts of a service's model."""
    operations = (*OPERATIONS[service], *IMPLIED.get(service, ()))
    try:
        pages = whole.load_service_model(service, _PAGINATORS)["pagination"]
    except DataNotFoundError:
        pages = {}
    return {
        _MODEL: trim(whole.load_service_model(service, _MODEL), operations),
        _RULES: whole.load_service_model(service, _RULES),
        _PAGINATORS: {"pagination": {name: pages[name] for name in operations if name in pages}},
    }


def _near(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Return the endpoints of our services in all partitions."""
    ours = {ENDPOINTS.get(name, name) for name in OPERATIONS}
    return {
        **endpoints,
        "partitions": [
            {**one, "services": {name: where for name, where in one["services"].items() if name in ours}}
            for one in endpoints["partitions"]
        ],
    }


def trim(model: dict[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """Return `model` with these operations and the shapes that they need."""
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    todo = _shapes(kept)
    while todo:
        name = todo.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            todo += _shapes(shapes[name])
    # The one prose that botocore cannot do without.
    settings = {name: {"documentation": "", **one} for name, one in model.get("clientContextParams", {}).items()}
    return {**model, "clientContextParams": settings, "operations": kept, "shapes": shapes}


def _shapes(part: object) -> list[str]:
    """Return the names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        own = [part["shape"]] if isinstance(part.get("shape"), str) else []
        return own + [name for value in part.values() for name in _shapes(value)]
    if isinstance(part, list):
        return [name for value in part for name in _shapes(value)]
    return []


def _read(copy: Path) -> dict[str, Any] | None:
    try:
        digest, _, content = copy.read_bytes().partition(b"\n")
    except OSError:
        return None
    if digest != _digest(content):
        return None
    model: dict[str, Any] = json.loads(content)
    return model


def _write(copy: Path, content: bytes) -> None:
    try:
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, draft = tempfile.mkstemp(dir=copy.parent)
        with os.fdopen(number, "wb") as file:
            file.write(_digest(content) + b"\n" + content)
        Path(draft).replace(copy)
    except OSError:
        return  # a full or read-only disk costs time, no more


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
