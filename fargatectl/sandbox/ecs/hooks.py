"""What a deployment waits for at its stages (AWS: ECS guide, "Lifecycle hooks for Amazon ECS service deployments").

No function runs here: one that is asked says yes after a few seconds, or no where the local AWS was told so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Members, Rollout, Service

WAITING, ASKED, YES, NO, LATE = "AWAITING_ACTION", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT"
_FUNCTION_SECONDS = 5.0
_TIMEOUT_MINUTES = 1440  # what AWS takes where none is given is not documented
# Stages that are no stage of their own, and the one at whose beginning they come.
_BEFORE = {"PRE_PRODUCTION_TRAFFIC_SHIFT": "PRODUCTION_TRAFFIC_SHIFT", "RECONCILE_SERVICE": "PRE_SCALE_UP"}


def answered(region: Region, service: Service, rollout: Rollout) -> bool:
    """Tell whether all hooks of the present stage have said yes; ask them when the stage begins."""
    if rollout.stage not in rollout.asked:
        rollout.asked.append(rollout.stage)
        for hook in rollout.configuration.get("lifecycleHooks") or ():
            stages = [_BEFORE.get(stage, stage) for stage in hook["lifecycleStages"]]
            if rollout.stage in stages:
                _ask(region, service, rollout, hook)
    return all(hook["status"] == YES for hook in rollout.hooks)


def _ask(region: Region, service: Service, rollout: Rollout, hook: Members) -> None:
    settings = hook.get("timeoutConfiguration") or {}
    minutes = settings.get("timeoutInMinutes", _TIMEOUT_MINUTES)
    pauses = hook["targetType"] == "PAUSE"
    asked: Members = {
        "hookId": region.uuid(),
        "targetType": hook["targetType"],
        "status": WAITING if pauses else ASKED,
        "expiresAt": region.date() + timedelta(minutes=minutes),
        "timeoutAction": settings.get("action", "ROLLBACK"),
    }
    if not pauses:
        asked["targetArn"] = hook["hookTargetArn"]
    rollout.hooks.append(asked)
    service.say(region, f"(deployment {rollout.arn.rpartition('/')[2]}) waits for a hook at {rollout.stage}.")

    def answer() -> None:
        if asked["status"] == ASKED:
            failing = region.script.has("hook", f"{service.cluster.name}/{service.name}")
            settle(service, asked, NO if failing else YES)

    def expire() -> None:
        if asked["status"] in (WAITING, ASKED):
            goes_on = asked["timeoutAction"] == "CONTINUE"
            settle(service, asked, YES if goes_on else LATE)

    if not pauses:
        region.later(_FUNCTION_SECONDS, answer)
    region.later(minutes * 60.0, expire)


def settle(service: Service, hook: Members, status: str) -> None:
    """Take a hook's answer; the deployment goes on, or is rolled back, when the service is looked at."""
    hook["status"] = status
    service.look_again(0.0)


def refusal(rollout: Rollout) -> str:
    """Return why a deployment may not go on, or nothing."""
    said = [hook["status"] for hook in rollout.hooks]
    if LATE in said:
        return "because a lifecycle hook timed out."
    return "because a lifecycle hook failed." if NO in said else ""
