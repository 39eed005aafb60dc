"""How deployments end, each in words of its own: looked at through the command line, on the local AWS."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from fargatectl.sandbox.faults import AwsError
from tests.cli.conftest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.http import Response
    from fargatectl.sandbox.wire import Call
    from tests.cli.conftest import Done, Shell

NEW = ("deploy", "--yes", "--image", "shop/web:2")
SCALED = FILE + "[services.web.scaling]\nmin = 2\nmax = 4\ncpu = 60\n"


class Meanwhile:
    """Has something happen in AWS while a rollout is followed: `act` is called once, so many seconds later."""

    def __init__(self, shell: Shell, seconds: float, act: Callable[[], object]) -> None:
        clock = shell.local.clock
        self._sleep, self._due, self._act, self._done = clock.sleep, clock.monotonic() + seconds, act, False
        shell.local.clock.sleep = self  # type: ignore[method-assign]
        self._clock = clock

    def __call__(self, seconds: float) -> None:
        self._sleep(seconds)
        if not self._done and self._clock.monotonic() >= self._due:
            self._done = True
            self._act()


def ecs(shell: Shell) -> Any:
    return shell._session(None).client("ecs", region_name="eu-central-1")


def words(done: Done) -> str:
    return " ".join(done.err.split())


def service(shell: Shell) -> Any:
    return ecs(shell).describe_services(cluster="shop", services=["shop-web"])["services"][0]


@pytest.fixture
def deployed(shell: Shell) -> Shell:
    assert shell("deploy", "--yes").code == 0
    shell.local.calls.clear()
    return shell


def test_rolled_back_by_ecs(deployed: Shell) -> None:
    failed = deployed("deploy", "--yes", "--image", "shop/web:unhealthy")
    assert failed.code == 3
    assert "The deployment of web failed, and ECS rolled it back. shop-web:1 serves 1 of 1 tasks." in words(failed)
    assert "ecs:StopServiceDeployment" not in deployed.writes()


def test_what_cannot_heal_is_stopped_after_the_second_proof(deployed: Shell) -> None:
    failed = deployed("deploy", "--yes", "--image", "shop/web:missing")
    assert failed.code == 3
    assert "web cannot become healthy: There is no image shop/web:missing." in words(failed)
    assert "could not succeed, and was stopped by us and rolled back. shop-web:1 serves 1 of 1" in words(failed)
    assert deployed.writes().count("ecs:StopServiceDeployment") == 1
    assert service(deployed)["taskDefinition"].endswith("shop-web:1")
    stopped = ecs(deployed).list_tasks(cluster="shop", serviceName="shop-web", desiredStatus="STOPPED")["taskArns"]
    assert len(stopped) == 2


def test_the_same_exit_code_three_times_is_enough_for_a_large_service(shell: Shell) -> None:
    shell.write(FILE.replace("port = 80", "port = 80\ncount = 4") + "[services.web.deploy]\ncircuit_breaker = false\n")
    assert shell("deploy", "--yes").code == 0
    failed = shell("deploy", "--yes", "--image", "shop/web:crash")
    assert failed.code == 3
    assert "was stopped by us" in words(failed)
    assert "exits with code 1" in words(failed)


def test_without_stop_early_ecs_decides(shell: Shell) -> None:
    shell.write(FILE + "[services.web.deploy]\nstop_early = false\n")
    shell("deploy", "--yes")
    failed = shell("deploy", "--yes", "--image", "shop/web:missing")
    assert failed.code == 3
    assert "failed, and ECS rolled it back" in words(failed)
    assert "ecs:StopServiceDeployment" not in shell.writes()


def test_that_it_may_not_be_stopped_is_told_and_ecs_decides(deployed: Shell) -> None:
    deployed.local.set("error.ecs.StopServiceDeployment=*:AccessDeniedException")
    failed = deployed("deploy", "--yes", "--image", "shop/web:missing")
    assert failed.code == 3
    assert "could not be stopped: AWS answered ecs:StopServiceDeployment with AccessDenied" in words(failed)
    assert "failed, and ECS rolled it back" in words(failed)


def test_a_first_deployment_is_not_stopped_but_emptied(shell: Shell) -> None:
    shell.write(FILE.replace("shop/web:1", "shop/web:missing"))
    failed = shell("deploy", "--yes")
    assert failed.code == 3
    assert "the first deployment of web: if it fails, there is no version to go back to" in words(failed)
    assert "there is no version to go back to: its count was set to 0" in words(failed)
    assert "fargatectl destroy" in words(failed)
    assert "ecs:StopServiceDeployment" not in shell.writes()
    assert (service(shell)["desiredCount"], service(shell)["runningCount"]) == (0, 0)
    again = shell("deploy", "--yes")
    assert again.code == 3, "its circuit breaker is at work again"
    assert "There is no image shop/web:missing." in words(again)
    shell.write(FILE)
    assert shell("deploy", "--yes").code == 0
    assert service(shell)["runningCount"] == 1
    assert "Nothing to change" in shell("deploy", "--yes").err


def test_the_scaling_of_a_first_deployment_is_suspended_before_its_count_is_set(shell: Shell) -> None:
    shell.write(SCALED.replace("shop/web:1", "shop/web:missing"))
    failed = shell("deploy", "--yes")
    assert failed.code == 3
    assert "its count is set to 0 and its scaling suspended" in words(failed)
    suspended, emptied = [
        call for call in shell.writes() if call.endswith((":RegisterScalableTarget", ":UpdateService"))
    ][-2:]
    assert (suspended, emptied) == ("application-autoscaling:RegisterScalableTarget", "ecs:UpdateService")
    assert service(shell)["desiredCount"] == 0
    again = shell("deploy", "--yes")
    assert again.code == 3, "nothing serves, and the same must fail again"
    assert "There is no image shop/web:missing." in words(again)
    assert service(shell)["desiredCount"] == 0
    shell.write(SCALED)
    assert shell("deploy", "--yes").code == 0
    assert service(shell)["runningCount"] == 2
    assert "Nothing to change" in shell("deploy", "--yes").err


def test_a_first_deployment_that_ecs_gave_up(shell: Shell) -> None:
    shell.write(FILE.replace("shop/web:1", "shop/web:unhealthy"))
    failed = shell("deploy", "--yes")
    assert failed.code == 3
    assert "it is the first one, and there is no version to go back to" in words(failed)
    assert "take away what was made: fargatectl destroy" in words(failed)


def test_the_last_twenty_lines_of_the_screen_tell_all(deployed: Shell) -> None:
    more = "".join(f'[services.s{n}]\nimage = "acme/s{n}:1"\n' for n in range(3))
    deployed.write(FILE + more)
    failed = deployed("deploy", "--yes", "--quiet", "--image", "web=shop/web:oom", width=80)
    assert failed.code == 3
    assert len(failed.err.strip().splitlines()) <= 20, failed.err
    for said in ("cause", "evidence", "fix", "Now:", "s2", "exit 3"):
        assert said in failed.err


def test_two_failures_are_told_on_one_screen(deployed: Shell) -> None:
    deployed.write(FILE + '[services.api]\nimage = "shop/api:crash"\n')
    failed = deployed("deploy", "--yes", "--quiet", "--image", "web=shop/web:missing", width=80)
    assert failed.code == 3
    assert len(failed.err.strip().splitlines()) <= 27, failed.err
    assert failed.err.count("cause") == failed.err.count("fix  ") == failed.err.count("evidence") == 2
    assert "There is no image shop/web:missing." in words(failed)
    assert "exits with code 1, " in words(failed)
    assert "steady state" not in failed.err, "what is said of a rollback that went well is no evidence"


def test_a_new_try_after_a_failure_is_not_taken_for_a_rollback(shell: Shell) -> None:
    shell.write(FILE.replace("shop/web:1", "shop/web:unhealthy"))
    assert shell("deploy", "--yes").code == 3
    shell.write(FILE)
    mended = shell("deploy", "--yes")
    assert mended.code == 0
    assert "rolling back" not in mended.err


def test_superseded(deployed: Shell) -> None:
    def somebody() -> None:
        ecs(deployed).update_service(cluster="shop", service="shop-web", forceNewDeployment=True)

    Meanwhile(deployed, 12, somebody)
    ended = deployed(*NEW)
    assert ended.code == 3
    assert "was superseded by another deployment that somebody has begun" in words(ended)


def test_stopped_by_somebody(deployed: Shell) -> None:
    def somebody() -> None:
        client = ecs(deployed)
        (running,) = client.list_service_deployments(cluster="shop", service="shop-web", status=["IN_PROGRESS"])[
            "serviceDeployments"
        ]
        client.stop_service_deployment(serviceDeploymentArn=running["serviceDeploymentArn"])

    Meanwhile(deployed, 12, somebody)
    ended = deployed(*NEW)
    assert ended.code == 3
    assert "was stopped and rolled back by somebody. shop-web:1 serves 1 of 1 tasks." in words(ended)
    again = " ".join(deployed("why", "web").out.split())
    assert "The deployment of web was stopped and rolled back by somebody." in again


def test_deleted_meanwhile(deployed: Shell) -> None:
    Meanwhile(deployed, 12, lambda: ecs(deployed).delete_service(cluster="shop", service="shop-web", force=True))
    ended = deployed(*NEW)
    assert ended.code == 3
    assert "ended because the service was deleted meanwhile. web is gone: nothing serves." in words(ended)


def test_emptied_meanwhile(deployed: Shell) -> None:
    Meanwhile(deployed, 12, lambda: ecs(deployed).update_service(cluster="shop", service="shop-web", desiredCount=0))
    ended = deployed(*NEW)
    assert ended.code == 3
    assert "because somebody set the count of the service to 0 meanwhile" in words(ended)


def test_another_count_is_told_and_no_failure(deployed: Shell) -> None:
    Meanwhile(deployed, 12, lambda: ecs(deployed).update_service(cluster="shop", service="shop-web", desiredCount=3))
    ended = deployed(*NEW)
    assert ended.code == 0
    assert "the desired count of web was changed from 1 to 3 meanwhile" in words(ended)
    assert service(deployed)["runningCount"] == 3


def test_stuck(shell: Shell) -> None:
    shell.write(FILE + '[services.web.deploy]\ntimeout = "5m"\n')
    shell("deploy", "--yes")
    shell.local.set("capacity.FARGATE=none")
    ended = shell("deploy", "--yes", "--image", "shop/web:2")
    assert ended.code == 6
    assert "goes on in AWS: it is not over after 5 min" in words(ended)
    assert "AWS has no capacity for the tasks in their zones at present" in words(ended)
    assert "shop-web:1 serves 1 of 1 tasks" in words(ended)


def test_it_says_how_far_it_is_and_how_long_it_will_take(shell: Shell) -> None:
    done = shell("deploy", "--yes")
    assert re.search(r"web: starting tasks; .*; about \d+ m( \d+ s)? left", done.err)
    assert "web: starting tasks; shop-web:1 0/1 healthy, 1 pending" in done.err
    assert "web: has started 1 tasks" in done.err


def test_attach_follows_what_runs_and_writes_nothing(deployed: Shell) -> None:
    assert "has no rollout under way" in words(deployed("deploy", "--attach"))
    handed_over = deployed(*NEW, "--no-wait")
    assert handed_over.code == 0
    assert "fargatectl deploy --attach" in words(handed_over)
    deployed.local.calls.clear()
    followed = deployed("deploy", "--attach")
    assert followed.code == 0
    assert "shop is steady: 1 rollout ended well after" in words(followed)
    assert deployed.writes() == []
    assert deployed("deploy", "--attach", "--json").events[-1]["outcome"] == "unchanged"


def test_attach_tells_of_a_failure_and_never_stops_what_others_began(deployed: Shell) -> None:
    deployed("deploy", "--yes", "--no-wait", "--image", "shop/web:missing")
    deployed.local.calls.clear()
    failed = deployed("deploy", "--attach")
    assert failed.code == 3
    assert "failed, and ECS rolled it back. shop-web:1 serves 1 of 1 tasks." in words(failed)
    assert "There is no image shop/web:missing." in words(failed)
    assert [call for call in deployed.local.calls if call.mutating] == []


def test_attach_to_a_rollback_tells_of_what_failed(deployed: Shell) -> None:
    deployed("deploy", "--yes", "--no-wait", "--image", "shop/web:unhealthy")
    while not any(d.get("rolloutState") == "FAILED" for d in service(deployed)["deployments"]):
        deployed.local.clock.sleep(1)
    failed = deployed("deploy", "--attach", "--json")
    assert failed.code == 3
    assert failed.events[-1]["failed"][0]["message"] == "the deployment of web failed, and ECS rolled it back"


@pytest.mark.parametrize("option", [["--image", "shop/web:2"], ["--no-wait"], ["--plan", "x"]])
def test_attach_changes_nothing(shell: Shell, option: list[str]) -> None:
    refused = shell("deploy", "--attach", *option)
    assert refused.code == 1
    assert f"--attach and {option[0]} exclude each other" in words(refused)


def test_the_first_ctrl_c_says_what_goes_on_and_how_to_follow_it_or_go_back(deployed: Shell) -> None:
    def ctrl_c() -> None:
        assert deployed.surroundings is not None
        deployed.surroundings.signals.handle(signal.SIGINT, None)

    Meanwhile(deployed, 12, ctrl_c)
    left = deployed(*NEW)
    assert left.code == 130
    assert "The rollout of web to shop-web:2 (0 of 1 healthy) goes on in AWS." in words(left)
    assert "Follow it: fargatectl deploy --attach. Go back: fargatectl rollback web." in words(left)
    assert "Run the same command again" not in words(left), "nothing else is left to do"
    assert deployed("deploy", "--attach").code == 0
    assert service(deployed)["taskDefinition"].endswith("shop-web:2")


def test_a_network_that_is_away_for_a_minute_ends_nothing(deployed: Shell) -> None:
    clock = deployed.local.clock
    away = (clock.monotonic() + 10, clock.monotonic() + 70)
    open_session = deployed._session

    def session(profile: str | None) -> Any:
        made = open_session(profile)

        def send(**_: Any) -> None:
            if away[0] < clock.monotonic() < away[1]:
                raise EndpointConnectionError(endpoint_url="https://ecs.eu-central-1.amazonaws.com")

        made.events.register_first("before-send.ecs", send)
        return made

    deployed._session = session  # type: ignore[method-assign]
    done = deployed(*NEW)
    assert done.code == 0
    assert words(done).count("AWS could not be reached") == 1
    assert "the rollout goes on in AWS, and is looked at again" in words(done)
    assert "web: steady" in done.err


def test_a_network_that_stays_away_is_told(deployed: Shell) -> None:
    clock = deployed.local.clock
    end = clock.monotonic() + 10
    open_session = deployed._session

    def session(profile: str | None) -> Any:
        made = open_session(profile)

        def send(**_: Any) -> None:
            if clock.monotonic() > end:
                raise EndpointConnectionError(endpoint_url="https://ecs.eu-central-1.amazonaws.com")

        made.events.register_first("before-send.ecs", send)
        return made

    deployed._session = session  # type: ignore[method-assign]
    done = deployed(*NEW)
    assert done.code == 5
    assert "AWS could not be reached" in words(done)


def test_credentials_that_end_during_a_rollout_end_the_following_and_not_the_rollout(shell: Shell) -> None:
    ended: list[bool] = []

    def expire(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "DescribeServiceDeployments":
            ended.append(True)
        if ended:
            raise AwsError("ExpiredTokenException", "The security token included in the request is expired")
        return apply()

    shell.local.intercept(expire)
    done = shell("deploy", "--yes", width=300)
    assert done.code == 5
    assert "rollout goes on in AWS, and cannot be followed any more" in words(done)
    assert "The credentials have expired: log in again" in words(done)
    assert "is followed by DescribeServices instead" not in done.err

    shell.local.intercept(None)
    assert shell("deploy", "--yes").code == 0
