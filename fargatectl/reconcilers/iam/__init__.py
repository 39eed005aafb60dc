"""IAM: a pair of roles for each service, with exactly the rights that its tasks need, and one for each schedule."""

from fargatectl.reconcilers.iam.existing import ExistingRoles, declare_existing
from fargatectl.reconcilers.iam.policy import (
    Policy,
    Statement,
    allow,
    decrypt,
    exec_channels,
    mount_efs,
    pull_from_ecr,
    read_objects,
    read_parameters,
    read_secrets,
    record_to_bucket,
    record_to_logs,
    run_tasks,
    write_logs,
)
from fargatectl.reconcilers.iam.roles import (
    Existing,
    Role,
    RoleOut,
    Roles,
    ServiceRoles,
    declare,
    declare_infrastructure,
)
from fargatectl.reconcilers.iam.scheduler import declare_scheduler

__all__ = [
    "Existing",
    "ExistingRoles",
    "Policy",
    "Role",
    "RoleOut",
    "Roles",
    "ServiceRoles",
    "Statement",
    "allow",
    "declare",
    "declare_existing",
    "declare_infrastructure",
    "declare_scheduler",
    "decrypt",
    "exec_channels",
    "mount_efs",
    "pull_from_ecr",
    "read_objects",
    "read_parameters",
    "read_secrets",
    "record_to_bucket",
    "record_to_logs",
    "run_tasks",
    "write_logs",
]
