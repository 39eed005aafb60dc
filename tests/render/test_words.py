"""Messages of AWS in the words of people: names in place of ARNs, and what a new role's first moments mean."""

from __future__ import annotations

import pytest

from fargatectl.render.words import event_words, sentence, without_arns

PLACE = "eu-central-1:123456789012"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"arn:aws:elasticloadbalancing:{PLACE}:targetgroup/shop-web-1a2b3c4d/0123456789abcdef", "shop-web-1a2b3c4d"),
        (f"arn:aws:elasticloadbalancing:{PLACE}:loadbalancer/app/shop-public/0123456789abcdef", "shop-public"),
        (f"arn:aws-us-gov:ecs:{PLACE}:task/shop/7d51d478b555fc47", "7d51d478b555fc47"),
        (f"arn:aws:ecs:{PLACE}:task-definition/shop-web:7", "shop-web:7"),
        ("arn:aws:iam::123456789012:role/fargatectl/shop/shop-web-execution", "shop-web-execution"),
        (f"arn:aws:secretsmanager:{PLACE}:secret:shop/db-AbCdEf", "shop/db-AbCdEf"),
        (f"arn:aws:logs:{PLACE}:log-group:/shop/web:*", "/shop/web"),
        (f"arn:aws-cn:sns:{PLACE}:ops", "ops"),
        ("arn:aws:s3:::shop-logs", "shop-logs"),
    ],
)
def test_a_thing_is_told_by_its_name_and_not_by_its_arn(arn: str, name: str) -> None:
    assert without_arns(f"cannot use ({arn}).") == f"cannot use ({name})."
    assert without_arns(f"cannot use '{arn}'. Why?") == f"cannot use '{name}'. Why?"


def test_a_role_that_iam_does_not_show_yet_is_told_with_what_ecs_does_about_it() -> None:
    message = (
        "(service shop-web) failed to launch a task with (error ECS was unable to assume the role "
        "'arn:aws:iam::123456789012:role/fargatectl/shop/shop-web-execution' that was provided for this task. "
        "Please verify that the role being passed has the proper trust relationship and permissions and that your "
        "IAM user has permissions to pass this role.)."
    )
    assert event_words(message) == (
        "failed to launch a task with role shop-web-execution: ECS cannot assume it yet, and tries again."
    )


def test_an_event_is_as_short_as_it_can_be() -> None:
    message = (
        "(service shop-web) was unable to place a task (task 80a40c0102ac76a4c2d50263c4e8aec4). For more information, "
        "see the Troubleshooting section of the Amazon ECS Developer Guide."
    )
    assert event_words(message) == "was unable to place a task (task 80a40c01)."


def test_a_command_stays_as_it_is_typed() -> None:
    assert sentence("fargatectl history web shows it") == "fargatectl history web shows it."
    assert sentence("no task runs") == "No task runs."
