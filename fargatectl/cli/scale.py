"""`scale`: another count, or other bounds of the autoscaler, until the next deploy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fargatectl.cli.context import target
from fargatectl.cli.operation import Act, Operation, live_of, operate, plan_acts
from fargatectl.errors import Refused, UsageError
from fargatectl.model.values import Address
from fargatectl.reconcilers.service import Counts
from fargatectl.reconcilers.service.service import is_scaled
from fargatectl.rollout.settling import Counting

if TYPE_CHECKING:
    from fargatectl.cli.context import Target
    from fargatectl.cli.options import ScaleOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.engine.planner import Planning
    from fargatectl.errors import ExitCode
    from fargatectl.model.status import ServiceView


def run(options: ScaleOptions, surroundings: Surroundings) -> ExitCode:
    """Set the count of a service, or the bounds between which its autoscaler moves it."""
    bounded = options.min is not None or options.max is not None
    if bounded is (options.count is not None):
        raise UsageError("give either a number of tasks, or --min and --max of the autoscaler")
    with target(options, surroundings) as there:
        (view,) = there.views([options.service])
        operation = _bounds(view, there, options) if bounded else _count(view, there, options)
        return operate(operation, [view], there, options, surroundings)


def _count(view: ServiceView, there: Target, options: ScaleOptions) -> Operation:
    def look() -> Planning:
        there.aws.reads.clear()
        live = live_of(there, view.service)
        if is_scaled(there.aws, live.spec):
            message = f"the autoscaler owns the count of {view.name}: it would move it again at once"
            raise Refused(message, hint=f"give it other bounds: fargatectl scale {view.name} --min N --max N")
        return plan_acts(there, {view.service: Act(Counts(), replace(live.spec, desired_count=options.count))})

    return Operation(
        "scale",
        look,
        done=f"{view.name} has {options.count} tasks",
        unchanged=f"{view.name} has {options.count} tasks already.",
        after=_until_deploy(there, f"services.{view.name}.count"),
        follower=Counting,
    )


def _bounds(view: ServiceView, there: Target, options: ScaleOptions) -> Operation:
    address = Address(f"scaling.target/{view.name}")
    if address not in there.stack.resources:
        raise UsageError(
            f"{view.name} has no autoscaler in {there.file}", hint=f"set its count: fargatectl scale {view.name} N"
        )

    def look() -> Planning:
        there.aws.reads.clear()
        live = live_of(there, address)
        least = live.spec.min if options.min is None else options.min
        most = live.spec.max if options.max is None else options.max
        if least > most:
            raise UsageError(f"--min {least} is above --max {most}", hint="give both bounds")
        # What schedules have set is told apart by the file's own schedules.
        scheduled = there.stack.resources[address].spec.scheduled
        spec = replace(live.spec, min=least, max=most, scheduled=scheduled, tags=live.spec.tags)
        return plan_acts(there, {address: Act(there.stack.resources[address].reconciler, spec)})

    return Operation(
        "scale",
        look,
        done=f"The autoscaler of {view.name} has its new bounds",
        unchanged=f"The autoscaler of {view.name} has these bounds already.",
        after=_until_deploy(there, f"services.{view.name}.scaling"),
        follower=None,
    )


def _until_deploy(there: Target, key: str) -> str:
    return f"The next deploy goes by the file again: {there.place(key)}."
