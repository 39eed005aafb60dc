"""Images that cannot be pulled: absent, denied, out of reach, for another processor, too large."""

from __future__ import annotations

from fargatectl.rollout.diagnosis.rule import RIGHTS_SECONDS, Rule

_PULL = r"CannotPullContainer|CannotPullImageManifest|cannot pull|pull image|failed to pull|pull command failed"
_TIMED_OUT = (
    r"i/o timeout|context (?:deadline exceeded|canceled)|request canceled|dial tcp|connection issue|"
    r"connection (?:refused|reset)|no such host|TLS handshake timeout|net/http|network is unreachable|EOF\b"
)
_DENIED = (
    r"pull access denied|may require authorization|\b40[13]\b|unauthorized|no basic auth credentials|"
    r"authorization failed|authentication required|incorrect username or password|denied: |"
    r"access to the resource is denied|AccessDenied"
)
_ECR_LOGIN = r"ecr registry auth|registry auth from|ecr:GetAuthorizationToken|api\.ecr\."
_IMAGE = r"(?:ref |image(?: manifest)? |for |image: ')(?P<image>[\w./:@-]+\.[\w./:@-]+|[\w-]+/[\w./:@-]+)"

RULES = (
    Rule(
        code="image-architecture",
        says=(r"does not contain descriptor matching platform '?(?P<platform>[\w/]+)",),
        cause="The image {image} is not built for {platform}, on which its tasks run.",
        fix='build it for {platform}, or set arch = "{other_arch}" if it is built for that',
        key="{service}.arch",
        hopeless=True,
        facts=("image",),
    ),
    Rule(
        code="image-rate-limit",
        says=(r"toomanyrequests|pull rate limit|too many requests",),
        cause="The registry {registry} limits pulls, and this account has used them up.",
        fix="log in to it ([registries]), or mirror the image into ECR",
        key="{at}.image",
    ),
    Rule(
        code="image-layers-unreachable",
        says=(r"httpRead\w*Seeker|failed to copy: ", rf"{_TIMED_OUT}|s3|403"),
        cause="The layers of {image} lie in S3, and the tasks do not get there.",
        fix="add an S3 gateway endpoint to the subnets' route tables (its policy must allow the layers), or a NAT",
        key="{service}.subnets",
        facts=("network",),
    ),
    Rule(
        code="image-disk-full",
        says=(_PULL, r"no space left on device"),
        cause="The image {image} does not fit on the task's disk.",
        fix="set ephemeral_storage to up to 200 GiB, or make the image smaller",
        key="{service}.ephemeral_storage",
        hopeless=True,
    ),
    Rule(
        code="image-denied",
        says=(_PULL, _DENIED),
        never=r"ResourceInitializationError",
        cause="The registry {registry} does not let the tasks pull {image}: it is private, or does not exist.",
        fix="check the name; for a private registry give credentials ([registries]), for another account's ECR a "
        "repository policy",
        key="{at}.image",
        hopeless=True,
        facts=("image", "credentials"),
        heals_within=RIGHTS_SECONDS,
    ),
    Rule(
        code="image-not-found",
        says=(_PULL, r"not found|manifest unknown|does not exist|name unknown|NotFound"),
        never=rf"{_TIMED_OUT}|ResourceInitializationError",
        cause="There is no image {image}.",
        fix="push {image}, or name an image that exists",
        key="{at}.image",
        hopeless=True,
        facts=("image",),
    ),
    Rule(
        code="image-invalid",
        says=(
            _PULL,
            r"invalid reference format|unsupported media type|invalid checksum digest|unknown schema|mismatched image",
        ),
        cause="The image {image} cannot be read by Fargate: its name or its format is not valid.",
        fix="mend the name, or build the image again with a standard (OCI or Docker v2) manifest",
        key="{at}.image",
        hopeless=True,
    ),
    Rule(
        code="ecr-login-denied",
        says=(_ECR_LOGIN, r"AccessDenied|not authorized"),
        cause="The execution role {role} may not log in to ECR.",
        fix="allow ecr:GetAuthorizationToken on it; the next deploy restores the role if it is ours",
        hopeless=True,
        facts=("execution_role",),
        heals_within=RIGHTS_SECONDS,
    ),
    Rule(
        code="ecr-unreachable",
        says=(r"ResourceInitializationError|unable to pull", _ECR_LOGIN),
        never=r"from secretsmanager|from asm",
        cause="The tasks do not reach ECR: there is no way out of their subnets to its API.",
        fix="give them a way: a NAT gateway, the endpoints ecr.api, ecr.dkr and S3, or public subnets with a public IP",
        key="{service}.subnets",
        facts=("network",),
    ),
    Rule(
        code="registry-unreachable",
        says=(_PULL, _TIMED_OUT),
        never=r"unable to pull secrets",
        cause="The tasks do not reach the registry {registry}: there is no way out of their subnets.",
        fix="give them a way: a NAT gateway, for ECR its endpoints, or public subnets with a public IP",
        key="{service}.subnets",
        facts=("network",),
    ),
)
