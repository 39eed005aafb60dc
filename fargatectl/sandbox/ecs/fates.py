"""What becomes of a task: decided from the account around it, and from the tag of its image.

Each rule looks at a task and says what goes wrong, or nothing; the first that speaks decides. A rule is a function; add
one to `_RULES`. The texts are AWS's (ECS guide, "Stopped tasks error codes", "CannotPullContainer task errors",
"Troubleshooting ResourceInitializationError").

Tags of the local AWS's own: `missing`, `denied` and `wrong-arch` cannot be pulled, `slow` takes five minutes to pull,
`crash` exits with 1 soon after its start and `exit-3` with 3, `oom` is killed for its memory, `unhealthy` fails its
health checks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import permissions, routes
from fargatectl.sandbox.ecs import overrides, volumes
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.targets import PASSES, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.ecs.state import Task, TaskDefinition
    from fargatectl.sandbox.moto_adapter import RoleView

PULL_SECONDS = 8.0
_SLOW_PULL_SECONDS = 300.0
_TIMEOUT_SECONDS = 120.0
_MOUNT_SECONDS = 50.0
_CRASH_SECONDS = 4.0
_EXIT = re.compile(r"exit-(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])")
SICK = Verdict("Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
_UNABLE = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "


@dataclass(frozen=True, slots=True)
class Exit:
    """A container that ends by itself: so many seconds after its start, with a code and a reason of its own."""

    container: str
    seconds: float
    code: int
    reason: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a task. `refusal` is why it cannot start, found `after` seconds of trying."""

    refusal: str = ""
    after: float = PULL_SECONDS
    pull_seconds: float = PULL_SECONDS
    exit: Exit | None = None
    verdict: Verdict = PASSES
    unhealthy_container: str = ""


def decide(region: Region, task: Task) -> Fate:
    """Return what becomes of a task that gets its resources now."""
    for rule in _RULES:
        fate = rule(region, task)
        if fate is not None:
            return fate
    return Fate()


def tag_of(image: str) -> str:
    """Return an image's tag, "latest" where it names none, "" for a digest."""
    name = image.rpartition("/")[2]
    if "@" in name:
        return ""
    return name.partition(":")[2] or "latest"


def _role(region: Region, task: Task) -> RoleView | None:
    arn = overrides.role(task, "executionRoleArn")
    return permissions.role(region, arn) if arn else None


def _assumable(region: Region, task: Task) -> Fate | None:
    for key in ("executionRoleArn", "taskRoleArn"):
        arn = overrides.role(task, key)
        role = permissions.role(region, arn) if arn else None
        if arn and (role is None or not permissions.trusts(role, "ecs-tasks.amazonaws.com", _caller(region))):
            return Fate(refusal=not_assumable(arn), after=2.0)
    return None


def _caller(region: Region) -> Mapping[str, str]:
    """Return what ECS says of itself to a trust policy: no cluster in particular (AWS: ECS guide, "Task IAM role")."""
    return {"aws:SourceAccount": region.account, "aws:SourceArn": region.arn("ecs", "task")}


def not_assumable(arn: str) -> str:
    """Return what ECS says of a role that it cannot assume."""
    return (
        f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the role being "
        "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this "
        "role."
    )


def too_new(region: Region, definition: TaskDefinition) -> str:
    """Return the role of a task definition that is too new to be assumed, or nothing."""
    arns = (definition.content.get(key) or "" for key in ("executionRoleArn", "taskRoleArn"))
    return next((arn for arn in arns if arn and permissions.is_new(region, arn)), "")


def _registry_login(region: Region, task: Task) -> Fate | None:
    role = _role(region, task)
    for container in task.containers:
        if ".dkr.ecr." not in container.definition["image"] or role is None:
            continue
        if not permissions.allows(role, "ecr:GetAuthorizationToken", "*"):
            return Fate(refusal=f"{_UNABLE}{_denied(role, 'ecr:GetAuthorizationToken', '*')}")
    return None


def _denied(role: RoleView, action: str, resource: str) -> str:
    name = role.arn.rpartition("/")[2]
    session = f"arn:aws:sts::{role.arn.split(':')[4]}:assumed-role/{name}/0123456789abcdef"
    return (
        f"AccessDeniedException: User: {session} is not authorized to perform: {action} on resource: {resource} "
        "because no identity-based policy allows the action status code: 400"
    )


