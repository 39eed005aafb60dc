"""Secrets Manager and Parameter Store: the secrets that the file refers to. They are looked up, never read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.aws.answers import answer_each
from fargatectl.aws.secrets import SecretOut, describe_secret, kms_key_arn
from fargatectl.aws.session import chunks
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import FargatectlError, NotFoundError
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack

_FILTER_VALUES_MAX = 50  # Systems Manager API Reference, ParameterStringFilter: Values
_SECRET_ARN_PARTS = 7  # arn:partition:secretsmanager:region:account:secret:name


@dataclass(frozen=True, kw_only=True)
class SecretQuery(Spec):
    """A secret by name or ARN; `path` is where the file names it."""

    name: str
    path: str = setting(wiring=True, default="")


class Secrets(Lookup[SecretQuery, SecretOut]):
    """Finds secrets with DescribeSecret, which shows everything but the value."""

    kind = "secrets.secret"

    def read(self, aws: Aws, specs: Sequence[SecretQuery]) -> Sequence[SecretOut | FargatectlError]:
        """Return the secrets; `NotFoundError` for what is missing or scheduled for deletion."""
        return answer_each(aws, lambda spec: describe_secret(aws, spec.name, path=spec.path), specs)


@dataclass(frozen=True, kw_only=True)
class ParameterQuery(Spec):
    """A parameter by name or ARN; `path` is where the file names it."""

    name: str
    path: str = setting(wiring=True, default="")


@dataclass(frozen=True)
class ParameterOut:
    """A parameter; `key_arn` is the customer's KMS key of a SecureString, None for AWS's own."""

    arn: str
    name: str
    key_arn: str | None = None


class Parameters(Lookup[ParameterQuery, ParameterOut]):
    """Finds parameters with DescribeParameters, fifty a call.

    GetParameters would need the right to read the values, and would read them: `String` parameters come in plain text
    whatever `WithDecryption` says. DescribeParameters shows names, types and keys alone. What belongs to another
    account or Region cannot be described from here; it is taken as the file gives it.
    """

    kind = "secrets.parameter"

    def read(self, aws: Aws, specs: Sequence[ParameterQuery]) -> Sequence[ParameterOut | FargatectlError]:
        """Return the parameters; `NotFoundError` for what is missing."""
        prefix = _parameter_arn(aws, "")
        names = sorted({name for spec in specs for name in _names(spec.name, prefix)})
        pages = aws.each(lambda batch: _described(aws, batch), chunks(names, _FILTER_VALUES_MAX))
        found = {name: out for page in pages for name, out in page.items()}
        return [_answer(aws, spec, prefix, found) for spec in specs]


def declare_secret(stack: Stack, name: str, *, path: str) -> Declared[SecretOut]:
    """Declare that the secret `name` (or ARN, with or without a JSON key) exists, named by the file at `path`."""
    secret = secret_arn(name)
    return stack.find(Secrets(), secret, SecretQuery(name=secret, path=path))


def declare_parameter(stack: Stack, name: str, *, path: str) -> Declared[ParameterOut]:
    """Declare that the parameter `name` (or ARN) exists, named by the file at `path`."""
    return stack.find(Parameters(), name, ParameterQuery(name=name, path=path))


def value_from(arn: str, *, key: str = "", stage: str = "", version: str = "") -> str:
    """Return what a container definition names a secret's value by (ECS API Reference, Secret: valueFrom).

    A JSON key, version stage and version id follow the ARN; empty ones keep their place. Without any, the ARN says it.
    """
    return f"{arn}:{key}:{stage}:{version}" if key or stage or version else arn


def secret_arn(value: str) -> str:
    """Return `value` without the JSON key, version stage and version id that may follow a secret's ARN."""
    return ":".join(value.split(":")[:_SECRET_ARN_PARTS]) if value.startswith("arn:") else value


def _parameter_arn(aws: Aws, name: str) -> str:
    identity = aws.identity()
    return f"arn:{identity.partition}:ssm:{aws.region}:{identity.account}:parameter/{name.removeprefix('/')}"


def _names(name: str, prefix: str) -> tuple[str, ...]:
    """Return the names that a parameter of ours may have; none for one that is elsewhere.

    The ARN of `/flag` and of `flag` is the same; names with a further slash always begin with one.
    """
    if not name.startswith("arn:"):
        return (name,)
    if not name.startswith(prefix):
        return ()
    rest = name.removeprefix(prefix)
    return (f"/{rest}",) if "/" in rest else (rest, f"/{rest}")


def _described(aws: Aws, names: Sequence[str]) -> dict[str, ParameterOut]:
    pages = aws.ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": list(names)}],
        PaginationConfig={"PageSize": _FILTER_VALUES_MAX},
    )
    found = {}
    for page in pages:
        for parameter in page["Parameters"]:
            name = parameter["Name"]
            arn = _parameter_arn(aws, name)
            found[name] = ParameterOut(arn, name, kms_key_arn(parameter.get("KeyId"), arn))
    return found


def _answer(
    aws: Aws, spec: ParameterQuery, prefix: str, found: dict[str, ParameterOut]
) -> ParameterOut | FargatectlError:
    names = _names(spec.name, prefix)
    if not names:
        return ParameterOut(spec.name, spec.name.partition(":parameter")[2])
    out = next((found[name] for name in names if name in found), None)
    if out is not None:
        return out
    hint = f"create it (`aws ssm put-parameter --name {names[-1]} …`), or correct the name"
    return NotFoundError(f"the parameter {spec.name} does not exist in {aws.region}", path=spec.path, hint=hint)
