"""IAM: a pair of roles for each service, with exactly the rights that its tasks need."""

from fargatectl.reconcilers.iam.policy import (
    Policy,
    Statement,
    allow,
    decrypt,
    exec_channels,
    pull_from_ecr,
    read_parameters,
    read_secrets,
    write_logs,
)
from fargatectl.reconcilers.iam.roles import Role, RoleOut, Roles, ServiceRoles, declare

__all__ = [
    "Policy",
    "Role",
    "RoleOut",
    "Roles",
    "ServiceRoles",
    "Statement",
    "allow",
    "declare",
    "decrypt",
    "exec_channels",
    "pull_from_ecr",
    "read_parameters",
    "read_secrets",
    "write_logs",
]
