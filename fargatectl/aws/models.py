"""AWS's service models, cut down to what is called here.

To make a client, botocore reads the model of the whole service: for Amazon EC2 4 MB of JSON, nearly all of it
documentation and operations that nobody here calls. The first run leaves a small copy of each model in the user's cache
directory, and the next ones read that. What is wrong with a copy only costs the time to read the whole model again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
from botocore.loaders import Loader

from fargatectl.aws.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

_MODEL = "service-2"
_PROSE = ("documentation", "documentationUrl", "examples")


class TrimmedModels(Loader):
    """botocore's loader, with copies of the service models in `directory`.

    A loader keeps all that it has read. So whole models are read by another, which `whole` makes and which then goes.
    """

    def __init__(self, directory: Path, whole: Callable[[], Loader] = Loader) -> None:
        super().__init__()
        self._whole = whole
        wanted = hashlib.sha256(json.dumps(OPERATIONS, sort_keys=True).encode()).hexdigest()[:12]
        self._copies = directory / f"botocore-{botocore.__version__}-{wanted}"

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> dict[str, Any]:
        """Return a model as botocore's own loader does; a service's from its copy, which is made if there is none."""
        if type_name != _MODEL or api_version is not None or service_name not in OPERATIONS:
            whole: dict[str, Any] = super().load_service_model(service_name, type_name, api_version)
            return whole
        copy = self._copies / f"{service_name}.json"
        model = _read(copy)
        if model is None:
            model = trim(self._whole().load_service_model(service_name, type_name), OPERATIONS[service_name])
            _write(copy, model)
        return model


def trim(model: dict[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """Return `model` with these operations, the shapes that they need, and no prose."""
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    todo = _shapes(kept)
    while todo:
        name = todo.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            todo += _shapes(shapes[name])
    return {**model, "documentation": "", "operations": _mute(kept), "shapes": _mute(shapes)}


def _shapes(part: object) -> list[str]:
    """Return the names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        own = [part["shape"]] if isinstance(part.get("shape"), str) else []
        return own + [name for value in part.values() for name in _shapes(value)]
    if isinstance(part, list):
        return [name for value in part for name in _shapes(value)]
    return []


def _mute(part: Any) -> Any:  # noqa: ANN401 - JSON
    """Leave out the prose; a member may be called "documentation", but it is no text."""
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if key not in _PROSE or isinstance(value, dict)}
        return {key: _mute(value) for key, value in kept.items()}
    return [_mute(value) for value in part] if isinstance(part, list) else part


def _read(copy: Path) -> dict[str, Any] | None:
    try:
        digest, _, content = copy.read_bytes().partition(b"\n")
    except OSError:
        return None
    if digest != _digest(content):
        return None
    model: dict[str, Any] = json.loads(content)
    return model


def _write(copy: Path, model: dict[str, Any]) -> None:
    content = json.dumps(model, separators=(",", ":")).encode()
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
