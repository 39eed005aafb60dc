"""What CreateService and UpdateService refuse, and the canonical form they keep (AWS: ECS API Reference).

A service's settings are checked as a whole after they have been merged: a call may change any part, and the parts
depend on each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import permissions, targets
from fargatectl.sandbox.ecs.requests import invalid, refused
from fargatectl.sandbox.faults import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Members, TaskDefinition

_SUBNETS, _GROUPS, _TARGET_GROUPS = 16, 5, 5
_PLATFORMS = ("LATEST", "1.4.0", "1.3.0")
_PROPAGATE = ("TASK_DEFINITION", "SERVICE", "NONE")
_STRATEGIES = ("ROLLING", "BLUE_GREEN", "LINEAR", "CANARY")
_LEAST_STEP, _LEAST_CANARY, _LONGEST_BAKE = 3.0, 0.1, 1440  # AWS: ECS API Reference, DeploymentConfiguration
_ECS = "ecs.amazonaws.com"
_PAIR = 2
MOST_TASKS = 5000


def deployment_configuration(given: Mapping[str, Any] | None) -> Members:
    """Return a deployment configuration with AWS's defaults. Raises AwsError for values that AWS refuses."""
    configuration: Members = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "alarms": {"alarmNames": [], "rollback": False, "enable": False},
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        **(given or {}),
    }
    if configuration["strategy"] not in _STRATEGIES:
        raise invalid(f"Invalid deployment strategy: {configuration['strategy']}")
    least, most = configuration["minimumHealthyPercent"], configuration["maximumPercent"]
    if not 0 <= least <= 100:  # noqa: PLR2004 - AWS: DeploymentConfiguration
        raise invalid("minimumHealthyPercent must be between 0 and 100.")
    if not 100 <= most <= 200:  # noqa: PLR2004 - AWS: DeploymentConfiguration
        raise invalid("maximumPercent must be between 100 and 200.")
    if least == most:
        raise invalid("The maximumPercent value must be greater than the minimumHealthyPercent value.")
    if configuration["strategy"] == "BLUE_GREEN" and "bakeTimeInMinutes" not in (given or {}):
        raise invalid("bakeTimeInMinutes is required for the BLUE_GREEN deployment strategy.")
    _check_shift(configuration)
    return configuration


def _check_shift(configuration: Members) -> None:
    """Fill in and check what belongs to strategies that shift requests (AWS: DeploymentConfiguration)."""
    strategy = configuration["strategy"]
    if strategy == "LINEAR":
        given = configuration.get("linearConfiguration") or {}
        step = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6, **given}
        if not _LEAST_STEP <= step["stepPercent"] <= 100:  # noqa: PLR2004 - AWS: LinearConfiguration
            raise invalid("stepPercent must be between 3.0 and 100.0.")
        configuration["linearConfiguration"] = step
    if strategy == "CANARY":
        given = configuration.get("canaryConfiguration") or {}
        canary = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10, **given}
        if not _LEAST_CANARY <= canary["canaryPercent"] <= 100:  # noqa: PLR2004 - AWS: CanaryConfiguration
            raise invalid("canaryPercent must be between 0.1 and 100.0.")
        configuration["canaryConfiguration"] = canary
    if not 0 <= configuration["bakeTimeInMinutes"] <= _LONGEST_BAKE:
        raise invalid(f"bakeTimeInMinutes must be between 0 and {_LONGEST_BAKE}.")
    for hook in configuration.get("lifecycleHooks") or ():
        if strategy == "ROLLING":
            raise invalid("Lifecycle hooks are not supported for the ROLLING deployment strategy.")
        if hook.get("targetType") != "PAUSE" and not (hook.get("hookTargetArn") and hook.get("roleArn")):
            raise invalid("hookTargetArn and roleArn are required for lifecycle hooks with an AWS Lambda function.")
        if not hook.get("lifecycleStages"):
            raise invalid("lifecycleStages can not be empty.")


def network(given: Mapping[str, Any] | None) -> Members | None:
    """Return a network configuration in AWS's form."""
    if not given:
        return None
    settings = given.get("awsvpcConfiguration") or {}
    return {"awsvpcConfiguration": {"securityGroups": [], "assignPublicIp": "DISABLED", **settings}}


