"""Replay one scenario, or many: `python -m tests.faults --flow create --stack guide --k 14 --fault lost`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.faults.aim import Aim
from tests.faults.harness import drive
from tests.faults.kinds import KINDS
from tests.faults.stacks import FLOWS, STACKS, flow


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--stack", action="append", choices=[*STACKS], help="default: all")
    parser.add_argument("--flow", action="append", choices=FLOWS, help="default: all")
    parser.add_argument("--fault", action="append", choices=[*KINDS], help="default: all")
    parser.add_argument("--k", type=int, help="the mutating call that is hit (default: each)")
    parser.add_argument("--seed", type=int, help="run ready steps in the order of this seed (default: as declared)")
    parser.add_argument("--then", choices=[*KINDS], help="the rerun meets this one, at a call that the seed decides")
    parser.add_argument("--every", type=int, default=1, help="hit every n-th call only")
    options = parser.parse_args()
    aim = Aim(only=options.k, every=options.every, then=options.then, seed=options.seed)
    began, bad, count = time.monotonic(), 0, 0
    for stack in options.stack or STACKS:
        for name in options.flow or FLOWS:
            reports = drive(flow(stack, name), options.fault or KINDS, aim)
            found = [report for report in reports if report.problems]
            count, bad = count + len(reports), bad + len(found)
            sys.stdout.write(f"{stack} {name}: {len(reports)} scenarios, {len(found)} bad\n")
            sys.stdout.writelines(f"{report}\n" for report in found)
            sys.stdout.flush()
    sys.stdout.write(f"{count} scenarios, {bad} bad, {time.monotonic() - began:.0f} s\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
