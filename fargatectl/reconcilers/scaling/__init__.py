"""Application Auto Scaling of a service's desired count: the bounds, what moves it, and when the bounds change."""

from fargatectl.reconcilers.scaling.actions import ActionOut, Actions, ScheduledAction
from fargatectl.reconcilers.scaling.declare import Schedule, Tracking, Wishes, declare
from fargatectl.reconcilers.scaling.policies import (
    Adjustment,
    CustomMetric,
    Policies,
    PolicyOut,
    ScalingPolicy,
    Stepping,
)
from fargatectl.reconcilers.scaling.targets import ScalableTarget, TargetOut, Targets

KINDS = (Targets(), Policies(), Actions())
"""The kinds of this concern, in the order of creation."""

__all__ = [
    "KINDS",
    "ActionOut",
    "Actions",
    "Adjustment",
    "CustomMetric",
    "Policies",
    "PolicyOut",
    "ScalableTarget",
    "ScalingPolicy",
    "Schedule",
    "ScheduledAction",
    "Stepping",
    "TargetOut",
    "Targets",
    "Tracking",
    "Wishes",
    "declare",
]
