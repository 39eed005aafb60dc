"""The files that are measured: the smallest service there is, with a path and scaling, once or many times."""

from __future__ import annotations

PER_BALANCER = 50

_HEAD = 'app = "bench"\nregion = "eu-central-1"\n'
_SERVICE = """
[services.{name}]
image = "public.ecr.aws/nginx/nginx:{tag}"
port = 80
http = {{ load_balancer = "{balancer}", path = "/{name}/*", health_check = "/" }}
scaling = {{ min = 1, max = 3, cpu = 60 }}
"""


def services(number: int, *, tag: str = "stable") -> str:
    """Return a file of so many services, fifty on each load balancer."""
    balancers = -(-number // PER_BALANCER)
    text = _HEAD + "".join(f"\n[load_balancers.public{place}]\n" for place in range(balancers))
    for place in range(number):
        text += _SERVICE.format(name=f"s{place}", tag=tag, balancer=f"public{place // PER_BALANCER}")
    return text