def check(
    region: Region,
    members: Mapping[str, Any],
    definition: TaskDefinition,
    desired: int,
    *,
    accepted: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Raise AwsError for the first of AWS's rules that a service's settings break.

    `accepted` are load balancers that the service has already: their rules are in ECS's hands.
    """
    if not 0 <= desired <= MOST_TASKS:
        raise invalid(f"desiredCount must be between 0 and {MOST_TASKS}.")
    if members["propagateTags"] not in _PROPAGATE:
        raise invalid(f"Invalid propagateTags value: {members['propagateTags']}")
    _check_launch(members, definition)
    check_network(region, members.get("networkConfiguration"), definition)
    _check_load_balancers(region, members, definition, accepted)
    _check_registries(region, members, definition)
    most = members["deploymentConfiguration"]["maximumPercent"]
    if members["availabilityZoneRebalancing"] == "ENABLED" and most <= 100:  # noqa: PLR2004 - all of the desired count
        raise invalid("Availability Zone rebalancing requires a maximumPercent value greater than 100.")
    if members["enableExecuteCommand"] and not definition.content.get("taskRoleArn"):
        raise invalid(
            "The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid task role "
            "in your task definition and try again."
        )


_LAUNCH_TYPES = ("FARGATE", "EC2", "EXTERNAL", "MANAGED_INSTANCES")
_LONGEST_GRACE_SECONDS = 2_147_483_647


def _check_launch(members: Mapping[str, Any], definition: TaskDefinition) -> None:
    if members.get("launchType") not in (None, *_LAUNCH_TYPES):
        raise invalid(f"Invalid launch type: {members['launchType']}")
    if members.get("launchType") == "EC2":
        return
    if members.get("schedulingStrategy") == "DAEMON":
        raise invalid("The daemon scheduling strategy is not supported for the Fargate launch type.")
    for key, what in (("placementStrategy", "strategies"), ("placementConstraints", "constraints")):
        if members.get(key):
            raise invalid(f"Placement {what} are not supported with FARGATE launch type.")
    if "FARGATE" not in (definition.content.get("requiresCompatibilities") or []):
        raise invalid("Task definition does not support launch_type FARGATE.")
    if members.get("platformVersion") not in _PLATFORMS:
        raise AwsError("PlatformUnknownException", "The specified platform does not exist.")


def check_network(region: Region, given: Mapping[str, Any] | None, definition: TaskDefinition) -> str:
    """Return the VPC of a network configuration ("" without one). Raises AwsError where AWS refuses it."""
    awsvpc = definition.content.get("networkMode") == "awsvpc"
    if not given:
        if awsvpc:
            raise invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        return ""
    settings = given["awsvpcConfiguration"]
    if not settings.get("subnets"):
        raise invalid("subnets can not be empty.")
    if len(settings["subnets"]) > _SUBNETS:
        raise invalid(f"subnets can have at most {_SUBNETS} items.")
    if len(settings["securityGroups"]) > _GROUPS:
        raise invalid(f"securityGroups can have at most {_GROUPS} items.")
    if settings["assignPublicIp"] not in ("ENABLED", "DISABLED"):
        raise invalid(f"Invalid assignPublicIp value: {settings['assignPublicIp']}")
    vpcs = {_subnet_vpc(region, subnet) for subnet in settings["subnets"]}
    vpcs |= {_group_vpc(region, group) for group in settings["securityGroups"]}
    if len(vpcs) > 1:
        raise invalid("Security groups and subnets must all be in the same VPC.")
    return vpcs.pop()


def _subnet_vpc(region: Region, subnet: str) -> str:
    try:
        return str(region.moto("ec2", "DescribeSubnets", SubnetIds=[subnet])["Subnets"][0]["VpcId"])
    except AwsError as error:
        raise invalid(
            f"Error retrieving subnet information for [{subnet}]: {error.message} (ErrorCode: {error.code})"
        ) from error


def _group_vpc(region: Region, group: str) -> str:
    try:
        return str(region.moto("ec2", "DescribeSecurityGroups", GroupIds=[group])["SecurityGroups"][0]["VpcId"])
    except AwsError as error:
        raise invalid(
            f"Error retrieving security group information for [{group}]: {error.message} (ErrorCode: {error.code})"
        ) from error


def _check_load_balancers(
    region: Region, members: Mapping[str, Any], definition: TaskDefinition, accepted: Sequence[Mapping[str, Any]]
) -> None:
    balancers: Sequence[Mapping[str, Any]] = members.get("loadBalancers") or []
    if not balancers:
        if members.get("healthCheckGracePeriodSeconds"):
            raise invalid("Health check grace period is only valid for services configured to use load balancers")
        return
    if not 0 <= (members.get("healthCheckGracePeriodSeconds") or 0) <= _LONGEST_GRACE_SECONDS:
        raise invalid(f"healthCheckGracePeriodSeconds must be between 0 and {_LONGEST_GRACE_SECONDS}.")
    if len(balancers) > _TARGET_GROUPS:
        raise invalid(f"load balancers can have at most {_TARGET_GROUPS} items.")
    for balancer in balancers:
        for key in ("targetGroupArn", "containerName", "containerPort"):
            if not balancer.get(key):
                raise invalid(f"{key[0].upper()}{key[1:]} can not be blank.")
        _check_port(definition, balancer["containerName"], balancer["containerPort"])
        _check_target_group(region, balancer["targetGroupArn"], members)
        _check_advanced(region, balancer, members, known=balancer in accepted)


def _check_advanced(region: Region, balancer: Mapping[str, Any], members: Mapping[str, Any], *, known: bool) -> None:
    strategy = members["deploymentConfiguration"]["strategy"]
    advanced = balancer.get("advancedConfiguration")
    if strategy == "ROLLING":
        return
    if not advanced:
        raise invalid(f"advancedConfiguration is required for load balancers with the {strategy} deployment strategy.")
    if ":listener-rule/" not in advanced.get("productionListenerRule", ""):
        raise invalid("productionListenerRule must be the ARN of a listener rule.")
    both = {balancer["targetGroupArn"], advanced.get("alternateTargetGroupArn", "")}
    if len(both) != _PAIR or "" in both:
        raise invalid("alternateTargetGroupArn must be a target group other than targetGroupArn.")
    _check_target_group(region, advanced["alternateTargetGroupArn"], members)
    _check_infrastructure_role(region, advanced.get("roleArn", ""), advanced["productionListenerRule"])
    for name in ("productionListenerRule", "testListenerRule"):
        if advanced.get(name) and not known:
            _check_rule(region, advanced[name], both, name)


def _check_infrastructure_role(region: Region, arn: str, rule: str) -> None:
    role = permissions.role(region, arn) if arn else None
    context = {"aws:SourceAccount": region.account, "aws:SourceArn": region.arn("ecs", "service")}
    if role is None or permissions.is_new(region, arn) or not permissions.trusts(role, _ECS, context):
        raise invalid(f"Unable to assume role {arn}. Verify that the role exists and trusts {_ECS}.")
    if not permissions.allows(role, "elasticloadbalancing:ModifyRule", rule):
        raise invalid(f"The role {arn} is not authorized to perform: elasticloadbalancing:ModifyRule.")


def _check_rule(region: Region, arn: str, both: set[str], name: str) -> None:
    """Refuse a rule that does not send requests to one of the two groups and nothing to the other."""
    try:
        actions = region.ask("elbv2", "DescribeRules", RuleArns=[arn])["Rules"][0]["Actions"]
    except AwsError as error:
        raise invalid(f"The {name} {arn} does not exist.") from error
    forward = actions[0].get("ForwardConfig", {}) if len(actions) == 1 else {}
    groups = {one["TargetGroupArn"]: one.get("Weight", 1) for one in forward.get("TargetGroups", ())}
    if set(groups) != both:
        raise invalid(f"The {name} must have one forward action to both target groups of the service.")
    if sum(weight > 0 for weight in groups.values()) != 1:
        raise invalid(f"The {name} must have exactly one target group with a weight greater than 0.")


def _check_port(definition: TaskDefinition, name: str, port: int) -> None:
    container = next((one for one in definition.content["containerDefinitions"] if one["name"] == name), None)
    if container is None:
        raise invalid(f"The container {name} does not exist in the task definition.")
    if all(mapping.get("containerPort") != port for mapping in container["portMappings"]):
        raise invalid(f"The container {name} did not have a container port {port} defined.")


def _check_target_group(region: Region, arn: str, members: Mapping[str, Any]) -> None:
    try:
        group = targets.group(region, arn)
    except AwsError as error:
        raise invalid(f"The specified target group does not exist. (target group {arn})") from error
    if group.get("TargetType") != "ip":
        raise invalid(
            f"The provided target group {arn} has target type {group.get('TargetType')}, which is incompatible with "
            "the awsvpc network mode specified in the task definition."
        )
    if not group.get("LoadBalancerArns"):
        raise invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
    subnets = members["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    if group.get("VpcId") != _subnet_vpc(region, subnets[0]):
        raise invalid(f"The target group {arn} is not in the VPC of the service's subnets.")


def _check_registries(region: Region, members: Mapping[str, Any], definition: TaskDefinition) -> None:
    registries: Sequence[Mapping[str, Any]] = members.get("serviceRegistries") or []
    if len(registries) > 1:
        raise invalid("Service registries can have at most 1 items.")
    for registry in registries:
        identifier = str(registry.get("registryArn", "")).rpartition("/")[2]
        try:
            found = region.ask("servicediscovery", "GetService", Id=identifier)["Service"]
        except AwsError as error:
            raise invalid(f"The service registry {registry.get('registryArn')} does not exist.") from error
        kinds = {record["Type"] for record in (found.get("DnsConfig") or {}).get("DnsRecords", [])}
        by_container = bool(registry.get("containerName") or registry.get("containerPort"))
        if "SRV" in kinds and not (
            registry.get("port") or (registry.get("containerName") and registry.get("containerPort"))
        ):
            raise invalid(
                "When specifying 'awsvpc' network mode with an SRV record, either a port value or a combination of "
                "containerName and containerPort values must be specified."
            )
        if "SRV" not in kinds and kinds and (by_container or registry.get("port")):
            raise invalid("A port or container can be specified only for service registries with an SRV record.")
        if by_container and registry.get("port"):
            raise invalid("Specify either a port or a combination of containerName and containerPort, not both.")
        if by_container:
            _check_port(definition, str(registry.get("containerName")), int(registry.get("containerPort") or 0))


def active(definition: TaskDefinition | None) -> TaskDefinition:
    """Return a task definition that new tasks may use. Raises AwsError otherwise."""
    if definition is None:
        raise refused("TaskDefinition not found.")
    if definition.status != "ACTIVE":
        raise refused("TaskDefinition is inactive")
    return definition
