from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.refusals import REFUSALS

if TYPE_CHECKING:
    from tests.sandbox.ecs_scene import Scene
    from tests.sandbox.refusals.row import Refusal


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: row.fact)
def test_what_aws_refuses_is_refused(row: Refusal, scene: Scene) -> None:
    with pytest.raises(ClientError) as caught:
        row.act(scene)
    error = caught.value.response["Error"]
    assert (error["Code"], row.says in error["Message"]) == (row.code, True), error
