from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fargatectl.sandbox.inprocess import LocalAws


@pytest.fixture
def cloudmap(client: Callable[..., Any]) -> Any:
    return client("servicediscovery")


@pytest.fixture
def vpc(client: Callable[..., Any]) -> str:
    return str(client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


@pytest.fixture
def namespace(cloudmap: Any, vpc: str, local: LocalAws) -> str:
    operation = cloudmap.create_private_dns_namespace(Name="shop.internal", Vpc=vpc, CreatorRequestId="1")[
        "OperationId"
    ]
    local.clock.sleep(60)
    return str(cloudmap.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"])


def make(cloudmap: Any, namespace: str, **settings: Any) -> dict[str, Any]:
    wish = {
        "Name": "web",
        "NamespaceId": namespace,
        "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 10}]},
        **settings,
    }
    service: dict[str, Any] = cloudmap.create_service(**wish)["Service"]
    return service


def error(caught: pytest.ExceptionInfo[ClientError]) -> dict[str, Any]:
    response: dict[str, Any] = dict(caught.value.response)
    return response


def test_creating_a_namespace_takes_its_time(cloudmap: Any, vpc: str, local: LocalAws) -> None:
    operation = cloudmap.create_private_dns_namespace(Name="shop.internal", Vpc=vpc)["OperationId"]
    seen = []
    for _ in range(40):
        status = cloudmap.get_operation(OperationId=operation)["Operation"]["Status"]
        seen += [status] if status not in seen else []
        if status != "SUCCESS":
            assert cloudmap.list_namespaces()["Namespaces"] == []
        local.clock.sleep(1)
    assert seen == ["SUBMITTED", "PENDING", "SUCCESS"]
    (found,) = cloudmap.list_namespaces()["Namespaces"]
    assert (found["Name"], found["Type"]) == ("shop.internal", "DNS_PRIVATE")


def test_its_hosted_zone_is_in_the_vpc(cloudmap: Any, namespace: str, vpc: str, client: Callable[..., Any]) -> None:
    zone = cloudmap.get_namespace(Id=namespace)["Namespace"]["Properties"]["DnsProperties"]["HostedZoneId"]
    answer = client("route53").get_hosted_zone(Id=zone)
    assert answer["HostedZone"]["Name"] == "shop.internal."
    assert [one["VPCId"] for one in answer["VPCs"]] == [vpc]


@pytest.mark.usefixtures("namespace")
def test_an_overlapping_namespace_fails_in_its_operation(cloudmap: Any, vpc: str, local: LocalAws) -> None:
    operation = cloudmap.create_private_dns_namespace(Name="shop.internal", Vpc=vpc, CreatorRequestId="2")[
        "OperationId"
    ]
    local.clock.sleep(60)
    shown = cloudmap.get_operation(OperationId=operation)["Operation"]
    assert (shown["Status"], shown["ErrorCode"]) == ("FAIL", "CANNOT_CREATE_HOSTED_ZONE")
    assert "overlapping name space" in shown["ErrorMessage"]


def test_a_request_repeated_by_its_token(cloudmap: Any, vpc: str, local: LocalAws) -> None:
    wish = {"Name": "shop.internal", "Vpc": vpc, "CreatorRequestId": "1"}
    operation = cloudmap.create_private_dns_namespace(**wish)["OperationId"]
    with pytest.raises(ClientError) as caught:
        cloudmap.create_private_dns_namespace(**wish)
    assert error(caught)["Error"]["Code"] == "DuplicateRequest"
    assert error(caught)["DuplicateOperationId"] == operation
    local.clock.sleep(60)
    with pytest.raises(ClientError) as caught:
        cloudmap.create_private_dns_namespace(**wish)
    assert error(caught)["Error"]["Code"] == "NamespaceAlreadyExists"
    assert error(caught)["NamespaceId"] == cloudmap.list_namespaces()["Namespaces"][0]["Id"]


def test_filters_are_honoured(cloudmap: Any, namespace: str, local: LocalAws) -> None:
    cloudmap.create_http_namespace(Name="other")
    local.clock.sleep(60)

    def names(name: str, value: str) -> list[str]:
        filters = [{"Name": name, "Values": [value], "Condition": "EQ"}]
        return [one["Name"] for one in cloudmap.list_namespaces(Filters=filters)["Namespaces"]]

    assert names("TYPE", "HTTP") == ["other"]
    assert names("NAME", "shop.internal") == ["shop.internal"]
    make(cloudmap, namespace)
    for wanted, count in ((namespace, 1), ("ns-other", 0)):
        filters = [{"Name": "NAMESPACE_ID", "Values": [wanted]}]
        assert len(cloudmap.list_services(Filters=filters)["Services"]) == count


def test_services_in_canonical_form(cloudmap: Any, namespace: str) -> None:
    made = make(cloudmap, namespace, HealthCheckCustomConfig={"FailureThreshold": 5}, Description="d")
    shown = cloudmap.get_service(Id=made["Id"])["Service"]
    assert shown["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
    assert shown["DnsConfig"]["RoutingPolicy"] == "MULTIVALUE"
    assert (shown["Description"], shown["Type"], shown["NamespaceId"]) == ("d", "DNS_HTTP", namespace)


def test_a_service_of_the_same_name_is_named_in_the_refusal(cloudmap: Any, namespace: str) -> None:
    made = make(cloudmap, namespace)
    with pytest.raises(ClientError) as caught:
        make(cloudmap, namespace, Name="WEB")
    assert error(caught)["Error"]["Code"] == "ServiceAlreadyExists"
    assert (error(caught)["ServiceId"], error(caught)["ServiceArn"]) == (made["Id"], made["Arn"])


def test_an_update_deletes_what_it_leaves_out(cloudmap: Any, namespace: str, local: LocalAws) -> None:
    identifier = make(cloudmap, namespace)["Id"]
    records = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    cloudmap.update_service(Id=identifier, Service={"DnsConfig": records})
    assert cloudmap.get_service(Id=identifier)["Service"]["DnsConfig"]["DnsRecords"][0]["TTL"] == 10
    local.clock.sleep(20)
    assert cloudmap.get_service(Id=identifier)["Service"]["DnsConfig"]["DnsRecords"][0]["TTL"] == 60
    with pytest.raises(ClientError, match="types of DNS records"):
        cloudmap.update_service(Id=identifier, Service={"DnsConfig": {"DnsRecords": [{"Type": "SRV", "TTL": 60}]}})
    cloudmap.update_service(Id=identifier, Service={"Description": "only this"})
    local.clock.sleep(20)
    assert "DnsConfig" not in cloudmap.get_service(Id=identifier)["Service"]


def test_what_is_in_use_cannot_be_deleted(cloudmap: Any, namespace: str, local: LocalAws) -> None:
    identifier = make(cloudmap, namespace)["Id"]
    cloudmap.register_instance(ServiceId=identifier, InstanceId="i", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    local.clock.sleep(10)
    with pytest.raises(ClientError, match="contains registered instances") as caught:
        cloudmap.delete_service(Id=identifier)
    assert error(caught)["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(ClientError) as caught:
        cloudmap.delete_namespace(Id=namespace)
    assert error(caught)["Error"]["Code"] == "ResourceInUse"
    assert len(cloudmap.discover_instances(NamespaceName="shop.internal", ServiceName="web")["Instances"]) == 1
    cloudmap.deregister_instance(ServiceId=identifier, InstanceId="i")
    local.clock.sleep(10)
    cloudmap.delete_service(Id=identifier)
    with pytest.raises(ClientError) as caught:
        cloudmap.delete_service(Id=identifier)
    assert error(caught)["Error"]["Code"] == "ServiceNotFound"
    cloudmap.delete_namespace(Id=namespace)
    local.clock.sleep(60)
    assert cloudmap.list_namespaces()["Namespaces"] == []


def test_tags(cloudmap: Any, namespace: str) -> None:
    arn = make(cloudmap, namespace, Tags=[{"Key": "a", "Value": "1"}])["Arn"]
    cloudmap.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    cloudmap.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert cloudmap.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_an_unknown_vpc_is_found_by_the_operation(cloudmap: Any, local: LocalAws) -> None:
    operation = cloudmap.create_private_dns_namespace(Name="a.internal", Vpc="vpc-00000000000000000")["OperationId"]
    local.clock.sleep(60)
    shown = cloudmap.get_operation(OperationId=operation)["Operation"]
    assert (shown["Status"], shown["ErrorCode"]) == ("FAIL", "CANNOT_CREATE_HOSTED_ZONE")
    assert "VPC ID" in shown["ErrorMessage"]
    assert cloudmap.list_namespaces()["Namespaces"] == []
