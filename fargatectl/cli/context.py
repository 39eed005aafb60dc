"""From options to what a command works on: the file, the stack made from it, and the account it goes to."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fargatectl.cli import endpoints
from fargatectl.config import credentials
from fargatectl.config.load import find, load
from fargatectl.config.override import with_images
from fargatectl.dataclass import dataclass
from fargatectl.errors import AwsFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
    from concurrent.futures import Executor

    from boto3.session import Session

    from fargatectl.aws.session import Aws
    from fargatectl.cli.options import FileOptions
    from fargatectl.cli.surroundings import Surroundings
    from fargatectl.config.load import Loaded
    from fargatectl.config.models import Config
    from fargatectl.engine.stack import Stack
    from fargatectl.model.jobs import JobView
    from fargatectl.model.logs import LogSource
    from fargatectl.model.status import ServiceView

_GIT_SECONDS = 10
LOCAL_ACCOUNT = "123456789012"
_NO_REGION = 'put `region = "eu-central-1"` into the file, use --region, or set AWS_REGION'


@dataclass
class Target:
    """What a command works on. `executor` runs the engine's steps."""

    loaded: Loaded
    config: Config
    stack: Stack
    services: tuple[ServiceView, ...]
    aws: Aws
    executor: Executor
    jobs: tuple[JobView, ...] = ()
    logs: tuple[LogSource, ...] = ()

    @property
    def file(self) -> str:
        """The file's name, for headings; with `-e` the environment is in the heading already."""
        return self.loaded.path.name

    def place(self, key: str) -> str:
        """Return where a key of the file stands, or would stand: "fargatectl.toml:12"."""
        line = self.loaded.line(*key.split("."))
        return self.file if line is None else f"{self.file}:{line}"

    def views(self, names: Collection[str]) -> tuple[ServiceView, ...]:
        """Return the services of these names, or all where none is named. Raises UsageError."""
        for name in names:
            if name not in self.config.services:
                known = ", ".join(self.config.services) or "none"
                raise UsageError(f"{self.file} has no service {name}", hint=f"it has {known}")
        return tuple(view for view in self.services if not names or view.name in names)


def read_file(options: FileOptions, surroundings: Surroundings) -> Loaded:
    """Return the user's file, loaded. Raises ConfigError with all its problems, UsageError if there is no file."""
    path = _path(options, surroundings)
    return load(path, environment=options.env or None, variables=surroundings.environ, git_sha=_commit(path.parent))


def _path(options: FileOptions, surroundings: Surroundings) -> Path:
    if options.config is None:
        return find(surroundings.directory)
    path = surroundings.directory / options.config
    if path.is_dir():
        path /= "fargatectl.toml"
    if not path.exists():
        raise UsageError(f"there is no file {options.config}", hint="name the file with --config PATH")
    return path


