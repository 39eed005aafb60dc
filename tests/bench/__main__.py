"""Measure fargatectl from outside, and write what was found into docs/performance.md: `python -m tests.bench`."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.bench import peers, plot, report
from tests.bench.lab import Lab
from tests.bench.phases import Life, Setting, live, start_up
from tests.bench.proxy import Network

_DOCS = Path(__file__).parents[2] / "docs"
_MANY = 200


def lives(*, quick: bool) -> list[Life]:
    """Return what is measured. From fifty services on, ECS's rates tell how long a change takes, not the network."""
    near, usual, far = Network(), Network(0.05), Network(0.15)
    if quick:
        return [Life(Setting(number, network)) for number in (1, 10) for network in (near, usual)]
    secure, priced = replace(usual, secure=True), replace(usual, per_connection=0.1)
    one = [Life(Setting(1, network), runs=3) for network in (near, Network(0.02), usual, far, secure)]
    ten = [Life(Setting(10, network)) for network in (near, usual)]
    fifty = Life(Setting(50, usual, throttled=True), looks=(near, far, secure))
    return [*one, Life(Setting(1, priced)), *ten, fifty, Life(Setting(_MANY, usual, throttled=True), ends=False)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one and ten services, few runs: a minute; writes nothing")
    parser.add_argument("--most", type=int, default=_MANY, help="the largest number of services (all)")
    parser.add_argument("--plugins", type=Path, help="a folder from which Terraform takes its provider")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the local AWS ends too
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(Path(directory))
        try:
            starts = start_up(lab, runs=3 if options.quick else 9)
            sys.stdout.write(report.starts(starts) + "\n")
            found = []
            for life in [life for life in lives(quick=options.quick) if life.setting.services <= options.most]:
                measured = live(lab, life)
                sys.stdout.write(report.lines(measured) + "\n")
                sys.stdout.flush()
                found += measured
            others = [] if options.quick else peers.measure(lab, plugins=options.plugins)
        finally:
            lab.close()
    if not options.quick:
        plot.write(_DOCS / "performance.svg", found)
        report.write(_DOCS / "performance.md", starts, found, others)
    return 0


if __name__ == "__main__":
    sys.exit(main())
