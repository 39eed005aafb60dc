from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.config.conftest import Load, Problems

FILE = """
app = "shop"
[vars]
tag = "${{env.TAG:-1.0}}"
name = "${{app}}-x"
many = 3
[services.web]
image = "nginx"
env = {{ A = '{text}' }}
[environments.prod]
"""

GOOD = [
    ("${env.HOME_DIR}", "/home"),
    ("${env.NONE:-there}", "there"),
    ("${env.EMPTY:-there}", "there"),
    ("${env.EMPTY}", ""),
    ("${env.NONE:-}", ""),
    ("${var.tag}-${var.name}", "1.0-shop-x"),
    ("${var.many}", "3"),
    ("${git.sha}", "abc1234"),
    ("${app}/${environment}", "shop/prod"),
    ("$${HOME} costs $5 {}", "${HOME} costs $5 {}"),
    ("${env.TRICKY}", "${env.HOME_DIR}"),
]
BAD = [
    ("${env.NONE}", "the environment variable NONE is not set"),
    ("${env.HOMEDIR}", "the environment variable HOMEDIR is not set; HOME_DIR is"),
    ("${var.tga}", "there is no var `tga`"),
    ("${PORT}", "unknown reference ${PORT}"),
    ("${}", "unknown reference ${}"),
    ("${env.A", "this `${` begins no reference"),
    ("${env.A:b}", "this `${` begins no reference"),
]
VARIABLES = {"HOME_DIR": "/home", "EMPTY": "", "TRICKY": "${env.HOME_DIR}"}


@pytest.mark.parametrize(("text", "value"), GOOD)
def test_references_are_replaced_and_nothing_is_evaluated(load_text: Load, text: str, value: str) -> None:
    assert load_text(FILE.format(text=text), "prod", **VARIABLES).config.services["web"].env["A"] == value


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_undefined_is_an_error_at_its_place(problems: Problems, text: str, message: str) -> None:
    (found,) = problems(FILE.format(text=text), "prod", **VARIABLES)
    assert (found.line, found.path, found.message) == (9, "services.web.env.A", message)


def test_without_an_environment_its_name_is_undefined(problems: Problems) -> None:
    (found,) = problems(FILE.format(text="${environment}"))
    assert found.message == "${environment} is undefined: no environment was chosen"


def test_vars_do_not_refer_to_one_another(problems: Problems) -> None:
    found = problems('app = "a"\n[vars]\na = "1"\nb = "${var.a}"\n[services.web]\nimage = "n"')
    assert [(one.line, one.path, one.hint) for one in found] == [(4, "vars.b", "a var cannot refer to another var")]


def test_numbers_and_flags_may_come_from_a_variable(load_text: Load) -> None:
    web = load_text(
        'app = "a"\n[services.web]\nimage = "n"\ncount = "${env.N}"\ninit = "${env.YES}"\nstop_timeout = "${env.N}"',
        N="3",
        YES="true",
    ).config.services["web"]
    assert (web.count, web.init, web.stop_timeout) == (3, True, 3)


def test_the_commit_is_asked_for_only_when_needed(load_text: Load) -> None:
    assert load_text('app = "a"\n[services.web]\nimage = "n:${git.sha}"').config.services["web"].image == "n:abc1234"
