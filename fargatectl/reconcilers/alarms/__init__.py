"""CloudWatch alarms: those that are ours, and the topics and alarms of others that go with them."""

from fargatectl.reconcilers.alarms.alarm import (
    ABOVE,
    AT_LEAST,
    BELOW,
    Alarm,
    AlarmOut,
    Alarms,
    declare,
)
from fargatectl.reconcilers.alarms.existing import declare_existing, declare_topic

__all__ = [
    "ABOVE",
    "AT_LEAST",
    "BELOW",
    "Alarm",
    "AlarmOut",
    "Alarms",
    "declare",
    "declare_existing",
    "declare_topic",
]
