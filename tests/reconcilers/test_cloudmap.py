from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fargatectl.engine.stack import Stack
from fargatectl.errors import AwsFailure, Refused
from fargatectl.model.ownership import Ownership
from fargatectl.model.spec import Effect
from fargatectl.reconcilers import cloudmap
from fargatectl.reconcilers.cloudmap import DiscoveryService, DiscoveryServices, Namespace, Namespaces
from fargatectl.sandbox.http import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fargatectl.aws.session import Aws
    from fargatectl.sandbox.inprocess import LocalAws
    from fargatectl.sandbox.wire import Call
    from tests.reconcilers.conftest import Converger, Refusals

VPC, OTHER_VPC = "vpc-11111111", "vpc-22222222"
A_MINUTE = 60  # Cloud Map's operations are over by then
NAMESPACE, SERVICE = "cloudmap.namespace/shop.internal", "cloudmap.service/web"


@pytest.fixture(autouse=True)
def _vpcs(local: LocalAws) -> None:
    for vpc in (VPC, OTHER_VPC):
        local.provision({"vpc": {"id": vpc}})


def stack(  # noqa: PLR0913 - what a name is made of
    owner: Ownership,
    *,
    vpc: str = VPC,
    records: Sequence[str] = ("A", "SRV"),
    ttl: int = 10,
    name: str = "web",
    service: bool = True,
) -> Stack:
    made = Stack(owner, kinds=[Namespaces(), DiscoveryServices()])
    namespace = cloudmap.declare_namespace(made, "shop.internal", vpc)
    if service:
        cloudmap.declare_service(made, "web", name=name, namespace=namespace, records=records, ttl=ttl)
    return made


def namespaces(aws: Aws) -> list[Any]:
    return list(aws.cloudmap.list_namespaces()["Namespaces"])


def services(aws: Aws) -> list[Any]:
    return list(aws.cloudmap.list_services()["Services"])


def writes(local: LocalAws) -> list[str]:
    return [call.operation for call in local.calls if call.mutating]


@pytest.fixture
def operations(local: LocalAws) -> Callable[..., None]:
    """Make Cloud Map's operations take their time, or fail."""

    def set_up(*, looks: int = 0, failure: str = "") -> None:
        left = [looks]

        def answer(call: Any, apply: Any) -> Any:
            response = apply()
            body = response.body
            if call.operation == "GetOperation" and left[0]:
                left[0] -= 1
                body = body.replace(b"SUCCESS", b"PENDING")
            elif call.operation == "GetOperation" and failure:
                failed = f'FAIL", "ErrorCode": "{failure}", "ErrorMessage": "it overlaps'.encode()
                body = body.replace(b"SUCCESS", failed)
            return type(response)(response.status, body, response.headers)

        local.intercept(answer)

    return set_up


