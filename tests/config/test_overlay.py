from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from fargatectl.config.overlay import overlaid
from fargatectl.errors import ConfigError

if TYPE_CHECKING:
    from tests.config.conftest import Load, Problems

FILE = """
app = "shop"
tags = { team = "a", tier = "base" }
[services.web]
image = "web:${var.tag}"
port = 80
count = 4
capacity = [{ provider = "FARGATE" }, { provider = "FARGATE_SPOT" }]
http = { path = ["/a", "/b"] }
[services.web.scaling]
min = 1
max = 4
cpu = 50
[services.web.logs]
retention = 7
[vars]
tag = "base"
[environments.prod]
tags = { tier = "prod" }
vars = { tag = "prod" }
[environments.prod.services.web]
count = 2
capacity = [{ provider = "FARGATE_SPOT" }]
scaling = false
http = { path = "/c" }
[environments.broken.services.web]
count = 5000
cpu = 1
"""
TABLES = st.recursive(
    st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
DATA = st.dictionaries(st.sampled_from("abc"), TABLES, max_size=3)


def test_tables_merge_and_everything_else_is_replaced(load_text: Load) -> None:
    config = load_text(FILE, "prod").config
    web = config.services["web"]
    assert config.tags == {"team": "a", "tier": "prod"}
    assert (web.image, web.count, web.scaling, web.logs.retention) == ("web:prod", 2, None, 7)
    assert [item.provider for item in web.capacity] == ["FARGATE_SPOT"]
    assert web.http is not None
    assert web.http.path == ("/c",)
    assert (config.cluster.name, web.logs.group) == ("shop-prod", "/shop-prod/web")


def test_without_an_environment_the_base_is_deployed(load_text: Load) -> None:
    loaded = load_text(FILE)
    assert (loaded.environment, loaded.config.services["web"].count) == (None, 4)
    assert loaded.config.cluster.name == "shop"


def test_a_problem_of_the_overlay_is_shown_where_the_overlay_has_it(problems: Problems) -> None:
    found = problems(FILE, "broken")
    assert [(one.line, one.path) for one in found if one.severity == "error"] == [
        (27, "environments.broken.services.web.count"),
        (28, "environments.broken.services.web.cpu"),
    ]


def test_an_unknown_environment_is_told_with_the_known_ones(load_text: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(FILE, "prdo")
    (problem,) = caught.value.problems
    assert problem.message == "there is no environment `prdo`"
    assert problem.hint == "did you mean prod? known are broken, prod"


def test_keys_of_a_strategy_that_was_turned_off_do_not_count() -> None:
    base = {"services": {"web": {"deploy": {"strategy": "canary", "percent": 5, "bake": 9, "timeout": 1}}}}
    overlay = {"services": {"web": {"deploy": {"strategy": "rolling", "rollback": True}}}}
    assert overlaid(base, overlay)["services"]["web"]["deploy"] == {
        "strategy": "rolling",
        "rollback": True,
        "timeout": 1,
    }


def test_false_where_there_is_no_table_is_an_error_that_says_so(problems: Problems) -> None:
    (found,) = problems('app = "a"\n[services.web]\nimage = "n"\nscaling = false')
    assert (found.path, found.message) == ("services.web.scaling", "expected a table, got false")
    assert "removes a table" in found.hint


@given(DATA)
def test_an_empty_overlay_changes_nothing(base: dict[str, Any]) -> None:
    assert overlaid(base, {}) == base


@given(DATA, DATA)
def test_what_the_overlay_says_holds_and_twice_is_once(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    merged = overlaid(base, overlay)
    assert overlaid(merged, overlay) == merged
    assert overlaid({}, overlay) == overlaid(overlay, overlay)
    assert set(merged) == set(base) | set(overlay)
    for key, value in overlay.items():
        assert isinstance(value, dict) or merged[key] == value


@given(DATA)
def test_false_removes_each_table_and_only_tables(base: dict[str, Any]) -> None:
    merged = overlaid(base, dict.fromkeys(base, False))
    assert merged == {key: False for key, value in base.items() if not isinstance(value, dict)}
