"""How the tasks and requests of a service move to a new revision, in ECS's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.scalars import duration
from fargatectl.reconcilers import iam, service as ecs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fargatectl.config.models import Service
    from fargatectl.config.service import Deploy
    from fargatectl.model.values import Ref
    from fargatectl.reconcilers import alb
    from fargatectl.stack.shared import Shared

_MINUTE = 60
_ROLLING = "rolling"


def declare_strategy(
    shared: Shared, name: str, service: Service, target: alb.Target | None
) -> tuple[tuple[ecs.Target, ...], ecs.DeploymentConfiguration]:
    """Return the targets of the service `name` and how it is deployed; what ECS shifts requests with is declared."""
    deploy = service.deploy
    role = None if deploy.strategy == _ROLLING else _declare_role(shared, name, service)
    configuration = ecs.DeploymentConfiguration(
        strategy=deploy.strategy.upper(),
        min_percent=deploy.min_healthy,
        max_percent=deploy.max,
        # ECS documents the breaker for rolling deployments; the others are watched, and stopped by us.
        circuit_breaker=deploy.circuit_breaker and role is None,
        rollback=deploy.rollback and role is None,
        alarms=deploy.alarms,
        alarm_rollback=bool(deploy.alarms) and deploy.rollback,
        bake=_minutes(deploy.bake) if role is not None else None,
        step_percent=deploy.percent,
        step_bake=_minutes(deploy.step_bake),
        hooks=tuple(_hooks(deploy, role)),
    )
    if target is None or service.port is None:
        return (), configuration
    shifting = None
    if role is not None and target.alternate_arn is not None and target.production_rule is not None:
        shifting = ecs.Shifting(
            alternate_arn=target.alternate_arn,
            production_rule=target.production_rule,
            test_rule=target.test_rule,
            role=role,
        )
        shared.stack.note(f"{name}: {_says(deploy)}")
    arn = target.target_group_arn
    return (ecs.Target(container=name, port=service.port, target_group_arn=arn, shifting=shifting),), configuration


def _declare_role(shared: Shared, name: str, service: Service) -> Ref[str]:
    """Declare the role with which ECS changes rules, and asks the functions of hooks."""
    functions = sorted({hook.lambda_ for hook in service.deploy.hooks if hook.lambda_})
    rights = [iam.allow("Hooks", ("lambda:InvokeFunction",), functions)] if functions else []
    return iam.declare_infrastructure(
        shared.stack,
        name,
        path=shared.config.iam.path,
        permissions_boundary=shared.config.iam.permissions_boundary,
        account=shared.identity,
        statements=rights,
    )


def _hooks(deploy: Deploy, role: Ref[str] | None) -> Iterator[ecs.Hook]:
    for hook in deploy.hooks:
        yield ecs.Hook(
            stage=hook.stage.upper(),
            function=hook.lambda_ or "",
            role=role if hook.lambda_ else None,
            timeout=_minutes(hook.timeout),
            on_timeout=hook.on_timeout.upper(),
        )


def _minutes(seconds: int | None) -> int | None:
    return None if seconds is None else seconds // _MINUTE


def _says(deploy: Deploy) -> str:
    """Return what a deployment does to the requests, in a sentence."""
    bake, step = duration(deploy.bake or 0), duration(deploy.step_bake or 0)
    share = f"{deploy.percent or 0:g} %"
    how = {
        "blue_green": "ECS moves all requests to the new tasks at once",
        "linear": f"ECS moves {share} of the requests to the new tasks every {step}",
        "canary": f"ECS moves {share} of the requests to the new tasks, and the rest after {step}",
    }[deploy.strategy]
    asks = "; it waits at its hooks" if deploy.hooks else ""
    return f"{how}; the old ones stay for {bake} more to go back to{asks}"
