"""The one place where the local AWS touches moto: routing into its handlers, its codecs, and its global state.

moto keeps all state in module globals and is not thread-safe. Here each `Moto` owns its state and swaps it in for the
time of a request, under one lock for the process.
"""

from __future__ import annotations

import importlib
import json
import random
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend
from moto.core import base_backend
from moto.core.base_backend import BackendDict
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.resource_tagging import iter_taggable_backends
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random
from werkzeug.exceptions import HTTPException, NotFound

from fargatectl.sandbox.faults import AwsError
from fargatectl.sandbox.http import Request, Response
from fargatectl.sandbox.moto_answers import Catcher
from fargatectl.sandbox.moto_haste import hasten, hasten_certificates, post_to_root, without_instances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

LOCK = threading.RLock()

hasten()
_CATCHER = Catcher()
_CATCHER.stand()

_ROOT = re.compile(r"https://([^/:?#]+)/")
_MODULES = {"lambda": "awslambda", "acm-pca": "acmpca"}
_FATAL = (KeyError, AttributeError, TypeError, ValueError, IndexError, AssertionError)


class Moto:
    """One set of moto's backends, with no state in common with any other: ids repeat from run to run too."""

    _active: Moto | None = None

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._begin()

    def _begin(self) -> None:
        self._state: list[tuple[Any, dict[str, Any]]] = []
        self._chance = random.Random(self._seed).getstate()  # noqa: S311 - ids, not secrets

    def reset(self) -> None:
        """Forget everything."""
        with LOCK:
            if Moto._active is self:
                _take_out()
                Moto._active = None
            self._begin()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Have moto's globals hold this state; for the process's one thread in here."""
        with LOCK:
            if Moto._active is not self:
                if Moto._active is not None:
                    Moto._active._put_away()  # noqa: SLF001 - another object of this class
                else:
                    _take_out()
                _put_in(self._state)
                mock_random.setstate(self._chance)
                Moto._active = self
            yield

    def _put_away(self) -> None:
        self._state = _take_out()
        self._chance = mock_random.getstate()

    def backend(self, service: str, account: str, region: str) -> Any:  # noqa: ANN401 - moto's objects are untyped
        """Return moto's own object for a service; to be used inside `active`, for what its API cannot say."""
        regions = _backends(_module(service))[account]
        return regions[region if region in regions else "aws"]

    def ask(self, service: str, request: Request, account: str) -> tuple[Response, dict[str, Any] | None]:
        """Let moto answer, and return the members too where they are at hand: the response is empty then.

        Raises AwsError as `send` does.
        """
        with self.active():
            return _CATCHER.ask(lambda: self.send(service, request, account))

    def send(self, service: str, request: Request, account: str) -> Response:
        """Let moto answer. Raises AwsError where moto has no such operation or breaks over it."""
        with self.active():
            handler = _route(service, request)
            if handler is None:
                raise _unknown(service, request)
            moto_request = _to_moto(request, account)
            try:
                status, headers, body = handler(moto_request, moto_request.raw_url, moto_request.headers)
            except HTTPException as error:
                status, headers, body = error.code, dict(error.get_headers()), error.get_body()
            except NotImplementedError as error:
                raise _unknown(service, request) from error
            except _FATAL as error:
                message = f"The local AWS failed over this request to {service}: {type(error).__name__}: {error}"
                raise AwsError("LocalAwsFailure", message) from error
        content = body if isinstance(body, bytes) else str(body or "").encode()
        return Response(int(status or 200), content, {key.lower(): str(value) for key, value in headers.items()})


def _take_out() -> list[tuple[Any, dict[str, Any]]]:
    """Empty moto's globals and return what they held, each dictionary with its content."""
    with base_backend.backend_lock:
        instances: list[Any] = BackendDict._instances  # type: ignore[misc]  # noqa: SLF001 - moto's registry of state
        # Some (S3's) keep an index beside the backends, as an attribute.
        held = [part for backends in instances for part in (backends, *_indexes(backends))]
        state = [(part, dict(part.items())) for part in held]
        for part in held:
            part.clear()
        instances.clear()
    return state


