"""What a listener or a rule does with a request, in the form in which it is wanted and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union

from fargatectl.dataclass import dataclass
from fargatectl.model.values import Late, known

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from types_boto3_elbv2.type_defs import ActionOutputTypeDef


@dataclass(frozen=True)
class Forward:
    """Send it to a target of one target group."""

    target_group: Late[str]


@dataclass(frozen=True)
class Shifted:
    """Send it to one of two target groups or to both, as ECS decides: it moves the weights in each deployment.

    All requests go to `first` when the action is made; from then on only the pair is ours, never the weights.
    """

    first: Late[str]
    second: Late[str]

    def is_pair(self, groups: Iterable[str]) -> bool:
        """Tell whether `groups` are these two."""
        return {self.first, self.second} == set(groups)


@dataclass(frozen=True)
class Redirect:
    """Answer with another address; by default the same one with HTTPS, for good."""

    protocol: str = "HTTPS"
    port: str = "443"
    host: str = "#{host}"
    path: str = "/#{path}"
    query: str = "#{query}"
    status: str = "HTTP_301"


@dataclass(frozen=True)
class FixedResponse:
    """Answer with `status` (2XX, 4XX or 5XX) and a text of at most 1024 bytes."""

    status: int = 404
    body: str = ""
    content_type: str = "text/plain"


@dataclass(frozen=True)
class Other:
    """What is there and was not made by us: several target groups, a log-in. Never equal to what is wanted."""

    what: str


ListenerAction: TypeAlias = Union[Forward, Shifted, Redirect, FixedResponse, Other]
_ALL = 100
"""The weight of the group that gets all requests (ECS Developer Guide, "Application Load Balancer resources")."""


def to_aws(action: ListenerAction) -> list[Any]:
    """Return the actions of a request."""
    if isinstance(action, Forward):
        # ForwardConfig alone: sent together with TargetGroupArn, the two must agree.
        return [
            {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": known(action.target_group)}]}}
        ]
    if isinstance(action, Shifted):
        weights = {known(action.first): _ALL, known(action.second): 0}
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    if isinstance(action, Redirect):
        config = {
            "Protocol": action.protocol,
            "Port": action.port,
            "Host": action.host,
            "Path": action.path,
            "Query": action.query,
            "StatusCode": action.status,
        }
        return [{"Type": "redirect", "RedirectConfig": config}]
    if isinstance(action, FixedResponse):
        answer = {"StatusCode": str(action.status), "MessageBody": action.body, "ContentType": action.content_type}
        return [{"Type": "fixed-response", "FixedResponseConfig": answer}]
    message = f"{action} is only ever read"
    raise TypeError(message)


def from_aws(actions: Sequence[ActionOutputTypeDef]) -> ListenerAction:
    """Return what `actions` say.

    A forward to one group comes back as `TargetGroupArn` and as `ForwardConfig`, with a weight and stickiness that mean
    nothing for one group; redirects come back with all parts filled in (ELB API Reference, Action).
    """
    if len(actions) != 1:
        return Other(", then ".join(action["Type"] for action in sorted(actions, key=lambda a: a.get("Order", 0))))
    action = actions[0]
    if action["Type"] == "forward":
        return _forward(actions)
    if action["Type"] == "redirect":
        config = action["RedirectConfig"]
        return Redirect(
            protocol=config.get("Protocol", "#{protocol}"),
            port=config.get("Port", "#{port}"),
            host=config.get("Host", "#{host}"),
            path=config.get("Path", "/#{path}"),
            query=config.get("Query", "#{query}"),
            status=config["StatusCode"],
        )
    if action["Type"] == "fixed-response":
        answer = action["FixedResponseConfig"]
        return FixedResponse(
            int(answer["StatusCode"]), answer.get("MessageBody", ""), answer.get("ContentType") or "text/plain"
        )
    return Other(action["Type"])


def weights_of(actions: Sequence[ActionOutputTypeDef]) -> dict[str, int]:
    """Return the weight of each target group that `actions` forward to; nothing where they do anything else."""
    if len(actions) != 1 or actions[0]["Type"] != "forward":
        return {}
    action = actions[0]
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}


def _forward(actions: Sequence[ActionOutputTypeDef]) -> Forward | Other:
    """Return the forward; a group of weight 0 beside another is about to come or to go, and gets nothing."""
    weights = weights_of(actions)
    receiving = [arn for arn, weight in weights.items() if weight] or list(weights)
    if len(receiving) == 1:
        return Forward(receiving[0])
    return Other("forward to " + ", ".join(f"{arn} ({weight})" for arn, weight in weights.items()))
