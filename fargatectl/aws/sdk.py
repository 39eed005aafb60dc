"""What the installed AWS SDK knows: its models of the services say which requests it can make."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import botocore
import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, OperationNotFoundError, StructureShape

if TYPE_CHECKING:
    from botocore.model import Shape


def version() -> str:
    """Return botocore's version."""
    return botocore.__version__


def knows(service: str, operation: str, member: str) -> bool:
    """Tell whether an operation takes a member: `a.b.c`, of lists that of their items."""
    try:
        shape: Shape | None = _session().get_service_model(service).operation_model(operation).input_shape
    except (UnknownServiceError, OperationNotFoundError):
        return False
    for name in member.split("."):
        while isinstance(shape, ListShape):
            shape = shape.member
        shape = shape.members.get(name) if isinstance(shape, StructureShape) else None
    return shape is not None


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()
