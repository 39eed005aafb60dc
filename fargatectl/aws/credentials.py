"""Roles that a profile assumes, with an MFA code where it asks for one (AWS SDKs Reference, "Assume role provider")."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.utils import JSONFileCache

from fargatectl.aws.errors import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    import botocore.session
    from boto3.session import Session

_ASSUME_ROLE = "assume-role"
_CLI_CACHE = Path("~/.aws/cli/cache")


class SessionsOfTheCli(JSONFileCache):
    """The sessions that the AWS CLI has open: taken where there is one, so that nobody types two codes. What is opened
    here is kept nowhere but in memory."""

    def __init__(self) -> None:
        super().__init__(str(_CLI_CACHE.expanduser()))
        self._opened: dict[str, Any] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._opened or super().__contains__(key)

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - an answer of STS
        return self._opened[key] if key in self._opened else super().__getitem__(key)

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 - an answer of STS
        self._opened[key] = value


def prepare(core: botocore.session.Session, ask: Callable[[str], str]) -> None:
    """Have `ask` asked for MFA codes: it is given a question, and returns what was typed."""
    provider = core.get_component("credential_provider").get_provider(_ASSUME_ROLE)
    provider.cache = SessionsOfTheCli()
    provider._prompter = ask  # noqa: SLF001 - botocore's own would ask at a terminal even where nobody is asked


def settle(session: Session) -> None:
    """Assume the profile's role now, if it names one: before threads want credentials, and before anything is shown.

    Raises what `ask` raises, and `AwsFailure` where AWS refuses.
    """
    credentials: Any = session.get_credentials()
    if credentials is None or credentials.method != _ASSUME_ROLE:
        return
    try:
        credentials.get_frozen_credentials()
    except (BotoCoreError, ClientError) as error:
        raise explain(error) from error
