"""What the account around a service says about a suspicion: it proves it, refines it, or says that it was not that.

Each fact reads AWS's answers that `gather` has put into the case, and asks nothing itself.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fargatectl.model.diagnosis import Confidence
    from fargatectl.rollout.diagnosis.case import Case
    from fargatectl.rollout.diagnosis.rule import Hit

_HTTPS = 443
_TAGS = 5  # told of a repository
_NEEDED = {
    "image-layers-unreachable": ("s3",),
    "ecr-unreachable": ("ecr.api", "ecr.dkr", "s3"),
    "registry-unreachable": ("ecr.api", "ecr.dkr", "s3"),
    "env-file-unreachable": ("s3",),
    "secret-unreachable": ("secretsmanager",),
    "secret-unreadable": ("secretsmanager",),
    "parameter-unreadable": ("ssm",),
    "parameter-unreachable": ("ssm",),
    "log-unreachable": ("logs",),
    "log-group-missing": ("logs",),
}


@dataclass(frozen=True)
class Fact:
    """One thing that is so. A `cause`, `fix` or `key` replaces that of the rule: it knows more exactly."""

    line: str
    cause: str = ""
    fix: str = ""
    key: str = ""
    confidence: Confidence | None = None


def facts_of(case: Case, hit: Hit) -> list[Fact]:
    """Return what the account says about the suspicion `hit`."""
    return [fact for name in hit.rule.facts for fact in _FACTS[name](case, hit)]


def _network(case: Case, hit: Hit) -> Iterator[Fact]:
    settings = ((case.service or {}).get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    public = settings.get("assignPublicIp") == "ENABLED"
    subnets: Sequence[Mapping[str, Any]] = case.account.get("subnets", ())
    for subnet in subnets:
        yield from _way_out(case, hit, subnet, public=public)
        if subnet.get("AvailableIpAddressCount") == 0:
            yield Fact(f"{_named(subnet)} has no free addresses")
    for group in case.account.get("security_groups", ()):
        if not any(_lets_out(permission) for permission in group.get("IpPermissionsEgress", ())):
            yield Fact(
                f"the security group {group['GroupId']} lets nothing out on port {_HTTPS}",
                cause="The tasks' security group lets nothing out on port 443.",
                fix=f"allow {group['GroupId']} to send to 0.0.0.0/0 on port 443",
                confidence="high",
            )


def _named(subnet: Mapping[str, Any]) -> str:
    return f"{subnet['SubnetId']} ({subnet.get('AvailabilityZone', 'zone unknown')})"


def _way_out(case: Case, hit: Hit, subnet: Mapping[str, Any], *, public: bool) -> Iterator[Fact]:
    route = _default_route(case, subnet)
    gateway = str(route.get("GatewayId") or "") if route else ""
    if route is None:
        missing = [name for name in _NEEDED.get(hit.rule.code, ()) if name not in _endpoints(case, subnet)]
        beside = f", nor the endpoints {', '.join(missing)}" if missing else ""
        if missing or not _NEEDED.get(hit.rule.code):
            yield Fact(f"{_named(subnet)} has no route to the internet{beside}", confidence="high")
    elif route.get("State") == "blackhole":
        lost = gateway or route.get("NatGatewayId") or "something"
        yield Fact(
            f"the default route of {_named(subnet)} leads to {lost}, which is gone",
            fix=f"let the route 0.0.0.0/0 of {_named(subnet)} lead to a NAT gateway that exists",
            confidence="high",
        )
    elif gateway.startswith("igw-") and not public:
        yield Fact(
            f"the default route of {_named(subnet)} leads to {gateway}, and the tasks have no public IP",
            fix="set public_ip = true, or use private subnets with a NAT gateway",
            key="{service}.public_ip",
            confidence="high",
        )


def _default_route(case: Case, subnet: Mapping[str, Any]) -> Mapping[str, Any] | None:
    tables: Sequence[Mapping[str, Any]] = case.account.get("route_tables", ())
    of_subnet = [t for t in tables for a in t.get("Associations", ()) if a.get("SubnetId") == subnet["SubnetId"]]
    main = [
        t for t in tables for a in t.get("Associations", ()) if a.get("Main") and t.get("VpcId") == subnet.get("VpcId")
    ]
    for table in [*of_subnet, *main][:1]:
        return next((r for r in table.get("Routes", ()) if r.get("DestinationCidrBlock") == "0.0.0.0/0"), None)
    return None


def _endpoints(case: Case, subnet: Mapping[str, Any]) -> set[str]:
    return {
        endpoint["ServiceName"].split(".", 3)[-1]
        for endpoint in case.account.get("endpoints", ())
        if endpoint.get("VpcId", subnet.get("VpcId")) == subnet.get("VpcId")
    }


def _lets_out(permission: Mapping[str, Any]) -> bool:
    return permission.get("IpProtocol") == "-1" or (
        permission.get("IpProtocol") in {"tcp", "6"}
        and permission.get("FromPort", 0) <= _HTTPS <= permission.get("ToPort", 65535)
    )


def _execution_role(case: Case, hit: Hit) -> Iterator[Fact]:
    arn = str((case.definition or {}).get("executionRoleArn") or "")
    if not arn:
        line = "the task definition names no execution role"
        yield Fact(line, cause="The tasks have no execution role.", fix="deploy again, which gives them one")
        return
    role = case.account.get("role")
    if role is None:
        return
    name = arn.rpartition("/")[2]
    if not role.get("Role"):
        yield Fact(
            f"the role {name} does not exist",
            cause=f"The execution role {name} was deleted.",
            fix="deploy again, which makes it anew if it is ours",
            confidence="high",
        )
        return
    if "ecs-tasks.amazonaws.com" not in str(role["Role"].get("AssumeRolePolicyDocument", "")):
        yield Fact(
            f"the role {name} does not trust ecs-tasks.amazonaws.com",
            cause=f"The execution role {name} does not trust ecs-tasks.amazonaws.com.",
            confidence="high",
        )
    yield from _right(name, role, hit.found.get("action") or _action(hit))


def _action(hit: Hit) -> str:
    words = hit.signal.text.split()
    return next((after.rstrip(".,") for word, after in pairwise(words) if word == "perform:"), "")


def _right(name: str, role: Mapping[str, Any], action: str) -> Iterator[Fact]:
    if ":" not in action:
        return
    statements = [s for document in role.get("Policies", ()) for s in _listed(document.get("Statement"))]
    allowed = [
        r for s in statements if s.get("Effect") == "Allow" and _fits(s, action) for r in _listed(s.get("Resource"))
    ]
    if allowed:
        yield Fact(f"the role {name} has {action} only on {', '.join(map(str, allowed[:3]))}")
    elif statements:
        yield Fact(f"no policy of the role {name} allows {action}")


def _fits(statement: Mapping[str, Any], action: str) -> bool:
    return any(fnmatchcase(action.lower(), str(one).lower()) for one in _listed(statement.get("Action")))


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - policies have one or many
    return value if isinstance(value, list) else [] if value is None else [value]


def _secret(case: Case, hit: Hit) -> Iterator[Fact]:
    del hit
    for secret in case.account.get("secrets", ()):
        name = secret.get("Name") or secret.get("ARN")
        if secret.get("DeletedDate"):
            yield Fact(
                f"the secret {name} is scheduled for deletion",
                fix=f"aws secretsmanager restore-secret --secret-id {name}",
                confidence="high",
            )
        elif secret.get("Missing"):
            yield Fact(f"there is no secret {name} in this account and Region")


def _log_group(case: Case, hit: Hit) -> Iterator[Fact]:
    options = (case.container(hit.signal.container).get("logConfiguration") or {}).get("options") or {}
    group = options.get("awslogs-group")
    if group is None or "log_groups" not in case.account:
        return
    if any(found.get("logGroupName") == group for found in case.account["log_groups"]):
        if hit.rule.code == "log-group-missing":
            yield Fact(
                f"the log group {group} exists",
                cause="The tasks do not reach CloudWatch Logs: there is no way out of their subnets.",
                fix="give them a way: a NAT gateway, the endpoint logs, or public subnets with a public IP",
                key="{service}.subnets",
            )
    else:
        yield Fact(f"there is no log group {group}", cause=f"The log group {group} does not exist.", confidence="high")


def _target_group(case: Case, hit: Hit) -> Iterator[Fact]:
    del hit
    for group in case.account.get("target_groups", ()):
        codes = (group.get("Matcher") or {}).get("HttpCode") or (group.get("Matcher") or {}).get("GrpcCode") or "200"
        grace = (case.service or {}).get("healthCheckGracePeriodSeconds", 0)
        yield Fact(
            f"health check of the load balancer: {group.get('HealthCheckPath', 'connection')} expects {codes} within "
            f"{group.get('HealthCheckTimeoutSeconds')} s, every {group.get('HealthCheckIntervalSeconds')} s; "
            f"{group.get('UnhealthyThresholdCount')} failures count after {grace} s of grace"
        )
        if group.get("LoadBalancerArns") == []:
            yield Fact("no listener of a load balancer leads to the target group", confidence="high")


def _ingress(case: Case, hit: Hit) -> Iterator[Fact]:
    """Look whether the load balancer's groups are let in on the container's port."""
    del hit
    balancer: Mapping[str, Any] = next(iter((case.service or {}).get("loadBalancers", ())), {})
    port = balancer.get("containerPort")
    theirs = set(case.account.get("load_balancer_groups", ()))
    ours: Sequence[Mapping[str, Any]] = case.account.get("security_groups", ())
    if port is None or not theirs or not ours:
        return
    if not any(_lets_in(one, port, theirs) for group in ours for one in group.get("IpPermissions", ())):
        name = ours[0]["GroupId"]
        yield Fact(
            f"{name} lets in nothing from {', '.join(sorted(theirs))} on port {port}",
            cause=f"The security group {name} of the tasks does not let the load balancer in on port {port}.",
            fix="deploy again, which restores the rule of the group",
            key="{service}.port",
            confidence="high",
        )


def _lets_in(permission: Mapping[str, Any], port: int, groups: set[str]) -> bool:
    covers = permission.get("IpProtocol") == "-1" or (
        permission.get("FromPort", 0) <= port <= permission.get("ToPort", 65535)
    )
    named = {pair.get("GroupId") for pair in permission.get("UserIdGroupPairs", ())}
    return covers and bool(named & groups or permission.get("IpRanges") or permission.get("PrefixListIds"))


def _image(case: Case, hit: Hit) -> Iterator[Fact]:
    found = case.account.get("repository")
    if found is None:
        return
    name, wanted, tags = found["name"], found.get("wanted", ""), found.get("tags", ())
    if not found.get("exists", True):
        yield Fact(
            f"there is no repository {name} in ECR in that account and Region",
            cause=f"There is no repository {name} in ECR, in the account and Region that the image names.",
            fix="correct the image's name, or create the repository and push the image",
            confidence="high",
        )
        return
    if wanted in tags:
        yield from _image_that_exists(hit, found)
    elif found.get("complete") and wanted and not wanted.startswith("sha256:"):
        yield Fact(f"{name} has no tag {wanted}", confidence="high")
    if tags and wanted not in tags:
        yield Fact(f"the newest tags of {name} are {', '.join(tags[:_TAGS])}")


def _image_that_exists(hit: Hit, found: Mapping[str, Any]) -> Iterator[Fact]:
    platforms = found.get("platforms", ())
    if hit.rule.code == "image-not-found":
        line = f"{found['name']} has the tag {found['wanted']} by now"
        yield Fact(line, fix="deploy again: it was pushed after the tasks had asked for it", confidence="medium")
    elif platforms:
        yield Fact(f"{found['image']} is built for {', '.join(platforms)}")


def _credentials(case: Case, hit: Hit) -> Iterator[Fact]:
    container = case.container(hit.signal.container)
    image = str(container.get("image", ""))
    if ".dkr.ecr." in image or not image:
        return
    given = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
    if given:
        yield Fact(
            f"the tasks log in with the secret {str(given).rpartition(':')[2]}, which the registry does not accept"
        )
    else:
        yield Fact(f"no [registries] entry of the file matches {image}: the tasks do not log in")


def _changes(case: Case, hit: Hit) -> Iterator[Fact]:
    """Say what the failed revision has that the last good one has not, by name only: values may be secret."""
    old, new = case.previous, case.definition
    if not old or not new or old.get("taskDefinitionArn") == new.get("taskDefinitionArn"):
        return
    name = hit.signal.container or case.name
    before: Mapping[str, Any] = next((c for c in old.get("containerDefinitions", ()) if c.get("name") == name), {})
    after = case.container(name)
    was, now = _revision(old), _revision(new)
    needed = next((value for key, value in hit.found.items() if key.startswith("needed")), "")
    kinds = {"secrets": "the secret", "environment": "the variable"}
    for key, noun in kinds.items():
        for gone in _names(before, key) - _names(after, "secrets") - _names(after, "environment"):
            proves = gone == needed
            yield Fact(
                f"{was} has {noun} {gone}, {now} has not",
                fix=f"add {gone} to {key.replace('environment', 'env')}" if proves else "",
                key=f"{{at}}.{key.replace('environment', 'env')}" if proves else "",
                confidence="high" if proves else None,
            )
    differing = [key for key in ("image", "command", "entryPoint", "user") if before.get(key) != after.get(key)]
    shown = [f"image {before.get('image')} → {after.get('image')}" if key == "image" else key for key in differing]
    shown += [key for key in ("cpu", "memory") if old.get(key) != new.get(key)]
    if shown and before:
        yield Fact(f"{now} differs from {was}, the one before: {', '.join(shown)}")


def _names(container: Mapping[str, Any], key: str) -> set[str]:
    return {str(one.get("name")) for one in container.get(key, ())}


def _revision(definition: Mapping[str, Any]) -> str:
    return str(definition.get("taskDefinitionArn", "")).rpartition("/")[2]


_FACTS: dict[str, Callable[[Case, Hit], Iterable[Fact]]] = {
    "network": _network,
    "execution_role": _execution_role,
    "secret": _secret,
    "log_group": _log_group,
    "target_group": _target_group,
    "ingress": _ingress,
    "image": _image,
    "credentials": _credentials,
    "changes": _changes,
}
