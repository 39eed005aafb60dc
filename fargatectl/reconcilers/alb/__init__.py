"""Application Load Balancers: the balancer, its listeners and rules, target groups, and the certificates it uses."""

from fargatectl.reconcilers.alb.actions import FixedResponse, Forward, ListenerAction, Other, Redirect
from fargatectl.reconcilers.alb.certificate import Certificate, CertificateQuery, Certificates
from fargatectl.reconcilers.alb.exchange import Consumer
from fargatectl.reconcilers.alb.listener import Listener, ListenerOut, Listeners
from fargatectl.reconcilers.alb.load_balancer import LoadBalancer, LoadBalancerOut, LoadBalancers, until_active
from fargatectl.reconcilers.alb.rule import Rule, RuleOut, Rules
from fargatectl.reconcilers.alb.target_group import HealthCheck, TargetGroup, TargetGroupOut, TargetGroups
from fargatectl.reconcilers.alb.wiring import LoadBalancerHandles, Route, Settings, Target, attach, declare

KINDS = (TargetGroups(), LoadBalancers(), Listeners(), Rules())
"""All kinds, in the order of creation."""

__all__ = [
    "KINDS",
    "Certificate",
    "CertificateQuery",
    "Certificates",
    "Consumer",
    "FixedResponse",
    "Forward",
    "HealthCheck",
    "Listener",
    "ListenerAction",
    "ListenerOut",
    "Listeners",
    "LoadBalancer",
    "LoadBalancerHandles",
    "LoadBalancerOut",
    "LoadBalancers",
    "Other",
    "Redirect",
    "Route",
    "Rule",
    "RuleOut",
    "Rules",
    "Settings",
    "Target",
    "TargetGroup",
    "TargetGroupOut",
    "TargetGroups",
    "attach",
    "declare",
    "until_active",
]
