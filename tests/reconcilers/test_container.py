from __future__ import annotations

from fargatectl.reconcilers.service.container import Container, container_request, parsed_container


def test_a_range_of_ports_that_somebody_registered_is_a_difference() -> None:
    wanted = Container(name="web", image="docker.io/acme/web:1", ports=(80,))
    theirs = container_request(wanted) | {"portMappings": [{"containerPortRange": "80-90", "protocol": "tcp"}]}
    assert parsed_container(container_request(wanted)) == wanted
    assert parsed_container(theirs) != wanted
