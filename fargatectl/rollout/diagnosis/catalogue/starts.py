"""Tasks that do not get as far as running: secrets, parameters, logs, volumes, interfaces, roles, commands."""

from __future__ import annotations

from fargatectl.rollout.diagnosis.case import Source
from fargatectl.rollout.diagnosis.rule import RIGHTS_SECONDS, Rule

_ASM = r"from asm|retrieve the secret|secretsmanager|secrets manager"
_PARAMETER = r"from ssm|ssm:GetParameter|parameter store"
_DENIED = r"AccessDenied|not authorized|Access to KMS is not allowed"
_NO_WAY = (
    r"timeout|timed out|deadline|canceled|connection issue|RequestError|connection refused|"
    r"could not connect|signal: killed|no such host"
)
_ENV_FILE = r"env(?:ironment)?(?: variables?)? ?files?"
_LOGS = r"logger args|logging driver|log stream|CloudWatch log group|awslogs"

RULES = (
    Rule(
        code="role-not-assumable",
        says=(r"unable to assume the role(?: '(?P<role>[^']+)')?",),
        sources=(Source.TASK, Source.EVENT, Source.DEPLOYMENT),
        cause="ECS cannot assume the role {role}: it does not exist, or does not trust ecs-tasks.amazonaws.com.",
        fix="deploy again if the role is ours, which restores it; a role made seconds ago needs up to two minutes",
        confidence="medium",
        facts=("execution_role",),
    ),
    Rule(
        code="registry-login-invalid",
        says=(r"registry auth from (?:asm|secrets ?manager)", r"malformed|username|invalid character|valid JSON"),
        cause="The secret with the login for {registry} is not what ECS expects.",
        fix='store {{"username": "…", "password": "…"}} in it',
        key="{at}.image",
        hopeless=True,
        facts=("credentials",),
    ),
    Rule(
        code="secret-key-missing",
        says=(r"did not contain json key (?P<json_key>[\w./-]+)",),
        cause="The secret of {variable} has no key {json_key}.",
        fix="add the key {json_key} to the secret, or name one that it has",
        key="{at}.secrets.{variable}",
        hopeless=True,
        facts=("secret",),
    ),
    Rule(
        code="secret-not-json",
        says=(_ASM, r"invalid character|not (?:a )?(?:valid )?JSON"),
        cause="The secret of {variable} is no JSON object, and a key of it is asked for.",
        fix="leave the key away, or store a JSON object in the secret",
        key="{at}.secrets.{variable}",
        hopeless=True,
        facts=("secret",),
    ),
    Rule(
        code="secret-denied",
        says=(r"secretsmanager:GetSecretValue|kms:Decrypt|Access to KMS is not allowed", _DENIED),
        cause="The execution role {role} may not read the secret of {variable} ({action}).",
        fix="deploy again if the role is ours, which restores its rights; for a key of your own, its key policy must "
        "allow the role kms:Decrypt",
        key="{at}.secrets.{variable}",
        hopeless=True,
        facts=("execution_role", "secret"),
        heals_within=RIGHTS_SECONDS,
    ),
    Rule(
        code="secret-missing",
        says=(
            _ASM,
            r"ResourceNotFound|can't find the specified secret|marked for deletion|InvalidRequest",
        ),
        cause="The secret of {variable} does not exist, or is scheduled for deletion.",
        fix="create it (aws secretsmanager create-secret), restore it (restore-secret), or name another",
        key="{at}.secrets.{variable}",
        hopeless=True,
        facts=("secret",),
    ),
    Rule(
        code="parameter-denied",
        says=(_PARAMETER, _DENIED),
        cause="The execution role {role} may not read the parameter of {variable}.",
        fix="deploy again if the role is ours, which restores its rights; else allow ssm:GetParameters",
        key="{at}.secrets.{variable}",
        hopeless=True,
        facts=("execution_role",),
        heals_within=RIGHTS_SECONDS,
    ),
    Rule(
        code="parameter-missing",
        says=(_PARAMETER, r"invalid parameters?:? *(?P<parameter>[\w./-]+)?|ParameterNotFound"),
        cause="There is no parameter {parameter} in Parameter Store in this Region.",
        fix="create it (aws ssm put-parameter), or name another",
        key="{at}.secrets.{variable}",
        hopeless=True,
    ),
    Rule(
        code="parameter-unreachable",
        says=(_PARAMETER, _NO_WAY),
        cause="The tasks do not reach Parameter Store: there is no way out of their subnets.",
        fix="give them a way: a NAT gateway, the endpoint ssm, or public subnets with a public IP",
        key="{service}.subnets",
        facts=("network",),
    ),
    Rule(
        code="secret-unreachable",
        says=(_ASM, _NO_WAY),
        cause="The tasks do not reach Secrets Manager: there is no way out of their subnets.",
        fix="give them a way: a NAT gateway, the endpoint secretsmanager, or public subnets with a public IP",
        key="{service}.subnets",
        facts=("network",),
    ),
    Rule(
        code="parameter-unreadable",
        says=(rf"unable to (?:pull|retrieve)[\w ]* (?:secrets?|parameters?).*(?:{_PARAMETER})",),
        cause="The tasks cannot get the parameter of {variable}; AWS does not say why.",
        fix="check that it exists, that the execution role may read it, and that the subnets have a way to it",
        key="{at}.secrets.{variable}",
        confidence="low",
        facts=("execution_role", "network"),
    ),
    Rule(
        code="secret-unreadable",
        says=(rf"(?:retriev|fetch|pull)\w*[\w ]* secrets?.*(?:{_ASM})",),
        cause="The tasks cannot get the secret of {variable}; AWS does not say why.",
        fix="check that it exists, that the execution role may read it, and that the subnets have a way to it",
        key="{at}.secrets.{variable}",
        confidence="low",
        facts=("secret", "execution_role", "network"),
    ),
    Rule(
        code="log-option-missing",
        says=(
            (
                r"(?P<option>awslogs-[\w-]+) is (?:a )?required|"
                r"must specify a value for log opt '?(?P<opt>awslogs-[\w-]+)"
            ),
        ),
        cause="The log driver lacks the option {option}.",
        fix="deploy with fargatectl's own [logs], which sends it always",
        key="{service}.logs",
        hopeless=True,
    ),
    Rule(
        code="log-denied",
        says=(_LOGS, r"AccessDenied|not authorized"),
        cause="The execution role {role} may not write to the log group {group} ({action}).",
        fix="deploy again if the role is ours, which restores its rights",
        hopeless=True,
        facts=("execution_role", "log_group"),
        heals_within=RIGHTS_SECONDS,
    ),
    Rule(
        code="log-unreachable",
        says=(_LOGS, _NO_WAY),
        cause="The tasks do not reach CloudWatch Logs: there is no way out of their subnets.",
        fix="give them a way: a NAT gateway, the endpoint logs, or public subnets with a public IP",
        key="{service}.subnets",
        facts=("network",),
    ),
    Rule(
        code="log-group-missing",
        says=(
            _LOGS,
            r"log group does not exist|ResourceNotFound|find the Amazon CloudWatch log group|failed to initialize",
        ),
        cause="The log group {group} does not exist, or the tasks do not reach CloudWatch Logs.",
        fix="deploy again: the log group is made anew; if it exists, give the subnets a way to CloudWatch Logs",
        key="{service}.logs",
        facts=("log_group", "network"),
    ),
    Rule(
        code="efs-mount-failed",
        says=(r"EFS utils|mount\.nfs4|mount\.efs|EFS file system|fs-[0-9a-f]{8,}",),
        sources=(Source.TASK,),
        cause="A volume on EFS cannot be mounted.",
        fix="let the tasks' security group reach the file system's mount targets on port 2049, have a mount "
        "target in "
        "each zone, and check access point and IAM",
        key="{service}.volumes",
        facts=("network",),
    ),
    Rule(
        code="env-file-unreachable",
        says=(_ENV_FILE, _NO_WAY),
        never=_DENIED,
        sources=(Source.TASK,),
        cause="The tasks do not reach S3, where their environment files are: there is no way out of their subnets.",
        fix="give them a way: a NAT gateway, the S3 gateway endpoint, or public subnets with a public IP",
        key="{service}.subnets",
        facts=("network",),
    ),
    Rule(
        code="env-file-unreadable",
        says=(_ENV_FILE,),
        sources=(Source.TASK,),
        cause="An environment file in S3 cannot be read: it does not exist, or the execution role {role} may not.",
        fix="check the object's name, and s3:GetObject and s3:GetBucketLocation of the execution role",
        key="{service}.env_files",
        hopeless=True,
        facts=("execution_role",),
        heals_within=RIGHTS_SECONDS,
    ),
    Rule(
        code="subnet-full",
        says=(
            (
                r"free addresses|InsufficientFreeAddresses|not have enough (?:free|available) (?:IP )?addresses|"
                r"RESOURCE:ENI"
            ),
        ),
        cause="A subnet of the tasks has no free addresses.",
        fix="free some, or name more or larger subnets",
        key="{service}.subnets",
        facts=("network",),
    ),
    Rule(
        code="network-settings-gone",
        says=(r"Invalid(?:Group|SubnetID|SecurityGroup)\w*\.NotFound|(?:security group|subnet) \S+ does not exist",),
        cause="A subnet or security group of the tasks does not exist any more.",
        fix="deploy again, which makes a group of ours anew; of others name those that exist",
        key="{service}.subnets",
        hopeless=True,
        facts=("network",),
        heals_within=RIGHTS_SECONDS,
    ),
    Rule(
        code="interface-timeout",
        says=(
            (
                r"network interface provision\w* (?:complete|to complete)|network interface provisioning|"
                r"EC2 error while attempting to [Cc]reate [Nn]etwork [Ii]nterface"
            ),
        ),
        cause="AWS could not attach a network interface to the tasks: a full subnet, a quota, or a passing fault.",
        fix="deploy again; if it stays, look at the free addresses of the subnets and the quota of interfaces",
        key="{service}.subnets",
        confidence="medium",
        facts=("network",),
    ),
    Rule(
        code="storage-timeout",
        says=(r"EphemeralStorage provisioning|CannotCreateVolume",),
        cause="AWS could not give the tasks their disk in time.",
        fix="deploy again",
        confidence="medium",
    ),
    Rule(
        code="command-not-found",
        says=(r"executable file not found|no such file or directory|stat .*: not a directory",),
        never=r"EFS|mount|log group",
        cause="The command of the container {container} is not in the image {image}.",
        fix="mend command or entrypoint, or put the program into the image",
        key="{at}.command",
        hopeless=True,
    ),
    Rule(
        code="exec-format",
        says=(r"exec format error",),
        cause="The program in {image} is for another processor than {platform}.",
        fix='build the image for {platform}, or set arch = "{other_arch}" if it is built for that',
        key="{service}.arch",
        hopeless=True,
    ),
    Rule(
        code="command-not-executable",
        says=(
            r"Cannot(?:Start|Create)Container|ContainerRuntimeError|OCI runtime",
            r"permission denied|operation not permitted",
        ),
        cause="The command of the container {container} may not be executed: it lacks the right, or the user does.",
        fix="make it executable in the image, or mend user, command and entrypoint",
        key="{at}.command",
        hopeless=True,
    ),
    Rule(
        code="user-unknown",
        says=(r"unable to find user|no matching entries in passwd|unable to find group",),
        cause="The user that the container {container} is to run as is not in the image.",
        fix="name a user by its number, or one that the image has",
        key="{at}.user",
        hopeless=True,
    ),
    Rule(
        code="dependency-failed",
        says=(
            (
                r"dependency (?:container|failed)|dependent container|dependsOn|"
                r"container \S+ (?:that is depended on|timed out waiting)"
            ),
        ),
        cause="A container that another one waits for did not become what it waits for.",
        fix="look at the log of the container that is waited for, and at depends_on",
        key="{service}.sidecars",
        confidence="medium",
    ),
    Rule(
        code="container-start-failed",
        says=(r"Cannot(?:Start|Create)ContainerError",),
        cause="The container {container} could not be started.",
        fix="mend what the message names: command, entrypoint, workdir, user, ulimits",
        key="{at}.command",
        confidence="medium",
    ),
    Rule(
        code="platform-fault",
        says=(
            (
                r"Cannot(?:Stop|Inspect)ContainerError|ContainerRuntimeTimeoutError|DockerTimeoutError|"
                r"InternalError|ContainerRuntimeError"
            ),
        ),
        cause="Fargate itself failed to handle the container.",
        fix="deploy again; if it stays, tell AWS support the task's ARN",
        confidence="medium",
    ),
)