def test_a_name_is_made_in_the_namespace_and_found_again(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))

    (namespace,), (service,) = namespaces(aws), services(aws)
    found = aws.cloudmap.get_service(Id=service["Id"])["Service"]
    assert found["NamespaceId"] == namespace["Id"]
    assert found["DnsConfig"]["RoutingPolicy"] == "MULTIVALUE"
    assert sorted((r["Type"], r["TTL"]) for r in found["DnsConfig"]["DnsRecords"]) == [("A", 10), ("SRV", 10)]
    assert found["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
    assert converger.changes(stack(owner)) == {}


def test_both_are_tagged_by_the_calls_that_make_them(local: LocalAws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))

    tags = {
        call.operation: {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
        for call in local.calls
        if call.operation in {"CreatePrivateDnsNamespace", "CreateService"}
    }
    assert tags == {
        "CreatePrivateDnsNamespace": {**owner.tags(), "fargatectl:address": NAMESPACE, "fargatectl:vpc": VPC},
        "CreateService": {**owner.tags(), "fargatectl:address": SERVICE},
    }


def test_operations_are_followed_to_their_end(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership, operations: Callable[..., None]
) -> None:
    operations(looks=4)
    before = local.clock.monotonic()

    converger.apply(stack(owner))

    assert len(services(aws)) == 1
    assert local.clock.monotonic() > before


def test_a_failed_operation_is_told_in_cloud_maps_words(
    aws: Aws, owner: Ownership, operations: Callable[..., None]
) -> None:
    operations(failure="CANNOT_CREATE_HOSTED_ZONE")

    with pytest.raises(AwsFailure, match="it overlaps") as failure:
        Namespaces().create(aws, Namespace(name="shop.internal", vpc_id=VPC, tags=owner.tags()))

    assert failure.value.code == "CANNOT_CREATE_HOSTED_ZONE"
    assert failure.value.operation == "servicediscovery:CreatePrivateDnsNamespace"
    assert "discovery.namespace" in failure.value.hint


def test_an_operation_that_never_ends_is_given_up(
    aws: Aws, local: LocalAws, owner: Ownership, operations: Callable[..., None]
) -> None:
    operations(looks=10_000)

    with pytest.raises(AwsFailure, match="within 300 s"):
        Namespaces().create(aws, Namespace(name="shop.internal", vpc_id=VPC, tags=owner.tags()))

    assert local.clock.monotonic() < 400


def test_a_request_that_is_under_way_already_is_followed(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    planning = converger.plan(stack(owner, service=False))
    (spec,) = [resource.spec for resource in planning.stack.resources.values()]
    operation = aws.cloudmap.create_private_dns_namespace(
        Name="shop.internal",
        Vpc=VPC,
        Tags=[{"Key": key, "Value": value} for key, value in spec.tags.items()],
    )["OperationId"]
    refusals.add("CreatePrivateDnsNamespace", "DuplicateRequest", DuplicateOperationId=operation)

    out = Namespaces().create(aws, spec)

    assert [found["Id"] for found in namespaces(aws)] == [out.id]


def test_the_same_request_has_the_same_token_in_every_run(
    local: LocalAws, converger: Converger, owner: Ownership
) -> None:
    for vpc in (VPC, VPC, OTHER_VPC):
        converger.apply(stack(owner, vpc=vpc))
        converger.apply(stack(owner, vpc=vpc), absent=True)

    made = [call for call in local.calls if call.operation == "CreatePrivateDnsNamespace"]
    tokens = [call.params["CreatorRequestId"] for call in made]
    assert tokens[0] == tokens[1] != tokens[2]
    assert all(len(token) <= 64 for token in tokens)


def test_a_token_that_stands_for_a_namespace_of_long_ago_is_not_the_last_word(
    local: LocalAws, aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner, service=False))
    (operation,) = aws.cloudmap.list_operations(
        Filters=[{"Name": "TYPE", "Values": ["CREATE_NAMESPACE"]}, {"Name": "STATUS", "Values": ["SUCCESS"]}]
    )["Operations"]
    converger.apply(stack(owner, service=False), absent=True)
    tokens: list[str] = []

    def remember(call: Call, apply: Callable[[], Response]) -> Response:
        if call.operation == "CreatePrivateDnsNamespace":
            tokens.append(call.params["CreatorRequestId"])
            if len(tokens) == 1:
                return Response(200, json.dumps({"OperationId": operation["Id"]}).encode())
        return apply()

    local.intercept(remember)
    converger.apply(stack(owner, service=False))
    assert len(set(tokens)) == 2
    assert [found["Name"] for found in namespaces(aws)] == ["shop.internal"]


def test_creates_take_up_their_own_earlier_success(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner, ttl=99))
    (namespace,), (service,) = namespaces(aws), services(aws)
    refusals.add("CreatePrivateDnsNamespace", "NamespaceAlreadyExists", NamespaceId=namespace["Id"])
    refusals.add("CreateService", "ServiceAlreadyExists", ServiceId=service["Id"])
    wanted = DiscoveryService(name="web", namespace_id=namespace["Id"], records=("SRV", "A"), ttl=10, tags=owner.tags())

    made = Namespaces().create(aws, Namespace(name="shop.internal", vpc_id=VPC, tags=owner.tags()))
    found = DiscoveryServices().create(aws, wanted)

    assert (made.id, found.id) == (namespace["Id"], service["Id"])
    assert converger.changes(stack(owner)) == {}


def test_creates_leave_what_somebody_else_has_alone(aws: Aws, owner: Ownership, refusals: Refusals) -> None:
    aws.cloudmap.create_private_dns_namespace(Name="shop.internal", Vpc=VPC)
    aws.sleep(A_MINUTE)
    (namespace,) = namespaces(aws)
    service = aws.cloudmap.create_service(Name="web", NamespaceId=namespace["Id"])["Service"]
    refusals.add("CreatePrivateDnsNamespace", "NamespaceAlreadyExists", NamespaceId=namespace["Id"])
    refusals.add("CreateService", "ServiceAlreadyExists", ServiceId=service["Id"])

    with pytest.raises(Refused, match="somebody else"):
        Namespaces().create(aws, Namespace(name="shop.internal", vpc_id=VPC, tags=owner.tags()))
    with pytest.raises(Refused, match="somebody else"):
        DiscoveryServices().create(
            aws, DiscoveryService(name="web", namespace_id=namespace["Id"], records=("A",), ttl=1, tags=owner.tags())
        )


