"""What the command line may say instead of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fargatectl.errors import UsageError
from fargatectl.model.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fargatectl.config.models import Config


def with_images(config: Config, options: Iterable[str]) -> Config:
    """Return `config` with the images of `--image SERVICE=REF` options, or `--image REF` where there is one service.

    Raises UsageError when there is no such service, or when what is given is no image.
    """
    from fargatectl.config.container import IMAGE  # noqa: PLC0415 - pydantic is slow to import; --help has no need of it

    services = dict(config.services)
    for option in options:
        name, separator, image = option.partition("=")
        if not separator:
            name, image = _only(config), option
        if name not in services:
            close = nearest(name, services)
            hint = f"Did you mean {close}?" if close else f"The file has {', '.join(services) or 'none'}."
            raise UsageError(f"--image {option}: there is no service {name}.", hint=hint)
        try:
            IMAGE.parse(image)
        except ValueError as error:
            raise UsageError(f"--image {option}: {error}.") from error
        services[name] = services[name].model_copy(update={"image": image})
    return config.model_copy(update={"services": services})


def _only(config: Config) -> str:
    if len(config.services) == 1:
        return next(iter(config.services))
    hint = f"Write --image SERVICE=REF, with one of {', '.join(config.services)}." if config.services else ""
    raise UsageError("--image REF without a service's name is for files with one service.", hint=hint)
