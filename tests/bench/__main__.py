"""Measure fargatectl from outside, and write what was found into docs/performance.md: `python -m tests.bench`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench import peers, plot, report
from tests.bench.lab import Lab
from tests.bench.phases import Setting, deployments, start_up

_DOCS = Path(__file__).parents[2] / "docs"
_MANY = 200
"""So many services are made at the pace that ECS allows: minutes, whatever the latency. One latency is enough."""


def settings(*, quick: bool) -> list[Setting]:
    """Return what is measured: numbers of services under latencies, with and without a price for each connection."""
    if quick:
        return [Setting(number, latency) for number in (1, 10) for latency in (0.0, 0.05)]
    few = [Setting(number, latency) for number in (1, 10) for latency in (0.0, 0.02, 0.05, 0.15)]
    more = [Setting(50, latency, throttled=True) for latency in (0.0, 0.05)]
    priced = [Setting(number, 0.05, per_connection=0.1, throttled=number > 1) for number in (1, 50)]
    return [*few, *more, *priced, Setting(_MANY, 0.05, throttled=True)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one and ten services, few runs: a minute; writes nothing")
    parser.add_argument("--most", type=int, default=_MANY, help="the largest number of services (all)")
    options = parser.parse_args()
    chosen = [setting for setting in settings(quick=options.quick) if setting.services <= options.most]
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(Path(directory))
        try:
            starts = start_up(lab, runs=3 if options.quick else 9)
            sys.stdout.write(report.starts(starts) + "\n")
            found = []
            for setting in chosen:
                found += deployments(lab, setting, runs=1 if options.quick else 3)
                sys.stdout.write(report.lines(found[-4:]) + "\n")
                sys.stdout.flush()
            others = [] if options.quick else peers.measure(lab)
        finally:
            lab.close()
    if not options.quick:
        plot.write(_DOCS / "performance.svg", found)
        report.write(_DOCS / "performance.md", starts, found, others)
    return 0


if __name__ == "__main__":
    sys.exit(main())
