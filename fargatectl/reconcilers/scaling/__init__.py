"""Application Auto Scaling of a service's desired count: the bounds, and the metrics that it is held by."""

from fargatectl.reconcilers.scaling.declare import declare
from fargatectl.reconcilers.scaling.policies import Policies, PolicyOut, ScalingPolicy
from fargatectl.reconcilers.scaling.targets import ScalableTarget, TargetOut, Targets

KINDS = (Targets(), Policies())
"""The kinds of this concern, in the order of creation."""

__all__ = ["KINDS", "Policies", "PolicyOut", "ScalableTarget", "ScalingPolicy", "TargetOut", "Targets", "declare"]
