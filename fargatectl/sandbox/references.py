"""What a file refers to and the local AWS lacks, made with placeholder values.

`provision` takes a JSON object, every key optional:

    {"vpc": {"default": true} | {"id": "vpc-…"} | {"tag": {"Name": "main"}}, with "ipv6": true,
     "subnets": [{"ids": ["subnet-…"]} | {"tag": {"Name": "public"}, "public": true}],
     "secrets": [{"name": "shop/db", "keys": ["password"]} | {"arn": "arn:aws:secretsmanager:…", "keys": []}],
     "parameters": ["/shop/web/flag"], "certificates": ["shop.example.com"], "zones": ["example.com"],
     "repositories": [{"name": "shop/web", "tags": ["1.0.0"]}],
     "topics": ["arn:aws:sns:…"], "buckets": ["shop-logs"],
     "policies": ["arn:aws:iam::…:policy/boundary"], "alarms": ["shop-5xx"], "file_systems": ["fs-…"],
     "access_points": [{"id": "fsap-…", "file_system": "fs-…"}], "roles": ["tasks"], "clusters": ["shop"],
     "namespaces": [{"name": "shop.internal", "vpc": {…}}], "load_balancers": [{"name": "edge", "vpc": {…}}],
     "security_groups": [{"name": "sg-…", "vpc": {…}}]}

What exists already is left alone, so that a second call makes nothing.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fargatectl.sandbox import moto_adapter, networks, shares
from fargatectl.sandbox.cloudmap import namespaces
from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.manners import certificates
from fargatectl.sandbox.manners.access_logs import DELIVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fargatectl.sandbox.cloud import Region

PLACEHOLDER = "placeholder"
_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def provision(region: Region, references: Mapping[str, Any]) -> list[str]:
    """Create what `references` names and this account and Region lack; returns a sentence for each thing made."""
    made = list(networks.provision(region, references.get("vpc"), references.get("subnets", [])))
    made.extend(shares.provision(region, references))
    for key, make in _MAKERS.items():
        for wish in references.get(key, []):
            made.extend(make(region, wish))
    return made


def _secret(region: Region, wish: Mapping[str, Any]) -> Iterator[str]:
    keys = list(wish.get("keys", []))
    name = wish.get("name") or _name_in_arn(wish["arn"])
    value = json.dumps(dict.fromkeys(keys, PLACEHOLDER)) if keys else PLACEHOLDER
    try:
        known = region.ask("secretsmanager", "GetSecretValue", SecretId=wish.get("arn") or name)
    except AwsError:
        region.ask("secretsmanager", "CreateSecret", Name=name, SecretString=value)
        if "arn" in wish:
            moto_adapter.rename_secret(region.backend("secretsmanager"), name, wish["arn"])
        yield f"secret {name}" + (f" with the keys {', '.join(keys)}" if keys else "")
        yield from _versions(region, wish, wish.get("arn") or name, value)
        return
    yield from _versions(region, wish, known["ARN"], known.get("SecretString", value))
    missing = _missing_keys(known.get("SecretString", ""), keys)
    if missing:
        held = json.loads(known["SecretString"])
        value = json.dumps({**held, **dict.fromkeys(missing, PLACEHOLDER)})
        region.ask("secretsmanager", "PutSecretValue", SecretId=known["ARN"], SecretString=value)
        yield f"keys {', '.join(missing)} in secret {name}"


def _versions(region: Region, wish: Mapping[str, Any], secret: str, value: str) -> Iterator[str]:
    """Make the versions that are named by id or stage; what is current stays so."""
    asked = [("VersionId", version) for version in wish.get("versions", [])]
    asked += [("VersionStage", stage) for stage in wish.get("stages", []) if stage != "AWSCURRENT"]
    for key, named in asked:
        with suppress(AwsError):
            region.ask("secretsmanager", "GetSecretValue", SecretId=secret, **{key: named})
            continue
        labels = {"ClientRequestToken": named} if key == "VersionId" else {"VersionStages": [named]}
        region.ask("secretsmanager", "PutSecretValue", SecretId=secret, SecretString=value, **labels)
        if key == "VersionId":
            region.ask("secretsmanager", "PutSecretValue", SecretId=secret, SecretString=value)
        yield f"version {named} of secret {secret}"


def _missing_keys(value: str, keys: list[str]) -> list[str]:
    try:
        held = json.loads(value)
    except ValueError:
        return []
    return [key for key in keys if key not in held] if isinstance(held, dict) else []


def _name_in_arn(arn: str) -> str:
    """Return a secret's name: its ARN's last part without the six characters that AWS appends."""
    last: str = arn.split(":")[6]
    return last.rpartition("-")[0] or last


def _parameter(region: Region, name: str) -> Iterator[str]:
    with suppress(AwsError):
        region.ask("ssm", "GetParameter", Name=name)
        return
    region.ask("ssm", "PutParameter", Name=name, Value=PLACEHOLDER, Type="SecureString")
    yield f"parameter {name}"


def _certificate(region: Region, domain: str) -> Iterator[str]:
    for summary in region.ask("acm", "ListCertificates").get("CertificateSummaryList", []):
        if summary.get("DomainName") == domain:
            return
    arn = region.ask("acm", "RequestCertificate", DomainName=domain, ValidationMethod="DNS")["CertificateArn"]
    certificates.issue(region, arn)
    yield f"certificate for {domain}, issued"


def _zone(region: Region, name: str) -> Iterator[str]:
    dotted = name.rstrip(".") + "."
    for zone in region.ask("route53", "ListHostedZones").get("HostedZones", []):
        if zone["Name"] == dotted and not zone.get("Config", {}).get("PrivateZone"):
            return
    region.ask("route53", "CreateHostedZone", Name=dotted, CallerReference=region.hex(16))
    yield f"hosted zone {name}"


def _repository(region: Region, wish: Mapping[str, Any]) -> Iterator[str]:
    name = wish["name"]
    region = region.cloud.region(wish.get("account") or region.account, wish.get("region") or region.name)
    try:
        region.ask("ecr", "DescribeRepositories", repositoryNames=[name])
    except AwsError:
        region.ask("ecr", "CreateRepository", repositoryName=name)
        yield f"repository {name}"
    for tag in wish.get("tags", []):
        try:
            region.ask("ecr", "DescribeImages", repositoryName=name, imageIds=[{"imageTag": tag}])
        except AwsError:
            region.ask("ecr", "PutImage", repositoryName=name, imageTag=tag, imageManifest=_manifest(name, tag))
            yield f"image {name}:{tag}"


def _manifest(name: str, tag: str) -> str:
    layer = {
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "size": 1,
        "digest": "sha256:" + "0" * 64,
    }
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": "sha256:" + "0" * 64}
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config,
        "layers": [layer],
        "name": f"{name}:{tag}",
    }
    return json.dumps(manifest)


def _topic(region: Region, arn: str) -> Iterator[str]:
    if any(topic["TopicArn"] == arn for topic in region.ask("sns", "ListTopics").get("Topics", [])):
        return
    name = arn.rpartition(":")[2]
    region.ask("sns", "CreateTopic", Name=name)
    yield f"topic {name}"


def _bucket(region: Region, name: str) -> Iterator[str]:
    if any(bucket["Name"] == name for bucket in region.ask("s3", "ListBuckets").get("Buckets", [])):
        return
    place = {} if region.name == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region.name}}
    region.ask("s3", "CreateBucket", Bucket=name, **place)
    # ELB user guide, "Enable access logs": without it a load balancer could not write there.
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": DELIVERY},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    region.ask("s3", "PutBucketPolicy", Bucket=name, Policy=policy)
    yield f"bucket {name}, which takes access logs of load balancers"


def _object(region: Region, arn: str) -> Iterator[str]:
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    yield from _bucket(region, bucket)
    with suppress(AwsError):
        region.ask("s3", "HeadObject", Bucket=bucket, Key=key)
        return
    region.ask("s3", "PutObject", Bucket=bucket, Key=key, Body=b"")
    yield f"object {key} in bucket {bucket}"


def _policy(region: Region, arn: str) -> Iterator[str]:
    with suppress(AwsError):
        region.ask("iam", "GetPolicy", PolicyArn=arn)
        return
    if ":iam::aws:" in arn:
        return
    path, _, name = arn.partition(":policy/")[2].rpartition("/")
    region.ask(
        "iam", "CreatePolicy", PolicyName=name, Path=f"/{path}/" if path else "/", PolicyDocument=json.dumps(_POLICY)
    )
    yield f"policy {name}, which allows everything"


def _alarm(region: Region, name: str) -> Iterator[str]:
    if region.ask("cloudwatch", "DescribeAlarms", AlarmNames=[name]).get("MetricAlarms"):
        return
    region.ask(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName=name,
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=100.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    yield f"alarm {name}, which never fires"


def _role(region: Region, reference: str) -> Iterator[str]:
    path, _, name = reference.partition(":role/")[2].rpartition("/")
    name = name or reference
    with suppress(AwsError):
        region.ask("iam", "GetRole", RoleName=name)
        return
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    region.ask("iam", "CreateRole", RoleName=name, Path=f"/{path}/" if path else "/", AssumeRolePolicyDocument=document)
    region.ask("iam", "PutRolePolicy", RoleName=name, PolicyName="local", PolicyDocument=json.dumps(_POLICY))
    yield f"role {name}, which allows ECS tasks everything"


def _cluster(region: Region, name: str) -> Iterator[str]:
    known = region.ask("ecs", "DescribeClusters", clusters=[name]).get("clusters", [])
    if any(cluster["status"] != "INACTIVE" for cluster in known):
        return
    region.ask("ecs", "CreateCluster", clusterName=name, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    yield f"cluster {name}"


def _namespace(region: Region, wish: Mapping[str, Any]) -> Iterator[str]:
    """Make a private DNS namespace in the VPC; one that is named by id or ARN must be there."""
    name = wish["name"]
    known = region.ask("servicediscovery", "ListNamespaces").get("Namespaces", [])
    if "ns-" in name or any(one["Name"].lower() == name.lower() for one in known):
        return
    vpc, _ = networks.public_subnets(region, wish["vpc"])
    namespaces.provide(region, name, vpc)
    yield f"namespace {name}"


def _security_group(region: Region, wish: Mapping[str, Any]) -> Iterator[str]:
    identifier = wish["name"]
    named = [{"Name": "group-id", "Values": [identifier]}]
    if region.ask("ec2", "DescribeSecurityGroups", Filters=named)["SecurityGroups"]:
        return
    vpc, _ = networks.public_subnets(region, wish["vpc"])
    name = f"existing-{identifier}"
    made = region.ask("ec2", "CreateSecurityGroup", GroupName=name, Description="placeholder", VpcId=vpc)["GroupId"]
    moto_adapter.rename_security_group(region.backend("ec2"), made, identifier)
    yield f"security group {identifier}, which lets nothing in and everything out"


def _load_balancer(region: Region, wish: Mapping[str, Any]) -> Iterator[str]:
    """Make a load balancer in public subnets of the VPC, with a listener on port 80 that answers 404."""
    name = wish["name"]
    known = region.ask("elbv2", "DescribeLoadBalancers").get("LoadBalancers", [])
    if any(one["LoadBalancerName"] == name for one in known):
        return
    vpc, subnets = networks.public_subnets(region, wish["vpc"])
    group = region.ask("ec2", "CreateSecurityGroup", GroupName=f"{name}-alb", Description="placeholder", VpcId=vpc)
    everybody = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    region.ask("ec2", "AuthorizeSecurityGroupIngress", GroupId=group["GroupId"], IpPermissions=everybody)
    made = region.ask("elbv2", "CreateLoadBalancer", Name=name, Subnets=subnets, SecurityGroups=[group["GroupId"]])
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    region.ask("elbv2", "CreateListener", LoadBalancerArn=arn, Port=80, Protocol="HTTP", DefaultActions=[answer])
    yield f"load balancer {name}, with a listener on port 80"


_MAKERS: dict[str, Callable[[Region, Any], Iterator[str]]] = {
    "secrets": _secret,
    "parameters": _parameter,
    "certificates": _certificate,
    "zones": _zone,
    "repositories": _repository,
    "topics": _topic,
    "buckets": _bucket,
    "objects": _object,
    "policies": _policy,
    "alarms": _alarm,
    "roles": _role,
    "clusters": _cluster,
    "namespaces": _namespace,
    "security_groups": _security_group,
    "load_balancers": _load_balancer,
}
