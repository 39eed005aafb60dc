"""Whose it is: twins of every kind are refused by name or taken over on demand, neighbours are left alone, and proof
that has grown old is asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.aws.tags import ecs_pairs, pairs
from fargatectl.errors import Refused
from fargatectl.model.change import Action
from fargatectl.model.ownership import ADDRESS, APP, ENVIRONMENT
from fargatectl.model.values import Address
from fargatectl.sandbox.inprocess import LocalAws
from fargatectl.stack import KINDS
from tests.forked import in_a_copy
from tests.scenarios.account import contents
from tests.test_contract import FILE, VARIABLES
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.aws.session import Aws
    from fargatectl.engine.executor import Outcome
    from fargatectl.engine.reconciler import AnyLive

ADDRESSES = [
    "cluster.cluster/shop",
    "cloudmap.namespace/shop.internal",
    "cloudmap.service/web",
    "network.security_group/public-alb",
    "network.security_group/web-task",
    "alb.load_balancer/public",
    "alb.listener/public:443",
    "alb.target_group/web",
    "logs.group/shop/web",
    "jobs.group/shop",
    "jobs.task_definition/report",
    "registry.secret/gitlab",
    "iam.role/web-execution",
    "iam.role/web-task",
    "service.task_definition/web",
    "service.service/web",
    "scaling.target/web",
    "alarms.alarm/web/scaling/burst",
    "dashboard.dashboard/eu-central-1",
]
NAMELESS = {"alb.rule", "dns.certificate", "dns.record"}
"""Kinds that have no twin by tags: rules and certificates have no name that somebody else's could have too, a record
takes no tags."""
KEYS = [APP, ENVIRONMENT, ADDRESS]
RIVAL = {APP: "rival", ENVIRONMENT: "prod"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The whole file, deployed. Tests work on copies of it."""
    world = World(LocalAws(), tmp_path_factory.mktemp("ownership"), variables=VARIABLES)
    world.deploy(FILE)
    return world