def _network(region: Region, task: Task) -> Fate | None:
    if task.interface is None:
        return None
    if routes.reaches_internet(region, task.interface.subnet, public_address=task.interface.public):
        return None
    for container in task.containers:
        image = container.definition["image"]
        if ".dkr.ecr." in image and routes.reaches_services(
            region, task.interface.subnet, ("ecr.api", "ecr.dkr", "s3")
        ):
            continue
        if ".dkr.ecr." in image:
            text = (
                f"{_UNABLE}unable to retrieve ecr registry auth: service call has been retried 3 time(s): "
                'RequestError: send request failed caused by: Post "https://api.ecr.'
                f'{region.name}.amazonaws.com/": dial tcp: i/o timeout. Please check your task network configuration.'
            )
        else:
            host = _host(image)
            text = (
                f"CannotPullContainerError: The task cannot pull {image} from the registry {host}. There is a "
                "connection issue between the task and the registry. Check your task network configuration. : failed "
                f'to do request: Head "https://{host}/v2/": dial tcp: i/o timeout'
            )
        return Fate(refusal=text, after=_TIMEOUT_SECONDS)
    return None


def _host(image: str) -> str:
    first = image.partition("/")[0]
    return first if "/" in image and ("." in first or ":" in first) else "registry-1.docker.io"


def _registry_secret(region: Region, task: Task) -> Fate | None:
    for container in task.containers:
        reference = (container.definition.get("repositoryCredentials") or {}).get("credentialsParameter")
        if not reference:
            continue
        problem = _secret_problem(region, task, reference)
        if problem:
            return Fate(refusal=f"{_UNABLE}unable to retrieve secret from asm: {problem}")
    return None


def _secrets(region: Region, task: Task) -> Fate | None:
    for container in task.containers:
        options = (container.definition.get("logConfiguration") or {}).get("secretOptions") or []
        for secret in [*container.definition.get("secrets", []), *options]:
            reference = secret["valueFrom"]
            if ":secretsmanager:" in reference:
                problem = _secret_problem(region, task, reference)
                if problem:
                    return Fate(refusal=f"{_UNABLE}unable to retrieve secret from asm: {problem}")
            else:
                problem = _parameter_problem(region, task, reference)
                if problem:
                    return Fate(refusal=f"{_UNABLE}unable to retrieve secrets from ssm: {problem}")
    return None


def _secret_problem(region: Region, task: Task, reference: str) -> str:
    parts = reference.split(":")
    arn = ":".join(parts[:7]) if reference.startswith("arn:") else reference
    key, stage, version = ([*parts[7:], "", "", ""])[:3] if reference.startswith("arn:") else ("", "", "")
    asked = {
        "SecretId": arn,
        **({"VersionStage": stage} if stage else {}),
        **({"VersionId": version} if version else {}),
    }
    role = _role(region, task)
    full = _full_arn(region, arn)
    if role is not None and not permissions.allows(role, "secretsmanager:GetSecretValue", full):
        return f"service call has been retried 1 time(s): {_denied(role, 'secretsmanager:GetSecretValue', full)}"
    try:
        value = region.moto("secretsmanager", "GetSecretValue", **asked).get("SecretString", "")
    except AwsError:
        return (
            "service call has been retried 1 time(s): failed to fetch secret "
            f"{arn} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."
        )
    return _key_problem(arn, key, value)


def _full_arn(region: Region, reference: str) -> str:
    try:
        return str(region.moto("secretsmanager", "DescribeSecret", SecretId=reference)["ARN"])
    except AwsError:
        return reference if reference.startswith("arn:") else region.arn("secretsmanager", f"secret:{reference}-??????")


def _key_problem(arn: str, key: str, value: str) -> str:
    if not key:
        return ""
    try:
        content = json.loads(value)
    except ValueError:
        return f"invalid character in secret {arn}: retrieved secret is not a JSON object"
    if isinstance(content, dict) and key in content:
        return ""
    return f"retrieved secret from Secrets Manager did not contain json key {key}"


def _parameter_problem(region: Region, task: Task, reference: str) -> str:
    name = reference.partition(":parameter")[2] if reference.startswith("arn:") else reference
    role = _role(region, task)
    arn = region.arn("ssm", f"parameter/{name.lstrip('/')}")
    if role is not None and not permissions.allows(role, "ssm:GetParameters", arn):
        return f"service call has been retried 1 time(s): {_denied(role, 'ssm:GetParameters', arn)}"
    for spelling in {name, name.lstrip("/")}:
        try:
            region.moto("ssm", "GetParameter", Name=spelling, WithDecryption=True)
        except AwsError:
            continue
        return ""
    return f"invalid parameters: {name}"


