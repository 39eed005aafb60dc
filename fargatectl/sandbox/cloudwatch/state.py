"""What CloudWatch knows of alarms, how their states change, and who hears of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox.cloudwatch import rules
from fargatectl.sandbox.script import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fargatectl.sandbox.cloud import Region
    from fargatectl.sandbox.settings import Value

Members = dict[str, Any]

ALARM, OK, NO_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"
STATES = (OK, ALARM, NO_DATA)
INITIALLY = "Unchecked: Initial alarm creation"


@dataclass(slots=True)
class Alarms:
    """All alarms of one account's Region by name, as DescribeAlarms shows them."""

    metric: dict[str, Members] = field(default_factory=dict)
    composite: dict[str, Members] = field(default_factory=dict)

    def find(self, name: str) -> Members | None:
        """Return an alarm of either type, or None."""
        return self.metric.get(name) or self.composite.get(name)

    def parents(self, name: str) -> list[str]:
        """Return the composite alarms whose rules name an alarm."""
        return [parent for parent, alarm in self.composite.items() if name in rules.names(alarm["AlarmRule"])]

    def __iter__(self) -> Iterator[Members]:
        yield from self.metric.values()
        yield from self.composite.values()


class Tags(dict[str, dict[str, str]]):
    """The tags of alarms and dashboards by ARN; who has an entry can be tagged."""


_WATCHERS: list[Callable[[Region, Members], None]] = []


def on_change(watcher: Callable[[Region, Members], None]) -> Callable[[Region, Members], None]:
    """Register who hears of every change of state, with the alarm as it is then."""
    _WATCHERS.append(watcher)
    return watcher


def state_of(region: Region, name: str) -> str:
    """Return the state of an alarm by its name or ARN; nothing where there is none."""
    found = region.state(Alarms).find(name.partition(":alarm:")[2] or name)
    return str(found["StateValue"]) if found else ""


def change(region: Region, alarm: Members, state: str, reason: str, data: str = "") -> None:
    """Give an alarm a state; composite alarms that look at it follow."""
    transition = alarm["StateValue"] != state
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": region.date()}
    alarm.pop("StateReasonData", None)
    if data:
        alarm["StateReasonData"] = data
    if not transition:
        return
    alarm["StateTransitionedTimestamp"] = region.date()
    for watcher in _WATCHERS:
        watcher(region, alarm)
    alarms = region.state(Alarms)
    for parent in alarms.parents(alarm["AlarmName"]):
        evaluate(region, alarms.composite[parent])


def evaluate(region: Region, alarm: Members) -> None:
    """Bring a composite alarm to the state that its rule gives it now."""
    rings = rules.holds(alarm["AlarmRule"], lambda name: state_of(region, name))
    state = ALARM if rings else OK
    if state != alarm["StateValue"]:
        date = f"{region.date():%A %d %B, %Y %X UTC}"
        change(region, alarm, state, f"{alarm['AlarmArn']} transitioned to {state} at {date}")


@EFFECTS.of("alarm")
def set_state(region: Region, subject: str, value: Value | None) -> bool:
    """Bring an alarm to a state, as its metric would."""
    alarm = region.state(Alarms).find(subject)
    if alarm is None:
        return False
    change(region, alarm, str(value), f"Threshold Crossed: the local AWS was told to set alarm.{subject}={value}")
    return True
