"""Clients, shared reads and waiting: what a reconciler is handed to talk to AWS.

botocore's `standard` mode owns throttles, 5xx answers and broken sockets; `waits` owns named errors of the domain.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import botocore
import botocore.session
from boto3.session import Session
from botocore.config import Config
from botocore.hooks import EventAliaser, HierarchicalEmitter

from fargatectl import __version__
from fargatectl.aws.connections import CONNECTIONS, Connections
from fargatectl.aws.credentials import prepare
from fargatectl.aws.errors import SERVICE, ClientError, says
from fargatectl.aws.models import TrimmedModels
from fargatectl.aws.rates import Budget
from fargatectl.dataclass import dataclass
from fargatectl.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from concurrent.futures import Executor

    from botocore.model import OperationModel
    from types_boto3_acm import ACMClient
    from types_boto3_application_autoscaling import ApplicationAutoScalingClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_ecs import ECSClient
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_iam import IAMClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from types_boto3_route53 import Route53Client
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_servicediscovery import ServiceDiscoveryClient
    from types_boto3_ssm import SSMClient
    from types_boto3_sts import STSClient

    from fargatectl.aws.http import Fetch

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 16
_USER_AGENT = f"fargatectl/{__version__} botocore/{botocore.__version__}"
_CONNECT_TIMEOUT_SECONDS = 5
_READ_TIMEOUT_SECONDS = 20
_SENDING_TO_ECS = "before-send.ecs."
_TAGGED_PAGE = 100  # Resource Groups Tagging API Reference, GetResources: the most on a page
ATTEMPT_SECONDS = _CONNECT_TIMEOUT_SECONDS + _READ_TIMEOUT_SECONDS
"""How long one attempt of a call may take."""


@dataclass(frozen=True)
class Patience:
    """How long a client tries: `attempts` in all (throttles, 5xx and sockets only; see `waits` for the rest)."""

    attempts: int = 6
    connect_seconds: float = _CONNECT_TIMEOUT_SECONDS
    read_seconds: float = _READ_TIMEOUT_SECONDS


_QUICK = Patience(attempts=3, connect_seconds=3, read_seconds=7)
"""For the lock: all attempts together take less than half a lease, so that a failed renewal can be tried again."""


class Lease(Protocol):
    """The right to write that a run holds for some time (see `engine.lock`)."""

    def renew(self) -> None:
        """Renew it if that is due; raises nothing."""
        ...

    def check(self, seconds: float) -> None:
        """Raise `LeaseLost` unless it holds for another `seconds`."""
        ...


@dataclass(frozen=True)
class Identity:
    """Who AWS takes us for."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`: the second part of every ARN."""
        return self.arn.split(":")[1]


class Reads:
    """Answers of one planning pass, shared: two readers that ask the same thing make one call.

    Emptied at the first write, because from then on an old answer may be wrong.
    """

    def __init__(self) -> None:
        self._answers: dict[Hashable, Future[Any]] = {}
        self._notes: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """Return the answer to `key`; the first caller asks, concurrent ones wait for it. A failure is shared too."""
        with self._lock:
            future = self._answers.get(key)
            asking = future is None
            if future is None:
                future = self._answers[key] = Future()
        if asking:
            try:
                future.set_result(ask())
            except BaseException as error:
                future.set_exception(error)
                self.forget(key)
                raise
        answer: T = future.result()
        return answer

    def note(self, key: Hashable, fact: object) -> None:
        """Keep what planning saw past the first write, for those who can cope with its being old by then."""
        self._notes[key] = fact

    def noted(self, key: Hashable) -> Any:  # noqa: ANN401 - what was noted; None for nothing
        """Return what was noted last."""
        return self._notes.get(key)

    def forget(self, key: Hashable) -> None:
        """Drop one answer."""
        with self._lock:
            self._answers.pop(key, None)

    def clear(self) -> None:
        """Drop all answers: something was written."""
        with self._lock:
            self._answers.clear()