def _indexes(backends: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - moto's objects are untyped
    return [value for value in vars(backends).values() if isinstance(value, dict)]


def _put_in(state: list[tuple[Any, dict[str, Any]]]) -> None:
    with base_backend.backend_lock:
        for part, content in state:
            part.update(content)
            if isinstance(part, BackendDict):
                BackendDict._instances.append(part)  # type: ignore[misc]  # noqa: SLF001


def _unknown(service: str, request: Request) -> AwsError:
    target = request.headers.get("x-amz-target", "").rpartition(".")[2] or request.path
    return AwsError("NotImplemented", f"The local AWS does not know this operation of {service}: {target}", status=501)


def _module(service: str) -> str:
    return _MODULES.get(service, service.replace("-", ""))


@cache
def _handlers(service: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
    """Return moto's handlers of a service by the pattern of their URL."""
    module = _module(service)
    try:
        with without_instances():  # several others import EC2
            urls = importlib.import_module(f"moto.{module}.urls")
    except ModuleNotFoundError:
        return []
    _prepare(module)
    return [
        (re.compile(path.format(base)), handler) for base in urls.url_bases for path, handler in urls.url_paths.items()
    ]


def _backends(module: str) -> Any:  # noqa: ANN401 - moto's objects are untyped
    with without_instances():
        return get_backend(module)  # type: ignore[call-overload]


def warm(services: Iterable[str]) -> None:
    """Import what answers for `services`, before the first request that needs it would have to wait for that."""
    for service in services:
        with LOCK:
            _handlers(service)


def _prepare(module: str) -> None:
    if module == "acm":
        hasten_certificates(importlib.import_module("moto.acm.models").CertBundle)
    backends = _backends(module)
    if module == "ec2" and backends.backend.__init__ is not _begin_ec2:
        original = backends.backend
        members = {
            "__module__": original.__module__,
            "__init__": _begin_ec2,
            "_load_amis": lambda _: None,
            "create_vpc": _create_vpc,
        }
        backends.backend = type("EC2Backend", (original,), members)


def _begin_ec2(backend: Any, region_name: str, account_id: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Begin as a new account: a default VPC that reaches the internet (AWS: VPC user guide, "Default VPCs").

    moto leaves out the gateway and its route. Its 1,285 machine images, 98 % of the time that a fresh EC2 takes, are
    left out here (`_load_amis`).
    """
    super(type(backend), backend).__init__(region_name, account_id)
    gateway = backend.create_internet_gateway()
    backend.attach_internet_gateway(gateway.id, backend.default_vpc.id)
    for table in backend.route_tables.values():
        backend.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)


def _create_vpc(backend: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - moto's objects are untyped
    """Make a VPC whose default group admits its own members (AWS: VPC user guide, "Default security groups")."""
    vpc = super(type(backend), backend).create_vpc(*given, **named)
    group = backend.get_security_group_from_name("default", vpc_id=vpc.id)
    backend.authorize_security_group_ingress(group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id}])
    return vpc


def _route(service: str, request: Request) -> Callable[..., Any] | None:
    url = request.url.split("?", 1)[0]
    return next((handler for pattern, handler in _handlers(service) if pattern.match(url)), None)


def _to_moto(request: Request, account: str) -> MotoRequest:
    headers = {**request.headers, "x-moto-account-id": account}
    place = _ROOT.fullmatch(request.url)
    if place and request.method == "POST":
        return post_to_root(place[1], headers, request.body)
    return MotoRequest.from_primitives(request.method, request.url, headers, request.body)


def match(service: str, request: Request) -> tuple[str, dict[str, Any]] | None:
    """Return the operation of a REST request and what its path says, or None."""
    try:
        operation, uri = get_service_router(service).match(_to_moto(request, ""))
    except (NotFound, NotImplementedError, HTTPException):
        return None
    return str(operation.name), dict(uri)


def parse(service: str, operation: str, protocol: str, request: Request, uri: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request as the service's model types them."""
    moto_request = _to_moto(request, "")
    parser = PROTOCOL_PARSERS[protocol](get_service_model(service).operation_model(operation))
    parsed = parser.parse(
        {
            "method": request.method,
            "values": moto_request.values,
            "headers": moto_request.headers,
            "body": moto_request.data,
            "url_path": request.path,
            "url_params": dict(uri),
        }
    )
    return dict(parsed or {})


def serialize(service: str, operation: str, protocol: str, answer: Mapping[str, Any]) -> Response:
    """Return the HTTP answer that carries `answer` in a service's protocol."""
    model = get_service_model(service).operation_model(operation)
    serialized = get_serializer_class(service, protocol)(operation_model=model).serialize(dict(answer))
    body: Any = serialized["body"]
    content = body if isinstance(body, bytes) else str(body).encode()
    headers = {key.lower(): str(value) for key, value in serialized["headers"].items()}
    return Response(int(serialized["status_code"]), content, headers)


def rename_vpc(ec2: Any, made: str, wanted: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Give a VPC that was just made (and has no subnets yet) the id that a file names."""
    vpc = ec2.vpcs[wanted] = ec2.vpcs.pop(made)
    vpc.id = wanted
    groups = ec2.groups[wanted] = ec2.groups.pop(made)
    for part in (*ec2.route_tables.values(), *ec2.network_acls.values(), *groups.values()):
        if part.vpc_id == made:
            part.vpc_id = wanted


def rename_subnet(ec2: Any, made: str, wanted: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Give a subnet that was just made (and has no route table yet) the id that a file names."""
    for subnets in ec2.subnets.values():
        if made in subnets:
            subnet = subnets[wanted] = subnets.pop(made)
            subnet.id = wanted
    ec2.tags[wanted].update(ec2.tags.pop(made, {}))
    for acl in ec2.network_acls.values():
        for association in acl.associations:
            if association.subnet_id == made:
                association.subnet_id = wanted


def rename_security_group(ec2: Any, made: str, wanted: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Give a security group that was just made the id that a file names."""
    for groups in ec2.groups.values():
        if made in groups:
            group = groups[wanted] = groups.pop(made)
            group.id = group.group_id = wanted


def rename_file_system(efs: Any, made: str, wanted: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Give a file system the id that a file names."""
    system = efs.file_systems_by_id[wanted] = efs.file_systems_by_id.pop(made)
    system.file_system_arn = system.file_system_arn.replace(made, wanted)
    system.file_system_id = wanted


def rename_access_point(efs: Any, made: str, wanted: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Give an access point the id that a file names."""
    point = efs.access_points[wanted] = efs.access_points.pop(made)
    point.access_point_arn = point.access_point_arn.replace(made, wanted)
    point.access_point_id = wanted


def set_log_group_key(logs: Any, name: str, key: str | None) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Set the KMS key of a log group. Raises AwsError where there is no such group."""
    if name not in logs.groups:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    logs.groups[name].kms_key_id = key


def rename_secret(secretsmanager: Any, name: str, arn: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Give a secret the ARN that a file names: its last six characters are random otherwise."""
    secretsmanager.secrets[name].arn = arn


def has_secret(secretsmanager: Any, reference: str) -> bool:  # noqa: ANN401 - moto's objects are untyped
    """Tell whether there is a secret of this name or ARN."""
    return reference in secretsmanager.secrets


def issue_certificate(acm: Any, arn: str) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Issue a requested certificate now, as if its domain had been validated."""
    acm._certificates[arn].status = "ISSUED"  # noqa: SLF001 - moto has no way to ask for it


def certificates_in_use(elbv2: Any) -> dict[str, set[str]]:  # noqa: ANN401 - moto's objects are untyped
    """Return the load balancers by the certificates that their listeners have."""
    found: dict[str, set[str]] = {}
    for balancer in elbv2.load_balancers.values():
        for listener in balancer.listeners.values():
            for arn in listener.certificates or []:
                found.setdefault(arn, set()).add(balancer.arn)
    return found


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role as it is for deciding: trust policy and permission policies as JSON texts, and when it was made."""

    arn: str
    trust: str
    documents: tuple[str, ...]
    created: datetime


def role(iam: Any, arn: str) -> RoleView | None:  # noqa: ANN401 - moto's objects are untyped
    """Return a role by its ARN, or None."""
    found = next((one for one in iam.roles.values() if one.arn == arn), None)
    if found is None:
        return None
    managed = [
        version.document
        for policy in found.managed_policies.values()
        for version in policy.versions
        if version.version_id == policy.default_version_id
    ]
    created = found.create_date.replace(tzinfo=UTC) if found.create_date.tzinfo is None else found.create_date
    documents = (*found.policies.values(), *managed)
    return RoleView(found.arn, found.assume_role_policy_document, documents, created)


def has_role(iam: Any, name: str) -> bool:  # noqa: ANN401 - moto's objects are untyped
    """Tell whether a role has this name: capitals make no difference (AWS: IAM API Reference, CreateRole)."""
    return any(role.name.lower() == name.lower() for role in iam.roles.values())


def inline_policies(iam: Any, name: str) -> dict[str, str]:  # noqa: ANN401 - moto's objects are untyped
    """Return the inline policies of a role by their names."""
    return next((dict(role.policies) for role in iam.roles.values() if role.name == name), {})


def make_service_linked_role(iam: Any, name: str, service: str) -> str:  # noqa: ANN401 - moto's objects are untyped
    """Make the role that a service has for itself, and return its ARN; moto would name some otherwise than AWS."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    path = f"/aws-service-role/{service}/"
    return str(iam.create_role(name, document, path, None, "", [], "3600", linked_service=service).arn)


def load_managed_policy(iam: Any, arn: str) -> bool:  # noqa: ANN401 - moto's objects are untyped
    """Let an account have one of AWS's own policies: moto has them all, but reading all takes a second."""
    if arn in iam.managed_policies:
        return True
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 - 4.7 MB, seldom needed
    from moto.iam.models import AWSManagedPolicy  # noqa: PLC0415 - as above

    name = arn.rpartition("/")[2]
    mark = f'\n "{name}":'
    start = aws_managed_policies_data.find(mark)
    if start < 0:
        return False
    data, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, start + len(mark))
    policy = AWSManagedPolicy.from_data(name, iam.account_id, iam.region_name, data)
    if policy.arn != arn:
        return False
    iam.managed_policies[arn] = policy
    iam.aws_managed_policies.append(policy)
    return True


def write_log(logs: Any, group: str, stream: str, date: datetime, message: str) -> None:  # noqa: ANN401 - untyped
    """Write a line into a log stream, made if need be; does nothing where the group is gone.

    Past the API: that measures dates by the machine's clock, and drops what a faster clock calls now.
    """
    if group not in logs.groups:
        return
    if stream not in logs.groups[group].streams:
        logs.create_log_stream(group, stream)
    event = {"timestamp": int(date.timestamp() * 1000), "message": message}
    logs.groups[group].streams[stream].put_log_events([event])


def has_log_group(logs: Any, name: str) -> bool:  # noqa: ANN401 - moto's objects are untyped
    """Tell whether there is a log group of this name."""
    return name in logs.groups


def log_events(logs: Any, group: str) -> Iterator[tuple[str, int, str]]:  # noqa: ANN401 - moto's objects are untyped
    """Yield the lines of a log group that exists: stream, milliseconds of the epoch, message."""
    for name, stream in logs.groups[group].streams.items():
        for event in stream.events:
            yield name, event.timestamp, event.message


def tagged(account: str, region: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ARN and tags of what moto holds; listeners, rules and repositories too, which its own API leaves out."""
    for backend in iter_taggable_backends(account, region):
        for resource in backend.iter_tagged_resources():
            yield resource.arn, dict(resource.tags)
    # Only what has been used: asking for a backend would make it, and a fresh EC2 is not cheap.
    for backends in list(BackendDict._instances):  # type: ignore[misc]  # noqa: SLF001 - moto's registry of state
        held: Any = dict.get(backends, account, {})
        if backends.service_name == "elbv2" and dict.__contains__(held, region):
            yield from _tagged_listeners(dict.__getitem__(held, region))
        if backends.service_name == "ecr" and dict.__contains__(held, region):
            ecr = dict.__getitem__(held, region)
            for repository in ecr.repositories.values():
                yield repository.arn, ecr.tagger.get_tag_dict_for_resource(repository.arn)


def _tagged_listeners(elbv2: Any) -> Iterator[tuple[str, dict[str, str]]]:  # noqa: ANN401 - moto's objects are untyped
    for balancer in elbv2.load_balancers.values():
        for listener in balancer.listeners.values():
            yield listener.arn, elbv2.tagging_service.get_tag_dict_for_resource(listener.arn)
            for rule in listener.rules.values():
                yield rule.arn, elbv2.tagging_service.get_tag_dict_for_resource(rule.arn)


def load_balancers_of(elbv2: Any, group: str) -> list[str]:  # noqa: ANN401 - moto's objects are untyped
    """Return the load balancers that send to a target group now; moto's own list only ever grows."""
    return [
        balancer.arn
        for balancer in elbv2.load_balancers.values()
        if any(_sends_to(listener, group) for listener in balancer.listeners.values())
    ]


def _sends_to(listener: Any, group: str) -> bool:  # noqa: ANN401 - moto's objects are untyped
    actions = [*listener.default_actions, *(action for rule in listener.rules.values() for action in rule.actions)]
    groups = [one for action in actions for one in (action.data.get("ForwardConfig") or {}).get("TargetGroups", [])]
    return group in [action.data.get("TargetGroupArn") for action in actions] + [
        one["TargetGroupArn"] for one in groups
    ]


def number_of_rules(elbv2: Any, balancer: str) -> int:  # noqa: ANN401 - moto's objects are untyped
    """Return how many rules the listeners of a load balancer have beside their default ones."""
    listeners = elbv2.load_balancers[balancer].listeners.values()
    return sum(not rule.is_default for listener in listeners for rule in listener.rules.values())


def set_rule_priorities(elbv2: Any, priorities: Mapping[str, int]) -> None:  # noqa: ANN401 - moto's objects are untyped
    """Give rules their priorities all at once; moto goes one by one and so refuses a swap."""
    for balancer in elbv2.load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                if rule.arn in priorities:
                    rule.priority = priorities[rule.arn]