@pytest.fixture(scope="module")
def lives(world: World) -> dict[str, AnyLive]:
    """What there is at each address of the deployed file."""
    found = world.plan(FILE).planned
    return {address: planned.live for address, planned in found.items() if planned.live is not None}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An account in which nothing of the file has been made."""
    return World(LocalAws(), tmp_path_factory.mktemp("fresh"), variables=VARIABLES)


def _retag_group(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del arn
    aws.ec2.delete_tags(Resources=[live.id], Tags=[{"Key": key} for key in KEYS])
    if tags:
        aws.ec2.create_tags(Resources=[live.id], Tags=pairs(tags))


def _retag_elb(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.elb.remove_tags(ResourceArns=[arn], TagKeys=KEYS)
    if tags:
        aws.elb.add_tags(ResourceArns=[arn], Tags=pairs(tags))


def _retag_ecs(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.ecs.untag_resource(resourceArn=arn, tagKeys=KEYS)
    if tags:
        aws.ecs.tag_resource(resourceArn=arn, tags=ecs_pairs(tags))


def _retag_role(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del arn
    aws.iam.untag_role(RoleName=live.spec.name, TagKeys=KEYS)
    if tags:
        aws.iam.tag_role(RoleName=live.spec.name, Tags=pairs(tags))


def _retag_discovery(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.cloudmap.untag_resource(ResourceARN=arn, TagKeys=KEYS)
    if tags:
        aws.cloudmap.tag_resource(ResourceARN=arn, Tags=pairs(tags))


def _retag_logs(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.logs.untag_resource(resourceArn=arn, tagKeys=KEYS)
    if tags:
        aws.logs.tag_resource(resourceArn=arn, tags=tags)


def _retag_scaling(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.autoscaling.untag_resource(ResourceARN=arn, TagKeys=KEYS)
    if tags:
        aws.autoscaling.tag_resource(ResourceARN=arn, Tags=tags)


def _retag_schedules(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.scheduler.untag_resource(ResourceArn=arn, TagKeys=KEYS)
    if tags:
        aws.scheduler.tag_resource(ResourceArn=arn, Tags=pairs(tags))


def _retag_alarm(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=KEYS)
    if tags:
        aws.cloudwatch.tag_resource(ResourceARN=arn, Tags=pairs(tags))


def _retag_secret(aws: Aws, live: AnyLive, arn: str, tags: dict[str, str]) -> None:
    del live
    aws.secrets.untag_resource(SecretId=arn, TagKeys=KEYS)
    if tags:
        aws.secrets.tag_resource(SecretId=arn, Tags=pairs(tags))


def retag(aws: Aws, live: AnyLive, tags: dict[str, str]) -> None:
    """Have `live` carry `tags` instead of those that make it ours, as somebody else would do it."""
    arn = getattr(live.out, "arn", live.id)
    service = "ec2" if live.id.startswith("sg-") else arn.split(":")[2]
    {
        "ec2": _retag_group,
        "elasticloadbalancing": _retag_elb,
        "ecs": _retag_ecs,
        "iam": _retag_role,
        "servicediscovery": _retag_discovery,
        "logs": _retag_logs,
        "secretsmanager": _retag_secret,
        "application-autoscaling": _retag_scaling,
        "cloudwatch": _retag_alarm,
        "scheduler": _retag_schedules,
    }[service](aws, live, arn, tags)


def test_every_kind_has_a_twin_here_or_cannot_have_one() -> None:
    named = {address.partition("/")[0] for address in ADDRESSES}
    assert {kind.kind for kind in KINDS if kind.taggable} - named - NAMELESS == set()


@pytest.mark.parametrize(
    ("tags", "owner"),
    [(RIVAL, "the app rival in environment prod"), ({APP: "shop", ENVIRONMENT: "prod"}, "shop in environment prod")],
)
@pytest.mark.parametrize("address", ADDRESSES)
@in_a_copy
def test_a_twin_is_refused_and_its_owner_named(
    world: World, lives: dict[str, AnyLive], address: str, tags: dict[str, str], owner: str
) -> None:
    retag(world.aws, lives[address], tags)
    world.local.calls.clear()
    with pytest.raises(Refused) as refused:
        world.deploy(FILE)
    assert address in refused.value.message
    assert owner in refused.value.message
    assert list(world.writes()) == []


# A revision without tags belongs to whoever runs the service: a pipeline of ours may have registered it.
@pytest.mark.parametrize("address", [each for each in ADDRESSES if each != "service.task_definition/web"])
@in_a_copy
def test_a_twin_of_nobody_is_refused_until_it_is_adopted(world: World, lives: dict[str, AnyLive], address: str) -> None:
    retag(world.aws, lives[address], {})
    with pytest.raises(Refused, match="somebody else"):
        world.plan(FILE)
    adopted = world.plan(FILE, adopt={Address(address)})
    assert [c.address for c in adopted.plan.changes if c.action is Action.ADOPT] == [address]
    world.deploy(FILE, adopt={Address(address)})
    again = world.plan(FILE)
    live = again.planned[Address(address)].live
    assert live is not None
    assert live.spec.tags[APP] == "shop"
    assert not again.plan


@pytest.mark.parametrize("address", ADDRESSES)
@in_a_copy
def test_a_destroy_leaves_a_twin_alone(world: World, lives: dict[str, AnyLive], address: str) -> None:
    retag(world.aws, lives[address], RIVAL)
    changes = {change.address for change in world.plan(FILE, absent=True).plan.changes}
    assert address not in changes
    assert changes


@in_a_copy
def test_what_was_taken_over_is_destroyed_like_all_else(world: World, lives: dict[str, AnyLive]) -> None:
    """All of it at once, but for what no name finds again."""
    adopted = {Address(each) for each in ADDRESSES if each != "service.task_definition/web"}
    for address in adopted:
        retag(world.aws, lives[address], {})
    world.deploy(FILE, adopt=adopted)
    assert not world.plan(FILE).plan
    world.destroy(FILE)
    assert not world.plan(FILE, absent=True).plan
    left = contents(world.aws)
    assert not left.pop("inactive") - left["task definitions"]
    named = {name for names in left.values() for name in names if "shop" in name and "example.com" not in name}
    assert named == {"shop/web"}  # the secret that the file refers to


@in_a_copy
def test_nothing_is_deleted_whose_tags_are_gone_when_its_turn_comes(world: World, lives: dict[str, AnyLive]) -> None:
    before = contents(world.aws)

    def strip() -> None:
        for address in ADDRESSES:
            retag(world.aws, lives[address], RIVAL)

    outcome = deploy_late(world, FILE, strip, absent=True)
    assert all(isinstance(error, Refused) for error in outcome.failed.values())
    after = contents(world.aws)
    gone = {name for kind in before for name in before[kind] - after[kind] if kind != "records"}
    assert gone == {"shop/report", "shop-report-schedule"}  # the first write, and a role that nobody took


NAMED = {"CreateCluster", "CreateLogGroup", "CreateSecurityGroup", "CreateScheduleGroup", "CreateSecret", "CreateRole"}


@pytest.mark.parametrize("operations", [NAMED, {"ecs:CreateService"}], ids=["what comes first", "service"])
@in_a_copy
def test_a_twin_that_comes_after_the_plan_is_refused(fresh: World, operations: set[str]) -> None:
    """Somebody makes the same a moment before we do, without our tags."""
    world, made = fresh, set()
    region = world.local.cloud.region(world.local.account, world.local.region)

    def forestall(call: Any, apply: Any) -> Any:
        name = f"{call.service}:{call.operation}" if call.operation == "CreateService" else call.operation
        if name in operations and str(call.params) not in made:
            made.add(str(call.params))
            ours = {"tags", "Tags", "TagSpecifications", "clientToken", "ClientToken", "ClientRequestToken"}
            with world.local.cloud.moto.active():
                theirs = {key: value for key, value in call.params.items() if key not in ours}
                region.ask(call.service, call.operation, **theirs)
        return apply()

    world.local.intercept(forestall)
    outcome = world.try_to_deploy(FILE)
    assert outcome.failed
    assert len(made) >= len(outcome.failed)
    told = [f"{type(error).__name__} {error.message}" for error in outcome.failed.values()]
    assert [one for one in told if "exists already and belongs to somebody else" not in one] == []
    world.local.intercept(None)
    with pytest.raises(Refused):
        world.plan(FILE)


BASE = FILE + "\n[environments.staging]\n\n[environments.prod]\n"
HOST = 'host         = ["shop.example.com"]'
APART = BASE.replace("shop.internal", "${environment}.internal").replace(HOST, 'host = ["${environment}.example.com"]')
"""Environments share neither a namespace nor a host: there is one record of a name."""
RIVALS = FILE.replace('app     = "shop"', 'app     = "shop-staging"').replace("shop.internal", "rival.internal")


@in_a_copy
def test_environments_and_apps_live_side_by_side(world: World) -> None:
    """The base, two environments, and an app whose name begins like one of them."""
    local = world.local
    neighbours = [World(local, world.directory, environment=name, variables=VARIABLES) for name in ("staging", "prod")]
    for neighbour in neighbours:
        neighbour.deploy(APART)
    assert not world.plan(FILE).plan
    before = contents(world.aws)
    mine = {name: {n for n in names if "staging" not in n and "prod" not in n} for name, names in before.items()}
    neighbours[0].destroy(APART)
    after = contents(world.aws)
    assert not [n for names in after.values() for n in names if "staging" in n and not n.startswith("arn")]
    assert {name: names & mine[name] for name, names in after.items()} == mine
    assert not neighbours[1].plan(APART).plan
    assert not world.plan(FILE).plan


@in_a_copy
def test_rules_of_a_group_belong_to_that_group_alone(world: World, lives: dict[str, AnyLive]) -> None:
    """The tasks' rules name the load balancer's group; that this one is somebody else's does not make them so."""
    retag(world.aws, lives["network.security_group/public-alb"], RIVAL)
    with pytest.raises(Refused) as refused:
        world.plan(FILE)
    assert "network.ingress/public-alb" in refused.value.message
    assert "network.ingress/web-task" not in refused.value.message


