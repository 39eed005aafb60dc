"""What the file takes as it is, with `use`: it must exist, and it must not be this app's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.engine.proof import same_owner
from fargatectl.errors import NotFoundError, Refused
from fargatectl.model.nearest import nearest
from fargatectl.model.ownership import APP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 5


def missing(what: str, wanted: str, known: Iterable[str], *, path: str) -> NotFoundError:
    """Return the error for `wanted` ("cluster shop" is `what` and `wanted`), with the nearest of the `known` names."""
    there = sorted(set(known))
    close = nearest(wanted, there)
    shown = ", ".join(there[:_SHOWN]) + (", …" if len(there) > _SHOWN else "")
    hint = f"did you mean {close}?" if close else f"there are {shown}" if there else "there is none at all"
    return NotFoundError(f"there is no {what} {wanted}", path=path, hint=hint)


def require_foreign(what: str, mine: Mapping[str, str], found: Mapping[str, str], *, path: str) -> None:
    """Raise `Refused` where `found`, the tags of what `use` names, are those of the owner that `mine` names.

    What this app made itself would be swept as soon as the file only uses it.
    """
    if APP in mine and same_owner(mine, found):
        table = path.rpartition(".")[0]
        message = f"{what} belongs to this app: `{path}` is for what is not its own"
        raise Refused(message, hint=f"describe it in [{table}] instead of `use`, as it was before")
