"""The file that uses every key, from its first deploy to its last trace, as its user drives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fargatectl.config.load import load
from fargatectl.config.references import references
from fargatectl.sandbox.inprocess import LocalAws
from tests.cli.conftest import Shell
from tests.local import make_aws
from tests.scenarios.account import contents
from tests.scenarios.requests import breaches

FULL = Path(__file__).parents[2] / "examples" / "full.toml"
VARIABLES = {"GITLAB_USER": "acme", "GITLAB_TOKEN": "token", "IMAGE_TAG": "1.2.3"}


class Life:
    """An account with what the file refers to, and a command line in front of it."""

    def __init__(self, directory: Path, *, account: str = "123456789012", environment: str | None = None) -> None:
        self.path = directory / "fargatectl.toml"
        self.path.write_text(FULL.read_text())
        self.local = LocalAws(account=account)
        self.aws = make_aws(self.local)
        loaded = load(self.path, environment=environment, variables=VARIABLES, git_sha=lambda: None)
        self.local.provision(references(loaded.config))
        self.shell = Shell(directory, self.local, environ=dict(VARIABLES))

    def run(self, *arguments: str) -> Any:
        self.local.calls.clear()
        done = self.shell(*arguments)
        assert done.code == 0, done.err + done.out
        assert breaches(self.local.calls) == set()
        return done


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


CHANGES = (
    ('container_insights = "enhanced"', 'container_insights = "enabled"'),
    ('idle_timeout = "60s"', 'idle_timeout = "90s"'),
    ('LOG_LEVEL = "info"', 'LOG_LEVEL = "debug"'),
    ("errors_5xx = 10", "errors_5xx = 20"),
    ("cpu      = 60", "cpu      = 50"),
    ("max      = 10", "max      = 12"),
    ('schedule = "cron(0 3 * * ? *)"', 'schedule = "cron(0 4 * * ? *)"'),
    ('prefix = "public"', 'prefix = "front"'),
)


def test_the_whole_file_is_deployed_changed_and_destroyed(tmp_path: Path) -> None:
    life = Life(tmp_path)
    before = contents(life.aws)
    life.run("deploy", "--yes")
    life.run("deploy", "--yes")
    assert life.shell.writes() == []

    text = life.path.read_text()
    for old, new in CHANGES:
        assert old in text, old
        text = text.replace(old, new)
    life.path.write_text(text)
    plan = life.run("deploy", "--yes", "--json").events[0]
    assert {change["action"] for change in plan["changes"]} == {"update"}
    assert life.run("diff", "--exit-code").code == 0

    kept = life.run("destroy", "--yes", "--json").events[-1]["kept"]
    assert kept == ["log group /shop/web"]
    assert {**contents(life.aws), "log groups": set()} == {**before, "log groups": set()}


def test_an_environment_goes_to_its_own_account_under_names_of_its_own(tmp_path: Path) -> None:
    staging = Life(tmp_path, account="210987654321", environment="staging")
    plan = staging.run("diff", "-e", "staging", "--json").json
    assert (plan["environment"], plan["account"]) == ("staging", "210987654321")
    addresses = {change["address"] for change in plan["changes"]}
    assert "registry.secret/gitlab" in addresses
    assert not {address for address in addresses if address.startswith(("scaling.action/", "alarms.alarm/web/scaling"))}
    assert Life(tmp_path).shell("diff", "-e", "staging").code == 4