@in_a_copy
def test_an_app_named_like_an_environment_of_ours_is_refused_its_names(world: World) -> None:
    staging = World(world.local, world.directory, environment="staging", variables=VARIABLES)
    staging.deploy(APART)
    with pytest.raises(Refused, match="the app shop in environment staging"):
        world.plan(RIVALS)


def deploy_late(world: World, text: str, meanwhile: Callable[[], object], **options: Any) -> Outcome:
    """Deploy `text`, while the first write takes two minutes in which something happens."""

    def wait(call: Any, apply: Any) -> Any:
        answer = apply()
        if call.mutating:
            world.local.intercept(None)
            world.local.clock.sleep(120)
            meanwhile()
        return answer

    world.local.intercept(wait)
    return world.try_to_deploy(text, **options)


@in_a_copy
def test_a_tag_that_is_gone_when_its_turn_comes_is_noticed(world: World, lives: dict[str, AnyLive]) -> None:
    service = lives["service.service/web"]
    changed = FILE.replace("nginx:stable", "nginx:1.29")
    outcome = deploy_late(world, changed, lambda: retag(world.aws, service, RIVAL))
    error = outcome.failed[Address("service.service/web")]
    assert isinstance(error, Refused)
    assert "the app rival in environment prod" in error.message
    assert "ecs:UpdateService" not in list(world.writes())


