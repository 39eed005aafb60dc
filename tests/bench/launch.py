"""Run a command and say what it took: `python -I -S launch.py COMMAND…` prints one line of JSON on stdout.

A process of its own, and a small one: Linux counts the memory of whoever forked into a child's peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

began = time.monotonic()
command, out = sys.argv[1:], subprocess.PIPE
with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT) as child:  # noqa: S603 - what the bench measures
    said = child.stdout.read() if child.stdout else b""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
measured = {
    "code": child.returncode,
    "wall": time.monotonic() - began,
    "cpu": usage.ru_utime + usage.ru_stime,
    "peak_mib": usage.ru_maxrss / 1024,
    "said": said.decode(errors="replace")[-2000:],
}
sys.stdout.write(json.dumps(measured))
