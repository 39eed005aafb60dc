"""Tasks that ECS cannot place or keep: capacity, quotas, rights of ECS itself; and what only says that it failed."""

from __future__ import annotations

from fargatectl.rollout.diagnosis.case import Source
from fargatectl.rollout.diagnosis.rule import Rule

_ANY = (Source.TASK, Source.EVENT, Source.DEPLOYMENT)

RULES = (
    Rule(
        code="spot-interrupted",
        says=(r"spot task was interrupted|SpotInterruption",),
        sources=_ANY,
        cause="AWS took Spot tasks back, as it may at any time.",
        fix='give the service a base of on-demand tasks: capacity = [{{ provider = "FARGATE", base = 1 }}, …]',
        key="{service}.capacity",
    ),
    Rule(
        code="spot-interrupted",
        stop_codes=("SpotInterruption", "TerminationNotice"),
        sources=(Source.TASK,),
        cause="AWS took Spot tasks back, as it may at any time.",
        fix='give the service a base of on-demand tasks: capacity = [{{ provider = "FARGATE", base = 1 }}, …]',
        key="{service}.capacity",
    ),
    Rule(
        code="quota-reached",
        says=(
            (
                r"reached the limit on the number of (?:tasks|vCPUs)|configuration is above your limit|"
                r"limit on the number of vCPUs"
            ),
        ),
        sources=_ANY,
        cause="The account's quota of Fargate tasks or vCPUs is used up.",
        fix="ask for more (Service Quotas, AWS Fargate), or run fewer or smaller tasks",
        key="{service}.count",
    ),
    Rule(
        code="no-capacity",
        says=(r"capacity is unavailable|no capacity|RESOURCE:FARGATE|insufficient capacity",),
        sources=_ANY,
        cause="AWS has no capacity for the tasks in their zones at present.",
        fix="wait, use more zones, or put FARGATE with a base into the capacity strategy: Spot does not fall back",
        key="{service}.capacity",
        facts=("network",),
    ),
    Rule(
        code="zone-unsupported",
        says=(r"unable to place a task.*internal error",),
        sources=_ANY,
        cause="ECS cannot place tasks in one of the subnets: Fargate is not offered in its zone.",
        fix="use subnets in other zones",
        key="{service}.subnets",
        confidence="medium",
        facts=("network",),
    ),
    Rule(
        code="no-room-to-deploy",
        says=(r"unable to stop or start tasks during a deployment",),
        sources=_ANY,
        cause="deploy.min_healthy and deploy.max leave no room to start a new task before an old one stops.",
        fix="set min_healthy = 100 and max = 200, or a lower min_healthy",
        key="{service}.deploy",
    ),
    Rule(
        code="role-damaged",
        says=(
            (
                r"policies have been misconfigured|trust relationship has been misconfigured|"
                r"can no longer maintain your service"
            ),
        ),
        sources=_ANY,
        cause="A role that ECS works with was changed, so that ECS can no longer maintain the service.",
        fix="restore its policy and trust; deploy again restores those of ours",
        facts=("execution_role",),
    ),
    Rule(
        code="registration-denied",
        says=(
            (
                r"failed to register (?:targets|.*instance)|deregister.*fail|unable to register|registerTargets|"
                r"elasticloadbalancing:\w+.*not authorized"
            ),
        ),
        sources=_ANY,
        cause="ECS may not register the tasks with the load balancer or Cloud Map: its service-linked role is missing.",
        fix="aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com",
    ),
    Rule(
        code="protected-tasks",
        says=(r"number of protected tasks",),
        sources=_ANY,
        cause="Old tasks are protected from scale-in, so that ECS may not stop them.",
        fix="take the protection away (aws ecs update-task-protection), or wait until it ends",
    ),
    Rule(
        code="alarm",
        says=(
            (
                r"alarm(?:s)? (?:was |were |is |are )?(?:detected|triggered|in the ALARM)|CloudWatch alarm|"
                r"alarm detected"
            ),
        ),
        sources=(Source.DEPLOYMENT, Source.EVENT),
        cause="A CloudWatch alarm of the deployment fired.",
        fix="look at what the alarm measures; deploy.alarms names those that fail a deployment",
        key="{service}.deploy.alarms",
    ),
    Rule(
        code="throttled",
        says=(r"operations are being throttled|ThrottlingException|Rate exceeded",),
        sources=_ANY,
        cause="AWS throttles what ECS does for the service.",
        fix="wait: ECS goes on by itself",
        confidence="medium",
    ),
    Rule(
        code="stopped-by-hand",
        stop_codes=("UserInitiated",),
        sources=(Source.TASK,),
        cause="Tasks were stopped by somebody, not by ECS.",
        fix="deploy again",
        confidence="medium",
    ),
    Rule(
        code="start-throttled",
        says=(r"unable to consistently start tasks",),
        sources=_ANY,
        cause="Tasks fail to start again and again, and ECS tries more and more rarely.",
        fix="mend the cause; a new task definition makes ECS try at once",
        confidence="low",
        vague=True,
    ),
    Rule(
        code="tasks-failed-to-start",
        says=(r"tasks? failed to start",),
        sources=_ANY,
        cause="Tasks did not get as far as running; what they said has been forgotten by ECS.",
        fix="deploy again: what the tasks say is told while it happens",
        confidence="low",
        vague=True,
    ),
)
