from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

BAD = FILE.replace("image =", "imagee =")


def test_diff_prints_the_plan_as_data_and_writes_nothing(shell: Shell) -> None:
    done = shell("diff")
    assert done.code == 0
    assert "to create" in done.out
    assert "to create" not in done.err
    assert shell.writes() == []


def test_diff_tells_changes_by_its_exit_code_if_asked(shell: Shell) -> None:
    assert shell("diff", "--exit-code").code == 2
    shell("deploy", "--yes")
    done = shell("diff", "--exit-code")
    assert done.code == 0
    assert "shop is up to date. Nothing to change." in done.out


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"]])
def test_diff_as_json(shell: Shell, option: list[str]) -> None:
    done = shell("diff", *option)
    assert (done.json["version"], done.json["app"], done.json["account"]) == (1, "shop", "123456789012")
    assert done.err == ""


def test_diff_as_markdown(shell: Shell) -> None:
    done = shell("diff", "--format", "markdown")
    assert done.out.startswith("### shop\n")
    assert "| `+` | create | cluster shop |" in done.out


def test_a_region_on_the_command_line_outranks_the_file(shell: Shell) -> None:
    shell.local.cloud.region("123456789012", "eu-west-1")
    shell.write(FILE.replace("eu-central-1", "nowhere-1"))
    assert shell("diff", "--json").code != 70
    shell.write(FILE)
    assert shell("diff", "--json", "--region", "eu-central-1").json["region"] == "eu-central-1"


def test_a_region_must_be_known(shell: Shell) -> None:
    shell.write(FILE.replace('region = "eu-central-1"', ""))
    missing = shell("diff")
    assert missing.code == 1
    assert "--region" in missing.err
    shell.environ["AWS_REGION"] = "eu-central-1"
    assert shell("diff").code == 0


def test_another_account_than_the_files_is_refused(shell: Shell) -> None:
    shell.write(f'account = "999999999999"\n{FILE}')
    done = shell("diff", "--json")
    assert (done.code, done.json["error"]["exit_code"]) == (4, 4)
    assert "999999999999" in done.json["error"]["message"]


def test_status_is_data(shell: Shell) -> None:
    assert shell("status", "--json").json["services"][0]["state"] == "missing"
    shell("deploy", "--yes")
    done = shell("status", width=140)
    assert "steady" in done.out
    assert "1/1" in done.out
    [service] = shell("status", "--json").json["services"]
    assert (service["state"], service["running"], service["targets"]["healthy"]) == ("steady", 1, 1)


def test_status_shows_the_image_of_the_service_and_not_of_a_sidecar(shell: Shell) -> None:
    shell.write(FILE.replace("port = 80", 'sidecars.agent.image = "shop/agent:1"').replace("http =", "# http ="))
    assert shell("deploy", "--yes").code == 0
    assert shell("status", "--json").json["services"][0]["image"] == "shop/web:1"


def test_validate_needs_no_aws(shell: Shell) -> None:
    done = shell("validate")
    assert (done.code, done.out) == (0, "fargatectl.toml is valid: 1 service.\n")
    assert shell.local.calls == []


def test_validate_prints_the_file_with_its_defaults(shell: Shell) -> None:
    done = shell("validate", "--expanded")
    assert 'app = "shop"' in done.out
    shell.write(done.out)
    assert shell("validate", "--expanded").out == done.out


def test_validate_tells_all_problems_with_their_places(shell: Shell) -> None:
    shell.write(BAD)
    text = shell("validate")
    assert (text.code, text.out) == (1, "")
    assert "services.web.imagee" in text.err
    document = shell("validate", "--json")
    assert document.code == 1
    assert document.json["valid"] is False
    errors = [problem for problem in document.json["problems"] if problem["severity"] == "error"]
    assert {(problem["path"], problem["line"]) for problem in errors} == {("services.web.imagee", 6)}


@pytest.mark.parametrize("command", ["diff", "deploy", "destroy", "status"])
def test_every_command_tells_the_files_problems(shell: Shell, command: str) -> None:
    shell.write(BAD)
    assert shell(command).code == 1
    done = shell(command, "--json")
    document = done.events[-1] if command in {"deploy", "destroy"} else done.json
    assert document["error"]["kind"] == "config"
    assert document["error"]["problems"][0]["path"] == "services.web.imagee"


def test_the_file_is_found_in_a_parent_folder_and_by_name(shell: Shell) -> None:
    other = shell.write(FILE.replace('"shop"', '"other"'), "other.toml")
    assert shell("diff", "--json", "-c", str(other)).json["app"] == "other"
    below = shell.directory / "a" / "b"
    below.mkdir(parents=True)
    shell.directory = below
    assert shell("diff", "--json").json["app"] == "shop"
    missing = shell("diff", "--config", "nowhere.toml")
    assert missing.code == 1
    assert "nowhere.toml" in missing.err


def test_an_environment_is_chosen_by_option_or_variable(shell: Shell) -> None:
    shell.write(f"{FILE}\n[environments.prod]\n")
    assert shell("diff", "--json", "-e", "prod").json["environment"] == "prod"


def test_narrow_terminals_get_narrow_lines(shell: Shell) -> None:
    for line in shell("diff", width=60).out.splitlines():
        assert len(line) <= 60, line


def test_warnings_are_told_where_they_are_news(shell: Shell) -> None:
    told = "fargatectl.toml has 1 warning: fargatectl validate shows more"
    assert told in shell("diff").err
    assert told in shell("deploy", "--yes").err
    for command in ("diff", "deploy --yes", "status", "why", "deploy --yes --image shop/web:2"):
        assert "warning" not in shell(*command.split()).err
    shell.write(FILE.replace("port = 80", 'port = 80\nenv = { DB_PASSWORD = "x" }'))
    assert "fargatectl.toml has 2 warnings" in shell("diff").err
    assert "speaks plain HTTP" in shell("validate").err
    assert "warning" not in shell("destroy", "--yes").err
