"""From botocore's exceptions to words: which operation, what AWS said, what to do next."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError as BotoConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from fargatectl.aws.hints import DENIED, EXPIRED, LOG_IN, THROTTLED, Refusal
from fargatectl.errors import AwsFailure, FargatectlError, UsageError

__all__ = ["BotoCoreError", "ClientError", "code_of", "explain", "is_denied", "is_expired", "is_passing", "says"]

SERVICE = "Service"
"""Key under which `session` notes the service in an answer's metadata; botocore's errors do not say it."""

_SERVER_ERROR = 500
_WITHOUT_ANSWER: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    ((ProfileNotFound,), "`aws configure list-profiles` lists them"),
    (
        (NoCredentialsError, PartialCredentialsError),
        "set AWS_PROFILE or use --profile, log in (`aws sso login`), or try it without an account: --sandbox",
    ),
    (
        (RefreshWithMFAUnsupportedError,),
        "the session that the MFA code opened has ended: run the same command again, and give another code",
    ),
    ((LoginError,), "log in again (`aws login`), then run the same command"),
    ((SSOError, TokenRetrievalError, UnauthorizedSSOTokenError, CredentialRetrievalError), LOG_IN),
    (
        (HTTPClientError, BotoConnectionError),
        "check the network, a proxy, the Region's name, and that it has FIPS or dual-stack endpoints if you want these",
    ),
)
"""What to do where AWS was not even asked, or did not answer."""


def code_of(error: BaseException) -> str:
    """Return AWS's error code, or an empty string when AWS did not answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def says(error: BaseException, code: str, fragment: str = "") -> bool:
    """Tell whether `error` is AWS's `code` with `fragment` in its message (case aside: AWS rewords its texts)."""
    if not isinstance(error, ClientError) or code_of(error) != code:
        return False
    return fragment.lower() in str(error.response.get("Error", {}).get("Message", "")).lower()


def is_denied(error: BaseException) -> bool:
    """Tell whether AWS lacks a right of whoever asked."""
    return code_of(error) in DENIED


def is_expired(error: BaseException) -> bool:
    """Tell whether the credentials have ended: no call is answered from now on."""
    ended = RefreshWithMFAUnsupportedError | SSOError | LoginError | TokenRetrievalError | CredentialRetrievalError
    return code_of(error) in EXPIRED or isinstance(error, ended)


def is_passing(error: BaseException) -> bool:
    """Tell whether AWS was out of reach, or had too much to do, after all attempts of botocore: it may answer later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in THROTTLED or status >= _SERVER_ERROR
    return isinstance(error, HTTPClientError | BotoConnectionError)


def explain(error: BaseException, address: str = "") -> FargatectlError:
    """Return `error` as something to show a user; errors of ours pass, and get their address if they lack one."""
    if isinstance(error, AwsFailure):
        error.address = error.address or address
        return error
    if isinstance(error, FargatectlError):
        return error
    if isinstance(error, ClientError):
        return _refusal(error, address)
    if isinstance(error, BotoCoreError):
        return _unasked(error, address)
    raise error


def _refusal(error: ClientError, address: str) -> AwsFailure:
    metadata = error.response.get("ResponseMetadata", {})
    refusal = Refusal(
        service=str(metadata.get(SERVICE, "aws")),
        operation=str(error.operation_name),
        code=code_of(error),
        said=str(error.response.get("Error", {}).get("Message", "")).strip() or code_of(error),
        attempts=metadata.get("RetryAttempts", 0) + 1,
    )
    operation = f"{refusal.service}:{refusal.operation}"
    return AwsFailure(
        f"AWS answered {operation} with {refusal.code}: {refusal.told}",
        operation=operation,
        code=refusal.code,
        address=address,
        hint=refusal.hint,
    )


def _unasked(error: BotoCoreError, address: str) -> FargatectlError:
    text = str(error)
    if isinstance(error, NoRegionError):
        return UsageError("no region is known", hint='put `region = "eu-central-1"` into the file, or use --region')
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        text = "there are no AWS credentials"
    elif isinstance(error, HTTPClientError | BotoConnectionError):
        text = f"AWS could not be reached: {text}"
    hint = next((hint for kinds, hint in _WITHOUT_ANSWER if isinstance(error, kinds)), "")
    return AwsFailure(text, code=type(error).__name__, address=address, hint=hint)