def test_a_namespace_of_that_name_that_is_not_ours_is_refused(aws: Aws, converger: Converger, owner: Ownership) -> None:
    aws.cloudmap.create_private_dns_namespace(Name="shop.internal", Vpc=VPC)
    aws.sleep(A_MINUTE)

    with pytest.raises(Refused, match=r"shop\.internal"):
        converger.plan(stack(owner))


def test_a_namespace_of_another_environment_in_another_vpc_is_in_nobodys_way(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    theirs = stack(Ownership("shop", "staging"), vpc=OTHER_VPC, service=False)
    converger.apply(theirs)

    converger.apply(stack(owner, service=False))

    assert len(namespaces(aws)) == 2
    assert converger.changes(stack(owner, service=False)) == {}
    assert converger.changes(theirs) == {}


def test_a_ttl_changes_in_place_and_the_records_stay(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner))
    before = services(aws)[0]["Id"]
    local.calls.clear()

    converger.apply(stack(owner, ttl=60))

    (service,) = services(aws)
    found = aws.cloudmap.get_service(Id=service["Id"])["Service"]
    assert service["Id"] == before
    assert sorted((r["Type"], r["TTL"]) for r in found["DnsConfig"]["DnsRecords"]) == [("A", 60), ("SRV", 60)]
    assert writes(local) == ["UpdateService"]


def test_records_that_were_set_apart_by_hand_are_drift(aws: Aws, converger: Converger, owner: Ownership) -> None:
    converger.apply(stack(owner))
    records: Any = [{"Type": "A", "TTL": 10}, {"Type": "SRV", "TTL": 300}]
    aws.cloudmap.update_service(Id=services(aws)[0]["Id"], Service={"DnsConfig": {"DnsRecords": records}})
    aws.sleep(A_MINUTE)

    assert converger.changes(stack(owner)) == {SERVICE: "update"}
    converger.apply(stack(owner))

    assert converger.changes(stack(owner)) == {}


def test_other_record_types_are_another_service_and_told_as_an_interruption(
    aws: Aws, converger: Converger, owner: Ownership
) -> None:
    converger.apply(stack(owner))
    before = services(aws)[0]["Id"]

    (change,) = converger.plan(stack(owner, records=("A",))).plan.changes
    converger.apply(stack(owner, records=("A",)))

    assert (change.address, change.action, change.effect) == (SERVICE, "replace", Effect.INTERRUPTION)
    assert [s["Id"] != before for s in services(aws)] == [True]


@pytest.mark.parametrize("config", [{}, {"FailureThreshold": 1}, {"FailureThreshold": 5}])
def test_every_way_to_write_a_custom_health_check_is_the_same(
    aws: Aws, converger: Converger, owner: Ownership, config: dict[str, int]
) -> None:
    converger.apply(stack(owner, service=False))
    tags = {**owner.tags(), "fargatectl:address": SERVICE}
    aws.cloudmap.create_service(
        Name="WEB",
        NamespaceId=namespaces(aws)[0]["Id"],
        DnsConfig={"DnsRecords": [{"Type": "SRV", "TTL": 10}, {"Type": "A", "TTL": 10}]},
        HealthCheckCustomConfig=config,  # type: ignore[arg-type]
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )

    assert converger.changes(stack(owner)) == {}


