"""Deployments that keep the old tasks and move requests: blue/green, linear and canary, stage by stage.

The new tasks are in the target group that the production rule gives nothing; the weights of that rule are moved as the
strategy says, and back when the deployment fails (AWS: ECS guide, "Amazon ECS blue/green deployments" and neighbours).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.ecs import hooks
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Deployment, Members, Rollout, Service

STAGES = (
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
_ALL = 100
_SHIFT_SECONDS = 5.0
_MINUTE = 60.0


def under_way(service: Service) -> Rollout | None:
    """Return the deployment of a service that moves requests now, if one does."""
    rollout = service.rollout
    shifts = rollout is not None and rollout.status == "IN_PROGRESS" and rollout.configuration["strategy"] != "ROLLING"
    return rollout if shifts and pair(service.members) else None


def pair(members: Mapping[str, Any]) -> Members | None:
    """Return the entry of a service's load balancers that names two target groups, if there is one."""
    return next((one for one in members.get("loadBalancers") or () if one.get("advancedConfiguration")), None)


def weights(region: Region, rule: str) -> dict[str, int]:
    """Return the weights of the target groups of a rule. Raises AwsError where there is none."""
    found = region.ask("elbv2", "DescribeRules", RuleArns=[rule])["Rules"][0]["Actions"]
    groups = found[0].get("ForwardConfig", {}).get("TargetGroups", []) if len(found) == 1 else []
    return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}


def choose_group(region: Region, service: Service, strategy: str) -> str:
    """Return the target group for the tasks of a deployment that begins: the one that has no requests now."""
    entry = pair(service.members)
    if entry is None or strategy == "ROLLING":
        return ""
    give_back(region, service)  # of a deployment that this one replaces
    advanced = entry["advancedConfiguration"]
    both: tuple[str, str] = (entry["targetGroupArn"], advanced["alternateTargetGroupArn"])
    now = weights(region, advanced["productionListenerRule"])
    return min(both, key=lambda group: (now.get(group, 0), both.index(group) == 0))


def advance(region: Region, service: Service, primary: Deployment, rollout: Rollout) -> bool:
    """Go on as far as can be now; tell whether all that is left is to stop the old tasks."""
    if not rollout.stage:
        rollout.stage = STAGES[0]
    while hooks.answered(region, service, rollout) and _done(region, service, primary, rollout):
        if rollout.stage == STAGES[-1]:
            return True
        rollout.stage = STAGES[STAGES.index(rollout.stage) + 1]
        rollout.until, rollout.updated_at = None, region.date()
    return False


def _done(region: Region, service: Service, primary: Deployment, rollout: Rollout) -> bool:
    """Tell whether the work of a stage is done; begin or go on with it if not."""
    configuration = rollout.configuration
    if rollout.stage == "SCALE_UP":
        alive = [task for task in service.tasks_of(primary) if task.alive]
        return len(alive) >= service.desired and all(task.healthy for task in alive)
    if rollout.stage == "TEST_TRAFFIC_SHIFT":
        return _test(region, service, rollout)
    if rollout.stage == "PRODUCTION_TRAFFIC_SHIFT":
        return _shift(region, service, rollout)
    if rollout.stage == "BAKE_TIME":
        return _waited(region, rollout, configuration["bakeTimeInMinutes"] * _MINUTE, service)
    return True


def _waited(region: Region, rollout: Rollout, seconds: float, service: Service) -> bool:
    """Tell whether so many seconds of a stage have passed; the service is looked at again when they have."""
    if rollout.until is None:
        rollout.until = region.now + seconds
        service.look_again(seconds)
    return region.now >= rollout.until


def _test(region: Region, service: Service, rollout: Rollout) -> bool:
    entry = pair(service.members)
    rule = entry["advancedConfiguration"].get("testListenerRule") if entry else None
    if not rule:
        return True
    if rollout.until is None:
        _weigh(region, service, rule, rollout.target.group, _ALL)
        rollout.tested = _ALL
    return _waited(region, rollout, _SHIFT_SECONDS, service)


def _shift(region: Region, service: Service, rollout: Rollout) -> bool:
    """Move the next share of the requests when the one before has baked; the last one is all of them."""
    if rollout.until is not None and region.now < rollout.until:
        return False
    share = next((one for one in _shares(rollout.configuration) if one > rollout.shifted), None)
    if share is None:
        return True
    entry = pair(service.members)
    if entry is not None:
        _weigh(region, service, entry["advancedConfiguration"]["productionListenerRule"], rollout.target.group, share)
    rollout.shifted = share
    last = share >= _ALL
    rollout.until = None
    return _waited(region, rollout, _SHIFT_SECONDS if last else _step_bake(rollout.configuration), service) and last


def _shares(configuration: Members) -> list[float]:
    """Return the percentages of requests that new tasks have after each step."""
    if configuration["strategy"] == "CANARY":
        return [float(configuration["canaryConfiguration"]["canaryPercent"]), float(_ALL)]
    if configuration["strategy"] == "LINEAR":
        step = float(configuration["linearConfiguration"]["stepPercent"])
        return [*(step * number for number in range(1, int(_ALL / step) + 1) if step * number < _ALL), float(_ALL)]
    return [float(_ALL)]


def _step_bake(configuration: Members) -> float:
    if configuration["strategy"] == "CANARY":
        return float(configuration["canaryConfiguration"]["canaryBakeTimeInMinutes"]) * _MINUTE
    return float(configuration["linearConfiguration"]["stepBakeTimeInMinutes"]) * _MINUTE


def give_back(region: Region, service: Service) -> None:
    """Give all requests to the tasks of the last deployment that completed, at once."""
    rollout, entry = service.rollout, pair(service.members)
    if rollout is None or entry is None or not rollout.target.group or rollout.status == "SUCCESSFUL":
        return
    advanced = entry["advancedConfiguration"]
    rules = [advanced["productionListenerRule"]] if rollout.shifted else []
    rules += [advanced["testListenerRule"]] if rollout.tested else []
    for rule in rules:
        _weigh(region, service, rule, rollout.target.group, 0)
    rollout.shifted = rollout.tested = 0.0


def swap(service: Service, deployment: Deployment) -> None:
    """Have the service name the group first that its tasks are in, now that a deployment is completed."""
    group = deployment.revision.group
    balancers = []
    for one in service.members["loadBalancers"]:
        advanced = one.get("advancedConfiguration")
        if group and advanced and advanced["alternateTargetGroupArn"] == group:
            other = {**advanced, "alternateTargetGroupArn": one["targetGroupArn"]}
            balancers.append({**one, "targetGroupArn": group, "advancedConfiguration": other})
        else:
            balancers.append(one)
    service.members["loadBalancers"] = balancers


def _weigh(region: Region, service: Service, rule: str, group: str, share: float) -> None:
    """Give a target group a share of a rule's requests, in percent; what somebody took away cannot be changed."""
    entry = pair(service.members)
    if entry is None:
        return
    both = (entry["targetGroupArn"], entry["advancedConfiguration"]["alternateTargetGroupArn"])
    mine = round(share)
    groups = [{"TargetGroupArn": one, "Weight": mine if one == group else _ALL - mine} for one in both]
    try:
        region.ask(
            "elbv2",
            "ModifyRule",
            RuleArn=rule,
            Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
        )
    except AwsError as error:
        service.say(region, f"was unable to update the listener rule (listener-rule {rule}): {error.message}")
