"""How a service's requests and tasks move from one revision to the next: strategies, target groups, hooks, alarms.

Rolling replaces tasks in one target group. The other strategies of ECS keep the old tasks and move requests between two
groups by the weights of a rule; these are ECS's alone (ECS Developer Guide, "Amazon ECS deployment strategies").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from fargatectl.dataclass import dataclass
from fargatectl.model.spec import setting
from fargatectl.model.values import Late, known

if TYPE_CHECKING:
    from types_boto3_ecs.type_defs import ServiceTypeDef

ROLLING, BLUE_GREEN, LINEAR, CANARY = "ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"


@dataclass(frozen=True, kw_only=True)
class Shifting:
    """How ECS moves requests from one target group to the other; rules and role by ARN.

    Which of the two it names first changes with every deployment: they are a pair.
    """

    alternate_arn: Late[str]
    production_rule: Late[str]
    role: Late[str]
    test_rule: Late[str] | None = setting(whole=True, default=None)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target group that the tasks are registered in, by container and port; with `shifting` it is one of two."""

    key: ClassVar[str] = "slot"

    container: str
    port: int
    target_group_arn: Late[str]
    shifting: Shifting | None = setting(whole=True, default=None)

    @property
    def slot(self) -> str:
        """What tells the targets of a service apart."""
        return f"{self.container}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Hook:
    """What a deployment waits for at a stage: the answer of a function (an ARN, called as `role`), or a person's.

    `timeout` in minutes, None for ECS's own; `on_timeout` is ROLLBACK or CONTINUE.
    """

    stage: str
    function: str = ""
    role: Late[str] | None = None
    timeout: int | None = None
    on_timeout: str = "ROLLBACK"


@dataclass(frozen=True, kw_only=True)
class DeploymentConfiguration:
    """How a deployment goes; percentages are of the desired count, but `step_percent` is of the requests.

    `strategy` is ECS's: ROLLING, BLUE_GREEN, LINEAR or CANARY. Bakes are in minutes; None where the strategy has none.
    One of `alarms` (names) that rings while it goes fails it, and with `alarm_rollback` takes it back.
    """

    min_percent: int = 100
    max_percent: int = 200
    circuit_breaker: bool = True
    rollback: bool = True
    alarms: tuple[str, ...] = ()
    alarm_rollback: bool = False
    strategy: str = ROLLING
    bake: int | None = None
    step_percent: float | None = None
    step_bake: int | None = None
    hooks: tuple[Hook, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "alarms", tuple(sorted(set(self.alarms))))


def targets_of(found: ServiceTypeDef) -> tuple[Target, ...]:
    """Return the targets. While a target group is exchanged a container's port is in two of them: named together, they
    differ from either."""
    groups: dict[tuple[str, int], list[Any]] = {}
    for one in found.get("loadBalancers", ()):
        if "targetGroupArn" in one:
            groups.setdefault((one["containerName"], one["containerPort"]), []).append(one)
    return tuple(
        Target(
            container=container,
            port=port,
            target_group_arn=" and ".join(sorted(one["targetGroupArn"] for one in listed)),
            shifting=_shifting(found, listed[0]),
        )
        for (container, port), listed in groups.items()
    )


def target_groups(found: ServiceTypeDef) -> list[str]:
    """Return the ARNs of all target groups that a service's tasks may be in: both of each pair."""
    groups = []
    for one in found.get("loadBalancers", ()):
        advanced = one.get("advancedConfiguration") or {}
        groups += [one.get("targetGroupArn", ""), advanced.get("alternateTargetGroupArn", "")]
    return [arn for arn in groups if arn]


def _shifting(found: ServiceTypeDef, one: Any) -> Shifting | None:  # noqa: ANN401 - an entry of loadBalancers
    """Return how ECS shifts requests; a service that rolls does not, whatever is left from before."""
    advanced = one.get("advancedConfiguration")
    rules: Any = found.get("deploymentConfiguration") or {}
    if not advanced or rules.get("strategy", ROLLING) == ROLLING:
        return None
    return Shifting(
        alternate_arn=advanced.get("alternateTargetGroupArn", ""),
        production_rule=advanced.get("productionListenerRule", ""),
        test_rule=advanced.get("testListenerRule"),
        role=advanced.get("roleArn", ""),
    )


def oriented(wanted: tuple[Target, ...], live: tuple[Target, ...]) -> tuple[Target, ...]:
    """Return the targets with the two groups of each pair in the order that ECS has them in now."""
    there = {one.slot: one for one in live}
    return tuple(_as_there(one, there.get(one.slot)) for one in wanted)


