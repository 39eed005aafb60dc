"""Every cause that is known, the specific before the general: the first rule that fits a signal decides.

The texts are AWS's (ECS guide, "Stopped tasks error codes", "CannotPullContainer task errors", "Troubleshooting
ResourceInitializationError", "Service event messages", "Stopped tasks error messages"; ELB API Reference,
TargetHealth), matched on fragments that survived their rewordings.
"""

from fargatectl.rollout.diagnosis.catalogue import exits, health, images, placement, starts

RULES = (*images.RULES, *starts.RULES, *health.RULES, *exits.RULES, *placement.RULES)

__all__ = ["RULES"]
