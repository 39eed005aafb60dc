"""`unlock`: end the turn of a run that is dead, by the exact number of its generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from fargatectl.cli.context import require_account, target
from fargatectl.cli.locking import lock_of
from fargatectl.errors import ExitCode
from fargatectl.render.escape import escape
from fargatectl.render.machine import VERSION
from fargatectl.render.plain import timestamp
from fargatectl.render.words import stack_name

if TYPE_CHECKING:
    from fargatectl.cli.options import UnlockOptions
    from fargatectl.cli.surroundings import Surroundings


def run(options: UnlockOptions, surroundings: Surroundings) -> ExitCode:
    """Free the lock. A run that still lives, against all that was thought, stops at its next write."""
    with target(options, surroundings) as there:
        require_account(there)
        holder = surroundings.machine.holder("unlock", surroundings.environ, there.aws.now(), surroundings.random)
        freed = lock_of(there, surroundings).unlock(options.generation, holder)
        owner = there.stack.owner
        if surroundings.json:
            surroundings.voice.document(
                {
                    "version": VERSION,
                    "app": owner.app,
                    "environment": owner.environment,
                    "generation": freed.number,
                    "who": freed.holder.who,
                    "where": freed.holder.where,
                    "command": freed.holder.command,
                    "since": timestamp(freed.holder.since),
                }
            )
        else:
            name = stack_name(owner.app, owner.environment)
            surroundings.voice.data(Text(escape(f"{name} is no longer locked by {freed.holder}.")))
        return ExitCode.DONE
