"""What to do about a refusal, told from AWS's code and words: log in again, set the clock, ask for a right."""

from __future__ import annotations

import re

from fargatectl.dataclass import dataclass

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"})
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "PriorRequestNotComplete",
    }
)
LOG_IN = "log in again (`aws sso login`, or new keys), then run the same command"

# EC2 says RequestExpired of temporary credentials that have ended, and of a clock that is wrong.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "AuthFailure",
        "InvalidAccessKeyId",
    }
)
_NOT_SIGNED_UP = frozenset({"OptInRequired", "SubscriptionRequiredException"})
_HINTS = {
    f"the credentials have expired: {LOG_IN}": EXPIRED,
    "AWS does not know these credentials here: check AWS_PROFILE and the keys, and that the account turned the Region "
    "on, where that is needed": _UNKNOWN,
    "the account may not use this service or this Region yet: finish its sign-up, or turn the Region on": (
        _NOT_SIGNED_UP
    ),
}

# IAM User Guide, "Troubleshoot access denied error messages": whose policy it was, and which right was missing.
_ACTION = re.compile(r"not authorized to perform:? (?P<action>[a-z0-9-]+:\w+)(?: on resource: (?P<on>arn:\S+))?")
_FORBIDDEN = re.compile(r"with an explicit deny(?: in an? (?P<kind>[A-Za-z -]+?)(?: policy)?(?=[:.,;]|\s+arn:|\s*$))?")
_NOT_ALLOWED = re.compile(r"because no (?P<kind>[A-Za-z -]+?)(?: policy)? allows")
_ENCODED = re.compile(r"\s*Encoded authorization failure message: \S+")

_ACTIONS_OF = {"elbv2": "elasticloadbalancing", "efs": "elasticfilesystem", "resourcegroupstaggingapi": "tag"}
"""Service Authorization Reference: services whose actions begin with another name than botocore gives them."""

# IAM User Guide, "Create a service-linked role": the first use makes it, if whoever uses it may.
_NO_LINKED_ROLE = "service linked role"
_LINKED = {
    "elbv2": "elasticloadbalancing.amazonaws.com",
    "application-autoscaling": "ecs.application-autoscaling.amazonaws.com",
}
_QUOTA = re.compile(r"LimitExceeded|QuotaExceeded|^TooMany(?!Requests|Updates)")

_CLOCK = "the clock of this machine is wrong by minutes, so that AWS refuses what it signs: set it"
_BY_WORDS = (
    ("signature expired", _CLOCK),
    ("signature not yet current", _CLOCK),
    ("difference between the request time", _CLOCK),
    (
        "multifactorauthentication failed",
        "the MFA code was wrong, or used before: wait for the next one, and run the same command again",
    ),
)
"""Words that say more than the code beside them, in lower case."""

_POLICIES = {
    "identity-based": ("an identity-based policy", "whoever wrote it"),
    "service control": ("a service control policy", "whoever administers the organization"),
    "resource control": ("a resource control policy", "whoever administers the organization"),
    "permissions boundary": ("a permissions boundary", "whoever set it for your role or user"),
    "session": ("a session policy", "whoever hands out the session's credentials"),
    "VPC endpoint": ("the policy of a VPC endpoint", "whoever owns the endpoint"),
    "resource-based": ("the resource's own policy", "whoever owns the resource"),
}
"""What a policy of each kind is called, and who can change it."""


@dataclass(frozen=True)
class Refusal:
    """An answer of AWS that is a no: `service` and `operation` as botocore names them, `attempts` made in all."""

    service: str
    operation: str
    code: str
    said: str
    attempts: int = 1

    @property
    def told(self) -> str:
        """AWS's words, without the encoded part that EC2 adds where the words say it all."""
        return _ENCODED.sub("", self.said) if _ACTION.search(self.said) else self.said

    @property
    def hint(self) -> str:
        """What to do about it, "" where only AWS's own words can tell."""
        by_words = next((hint for words, hint in _BY_WORDS if words in self.said.lower()), "")
        if by_words or self.code in DENIED:
            return by_words or self._denied()
        if _NO_LINKED_ROLE in self.said.lower():
            return self._unlinked()
        if self.code in THROTTLED:
            return f"AWS throttled all {self.attempts} attempts of the call: wait a little, run it again"
        if _QUOTA.search(self.code):
            return "a quota of the account is used up: ask for more in Service Quotas, or delete what nobody needs"
        return next((hint for hint, codes in _HINTS.items() if self.code in codes), "")

    def _unlinked(self) -> str:
        principal = _LINKED.get(self.service, f"{self.service}.amazonaws.com")
        make = f"aws iam create-service-linked-role --aws-service-name {principal}"
        return f"the account lacks a role of AWS's own: `{make}` makes it, once, or allow iam:CreateServiceLinkedRole"

    def _denied(self) -> str:
        found = _ACTION.search(self.said)
        action = found["action"] if found else f"{_ACTIONS_OF.get(self.service, self.service)}:{self.operation}"
        what = f"{action} on {found['on'].rstrip('.,')}" if found and found["on"] else action
        if forbidden := _FORBIDDEN.search(self.said):
            policy, who = _POLICIES.get(forbidden["kind"], ("a policy", "whoever wrote it"))
            return f"{policy} forbids {what}, whatever others allow: {who} can change that"
        missing = _NOT_ALLOWED.search(self.said)
        if missing and missing["kind"] != "identity-based" and missing["kind"] in _POLICIES:
            policy, who = _POLICIES[missing["kind"]]
            return f"{policy} does not allow {what}: {who} can change that"
        return f"allow the action {what} to whoever deploys, or use another profile"
