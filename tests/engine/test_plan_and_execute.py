"""The engine on a kind that lives in a dictionary: order, ownership, replacement, failure, sweep."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.executor import execute
from fargatectl.engine.planner import plan
from fargatectl.errors import ConfigError, NotFoundError, PlanChanged, Refused, RolloutFailed
from fargatectl.model.change import Action
from fargatectl.model.diagnosis import Diagnosis
from fargatectl.model.spec import Effect
from fargatectl.model.values import Address
from tests.engine.fakes import Child, Children, LastingThings, Place, Thing, Things, World
from tests.inline import Inline

if TYPE_CHECKING:
    from fargatectl.engine.executor import Outcome
    from fargatectl.engine.planner import Planning
    from fargatectl.engine.stack import Stack
    from fargatectl.model.events import Event

NewStack = "Callable[..., Stack]"


def planned(stack: Stack, aws: Any, **options: Any) -> Planning:
    return plan(stack, aws, Inline(), **options)


def done(stack: Stack, aws: Any, *, settle: Any = None, **options: Any) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []
    outcome = execute(planned(stack, aws, **options), aws, Inline(), emit=events.append, settle=settle)
    return outcome, events


def ended(address: Any, outputs: Any, *, changed: bool) -> Future[Any]:
    del address, outputs, changed
    future: Future[Any] = Future()
    future.set_result("steady")
    return future


def family(stack: Stack, world: World, *, shape: str = "round", size: int = 1) -> Stack:
    parent = stack.add(LastingThings(world), "home", Thing(name=f"home-{shape}", shape=shape), group="all")
    stack.add(Children(world), "kid", Child(name="kid", size=size, parent=parent.ref(lambda made: made)), group="all")
    return stack


def actions(planning: Planning) -> dict[str, str]:
    return {change.address: change.action.value for change in planning.plan.changes}


def test_second_plan_is_empty(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    again = planned(family(new_stack(), world), aws)
    assert not again.plan
    assert again.plan.unchanged == 2


def test_children_are_made_after_what_they_need(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    writes = [call for call in world.calls if not call.startswith("read")]
    assert writes == ["create home-round", "create kid"]


def test_a_value_of_what_does_not_exist_is_known_after_apply(new_stack: Any, world: World, aws: Any) -> None:
    planning = planned(family(new_stack(), world), aws)
    (kid,) = [change for change in planning.plan.changes if change.address.startswith("fake.child")]
    assert [f.path for f in kid.fields if f.known_after_apply] == ["parent"]


def test_a_child_of_nothing_is_not_looked_for(new_stack: Any, world: World, aws: Any) -> None:
    planned(family(new_stack(), world), aws)
    assert world.calls == ["read fake.lasting home-round"]


def test_equal_kinds_are_read_in_one_go(new_stack: Any, world: World, aws: Any) -> None:
    stack = new_stack()
    for name in ("a", "b", "c"):
        stack.add(Things(world), name, Thing(name=name), group="all")
    planned(stack, aws)
    assert world.calls == ["read fake.thing a b c"]


def test_what_changed_is_updated_in_place(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    done(family(new_stack(), world, size=5), aws)
    assert "update kid size" in world.calls


def test_none_is_never_compared(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    (made,) = [made for made in world.things if made.startswith("kid")]
    world.things[made] = replace(world.things[made], count=7)
    assert not planned(family(new_stack(), world), aws).plan


def test_an_immutable_change_replaces_and_moves_the_users_first(new_stack: Any, world: World, aws: Any) -> None:
    stack = new_stack()
    home = stack.add(LastingThings(world), "home", Thing(name="home", shape="round"), group="all")
    stack.add(Things(world), "user", Thing(name="user", parent=home.ref(lambda made: made)), group="all")
    done(stack, aws)
    world.calls.clear()
    stack = new_stack()
    home = stack.add(LastingThings(world), "home", Thing(name="home", shape="square"), group="all")
    stack.add(Things(world), "user", Thing(name="user", parent=home.ref(lambda made: made)), group="all")
    planning = planned(stack, aws)
    assert actions(planning) == {"fake.lasting/home": "replace", "fake.thing/user": "update"}
    assert planning.plan.effect == Effect.REPLACEMENT
    execute(planning, aws, Inline(), emit=lambda _: None, settle=ended)
    writes = [call for call in world.calls if not call.startswith("read")]
    assert writes == ["create home", "update user parent", "delete home"]


def test_what_cannot_stand_beside_its_replacement_stays_until_that_can_be_made(
    new_stack: Any, world: World, aws: Any
) -> None:
    def family_of(shape: str, size: int) -> Stack:
        stack: Stack = new_stack()
        home = stack.add(Things(world), "home", Thing(name="home", size=size), group="all")
        room = Thing(name="room", shape=shape, parent=home.ref(lambda made: made))
        stack.add(Things(world), "room", room, group="all")
        return stack

    done(family_of("round", 1), aws)
    world.calls.clear()
    world.broken.add("home")
    outcome, _ = done(family_of("square", 2), aws)
    assert not outcome.complete
    assert not [call for call in world.calls if call.startswith("delete")]
    world.broken.clear()
    world.calls.clear()
    done(family_of("square", 2), aws)
    writes = [call for call in world.calls if not call.startswith("read")]
    assert writes == ["update home size", "delete room", "create room"]


def test_foreign_things_are_refused_with_their_owner(new_stack: Any, world: World, aws: Any) -> None:
    world.make(Thing(name="home-round", tags={"fargatectl:app": "other"}))
    with pytest.raises(Refused, match="the app other"):
        planned(family(new_stack(), world), aws)


def test_another_environment_is_foreign(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack("prod"), world), aws)
    with pytest.raises(Refused, match="environment prod"):
        planned(family(new_stack("staging"), world), aws)


def test_adopting_tags_and_converges(new_stack: Any, world: World, aws: Any) -> None:
    world.make(Thing(name="home-round", size=3, tags={"theirs": "stays"}))
    _, events = done(family(new_stack(), world), aws, adopt={Address("fake.lasting/home")})
    assert [e.verb for e in events if e.state == "done"] == ["adopt", "create"]  # type: ignore[union-attr]
    home = next(thing for made, thing in world.things.items() if made.startswith("home"))
    assert (home.size, home.tags["theirs"], home.tags["fargatectl:app"]) == (1, "stays", "shop")
    assert not planned(family(new_stack(), world), aws).plan


def test_what_left_the_file_is_swept_after_everything_else(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    stack = new_stack()
    stack.add(Things(world), "new", Thing(name="new"), group="all")
    planning = planned(stack, aws)
    assert actions(planning) == {"fake.thing/new": "create", "fake.lasting/home": "delete", "fake.child/kid": "delete"}
    world.calls.clear()
    execute(planning, aws, Inline(), emit=lambda _: None, settle=ended)
    assert world.calls == ["create new", "delete kid", "delete home-round"]


def test_only_the_named_things_change_and_nothing_is_swept(new_stack: Any, world: World, aws: Any) -> None:
    world.make(Thing(name="orphan", tags={"fargatectl:app": "shop"}))
    planning = planned(family(new_stack(), world), aws, only={Address("fake.lasting/home")})
    assert actions(planning) == {"fake.lasting/home": "create"}


def test_destroy_deletes_users_first_and_leaves_foreign_things(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    world.make(Thing(name="foreign"))
    world.calls.clear()
    done(family(new_stack(), world), aws, absent=True)
    writes = [call for call in world.calls if not call.startswith("read")]
    assert writes == ["delete kid", "delete home-round"]
    assert [thing.name for thing in world.things.values()] == ["foreign"]
    assert not planned(family(new_stack(), world), aws, absent=True).plan


def test_a_failure_skips_dependents_and_nothing_else(new_stack: Any, world: World, aws: Any) -> None:
    stack = family(new_stack(), world)
    stack.add(Things(world), "other", Thing(name="other"), group="all")
    world.broken.add("home-round")
    outcome, events = done(stack, aws)
    assert list(outcome.failed) == ["fake.lasting/home"]
    assert outcome.skipped == {"fake.child/kid": "fake.lasting/home"}
    assert "create other" in world.calls
    assert not outcome.complete
    assert [e.state for e in events if e.address == "fake.child/kid"] == ["skipped"]  # type: ignore[union-attr]


def test_a_rerun_after_a_failure_finishes(new_stack: Any, world: World, aws: Any) -> None:
    world.broken.add("kid")
    done(family(new_stack(), world), aws)
    world.broken.clear()
    outcome, _ = done(family(new_stack(), world), aws)
    assert outcome.complete
    assert not planned(family(new_stack(), world), aws).plan


def test_a_contradiction_of_the_plan_stops_the_step(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    planning = planned(family(new_stack(), world, size=5), aws)
    kid = planning.stack.resources[Address("fake.child/kid")]
    planning.stack.resources[kid.address] = replace(kid, spec=replace(kid.spec, slow=9))
    outcome = execute(planning, aws, Inline(), emit=lambda _: None)
    assert isinstance(outcome.failed[kid.address], PlanChanged)


def test_stopping_finishes_nothing_new_and_says_what_is_left(new_stack: Any, world: World, aws: Any) -> None:
    planning = planned(family(new_stack(), world), aws)
    outcome = execute(planning, aws, Inline(), emit=lambda _: None, stopped=lambda: "create home-round" in world.calls)
    assert "create kid" not in world.calls
    assert outcome.left == (Address("fake.child/kid"),)


def test_missing_references_are_told_all_at_once(new_stack: Any, world: World, aws: Any) -> None:
    stack = family(new_stack(), world)
    places: Any = {"vpc": NotFoundError("no VPC", path="network.vpc"), "secret": NotFoundError("no secret", path="s")}
    for name in places:
        stack.find(Place(places), name, Thing(name=name))
    with pytest.raises(ConfigError) as caught:
        planned(stack, aws)
    assert [problem.path for problem in caught.value.problems] == ["network.vpc", "s"]


def test_destroy_does_not_need_what_the_file_refers_to(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    stack = family(new_stack(), world)
    stack.find(Place({"vpc": NotFoundError("no VPC")}), "vpc", Thing(name="vpc"))
    done(stack, aws, absent=True)
    assert not world.things


def test_notes_are_told_once(new_stack: Any, world: World, aws: Any) -> None:
    stack = family(new_stack(), world)
    place = stack.find(Place({"vpc": "here"}), "vpc", Thing(name="vpc"))
    stack.note(place.ref(lambda where: f"tasks run {where}"))
    stack.note(place.ref(lambda where: f"tasks run {where}"))
    assert planned(stack, aws).plan.notes == ("tasks run here",)


class Attachments(Things):
    kind = "fake.attachment"
    noun = "attachment"
    taggable = False


def attached(stack: Stack, world: World) -> Stack:
    home = stack.add(LastingThings(world), "home", Thing(name="home"), group="all")
    attachment = Thing(name="attachment", parent=home.ref(lambda made: made))
    stack.add(Attachments(world), "attachment", attachment, group="all")
    return stack


def test_what_takes_no_tags_belongs_to_whom_its_parent_belongs(new_stack: Any, world: World, aws: Any) -> None:
    done(attached(new_stack(), world), aws)
    (home,) = [made for made, thing in world.things.items() if thing.name == "home"]
    world.things[home] = replace(world.things[home], tags={"fargatectl:app": "other"})
    assert not planned(attached(new_stack(), world), aws, absent=True).plan
    world.things[home] = replace(world.things[home], tags={"fargatectl:app": "shop"})
    assert planned(attached(new_stack(), world), aws, absent=True).plan.count(Action.DELETE) == 2


class Keepsakes(Things):
    kind = "fake.keepsake"

    def kept(self, live: Any) -> bool:
        return bool(live.spec.tags.get("keep"))


def test_what_is_kept_outlives_a_destroy_and_is_told(new_stack: Any, world: World, aws: Any) -> None:
    stack = new_stack()
    stack.add(Keepsakes(world), "letters", Thing(name="letters", tags={"keep": "yes"}), group="all")
    done(stack, aws)
    planning = planned(stack, aws, absent=True)
    assert not planning.plan
    assert planning.kept == ("thing letters",)


class Rolling(Things):
    kind = "fake.thing"
    settles = True


def test_drops_wait_for_the_settle_and_are_skipped_when_it_fails(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    stack = new_stack()
    stack.add(Rolling(world), "rolling", Thing(name="rolling"), group="all")

    def failing(address: Any, outputs: Any, *, changed: bool) -> Future[Any]:
        del address, outputs, changed
        future: Future[Any] = Future()
        future.set_exception(RolloutFailed("no", diagnosis=Diagnosis("rolling", "?", (), "old")))
        return future

    outcome, _ = done(stack, aws, settle=failing)
    assert isinstance(outcome.failed[Address("fake.thing/rolling")], RolloutFailed)
    assert {thing.name for thing in world.things.values()} == {"home-round", "kid", "rolling"}


class Doors(Things):
    """What shrinks only when nobody old needs it any more."""

    kind = "fake.door"

    def meanwhile(self, spec: Thing, live: Any) -> Thing:
        return replace(spec, size=max(spec.size, live.spec.size))


def doors(stack: Stack, world: World, size: int, slow: int = 0) -> Stack:
    door = stack.add(Doors(world), "door", Thing(name="door", size=size, slow=slow), group="all")
    stack.add(Rolling(world), "rolling", Thing(name="rolling", parent=door.ref(lambda made: made)), group="all")
    return stack


def test_what_the_old_revision_needs_is_taken_away_after_the_settle(new_stack: Any, world: World, aws: Any) -> None:
    done(doors(new_stack(), world, 5), aws, settle=ended)
    world.calls.clear()
    sizes: list[int] = []

    def watching(address: Any, outputs: Any, *, changed: bool) -> Future[Any]:
        sizes.extend(thing.size for thing in world.things.values() if thing.name == "door")
        return ended(address, outputs, changed=changed)

    outcome, _ = done(doors(new_stack(), world, 1, slow=3), aws, settle=watching)
    assert outcome.complete
    assert sizes == [5]
    assert [call for call in world.calls if not call.startswith("read")] == ["update door slow", "update door size"]
    assert not planned(doors(new_stack(), world, 1, slow=3), aws).plan


def test_nothing_is_taken_away_when_the_settle_fails_or_nobody_waits(new_stack: Any, world: World, aws: Any) -> None:
    done(doors(new_stack(), world, 5), aws, settle=ended)
    world.calls.clear()

    def failing(address: Any, outputs: Any, *, changed: bool) -> Future[Any]:
        del address, outputs, changed
        future: Future[Any] = Future()
        future.set_exception(RolloutFailed("no", diagnosis=Diagnosis("rolling", "?", (), "old")))
        return future

    outcome, _ = done(doors(new_stack(), world, 1), aws, settle=failing)
    assert outcome.skipped == {Address("fake.door/door"): Address("fake.thing/rolling")}
    outcome, _ = done(doors(new_stack(), world, 1), aws)
    assert outcome.postponed == (Address("fake.door/door"),)
    assert not [call for call in world.calls if not call.startswith("read")]
    assert actions(planned(doors(new_stack(), world, 1), aws)) == {"fake.door/door": "update"}


def test_what_only_grows_is_changed_at_once(new_stack: Any, world: World, aws: Any) -> None:
    done(doors(new_stack(), world, 1), aws, settle=ended)
    world.calls.clear()
    outcome, _ = done(doors(new_stack(), world, 5), aws, settle=ended)
    assert outcome.applied == 1
    assert [call for call in world.calls if "door" in call and not call.startswith("read")] == ["update door size"]
    assert sum(call.startswith("read fake.door") for call in world.calls) == 1


def test_unchanged_things_settle_too(new_stack: Any, world: World, aws: Any) -> None:
    seen: list[bool] = []

    def settle(address: Any, outputs: Any, *, changed: bool) -> Future[Any]:
        seen.append(changed)
        return ended(address, outputs, changed=changed)

    for _ in range(2):
        stack = new_stack()
        stack.add(Rolling(world), "rolling", Thing(name="rolling"), group="all")
        done(stack, aws, settle=settle)
    assert seen == [True, False]


def test_threads_reach_the_same_end(new_stack: Any, world: World, aws: Any) -> None:
    stack = new_stack()
    for number in range(20):
        first = stack.add(LastingThings(world), f"h{number}", Thing(name=f"h{number}"), group="all")
        child = Child(name=f"k{number}", parent=first.ref(lambda made: made))
        stack.add(Children(world), f"k{number}", child, group="all")
    with ThreadPoolExecutor(8) as pool:
        outcome = execute(plan(stack, aws, pool), aws, pool, emit=lambda _: None)
    assert outcome.complete
    assert outcome.applied == 40
    assert not plan(stack, aws, Inline()).plan


def test_a_child_of_a_replaced_parent_is_replaced(new_stack: Any, world: World, aws: Any) -> None:
    done(family(new_stack(), world), aws)
    made = next(made for made in world.things if made.startswith("home"))
    world.things[made] = replace(world.things[made], shape="oval")
    planning = planned(family(new_stack(), world), aws)
    assert actions(planning) == {"fake.lasting/home": Action.REPLACE, "fake.child/kid": Action.REPLACE}