def _as_there(want: Target, have: Target | None) -> Target:
    if want.shifting is None or have is None or have.shifting is None:
        return want
    swapped = (want.shifting.alternate_arn, want.target_group_arn)
    if swapped != (have.target_group_arn, have.shifting.alternate_arn):
        return want
    shifting = replace(want.shifting, alternate_arn=want.target_group_arn)
    return replace(want, target_group_arn=want.shifting.alternate_arn, shifting=shifting)


def configured(found: Any) -> DeploymentConfiguration:  # noqa: ANN401 - ECS's deploymentConfiguration
    """Return a deployment configuration as ECS shows it."""
    breaker, alarms = found.get("deploymentCircuitBreaker") or {}, found.get("alarms") or {}
    strategy = found.get("strategy", ROLLING)
    step = found.get("linearConfiguration" if strategy == LINEAR else "canaryConfiguration") or {}
    return DeploymentConfiguration(
        min_percent=found.get("minimumHealthyPercent", 100),
        max_percent=found.get("maximumPercent", 200),
        circuit_breaker=breaker.get("enable", False),
        rollback=breaker.get("rollback", False),
        alarms=tuple(alarms.get("alarmNames", ())) if alarms.get("enable") else (),
        alarm_rollback=bool(alarms.get("enable") and alarms.get("rollback")),
        strategy=strategy,
        bake=None if strategy == ROLLING else found.get("bakeTimeInMinutes"),
        step_percent=step.get("stepPercent", step.get("canaryPercent")),
        step_bake=step.get("stepBakeTimeInMinutes", step.get("canaryBakeTimeInMinutes")),
        hooks=tuple(_hook(one, stage) for one in found.get("lifecycleHooks", ()) for stage in one["lifecycleStages"]),
    )


def _hook(found: Any, stage: str) -> Hook:  # noqa: ANN401 - ECS's lifecycle hook
    timeout = found.get("timeoutConfiguration") or {}
    return Hook(
        stage=stage,
        function=found.get("hookTargetArn", ""),
        role=found.get("roleArn"),
        timeout=timeout.get("timeoutInMinutes"),
        on_timeout=timeout.get("action", "ROLLBACK"),
    )


def balanced(target: Target) -> dict[str, Any]:
    """Return a target as an entry of `loadBalancers`."""
    entry: dict[str, Any] = {
        "targetGroupArn": known(target.target_group_arn),
        "containerName": target.container,
        "containerPort": target.port,
    }
    shifting = target.shifting
    if shifting is not None:
        entry["advancedConfiguration"] = {
            "alternateTargetGroupArn": known(shifting.alternate_arn),
            "productionListenerRule": known(shifting.production_rule),
            "roleArn": known(shifting.role),
            **({"testListenerRule": known(shifting.test_rule)} if shifting.test_rule is not None else {}),
        }
    return entry


def configuration(wanted: DeploymentConfiguration) -> dict[str, Any]:
    """Return a deployment configuration as a whole: ECS replaces it so."""
    request: dict[str, Any] = {
        "strategy": wanted.strategy,
        "maximumPercent": wanted.max_percent,
        "minimumHealthyPercent": wanted.min_percent,
        "deploymentCircuitBreaker": {"enable": wanted.circuit_breaker, "rollback": wanted.rollback},
        "alarms": {
            "alarmNames": list(wanted.alarms),
            "enable": bool(wanted.alarms),
            "rollback": wanted.alarm_rollback,
        },
        "lifecycleHooks": [_hook_request(hook) for hook in wanted.hooks],
    }
    if wanted.bake is not None:
        request["bakeTimeInMinutes"] = wanted.bake
    if wanted.strategy == LINEAR:
        request["linearConfiguration"] = {
            "stepPercent": wanted.step_percent,
            "stepBakeTimeInMinutes": wanted.step_bake,
        }
    if wanted.strategy == CANARY:
        request["canaryConfiguration"] = {
            "canaryPercent": wanted.step_percent,
            "canaryBakeTimeInMinutes": wanted.step_bake,
        }
    return request


def _hook_request(hook: Hook) -> dict[str, Any]:
    kind = {"targetType": "AWS_LAMBDA", "hookTargetArn": hook.function} if hook.function else {"targetType": "PAUSE"}
    request: dict[str, Any] = {**kind, "lifecycleStages": [hook.stage]}
    if hook.role is not None:
        request["roleArn"] = known(hook.role)
    if hook.timeout is not None:
        request["timeoutConfiguration"] = {"timeoutInMinutes": hook.timeout, "action": hook.on_timeout}
    return request
