"""Proof of ownership where the concerns need it: reading tags cheaply, and refusing what somebody else has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.errors import Refused
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fargatectl.aws.session import Aws

_PROOF = (APP, ENVIRONMENT)


def tags_shown(
    aws: Aws, arn: str, wanted: Mapping[str, str], ask: Callable[[], Mapping[str, str]]
) -> Mapping[str, str]:
    """Return the tags of the resource at `arn`, without a call of its own where that can be had.

    The sweep asks the tagging API once for all that is ours. What it shows with all of `wanted` is proven; for what it
    does not show so (it lags behind, and never proves absence) `ask` asks the service itself.
    """
    proof = {key: wanted[key] for key in _PROOF if key in wanted}
    shown = aws.tagged(proof).get(arn, {}) if proof else {}
    return shown if proof and wanted.items() <= shown.items() else ask()


def same_owner(wanted: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Tell whether both carry the tags of one app in one environment.

    An app without an environment is one of its own: its tags are part of those of all its environments.
    """
    return all(found.get(key) == wanted.get(key) for key in _PROOF)


def same_resource(wanted: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Tell whether both carry the tags of one resource of one owner. Without an address nothing is the same."""
    address = wanted.get(ADDRESS)
    return address is not None and address == found.get(ADDRESS) and same_owner(wanted, found)


def require_ours(what: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raise `Refused` unless `found`, the tags of something that exists already, name the owner that `wanted` names.

    For a create that meets "already exists": its own earlier success it takes up, anybody else's it leaves alone.
    """
    if not same_owner(wanted, found):
        message = f"{what} exists already and belongs to {owner_of(found)}"
        raise Refused(message, hint="rename yours in the file, or delete the other one")