class Aws:
    """Clients of one account and Region, one per AWS service, made once and lazily; shared by all threads.

    `clock` gives the time in UTC, `monotonic` seconds that never jump, `sleep` waits; all three are injected. `pool`
    runs leaf calls side by side: nothing that runs in it may wait for it. `fetch` asks registries outside AWS; without
    it none is asked.

    With a `lease`, every attempt of a mutating call is sent only while it holds. It is renewed on the way: before each
    attempt of any call, and after each pause. A run does nothing else for long, so that this needs no thread.

    Once `stopped` says so (Ctrl-C), calls under way end, and no new one is begun that would change something.
    """

    def __init__(  # noqa: PLR0913 - the environment, each part of it replaceable
        self,
        session: Session,
        *,
        region: str,
        pool: Executor,
        endpoint_url: str | None = None,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        stopped: Callable[[], bool] = lambda: False,
        fetch: Fetch | None = None,
    ) -> None:
        self.region = region
        self.fetch = fetch
        self.reads = Reads()
        self.clock = clock
        self.monotonic = monotonic
        self.lease: Lease | None = None
        self.stopped = stopped
        self._sleep = sleep
        self._session = session
        self._pool = pool
        self._endpoint_url = endpoint_url
        self._clients: dict[str, Any] = {}
        self._elsewhere: dict[str, Aws] = {}
        self._lock = threading.Lock()
        self._budget = Budget(monotonic, self.sleep)

    def now(self) -> datetime:
        """Return the time in UTC."""
        return self.clock().astimezone(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        self._sleep(seconds)
        if self.lease is not None:
            self.lease.renew()

    def go_on(self) -> None:
        """Raise `Stopped` if the user asked this run to end."""
        if self.stopped():
            raise Stopped("the run was interrupted before this was done", hint="run the same command again to go on")

    def each(self, ask: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Call `ask` for every item side by side and return the answers in order."""
        todo = list(items)
        if len(todo) <= 1:
            return [ask(item) for item in todo]
        return [future.result() for future in [self._pool.submit(ask, item) for item in todo]]

    def together(self, *asks: Callable[[], Any]) -> list[Any]:
        """Make several different calls side by side."""
        return self.each(lambda ask: ask(), asks)

    def identity(self) -> Identity:
        """Return who we are, asked once in a run (STS GetCallerIdentity)."""
        return self._identity

    @cached_property
    def _identity(self) -> Identity:
        answer = self.sts.get_caller_identity()
        return Identity(account=answer["Account"], arn=answer["Arn"])

    def at(self, region: str) -> Aws:
        """Return the same account in another Region, to read there: it holds no lease."""
        if region == self.region:
            return self
        with self._lock:
            if region not in self._elsewhere:
                self._elsewhere[region] = Aws(
                    self._session,
                    region=region,
                    pool=self._pool,
                    endpoint_url=self._endpoint_url,
                    clock=self.clock,
                    monotonic=self.monotonic,
                    sleep=self._sleep,
                    stopped=self.stopped,
                )
            return self._elsewhere[region]

    def _client(self, name: str) -> Any:  # noqa: ANN401 - typed by the properties below
        # boto3 sessions are not thread-safe while they make clients (boto3 guide, "Multithreading").
        with self._lock:
            if name not in self._clients:
                client = self._make_client(name, Patience())
                # Named with its service, a handler comes before those for all services.
                sending = f"before-send.{client.meta.service_model.service_id.hyphenize()}"
                client.meta.events.register("before-call", self._before_call)
                client.meta.events.register(sending, self._before_send)
                self._clients[name] = client
            return self._clients[name]

    def _make_client(self, name: str, patience: Patience) -> Any:  # noqa: ANN401 - as above
        config = Config(
            retries={"mode": "standard", "total_max_attempts": patience.attempts},
            max_pool_connections=2 * WORKERS,  # the engine's steps and their leaf calls have a pool of threads each
            connect_timeout=patience.connect_seconds,
            read_timeout=patience.read_seconds,
            # CloudTrail shows it. Without one, botocore makes it up of some twenty parts for each request.
            user_agent=_USER_AGENT,
            # Host prefixes ("data-servicediscovery") do not resolve on a local endpoint.
            inject_host_prefix=None if self._endpoint_url is None else False,
        )
        make: Callable[..., Any] = self._session.client
        client = make(name, region_name=self.region, endpoint_url=self._endpoint_url, config=config)
        client.meta.events.register("after-call", _note_service)
        return client

    def _before_call(self, model: OperationModel, **_: object) -> None:
        if is_mutating(model.name):
            self.go_on()
            self.reads.clear()

    def _before_send(self, event_name: str, **_: object) -> None:
        mutating = is_mutating(event_name.rpartition(".")[2])
        if event_name.startswith(_SENDING_TO_ECS):
            self._budget.take(event_name.removeprefix(_SENDING_TO_ECS))
            if mutating:
                self.go_on()  # Ctrl-C ends the wait for a token, too
        lease = self.lease
        if lease is not None:
            lease.renew()
            if mutating:
                lease.check(ATTEMPT_SECONDS)

    @cached_property
    def locks(self) -> SSMClient:
        """AWS Systems Manager Parameter Store for the lock: gives up sooner, and is not itself kept by the lock."""
        with self._lock:
            return self._make_client("ssm", _QUICK)  # type: ignore[no-any-return]

    @property
    def acm(self) -> ACMClient:
        """AWS Certificate Manager."""
        return self._client("acm")  # type: ignore[no-any-return]

    @property
    def autoscaling(self) -> ApplicationAutoScalingClient:
        """Application Auto Scaling."""
        return self._client("application-autoscaling")  # type: ignore[no-any-return]

    @property
    def cloudwatch(self) -> CloudWatchClient:
        """Amazon CloudWatch: alarms, dashboards, metrics."""
        return self._client("cloudwatch")  # type: ignore[no-any-return]

    @property
    def ec2(self) -> EC2Client:
        """Amazon VPC and its security groups."""
        return self._client("ec2")  # type: ignore[no-any-return]

    @property
    def ecr(self) -> Any:  # noqa: ANN401 - one call; its types would be one more package for that
        """Amazon ECR."""
        return self._client("ecr")

    @property
    def ecs(self) -> ECSClient:
        """Amazon ECS."""
        return self._client("ecs")  # type: ignore[no-any-return]

    @property
    def efs(self) -> Any:  # noqa: ANN401 - two calls; its types would be one more package for that
        """Amazon EFS."""
        return self._client("efs")

    @property
    def elb(self) -> ElasticLoadBalancingv2Client:
        """Elastic Load Balancing, version 2."""
        return self._client("elbv2")  # type: ignore[no-any-return]

    @property
    def iam(self) -> IAMClient:
        """AWS Identity and Access Management."""
        return self._client("iam")  # type: ignore[no-any-return]

    @property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs."""
        return self._client("logs")  # type: ignore[no-any-return]

    @property
    def route53(self) -> Route53Client:
        """Amazon Route 53."""
        return self._client("route53")  # type: ignore[no-any-return]

    @property
    def s3(self) -> S3Client:
        """Amazon S3."""
        return self._client("s3")  # type: ignore[no-any-return]

    @property
    def scheduler(self) -> Any:  # noqa: ANN401 - one concern calls it; its types would be one more package for that
        """Amazon EventBridge Scheduler."""
        return self._client("scheduler")

    @property
    def secrets(self) -> SecretsManagerClient:
        """AWS Secrets Manager."""
        return self._client("secretsmanager")  # type: ignore[no-any-return]

    @property
    def sns(self) -> Any:  # noqa: ANN401 - one call; its types would be one more package for that
        """Amazon SNS."""
        return self._client("sns")

    @property
    def cloudmap(self) -> ServiceDiscoveryClient:
        """AWS Cloud Map."""
        return self._client("servicediscovery")  # type: ignore[no-any-return]

    @property
    def ssm(self) -> SSMClient:
        """AWS Systems Manager Parameter Store."""
        return self._client("ssm")  # type: ignore[no-any-return]

    @property
    def sts(self) -> STSClient:
        """AWS Security Token Service."""
        return self._client("sts")  # type: ignore[no-any-return]

    @property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        """Resource Groups Tagging API."""
        return self._client("resourcegroupstaggingapi")  # type: ignore[no-any-return]

    def tagged(self, tags: Mapping[str, str], types: Sequence[str] = ()) -> dict[str, dict[str, str]]:
        """Return ARN → tags of what carries all of `tags`, asked once per planning pass.

        Whoever asks first may limit that to `types`, as the tagging API calls them. Positive proof only: it lags
        behind, so that absence from it means nothing.
        """

        def ask() -> dict[str, dict[str, str]]:
            try:
                return pages_of(ResourceTypeFilters=list(types)) if types else pages_of()
            except ClientError as error:
                # A Region may not know each of the services: then it is asked for whatever there is.
                if not types or not says(error, "InvalidParameterException", "unsupported service"):
                    raise
                return pages_of()

        def pages_of(**limits: Any) -> dict[str, dict[str, str]]:  # noqa: ANN401 - part of a request
            filters: Any = [{"Key": key, "Values": [value]} for key, value in sorted(tags.items())]
            request: Any = {"TagFilters": filters, "ResourcesPerPage": _TAGGED_PAGE, **limits}
            pages = self.tagging.get_paginator("get_resources").paginate(**request)
            return {
                mapping["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in mapping["Tags"]}
                for page in pages
                for mapping in page["ResourceTagMappingList"]
            }

        return self.reads.once(_tagged_key(tags), ask)

    def doubt(self, tags: Mapping[str, str]) -> None:
        """Have the services themselves asked for everything until the next write: `tagged` shows nothing of `tags`."""
        self.reads.clear()
        self.reads.once(_tagged_key(tags), dict)


def _tagged_key(tags: Mapping[str, str]) -> Hashable:
    return ("tagged", tuple(sorted(tags.items())))


_READING = ("Describe", "List", "Get", "BatchGet", "Lookup", "Discover", "Search", "Simulate", "Filter", "Head")
_QUERYING = ("StartQuery", "StopQuery")  # of CloudWatch Logs Insights: nothing of the account's changes


def is_mutating(operation: str) -> bool:
    """Tell whether an AWS operation changes something, by its verb."""
    return not operation.startswith(_READING) and operation not in _QUERYING


def _note_service(parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
    parsed.setdefault("ResponseMetadata", {})[SERVICE] = model.service_model.service_name


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut `items` into pieces that one call can take."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def make_session(
    *,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
    cache: Path | None = None,
    ask: Callable[[str], str] | None = None,
) -> Session:
    """Return a boto3 session over the standard AWS chain; `profile` as `--profile` gives it.

    `environment` replaces profile and credentials (the local AWS brings its own). `cache` is a directory for copies of
    AWS's service models; a user who has models of their own (AWS_DATA_PATH, ~/.aws/models) gets those. `ask` asks
    for the MFA code of a role, where the profile wants one.
    """
    emitter = HierarchicalEmitter()
    core = botocore.session.Session(profile=profile, event_hooks=emitter)
    # botocore's own looks for old names of services in each event's, and nobody here uses these.
    core.register_component("event_emitter", EventAliaser(emitter, {}))
    if environment is not None:
        core.set_credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    events = core.get_component("event_emitter")
    events.register("after-call", _note_service)
    connections = Connections(
        core.get_config_variable("ca_bundle"), keepalive=bool(core.get_config_variable("tcp_keepalive"))
    )
    events.register("before-send", connections.send, unique_id=CONNECTIONS)
    if ask is not None:
        prepare(core, ask)
    own_models = core.get_config_variable("data_path") or Path(TrimmedModels.CUSTOMER_DATA_PATH).exists()
    if cache is not None and not own_models:
        core.register_component("data_loader", TrimmedModels(cache))
    return Session(botocore_session=core)
