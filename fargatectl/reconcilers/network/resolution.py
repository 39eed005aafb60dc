"""Whether names of a private DNS namespace resolve in the VPC.

They do where DNS support and DNS hostnames are on (Route 53 Developer Guide, "Considerations when working with a
private hosted zone"). A VPC that was made by hand or by other tools often has the second one off, and then everything
is made and registered, and no task finds another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.aws.answers import answer_each
from fargatectl.aws.errors import ClientError, is_denied
from fargatectl.dataclass import dataclass
from fargatectl.engine.reconciler import Lookup
from fargatectl.model.spec import Spec
from fargatectl.model.values import Late, known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Declared, Stack
    from fargatectl.errors import FargatectlError

# EC2 API Reference, DescribeVpcAttribute: the setting, its name in the answer, and the option that turns it on.
_SETTINGS = (
    ("enableDnsSupport", "EnableDnsSupport", "--enable-dns-support"),
    ("enableDnsHostnames", "EnableDnsHostnames", "--enable-dns-hostnames"),
)


@dataclass(frozen=True, kw_only=True)
class ResolutionQuery(Spec):
    """The VPC in which the names of `namespace` are to resolve."""

    vpc_id: Late[str]
    namespace: str


class Resolutions(Lookup[ResolutionQuery, str]):
    """Looks at the DNS settings of VPCs, which are somebody else's to change."""

    kind = "network.resolution"

    def read(self, aws: Aws, specs: Sequence[ResolutionQuery]) -> Sequence[str | FargatectlError]:
        """Return a warning where names do not resolve; nothing where they do, or where that may not be asked."""
        return answer_each(aws, lambda spec: _warning(aws, known(spec.vpc_id), spec.namespace), specs)


def declare_resolution(stack: Stack, namespace: str, vpc_id: Late[str]) -> Declared[str]:
    """Declare that names of `namespace` are to resolve in a VPC; the answer is a warning, or nothing."""
    return stack.find(Resolutions(), namespace, ResolutionQuery(vpc_id=vpc_id, namespace=namespace))


def _warning(aws: Aws, vpc_id: str, namespace: str) -> str:
    try:
        answers = aws.each(lambda setting: _is_on(aws, vpc_id, *setting[:2]), _SETTINGS)
    except ClientError as error:
        if is_denied(error):
            return ""
        raise
    off = [setting for setting, is_on in zip(_SETTINGS, answers, strict=True) if not is_on]
    if not off:
        return ""
    why = " and ".join(f"{name} is false" for name, _, _ in off)
    turn_on = "; ".join(f"aws ec2 modify-vpc-attribute --vpc-id {vpc_id} {option}" for _, _, option in off)
    return f"names in {namespace} do not resolve in {vpc_id}, where {why}: {turn_on}"


def _is_on(aws: Aws, vpc_id: str, setting: Any, member: str) -> bool:  # noqa: ANN401 - EC2's literal
    answer: Any = aws.ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=setting)
    return bool(answer[member]["Value"])
