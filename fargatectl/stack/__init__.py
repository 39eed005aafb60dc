"""The composition root: from the file to the stack. The one place where the concerns meet.

`app` declares what services share, `service` one service with what surrounds it, `task` what its tasks are made of.
Each `declare` of a concern takes its section of the file and late values of others, and returns late values: a wrong
wiring is a type error.
"""

from fargatectl.stack.app import KINDS, Blueprint, build

__all__ = ["KINDS", "Blueprint", "build"]
