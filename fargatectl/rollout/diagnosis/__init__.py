"""Why a deployment failed: rules over what AWS says of it, and facts of the account around it.

`gather` asks AWS and makes a `Case`; `explain` reads the case by the rules of `catalogue` and makes a `Diagnosis`. A
new cause is one `Rule`, and a case of the corpus in the tests.
"""

from fargatectl.rollout.diagnosis.case import Case
from fargatectl.rollout.diagnosis.explain import Places, explain, suspicion
from fargatectl.rollout.diagnosis.gather import Subject, gather, gather_task, stopped_tasks, with_surroundings
from fargatectl.rollout.diagnosis.proof import proven

__all__ = [
    "Case",
    "Places",
    "Subject",
    "explain",
    "gather",
    "gather_task",
    "proven",
    "stopped_tasks",
    "suspicion",
    "with_surroundings",
]