@in_a_copy
def test_what_is_ours_still_is_changed_late_too(world: World) -> None:
    outcome = deploy_late(world, FILE.replace("nginx:stable", "nginx:1.29"), lambda: None)
    assert outcome.complete


@pytest.mark.parametrize("lag", ["tagging_lag=", "tagging_lag=3600"])
@in_a_copy
def test_nothing_is_deleted_that_somebody_took_meanwhile(world: World, lives: dict[str, AnyLive], lag: str) -> None:
    world.local.set(lag)
    group = lives["logs.group/shop/web"]
    text = FILE.replace("[services.web.logs]\nretention = 30\n", '[services.web.logs]\ngroup = "/shop/other"\n')
    outcome = deploy_late(world, text, lambda: retag(world.aws, group, RIVAL))
    (error,) = outcome.failed.values()
    assert isinstance(error, Refused)
    assert "/shop/web" in {one["logGroupName"] for one in world.aws.logs.describe_log_groups()["logGroups"]}


@in_a_copy
def test_what_is_gone_already_needs_no_deleting(world: World) -> None:
    text = FILE.replace("[services.web.logs]\nretention = 30\n", '[services.web.logs]\ngroup = "/shop/other"\n')
    outcome = deploy_late(world, text, lambda: world.aws.logs.delete_log_group(logGroupName="/shop/web"))
    assert outcome.complete
    assert not world.plan(text).plan


@in_a_copy
def test_what_hangs_on_something_that_was_taken_is_left_alone(world: World, lives: dict[str, AnyLive]) -> None:
    target = lives["scaling.target/web"]
    text = FILE.replace("cpu = 60", "cpu = 70").replace("retention = 30", "retention = 60")
    world.aws.reads.clear()
    outcome = deploy_late(world, text, lambda: retag(world.aws, target, RIVAL))
    assert isinstance(outcome.failed[Address("scaling.policy/web-cpu")], Refused)
