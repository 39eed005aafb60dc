"""What the sentences of rules are filled with: names and numbers of the case, and what the signal itself says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fargatectl.rollout.diagnosis.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fargatectl.rollout.diagnosis.case import Case
    from fargatectl.rollout.diagnosis.rule import Hit

_LINE_CELLS = 160
_SECONDS_ARE_EXACT = 100
_ACTION = re.compile(r"perform:? (?P<action>[\w-]+:\w+)|(?P<bare>kms:Decrypt|Access to KMS)", re.IGNORECASE)
_REFERENCE = re.compile(r"arn:aws[\w-]*:(?:secretsmanager|ssm):[\w:/+=.@-]+", re.IGNORECASE)
_TELLING = re.compile(
    r"error|exception|fatal|panic|cannot|can't|could not|failed|missing|not found|refused|denied|invalid|unable",
    re.IGNORECASE,
)
_SIGNALS = {134: "SIGABRT", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM"}
_PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}
_OTHER = {"X86_64": "ARM64", "ARM64": "X86_64"}


class Words(dict[str, str]):
    """Names and their values; what is not known is left out of a sentence."""

    def __missing__(self, key: str) -> str:
        return "…"


def words_of(case: Case, hit: Hit) -> Words:
    """Return what the sentences of the rule of `hit` may need."""
    container = case.container(hit.signal.container)
    name = container.get("name") or hit.signal.container or case.name
    words = Words(_of_task(case), name=case.name, service=case.table or f"services.{case.name}", container=name)
    words["at"] = words["service"] if name == case.name else f"{words['service']}.sidecars.{name}"
    words |= _of_container(container)
    words |= _of_signal(hit)
    words |= _of_load_balancer(case)
    words["variable"] = _variable(container, hit) or "the container"
    words |= {key: value for key, value in hit.found.items() if key not in {"line", "image"}}
    words["image"] = container.get("image") or hit.found.get("image") or "the image"
    words["needed"] = next((hit.found[key] for key in hit.found if key.startswith("needed")), "a variable")
    words["option"] = hit.found.get("option") or hit.found.get("opt") or "it needs"
    return words


def telling(lines: tuple[str, ...]) -> str:
    """Return the line of a log that most likely says what went wrong: the last one that speaks of it, else the last."""
    said = [line.strip() for line in lines if line.strip()]
    chosen = next((line for line in reversed(said) if _TELLING.search(line)), said[-1] if said else "")
    return shortened(redacted(chosen))


def shortened(text: str) -> str:
    """Return a text that fits a sentence."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _LINE_CELLS else f"{flat[: _LINE_CELLS - 1]}…"


def _of_task(case: Case) -> dict[str, str]:
    definition = case.definition or {}
    architecture = (definition.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64"
    return {
        "memory": str(definition.get("memory") or "…"),
        "platform": _PLATFORMS.get(architecture, architecture),
        "other_arch": _OTHER.get(architecture, architecture),
        "role": str(definition.get("executionRoleArn") or "of the tasks").rpartition("/")[2],
    }


def _of_container(container: Mapping[str, Any]) -> dict[str, str]:
    options = (container.get("logConfiguration") or {}).get("options") or {}
    ports = [str(mapping.get("containerPort")) for mapping in container.get("portMappings", ())]
    command = (container.get("healthCheck") or {}).get("command") or []
    found = {
        "registry": _registry(str(container.get("image", ""))),
        "group": options.get("awslogs-group", "of the service"),
        "health_command": shortened(" ".join(command[1:])) if command else "…",
    }
    return (
        found
        | ({"port": ports[0]} if ports else {})
        | ({"memory": str(container["memory"])} if container.get("memory") else {})
    )


def _registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first) else "Docker Hub"


def _of_signal(hit: Hit) -> dict[str, str]:
    signal = hit.signal
    code = signal.exit_code
    action = _ACTION.search(signal.text)
    line = telling(signal.logs)
    return {
        "exit_code": "" if code is None else str(code),
        "signal_name": _SIGNALS.get(code or 0, "a signal"),
        "when": _when(signal.lived),
        "because": f": {line}" if line else ".",
        "line": shortened(redacted(hit.found["line"])) if "line" in hit.found else line,
        "action": (action["action"] or action["bare"]) if action else "a right is missing",
    }


def _when(lived: float | None) -> str:
    if lived is None:
        return "while it runs"
    if lived < 1:
        return "right after its start"
    life = f"{lived:.0f} s" if lived < _SECONDS_ARE_EXACT else f"{lived / 60:.0f} min"
    return f"within {life} of its start"


def _of_load_balancer(case: Case) -> dict[str, str]:
    group: Mapping[str, Any] = next(iter(case.account.get("target_groups", ())), {})
    balancer: Mapping[str, Any] = next(iter((case.service or {}).get("loadBalancers", ())), {})
    found = {"check_path": group.get("HealthCheckPath") or "of the load balancer"}
    matcher = group.get("Matcher") or {}
    found["check_codes"] = str(matcher.get("HttpCode") or matcher.get("GrpcCode") or "200")
    if balancer.get("containerPort"):
        found["port"] = str(balancer["containerPort"])
    return found


def _variable(container: Mapping[str, Any], hit: Hit) -> str:
    """Return the variable whose secret or parameter the signal is about."""
    said = _REFERENCE.search(hit.signal.text)
    named = said[0].rstrip(".:") if said else hit.found.get("parameter", "")
    key = hit.found.get("json_key", "")
    for secret in container.get("secrets", ()):
        reference = secret.get("valueFrom", "")
        if (key and f":{key}:" in f"{reference}:") or (
            named and (reference.startswith(named) or reference.endswith(named))
        ):
            return str(secret.get("name", ""))
    only = container.get("secrets", ())
    return str(only[0].get("name", "")) if len(only) == 1 else ""