def test_a_delete_waits_for_ecs_and_takes_leftovers_out(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    service = services(aws)[0]["Id"]
    aws.cloudmap.register_instance(ServiceId=service, InstanceId="task-1", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    refusals.add("DeleteService", "ResourceInUse", "Service contains registered instances", times=3)
    refusals.add("DeleteNamespace", "ResourceInUse", times=2)
    local.calls.clear()

    converger.apply(stack(owner), absent=True)

    assert "DeregisterInstance" in writes(local)
    assert (services(aws), namespaces(aws)) == ([], [])
    assert converger.changes(stack(owner), absent=True) == {}


def test_a_service_that_stays_in_use_is_told_after_three_minutes(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner))
    found = DiscoveryServices().read(
        aws, [DiscoveryService(name="web", namespace_id=namespaces(aws)[0]["Id"], records=(), ttl=0)]
    )
    assert found[0] is not None
    refusals.add("DeleteService", "ResourceInUse", "Service contains registered instances", times=10_000)

    with pytest.raises(Exception, match="registered instances"):
        DiscoveryServices().delete(aws, found[0])

    assert 180 <= local.clock.monotonic() < 300


def test_what_is_gone_already_is_deleted(aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals) -> None:
    converger.apply(stack(owner))
    refusals.add("DeleteService", "ServiceNotFound")
    refusals.add("DeleteNamespace", "NamespaceNotFound")

    converger.apply(stack(owner), absent=True)

    assert len(services(aws)) == 1  # the refusal said that it was gone, and nobody tried again


def test_many_names_in_a_namespace_are_read_by_one_list(
    aws: Aws, local: LocalAws, converger: Converger, owner: Ownership
) -> None:
    made = Stack(owner, kinds=[Namespaces(), DiscoveryServices()])
    namespace = cloudmap.declare_namespace(made, "shop.internal", VPC)
    for number in range(20):
        cloudmap.declare_service(made, f"s{number}", name=f"s{number}", namespace=namespace, records=["A"], ttl=10)
    converger.apply(made)
    local.calls.clear()

    assert converger.changes(made) == {}

    assert len(services(aws)) == 20
    listed = [call.operation for call in local.calls if call.operation in {"ListServices", "GetService"}]
    assert listed[:-1] == ["ListServices"]


def test_what_the_file_no_longer_names_is_swept(
    aws: Aws,
    converger: Converger,
    owner: Ownership,
    show_tagged: Callable[[dict[str, dict[str, str]]], None],
) -> None:
    converger.apply(stack(owner))
    gone = "arn:aws:servicediscovery:eu-central-1:123456789012:service/srv-gone"
    show_tagged({found["Arn"]: owner.tags() for found in [*namespaces(aws), *services(aws)]} | {gone: owner.tags()})

    assert converger.changes(stack(owner)) == {}
    assert converger.changes(stack(owner, service=False)) == {SERVICE: "delete"}
    assert converger.changes(Stack(owner, kinds=[Namespaces(), DiscoveryServices()])) == {
        SERVICE: "delete",
        NAMESPACE: "delete",
    }


def test_tags_that_the_tagging_api_proves_are_not_asked_for_again(
    aws: Aws,
    local: LocalAws,
    converger: Converger,
    owner: Ownership,
    show_tagged: Callable[[dict[str, dict[str, str]]], None],
) -> None:
    converger.apply(stack(owner))
    found = zip((NAMESPACE, SERVICE), [*namespaces(aws), *services(aws)], strict=True)
    show_tagged(
        {each["Arn"]: {**owner.tags(), "fargatectl:address": address, "fargatectl:vpc": VPC} for address, each in found}
    )
    local.calls.clear()

    assert converger.changes(stack(owner)) == {}

    assert "ListTagsForResource" not in {call.operation for call in local.calls}


def by_api(owner: Ownership) -> Stack:
    made = Stack(owner, kinds=[Namespaces(), DiscoveryServices()])
    namespace = cloudmap.declare_namespace(made, "shop.internal", VPC, namespace_type=cloudmap.HTTP)
    cloudmap.declare_service(made, "web", name="web", namespace=namespace, records=(), ttl=None)
    return made


def test_a_namespace_of_the_other_type_is_made_before_the_old_one_goes(
    aws: Aws, converger: Converger, owner: Ownership, local: LocalAws
) -> None:
    for wanted, kind in ((stack(owner), "DNS_PRIVATE"), (by_api(owner), "HTTP"), (stack(owner), "DNS_PRIVATE")):
        local.calls.clear()
        converger.apply(wanted)
        order = [name for name in writes(local) if name.endswith(("DnsNamespace", "HttpNamespace", "DeleteNamespace"))]
        assert order[-1:] == (["DeleteNamespace"] if len(order) > 1 else order)
        assert [one["Type"] for one in namespaces(aws)] == [kind]
        assert converger.changes(wanted) == {}


def test_where_aws_takes_no_second_namespace_of_a_name_the_way_out_is_told(
    aws: Aws, converger: Converger, owner: Ownership, refusals: Refusals
) -> None:
    converger.apply(stack(owner, service=False))
    (there,) = namespaces(aws)
    refusals.add("CreateHttpNamespace", "NamespaceAlreadyExists", NamespaceId=there["Id"])

    with pytest.raises(AssertionError, match=r"exists as DNS_PRIVATE"):
        converger.apply(by_api(owner))
