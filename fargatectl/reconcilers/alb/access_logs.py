"""The bucket that takes a load balancer's access logs: somebody else's, so it is looked at and never changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, is_denied, says
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.errors import NotFoundError, Refused
from fargatectl.model.spec import Spec, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.errors import FargatectlError

# ELB User Guide, "Enable access logs for your Application Load Balancer": who writes them.
_WRITER = "logdelivery.elasticloadbalancing.amazonaws.com"
_ACTION = "s3:PutObject"
_ROOT = re.compile(r"(arn:aws[a-z-]*:iam::)?(?P<account>[0-9]{12})(:root)?")


@dataclass(frozen=True)
class Bucket:
    """A bucket that takes the logs; `unchecked` says that its policy may not be read by us."""

    name: str
    unchecked: bool = False


@dataclass(frozen=True, kw_only=True)
class BucketQuery(Spec):
    """The bucket `bucket`, and what the names of the logs begin with; `path` is where the file names it."""

    identity: ClassVar[tuple[str, ...]] = ("bucket",)

    bucket: str
    prefix: str = ""
    path: str = setting(wiring=True, default="")


class Buckets(Lookup[BucketQuery, Bucket]):
    """Looks whether buckets let ELB write access logs into them."""

    kind = "alb.access_logs"

    def read(self, aws: Aws, specs: Sequence[BucketQuery]) -> Sequence[Bucket | FargatectlError]:
        """Return the buckets; `Refused` with the missing statement, `NotFoundError` where there is no such bucket."""
        return answer_each(aws, lambda spec: _look(aws, spec), specs)


def _look(aws: Aws, query: BucketQuery) -> Bucket:
    try:
        policy = aws.s3.get_bucket_policy(Bucket=query.bucket)["Policy"]
    except ClientError as error:
        if is_denied(error):
            return Bucket(query.bucket, unchecked=True)
        if says(error, "NoSuchBucket"):
            message = f"there is no bucket {query.bucket}"
            raise NotFoundError(message, path=query.path, hint=f"create it in {aws.region}") from error
        if not says(error, "NoSuchBucketPolicy"):
            raise
        policy = "{}"
    identity = aws.identity()
    folder = "/".join(filter(None, (query.prefix, "AWSLogs", identity.account)))
    resource = f"arn:{identity.partition}:s3:::{query.bucket}/{folder}/*"
    if not any(_allows(statement, resource) for statement in _statements(policy)):
        statement = {"Effect": "Allow", "Principal": {"Service": _WRITER}, "Action": _ACTION, "Resource": resource}
        message = f"the policy of the bucket {query.bucket} does not let load balancers write access logs into it"
        raise Refused(message, hint=f"add this statement to it: {json.dumps(statement)}")
    return Bucket(query.bucket)


def _statements(policy: str) -> Iterator[dict[str, Any]]:
    found = json.loads(policy).get("Statement", [])
    yield from (found if isinstance(found, list) else [found])


def _allows(statement: dict[str, Any], resource: str) -> bool:
    """Tell whether a statement allows it; its conditions are taken as met."""
    return (
        statement.get("Effect") == "Allow"
        and any(_matches(action, _ACTION) for action in _listed(statement.get("Action")))
        and any(_matches(pattern, resource) for pattern in _listed(statement.get("Resource")))
        and _admits(statement.get("Principal"))
    )


def _admits(principal: Any) -> bool:  # noqa: ANN401 - a policy's Principal
    """Tell whether ELB is meant: the log delivery service, or an account of ELB's own as older Regions have it."""
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    accounts = _listed(principal.get("AWS"))
    return _WRITER in _listed(principal.get("Service")) or any(one == "*" or _ROOT.fullmatch(one) for one in accounts)


def _listed(value: Any) -> list[str]:  # noqa: ANN401 - one string or several
    return [value] if isinstance(value, str) else list(value or ())


def _matches(pattern: str, text: str) -> bool:
    """Tell whether `*` and `?` of a policy cover `text`."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(sign) or re.escape(sign) for sign in pattern), text) is not None
