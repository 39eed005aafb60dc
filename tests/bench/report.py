"""What was measured, as tables: on the screen, and in the documentation between two markers."""

from __future__ import annotations

import json
import platform
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING

from tests.bench.counts import BASELINE
from tests.bench.phases import IMAGE, NOTHING, PHASES
from tests.bench.proxy import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.bench.peers import Peer
    from tests.bench.phases import Measured, Start

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_FLOOR = {"first deploy": 8, "nothing to do": 3, "new image": 4, "destroy": 7}
"""Calls each of which needs the answer of the one before, for one service: who asks nothing twice cannot do with less.

First deploy: reads, security group, load balancer, listener, rule, service, scalable target, policy. Nothing to do:
load balancer, listeners, rules. New image: service, task definition, a new revision, the update. Destroy: three reads,
then service, listener, target group, security group.
"""
_SHOWN = Network(0.05)
_COLUMNS = "services | network | phase | wall | CPU | peak | calls | writes | connections | throttled"


def starts(found: Iterable[Start]) -> str:
    """Return the start-up times as a table."""
    rows = [f"{one.name} | {one.wall:.3f} s | {one.cpu:.3f} s | {one.peak_mib:.0f} MiB" for one in found]
    return _table("command | wall | CPU | peak", rows)


def lines(found: Iterable[Measured]) -> str:
    """Return what was measured as a table."""
    return _table(_COLUMNS, [_row(one) for one in found])


def _row(one: Measured) -> str:
    setting, run, traffic = one.setting, one.run, one.run.traffic
    writes = sum(call.mutating for call in traffic.counted)
    refused = sum(call.throttled for call in traffic.calls)
    took = f"{run.wall:.2f} s | {run.cpu:.2f} s | {run.peak_mib:.0f} MiB"
    asked = f"{len(traffic.counted)} | {writes} | {traffic.connections} | {refused}"
    return f"{setting.services} | {setting.network} | {one.phase} | {took} | {asked}"


def _table(head: str, rows: Sequence[str]) -> str:
    rule = " | ".join("---" for _ in head.split("|"))
    return "\n".join(f"| {row} |" for row in [head, rule, *rows]) + "\n"


def write(path: Path, started: Iterable[Start], found: Sequence[Measured], others: Sequence[Peer]) -> None:
    """Put all of it between the markers of the page at `path`."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n\n{_measured(started, found, others)}\n{END}{after}", encoding="utf-8")


def _measured(started: Iterable[Start], found: Sequence[Measured], others: Sequence[Peer]) -> str:
    where = f"Python {platform.python_version()}, botocore {version('botocore')}, {platform.system()}"
    return "\n".join(
        [
            f"Measured with {where}.\n",
            "### Start-up\n",
            starts(started),
            "### Deployments\n",
            "![Time of each phase by the number of services](performance.svg)\n",
            lines(found),
            "### Round trips, one service\n",
            _round_trips(),
            "### Calls by operation\n",
            _operations(found),
            "### Others\n",
            _others(others),
        ]
    )


def _round_trips() -> str:
    """Round trips in a row as the suite counts them. Differences of times tell less: they hold AWS's waits, too."""
    counted = json.loads(BASELINE.read_text(encoding="utf-8"))["1"]
    rows = [f"{one} | {counted[one]['round_trips']} | {_FLOOR[one]} | {_FLOOR[one] * 0.05:.2f} s" for one in PHASES]
    below = "Where nothing is to do the hints of the tagging API save a round trip of the floor's.\n"
    return _table("phase | in a row | floor | floor at 50 ms", rows) + "\n" + below


def _operations(found: Sequence[Measured]) -> str:
    """Calls by operation where nothing is to do, and of a new image, for each number of services."""
    shown = [one for one in found if one.setting.network == _SHOWN]
    shown = [one for one in shown if one.phase in {NOTHING, IMAGE}]
    counts = [Counter(call.name for call in one.run.traffic.counted) for one in shown]
    names = sorted({name for count in counts for name in count})
    head = " | ".join(["operation", *(f"{one.phase}, {one.setting.services}" for one in shown)])
    return _table(head, [" | ".join([name, *(str(count[name] or "") for count in counts)]) for name in names])


def _others(others: Sequence[Peer]) -> str:
    measured = [peer for peer in others if peer.rows]
    rows = [
        f"{peer.name} | {what} | {run.wall:.2f} s | {len(run.traffic.calls)}"
        for peer in measured
        for what, run in peer.rows
    ]
    table = _table("tool, one service, 50 ms | phase | wall | calls", rows) if rows else ""
    absent = [f"{peer.name}: {peer.why}" for peer in others if not peer.rows]
    return table + ("\nNot measured: " + "; ".join(absent) + ".\n" if absent else "")
