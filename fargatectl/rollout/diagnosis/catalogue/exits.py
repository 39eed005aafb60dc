"""Containers that end: by themselves, for lack of memory, by a signal."""

from __future__ import annotations

from math import inf

from fargatectl.rollout.diagnosis.case import Source
from fargatectl.rollout.diagnosis.rule import Rule

_ENDED = ("EssentialContainerExited", "")
_TASK = (Source.TASK,)
_FAILURES = tuple(code for code in range(1, 256) if code not in {125, 126, 127, 134, 137, 139, 143})

RULES = (
    Rule(
        code="out-of-memory",
        says=(r"OutOfMemory|due to memory usage",),
        sources=_TASK,
        cause="The container {container} needs more memory than the task's {memory} MiB and was killed.",
        fix="raise memory above {memory} MiB",
        key="{at}.memory",
    ),
    Rule(
        code="heap-exhausted",
        logs=r"heap out of memory|java\.lang\.OutOfMemoryError|MemoryError|Cannot allocate memory|"
        r"fatal error: runtime: out of memory",
        exit_codes=(*_FAILURES, 134, 137, 139),
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The program in {container} has no memory left: {line}",
        fix="raise memory, or the limit that the program has for itself",
        key="{at}.memory",
    ),
    Rule(
        code="exec-format",
        logs=r"exec format error",
        exit_codes=(*_FAILURES, 126, 127),
        sources=_TASK,
        cause="The program in {image} is for another processor than {platform}.",
        fix='build the image for {platform}, or set arch = "{other_arch}" if it is built for that',
        key="{service}.arch",
        hopeless=True,
    ),
    Rule(
        code="variable-missing",
        logs=(
            r"KeyError: '(?P<needed>(?-i:[A-Z][A-Z0-9_]{2,}))'|"
            r"(?:environment variable|env(?:ironment)? ?var\w*|variable|"
            r"required)[ :'\"`]+(?P<needed2>(?-i:[A-Z][A-Z0-9_]{2,}))\b.*?"
            r"(?:not (?:set|found|defined|present)|missing|required|unset|empty|undefined)|"
            r"(?:missing|undefined|unset|"
            r"required)[^:]{0,40}\bvar(?:iable)?s?[ :'\"`]+(?P<needed3>(?-i:[A-Z][A-Z0-9_]{2,}))|"
            r"(?P<needed4>\b(?-i:[A-Z][A-Z0-9_]{3,}))['\"`]?:? (?:(?:is|was|must be) (?:not set|required|"
            r"missing|unset|undefined|set)|environment variable|parameter not set|unbound variable)|"
            r"(?:resolve placeholder|key not found:?) ['\"`](?P<needed5>(?-i:[A-Z][A-Z0-9_]{2,}))\b"
        ),
        exit_codes=_FAILURES,
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The container {container} exits with code {exit_code}, {when}: {needed} is not set.",
        fix="add {needed} to env or secrets of {at}",
        key="{at}.env",
        facts=("changes",),
    ),
    Rule(
        code="command-not-found",
        logs=r"exec (?:user process caused\W+|\S+: )no such file or directory",
        exit_codes=(*_FAILURES, 126, 127),
        sources=_TASK,
        cause="The command of the container {container} cannot be run: {line}",
        fix="have it in the image, and its first line (#!) name a program of the image; lines must not end in CR LF",
        key="{at}.command",
        hopeless=True,
    ),
    Rule(
        code="port-not-permitted",
        logs=r"\b(?:bind|listen)\w*\b.*(?:permission denied|EACCES)",
        exit_codes=_FAILURES,
        sources=_TASK,
        cause="The user of the container {container} may not listen on that port: {line}",
        fix="listen on a port from 1024 on, or run as root",
        key="{at}.port",
    ),
    Rule(
        code="port-taken",
        logs=r"EADDRINUSE|address already in use",
        exit_codes=_FAILURES,
        sources=_TASK,
        cause="Two containers of a task want the same port: {line}",
        fix="give them different ports: the containers of a task share one network interface",
        key="{at}.port",
    ),
    Rule(
        code="read-only-root",
        logs=r"read-only file ?system|EROFS",
        exit_codes=_FAILURES,
        sources=_TASK,
        cause="The container {container} wants to write, and its root file system is read-only: {line}",
        fix="mount a volume where it writes, or set readonly_root = false",
        key="{at}.readonly_root",
    ),
    Rule(
        code="write-denied",
        logs=r"EACCES: permission denied, \w+ '|PermissionError: \[Errno 13\]|nio\.file\.AccessDeniedException|"
        r"(?:mkdir|touch|chown|chmod|cannot create|can't create|open(?:ing)?|write)\b.*: permission denied",
        exit_codes=_FAILURES,
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The user of the container {container} may not use a file or directory: {line}",
        fix="give it to the user in the image; a volume belongs to root unless the image has its directory",
        key="{at}.user",
        confidence="medium",
        facts=("changes",),
    ),
    Rule(
        code="dependency-unreachable",
        logs=r"ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|connection refused|could not connect to server|"
        r"could not translate host name|host not found|could not resolve host|UnknownHost|Connect call failed|"
        r"Can't connect to MySQL|no such host|Name or service not known|getaddrinfo|"
        r"Temporary failure in name resolution|"
        r"connection timed out|No route to host|server selection timed? ?out",
        exit_codes=_FAILURES,
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The container {container} exits with code {exit_code}, {when}: it does not reach something that it "
        "needs: {line}",
        fix="check the address that it is given, and that the other side's security group lets the tasks in",
        key="{at}.env",
        confidence="medium",
        facts=("changes",),
        heals_within=inf,
    ),
    Rule(
        code="dependency-denied",
        logs=r"password authentication failed|no pg_hba\.conf entry|WRONGPASS|NOAUTH|Login failed for user|"
        r"InvalidAccessKeyId|SignatureDoesNotMatch|Access denied for user|authentication failed|invalid password|"
        r"AccessDenied(?:Exception)?\b|is not authorized to perform",
        exit_codes=_FAILURES,
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The container {container} exits with code {exit_code}, {when}: something that it needs refuses it: "
        "{line}",
        fix="check its credentials (secrets), or what it may do in AWS (permissions)",
        key="{at}.secrets",
        confidence="medium",
        facts=("changes",),
        heals_within=inf,
    ),
    Rule(
        code="command-not-found",
        exit_codes=(127,),
        sources=_TASK,
        cause="The command of the container {container} is not in the image {image} (exit code 127).",
        fix="mend command or entrypoint, or put the program into the image",
        key="{at}.command",
        hopeless=True,
    ),
    Rule(
        code="command-not-executable",
        exit_codes=(125, 126),
        sources=_TASK,
        cause="The command of the container {container} cannot be executed (exit code {exit_code}).",
        fix="make it executable in the image, or mend command and entrypoint",
        key="{at}.command",
        hopeless=True,
    ),
    Rule(
        code="killed",
        exit_codes=(137,),
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The container {container} was killed {when} (SIGKILL), most often for its memory.",
        fix="raise memory above {memory} MiB; if it stops too slowly, raise stop_timeout",
        key="{at}.memory",
        confidence="medium",
        facts=("changes",),
    ),
    Rule(
        code="crashed",
        exit_codes=(134, 139),
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The program in {container} crashed {when} (exit code {exit_code}: {signal_name}).",
        fix="look at its log; a library built for another processor or base image is the usual reason",
        key="{at}.image",
        facts=("changes",),
    ),
    Rule(
        code="exited-normally",
        exit_codes=(0, 143),
        stop_codes=("EssentialContainerExited",),
        sources=_TASK,
        cause="The container {container} ends by itself {when}, without an error: it is no service, or went into the "
        "background.",
        fix="have it run in the foreground; what is meant to end is a job ([jobs])",
        key="{at}.command",
        facts=("changes",),
    ),
    Rule(
        code="application-error",
        exit_codes=_FAILURES,
        stop_codes=_ENDED,
        sources=_TASK,
        cause="The container {container} exits with code {exit_code}, {when}{because}",
        fix="mend what its log says",
        key="{at}.image",
        confidence="medium",
        facts=("changes",),
    ),
)