def _files(region: Region, task: Task) -> Fate | None:
    problem = volumes.env_file_problem(region, task)
    if problem:
        return Fate(refusal=problem)
    problem = volumes.efs_problem(region, task)
    return Fate(refusal=problem, after=_MOUNT_SECONDS) if problem else None


def _log_group(region: Region, task: Task) -> Fate | None:
    role = _role(region, task)
    for container in task.containers:
        log = container.definition.get("logConfiguration") or {}
        if log.get("logDriver") != "awslogs":
            continue
        options = log["options"]
        name = options["awslogs-group"]
        creates = options.get("awslogs-create-group") == "true"
        problem = _log_problem(region, role, name, creates=creates)
        if problem:
            return Fate(refusal=f"ResourceInitializationError: failed to validate logger args: {problem}")
    return None


def _log_problem(region: Region, role: RoleView | None, name: str, *, creates: bool) -> str:
    prefix = "create stream has been retried 1 times: failed to create Cloudwatch log stream: "
    arn = region.arn("logs", f"log-group:{name}")
    if role is not None and not permissions.allows(role, "logs:CreateLogStream", f"{arn}:log-stream:x"):
        return f"{prefix}{_denied(role, 'logs:CreateLogStream', f'{arn}:log-stream:')} : exit status 1"
    groups = region.moto("logs", "DescribeLogGroups", logGroupNamePrefix=name).get("logGroups", [])
    if any(group["logGroupName"] == name for group in groups):
        return ""
    if not creates:
        return f"{prefix}ResourceNotFoundException: The specified log group does not exist. : exit status 1"
    if role is not None and not permissions.allows(role, "logs:CreateLogGroup", arn):
        return f"{_denied(role, 'logs:CreateLogGroup', arn)} : exit status 1"
    region.moto("logs", "CreateLogGroup", logGroupName=name)
    return ""


def _ecr_image(region: Region, task: Task) -> Fate | None:
    for container in task.containers:
        image = container.definition["image"]
        host, _, rest = image.partition("/")
        if host != f"{region.account}.dkr.ecr.{region.name}.amazonaws.com":
            continue
        repository, tag = rest.partition("@")[0].partition(":")[0], tag_of(image)
        if tag in _BY_TAG or not tag:
            continue
        try:
            region.moto("ecr", "DescribeImages", repositoryName=repository, imageIds=[{"imageTag": tag}])
        except AwsError:
            return _missing(image)
    return None


def _missing(image: str) -> Fate:
    return Fate(
        refusal="CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        f"{image}: {image}: not found"
    )


def _denied_pull(image: str) -> Fate:
    return Fate(
        refusal="CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        f"{image}: pull access denied, repository does not exist or may require authorization: authorization failed: "
        "no basic auth credentials"
    )


def _wrong_architecture(image: str) -> Fate:
    return Fate(
        refusal="CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not "
        f"contain descriptor matching platform 'linux/amd64' (image {image})"
    )


_BY_TAG: dict[str, Callable[[str], Fate]] = {
    "missing": _missing,
    "denied": _denied_pull,
    "wrong-arch": _wrong_architecture,
}


def _image_tag(_region: Region, task: Task) -> Fate | None:
    for container in task.containers:
        image = container.definition["image"]
        refuse = _BY_TAG.get(tag_of(image))
        if refuse is not None:
            return refuse(image)
    for container in task.containers:
        fate = _running_fate(container.name, tag_of(container.definition["image"]), container.definition)
        if fate is not None:
            return fate
    return None


def _running_fate(name: str, tag: str, definition: Mapping[str, Any]) -> Fate | None:
    if tag == "crash":
        return Fate(exit=Exit(name, _CRASH_SECONDS, 1, cause="its image is tagged crash"))
    if tag == "oom":
        reason = "OutOfMemoryError: Container killed due to memory usage"
        return Fate(exit=Exit(name, _CRASH_SECONDS, 137, reason, cause="its image is tagged oom"))
    code = _EXIT.fullmatch(tag)
    if code:
        return Fate(exit=Exit(name, _CRASH_SECONDS, int(code.group(1)), cause=f"its image is tagged {tag}"))
    if tag == "slow":
        return Fate(pull_seconds=_SLOW_PULL_SECONDS)
    if tag == "unhealthy":
        return Fate(verdict=SICK, unhealthy_container=name if definition.get("healthCheck") else "")
    return None


_RULES: tuple[Callable[[Any, Any], Fate | None], ...] = (
    _assumable,
    _registry_login,
    _network,
    _registry_secret,
    _secrets,
    _files,
    _log_group,
    _ecr_image,
    _image_tag,
)
