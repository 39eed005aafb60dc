"""Bugs of the classic kinds, to be planted in a child: the harness must catch each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from fargatectl.aws.tags import pairs
from fargatectl.errors import Refused
from fargatectl.model.change import Delta
from fargatectl.model.values import known
from fargatectl.reconcilers.alb.actions import to_aws
from fargatectl.reconcilers.alb.load_balancer import LoadBalancers
from fargatectl.reconcilers.alb.rule import RuleOut, Rules
from fargatectl.reconcilers.alb.target_group import TargetGroups
from fargatectl.reconcilers.cloudmap import operations as cloudmap
from fargatectl.reconcilers.cluster import Clusters
from fargatectl.reconcilers.iam.roles import Role, Roles
from fargatectl.reconcilers.logs import LogGroups
from fargatectl.reconcilers.network.security_group import SecurityGroup, SecurityGroups
from fargatectl.reconcilers.secrets import Secrets
from fargatectl.reconcilers.service.definition import TaskDefinitions
from fargatectl.reconcilers.service.service import Services

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Bug:
    """A bug, and where it shows: a flow of the guide, and the kinds of fault that bring it out."""

    name: str
    flow: str
    kinds: tuple[str, ...]
    plant: Callable[[], None]
    shows: str
    calls: str | None = None


def _put(kind: type, method: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a method of a class by what `change` makes of it; for good, so only in a child."""
    setattr(kind, method, change(getattr(kind, method)))


def create_then_configure() -> None:
    """Attributes are set when a target group is made, and never looked at again."""

    def change(compare: Callable[..., Any]) -> Callable[..., Any]:
        def blind(self: TargetGroups, spec: Any, live: Any) -> Delta:
            return Delta(c for c in compare(self, spec, live) if not c.path.startswith("attributes"))

        return blind

    _put(TargetGroups, "compare", change)


def register_again() -> None:
    """The newest revision is not looked at: what a dead run registered is registered once more."""

    def change(update: Callable[..., Any]) -> Callable[..., Any]:
        def eager(self: TaskDefinitions, aws: Any, live: Any, spec: Any, delta: Any) -> Any:
            return self.create(aws, spec) if self.renews(delta) else update(self, aws, live, spec, delta)

        return eager

    _put(TaskDefinitions, "update", change)


def sweep_by_name() -> None:
    """What begins with our name is taken for ours."""

    def change(_: Callable[..., Any]) -> Callable[..., Any]:
        def owned(self: SecurityGroups, aws: Any, owner: Any, known_ids: Any) -> list[Any]:
            groups = aws.ec2.describe_security_groups()["SecurityGroups"]
            named = [g for g in groups if g["GroupName"].startswith(owner.prefix) and g["GroupId"] not in known_ids]
            lives = [_live_group(self, aws, group) for group in named]
            return [live for live in lives if live is not None]

        return owned

    _put(SecurityGroups, "owned", change)


def _live_group(how: SecurityGroups, aws: Any, group: Any) -> Any:
    return how.read(aws, [SecurityGroup(name=group["GroupName"], vpc_id=group["VpcId"])])[0]


def delete_by_path() -> None:
    """Every role under our path is taken for ours, whatever its tags say."""

    def change(_: Callable[..., Any]) -> Callable[..., Any]:
        def owned(self: Roles, aws: Any, owner: Any, known_ids: Any) -> list[Any]:
            listed = aws.iam.list_roles(PathPrefix=f"/fargatectl/{owner.app}/")["Roles"]
            wanted = [Role(name=role["RoleName"]) for role in listed if role["Arn"] not in known_ids]
            return [live for live in self.read(aws, wanted) if live is not None]

        return owned

    _put(Roles, "owned", change)


def count_under_autoscaling() -> None:
    """Each update sends the file's count along."""

    def change(update: Callable[..., Any]) -> Callable[..., Any]:
        def eager(self: Services, aws: Any, live: Any, spec: Any, delta: Any) -> Any:
            out = update(self, aws, live, spec, delta)
            aws.ecs.update_service(cluster=spec.cluster, service=spec.name, desiredCount=spec.initial_count)
            return out

        return eager

    _put(Services, "update", change)


def tag_after_create() -> None:
    """Roles get their tags in a call of its own."""

    def change(create: Callable[..., Any]) -> Callable[..., Any]:
        def late(self: Roles, aws: Any, spec: Any) -> Any:
            out = create(self, aws, replace(spec, tags={}))
            aws.iam.tag_role(RoleName=spec.name, Tags=pairs(spec.tags))
            return out

        return late

    _put(Roles, "create", change)