def _commit(directory: Path) -> Callable[[], str | None]:
    def ask() -> str | None:
        command = ["git", "rev-parse", "HEAD"]
        try:
            done = subprocess.run(  # noqa: S603 - fixed arguments
                command, cwd=directory, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    return ask


@contextmanager
def target(
    options: FileOptions,
    surroundings: Surroundings,
    *,
    images: Iterable[str] = (),
    converges: bool = False,
) -> Iterator[Target]:
    """Give what `options` choose, and let go of its threads at the end.

    `images` are those of `--image`. Where the command `converges`, the file's credentials are taken from the
    environment, which must have them all, and registries outside AWS may be asked for digests. Raises ConfigError,
    UsageError, Refused, AwsFailure.
    """
    loaded = read_file(options, surroundings)
    config = with_images(loaded.config, images)
    variables: dict[str, str] = {}
    if converges:
        variables |= surroundings.environ
        missing = credentials.missing(config, variables) if options.sandbox else {}
        for name in missing:
            surroundings.voice.aside(f"{name} is not set: a placeholder stands for it")
        variables |= dict.fromkeys(missing, credentials.PLACEHOLDER)
        credentials.require(loaded, variables)
    # Imported here so that a mistake in the file is told before the AWS SDK is loaded.
    from fargatectl.aws.credentials import settle  # noqa: PLC0415
    from fargatectl.aws.session import WORKERS, Aws, make_session  # noqa: PLC0415
    from fargatectl.stack import build  # noqa: PLC0415

    endpoint = options.endpoint_url
    if endpoint is not None:
        endpoints.check(endpoint, confirmed=endpoint)
    if options.sandbox:
        endpoint = _enter_sandbox(options, config, surroundings)
    open_session: Callable[[str | None], Session] = surroundings.open_session or (
        lambda profile: make_session(profile=profile, cache=_cache(surroundings.environ), ask=_asking(surroundings))
    )
    session = open_session(None if options.sandbox else options.profile)
    endpoints.guard(session, confirmed=options.endpoint_url)
    settle(session)
    region = options.region or config.region or surroundings.environ.get("AWS_REGION") or session.region_name
    if not region:
        raise UsageError("no Region is known", hint=_NO_REGION)
    blueprint = build(config, loaded.environment, region, variables)
    engine, leaves = ThreadPoolExecutor(WORKERS), ThreadPoolExecutor(WORKERS)
    try:
        aws = Aws(
            session,
            region=region,
            pool=leaves,
            endpoint_url=endpoint,
            clock=surroundings.clock,
            monotonic=surroundings.monotonic,
            sleep=surroundings.sleep,
            stopped=surroundings.signals.stopped,
            fetch=surroundings.fetch if converges and not options.sandbox else None,
        )
        yield Target(
            loaded, config, blueprint.stack, blueprint.services, aws, engine, jobs=blueprint.jobs, logs=blueprint.logs
        )
    finally:
        for pool in (engine, leaves):
            pool.shutdown(wait=False, cancel_futures=True)


def require_account(there: Target) -> None:
    """Raise `Refused` where the credentials belong to another account than the file's."""
    from fargatectl.engine.observer import observe  # noqa: PLC0415 - as above

    asked = {address: source for address, source in there.stack.sources.items() if address.startswith("sts.")}
    seen = observe(replace(there.stack, resources={}, sources=asked), there.aws, there.executor)
    for failure in seen.failures.values():
        raise failure


def _asking(surroundings: Surroundings) -> Callable[[str], str]:
    def ask(question: str) -> str:
        if not surroundings.is_interactive:
            message = f"the profile wants an MFA code, and nobody is here to give one ({question.strip(' :')})"
            hint = "open a session first: `aws sts get-caller-identity` with the same profile does"
            raise AwsFailure(message, code="MFACodeRequired", hint=hint)
        return surroundings.voice.ask(question)

    return ask


def _cache(environ: Mapping[str, str]) -> Path:
    import platformdirs  # noqa: PLC0415 - who only reads the file has no need of it

    home = Path(environ.get("XDG_CACHE_HOME", ""))
    return (home / "fargatectl" if home.is_absolute() else platformdirs.user_cache_path("fargatectl")) / "models"


def _enter_sandbox(options: FileOptions, config: Config, surroundings: Surroundings) -> str:
    """Start or reuse the local AWS, make there what the file refers to, and return its endpoint.

    The process's own AWS settings are replaced: nothing of the user's account may be used by accident.
    """
    from fargatectl.config.references import references  # noqa: PLC0415 - only with --sandbox
    from fargatectl.sandbox import lifetime  # noqa: PLC0415 - only with --sandbox

    if options.endpoint_url is not None:
        raise UsageError("--sandbox and --endpoint-url exclude each other")
    account = config.account or LOCAL_ACCOUNT
    region = options.region or config.region or surroundings.environ.get("AWS_REGION") or "us-east-1"
    directories = lifetime.Directories.of(surroundings.environ)
    running = lifetime.start(directories=directories, environment=surroundings.environ)
    surroundings.voice.aside(f"local AWS at {running.endpoint}: a double of AWS on this machine, nothing here is real")
    for sentence in lifetime.provision(running, references(config), account, region):
        surroundings.voice.aside(f"  made there, with placeholder values: {sentence}")
    replace_aws_settings(surroundings.environ, lifetime.environment(running, account, region))
    return running.endpoint


def replace_aws_settings(environ: MutableMapping[str, str], ours: dict[str, str]) -> None:
    """Put `ours` in place of all AWS settings of a process: variables, files, metadata service and proxies."""
    for name in [name for name in environ if name.startswith("AWS_")]:
        del environ[name]
    nothing = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    environ.update({**nothing, **ours, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
