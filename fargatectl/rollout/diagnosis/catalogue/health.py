"""Tasks that run and are found unhealthy: by the load balancer, or by their own health check."""

from __future__ import annotations

from fargatectl.rollout.diagnosis.case import Source
from fargatectl.rollout.diagnosis.rule import Rule

_SEEN = (Source.HEALTH,)
_CODES = r"failed with these codes: \[(?P<http_code>{})[\d, ]*\]"

RULES = (
    Rule(
        code="target-group-gone",
        says=(r"TARGET GROUP IS NOT FOUND|target ?group\S* (?:not found|does not exist)|TargetGroupNotFound",),
        sources=(Source.HEALTH, Source.EVENT, Source.TASK),
        cause="The target group of the service was deleted.",
        fix="deploy again: it is made anew and given to the service",
        key="{service}.http",
    ),
    Rule(
        code="targets-unused",
        says=(r"Target\.NotInUse|unused|not configured to receive traffic|Availability Zone that is not enabled",),
        sources=_SEEN,
        cause="The load balancer does not use the tasks: no listener leads to their target group, or it is not in the "
        "tasks' zones.",
        fix="deploy again, which restores the rule and the load balancer's subnets",
        key="{service}.http",
        facts=("target_group",),
    ),
    Rule(
        code="health-check-not-found",
        says=(_CODES.format("404"),),
        sources=_SEEN,
        cause="The container answers the health check {check_path} with 404: there is nothing at that path.",
        fix="name a path that the container answers with {check_codes}",
        key="{service}.http.health_check",
        facts=("target_group",),
    ),
    Rule(
        code="health-check-redirect",
        says=(_CODES.format("3\\d\\d"),),
        sources=_SEEN,
        cause="The container answers the health check {check_path} with a redirect ({http_code}).",
        fix='name a path that is answered with {check_codes}, or accept the redirect: codes = "200-399"',
        key="{service}.http.health_check",
        facts=("target_group",),
    ),
    Rule(
        code="health-check-unauthorized",
        says=(_CODES.format("40[13]"),),
        sources=_SEEN,
        cause="The container asks the health check {check_path} for a login ({http_code}).",
        fix="name a path that needs none",
        key="{service}.http.health_check",
        facts=("target_group",),
    ),
    Rule(
        code="health-check-error",
        says=(_CODES.format("5\\d\\d"),),
        sources=_SEEN,
        cause="The container answers the health check {check_path} with an error of its own ({http_code}).",
        fix="look at its log: fargatectl logs; a slow start needs a longer grace_period",
        key="{service}.http.health_check",
        facts=("target_group",),
    ),
    Rule(
        code="health-check-code",
        says=(_CODES.format("\\d+"),),
        sources=_SEEN,
        cause="The container answers the health check {check_path} with {http_code} instead of {check_codes}.",
        fix="name another path, or accept the code (codes)",
        key="{service}.http.health_check",
        facts=("target_group",),
    ),
    Rule(
        code="health-check-timeout",
        says=(r"Request timed out|Target\.Timeout",),
        sources=_SEEN,
        cause="The load balancer gets no answer from port {port}: something is in the way, or the container is slow.",
        fix="raise grace_period above the start-up time; check that the container listens on 0.0.0.0:{port}",
        key="{service}.http.health_check",
        confidence="medium",
        facts=("target_group", "ingress"),
    ),
    Rule(
        code="health-check-refused",
        says=(r"Target\.FailedHealthChecks|Health checks failed(?! with)",),
        sources=_SEEN,
        cause="Nothing answers on port {port} of the tasks: the container listens elsewhere, or on 127.0.0.1 only.",
        fix="name the port that the container listens on, and have it listen on 0.0.0.0",
        key="{service}.port",
        confidence="medium",
        facts=("target_group",),
    ),
    Rule(
        code="health-check-failed",
        says=(r"ELB health checks|is unhealthy in|unhealthy",),
        sources=_SEEN,
        cause="The load balancer finds the tasks unhealthy.",
        fix="check health_check, port and grace_period of services.{name}.http",
        key="{service}.http",
        confidence="medium",
        facts=("target_group", "ingress"),
    ),
    Rule(
        code="container-health-check",
        says=(r"failed container health checks",),
        sources=(Source.TASK, Source.DEPLOYMENT, Source.EVENT),
        cause="The health check of the container {container} fails: {health_command}",
        fix="mend the command (its program, often curl, must be in the image), or give it a longer start_period",
        key="{at}.health_check",
    ),
)
