"""Everything about the file that can be checked without AWS, beyond the shape of single values.

Each module looks at one concern and yields findings; a finding that depends on other keys names them in `about`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.config.checks import (
    alarms,
    app,
    deployment,
    discovery,
    existing,
    groups,
    jobs,
    logs,
    scaling,
    task,
    traffic,
    volumes,
)

if TYPE_CHECKING:
    from fargatectl.config.findings import Finding
    from fargatectl.config.models import Config


def check(config: Config, environment: str | None) -> list[Finding]:
    """Return what is wrong or worth a warning in a completed config."""
    return [
        *app.check(config, environment),
        *alarms.check(config, environment),
        *task.check(config),
        *volumes.check(config),
        *logs.check(config),
        *traffic.check(config),
        *discovery.check(config),
        *existing.check(config),
        *groups.check(config, environment),
        *scaling.check(config),
        *deployment.check(config),
        *jobs.check(config, environment),
    ]
