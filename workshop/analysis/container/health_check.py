"""Runs an image's HEALTHCHECK with and without a running server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.analysis.container.app import run_to_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.engine import Engine

SECONDS = 30.0  # Docker's default time-out for a health check
_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True)
class HealthResult:
    """The health check's exit codes, 0 for healthy; both are None if there is no health check.

    `with_server` should be 0; `without_server` should not.
    """

    with_server: int | None = None
    without_server: int | None = None


def health_command(image: Image) -> tuple[str, ...]:
    """Return the argument list of an image's health check; empty if there is none.

    Source: `Healthcheck.Test` of the image config: CMD and arguments, CMD-SHELL and a line, or
    NONE.
    """
    kind, *arguments = image.healthcheck.get("Test") or ["NONE"]
    if kind == "CMD-SHELL":
        return (*(image.config.get("Shell") or _SHELL), *arguments)
    return tuple(arguments) if kind == "CMD" else ()


def run_health_check(  # noqa: PLR0913 - the parts of two runs
    engine: Engine,
    name: str,
    image_id: str,
    image: Image,
    app: App,
    *,
    limits: Sequence[str] = (),
) -> HealthResult:
    """Run the health check in the container of `app`, and alone in a container called `name`.

    `limits` are options of `docker run` for that one.
    """
    command = health_command(image)
    if not command:
        return HealthResult()
    with_server = engine.execute(app.name, command, timeout=SECONDS)
    without_server = run_to_end(
        engine,
        name,
        image_id,
        options=[*limits, f"--entrypoint={command[0]}"],
        command=command[1:],
        seconds=SECONDS,
    )
    return HealthResult(with_server.code, without_server.code)