def retry_without_looking() -> None:
    """A priority that is taken is taken for somebody else's: the rule gets another one."""

    def change(_: Callable[..., Any]) -> Callable[..., Any]:
        def stubborn(_: Rules, aws: Any, spec: Any) -> RuleOut:
            request = {
                "ListenerArn": known(spec.listener_arn),
                "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": list(spec.hosts)}}],
                "Actions": to_aws(spec.action),
                "Tags": pairs(spec.tags),
            }
            try:
                made = aws.elb.create_rule(**request, Priority=spec.priority)["Rules"][0]
            except ClientError:
                made = aws.elb.create_rule(**request, Priority=spec.priority + 1)["Rules"][0]
            return RuleOut(made["RuleArn"], int(made["Priority"]))

        return stubborn

    _put(Rules, "create", change)


def drop_first() -> None:
    """The old target group goes before its users have moved."""
    TargetGroups.create_first = False


def swallow_errors() -> None:
    """What goes wrong after a load balancer was made is nobody's business."""

    def change(create: Callable[..., Any]) -> Callable[..., Any]:
        def careless(self: LoadBalancers, aws: Any, spec: Any) -> Any:
            try:
                return create(self, aws, spec)
            except ClientError:
                live = self.read(aws, [spec])[0]
                if live is None:
                    raise
                return live.out

        return careless

    _put(LoadBalancers, "create", change)


def gone_is_an_error() -> None:
    """A delete that meets its own earlier success fails."""

    def change(_: Callable[..., Any]) -> Callable[..., Any]:
        def delete(_: LogGroups, aws: Any, live: Any) -> None:
            aws.logs.delete_log_group(logGroupName=live.out.name)

        return delete

    _put(LogGroups, "delete", change)


def exists_is_an_error() -> None:
    """A create that meets its own earlier success fails."""

    def change(_: Callable[..., Any]) -> Callable[..., Any]:
        def take_up(_: Roles, __: Any, spec: Any) -> Any:
            raise Refused(f"{spec.name} exists already")

        return take_up

    _put(Roles, "_take_up", change)


def plan_writes() -> None:
    """Reading a cluster also touches it."""

    def change(read: Callable[..., Any]) -> Callable[..., Any]:
        def busy(self: Clusters, aws: Any, specs: Any) -> Any:
            found = read(self, aws, specs)
            for live in found:
                if live is not None:
                    aws.ecs.tag_resource(resourceArn=live.out.arn, tags=[{"key": "seen", "value": "x"}])
            return found

        return busy

    _put(Clusters, "read", change)


def wait_for_ever() -> None:
    """Cloud Map is waited for as if time cost nothing."""
    vars(cloudmap)["_OPERATION_SECONDS"] = 20_000


def tell_secrets() -> None:
    """The plan says of a task definition all that there is to say."""
    _put(TaskDefinitions, "summary", lambda _: lambda _self, spec: str(spec))


def read_secrets() -> None:
    """Secrets are looked up together with their values."""

    def change(read: Callable[..., Any]) -> Callable[..., Any]:
        def curious(self: Secrets, aws: Any, specs: Any) -> Any:
            for spec in specs:
                aws.secrets.get_secret_value(SecretId=spec.name)
            return read(self, aws, specs)

        return curious

    _put(Secrets, "read", change)


BUGS = (
    Bug(
        "create then configure",
        "create",
        ("crash-after",),
        create_then_configure,
        "target group",
        "elbv2:CreateTargetGroup",
    ),
    Bug("register again", "update", ("crash-after",), register_again, "I6", "ecs:RegisterTaskDefinition"),
    Bug("sweep by name prefix", "create", (), sweep_by_name, "I4"),
    Bug("delete by path", "destroy", (), delete_by_path, "I4"),
    Bug("count sent under autoscaling", "update", (), count_under_autoscaling, "I9"),
    Bug("tag after create", "create", ("crash-after",), tag_after_create, "I1", "iam:CreateRole"),
    Bug("retry a create without looking", "create", ("lost",), retry_without_looking, "I6", "elbv2:CreateRule"),
    Bug("drop before the users have moved", "replace", (), drop_first, "I10"),
    Bug("swallow errors", "create", ("denied",), swallow_errors, "I2", "elbv2:ModifyLoadBalancerAttributes"),
    Bug("gone is an error", "destroy", ("lost",), gone_is_an_error, "should have survived", "logs:DeleteLogGroup"),
    Bug("exists is an error", "create", ("lost",), exists_is_an_error, "should have survived", "iam:CreateRole"),
    Bug("planning writes", "update", (), plan_writes, "I14"),
    Bug("wait for ever", "create", ("halted",), wait_for_ever, "I20", "servicediscovery:CreatePrivateDnsNamespace"),
    Bug("tell secrets", "create", (), tell_secrets, "I16"),
    Bug("read secrets", "create", (), read_secrets, "I16"),
)
