"""Taking up rollouts that run already, whoever began them: nothing is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fargatectl.dataclass import dataclass
from fargatectl.model.status import ServiceState
from fargatectl.reconcilers.service.reading import describe
from fargatectl.rollout.status import compose, observed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    from fargatectl.aws.session import Aws
    from fargatectl.engine.stack import Stack
    from fargatectl.model.status import ServiceStatus, ServiceView
    from fargatectl.model.values import Address
    from fargatectl.reconcilers.service import ServiceOut

_GOING_ON = frozenset({ServiceState.DEPLOYING, ServiceState.ROLLING_BACK})


@dataclass(frozen=True)
class Going:
    """A rollout that goes on: its service, the deployment that it is about, and the load balancer, if it has one."""

    view: ServiceView
    out: ServiceOut
    balancer: Any = None


def going_on(
    views: Sequence[ServiceView], stack: Stack, aws: Aws, executor: Executor
) -> tuple[tuple[Going, ...], tuple[ServiceStatus, ...]]:
    """Return the rollouts of `views` that go on, and the status of all.

    Raises `Refused` for the wrong account and `AwsFailure` for what cannot be read.
    """
    seen = observed(views, stack, aws, executor)
    shown = compose(views, stack, seen.lives, aws, found=seen.outputs)
    going = [
        Going(view, _of_failed(aws, seen.outputs[view.service]), _at(seen.outputs, view.load_balancer))
        for view, status in zip(views, shown, strict=True)
        if status.state in _GOING_ON
    ]
    return tuple(going), shown


def _of_failed(aws: Aws, out: ServiceOut) -> ServiceOut:
    """Return `out` as of the deployment that is rolled back, if one is: that is the one whose end matters."""
    key = (out.cluster, out.name)
    found: Any = describe(aws, [key]).get(key) or {}
    failed = (d["id"] for d in found.get("deployments", ()) if d["status"] != "PRIMARY" and _has_failed(d))
    return replace(out, deployment_id=next(failed, out.deployment_id))


def _has_failed(deployment: Any) -> bool:  # noqa: ANN401 - ECS's deployment
    return bool(deployment.get("rolloutState") == "FAILED")


def _at(outputs: Mapping[Address, Any], address: Address | None) -> Any:  # noqa: ANN401 - of any kind
    return outputs.get(address) if address is not None else None
