"""What AWS refuses: one row a fact, each a test and a line of the page about the local AWS."""

from __future__ import annotations

from tests.sandbox.refusals.constraints import CONSTRAINTS
from tests.sandbox.refusals.containers import CONTAINERS
from tests.sandbox.refusals.ecs import DEFINITIONS, SERVICES
from tests.sandbox.refusals.edge import EDGE
from tests.sandbox.refusals.jobs import JOBS
from tests.sandbox.refusals.load_balancing import BALANCERS
from tests.sandbox.refusals.others import GROUPS, REST, ROLES
from tests.sandbox.refusals.routing import ROUTING, SECURITY
from tests.sandbox.refusals.watching import WATCHING

REFUSALS = [
    *DEFINITIONS,
    *SERVICES,
    *CONTAINERS,
    *BALANCERS,
    *ROUTING,
    *GROUPS,
    *SECURITY,
    *ROLES,
    *REST,
    *JOBS,
    *EDGE,
    *WATCHING,
    *CONSTRAINTS,
]
