from __future__ import annotations

import re

from hypothesis import given, strategies as st

from fargatectl.model.names import ELB_NAME_MAX, hashed
from fargatectl.model.ownership import Ownership
from fargatectl.model.values import Address

labels = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)


@given(labels, st.none() | labels, st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
def test_names_keep_the_rules_of_elb(app: str, environment: str | None, name: str) -> None:
    made = hashed(Ownership(app, environment), name, Address("alb.target_group/x"), 80)
    assert len(made) <= ELB_NAME_MAX
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", made)
    assert not made.startswith("internal-")
    assert "--" not in made


def test_what_cannot_be_changed_changes_the_name() -> None:
    owner, address = Ownership("shop", None), Address("alb.target_group/web")
    assert hashed(owner, "web", address, 80) == hashed(owner, "web", address, 80)
    assert hashed(owner, "web", address, 80) != hashed(owner, "web", address, 8080)


def test_an_environment_and_an_app_of_the_same_prefix_have_different_names() -> None:
    address = Address("alb.target_group/web")
    assert hashed(Ownership("shop-prod", None), "web", address) != hashed(Ownership("shop", "prod"), "web", address)


def test_the_name_says_what_it_is_for() -> None:
    name = hashed(Ownership("shop", "prod"), "web", Address("alb.target_group/web"), 80)
    assert re.fullmatch(r"shop-prod-web-[0-9a-f]{8}", name)
