"""What an image's HEALTHCHECK says where the server runs, and where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.analysis.container.app import run_to_end

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.engine import Engine

SECONDS = 30.0  # what Docker gives a health check unless told
_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True)
class HealthResult:
    """Exit codes of the health check: 0 is healthy; both are None where there is no such check.

    `beside` the running server it should be 0, and `alone`, without a server, anything else.
    """

    beside: int | None = None
    alone: int | None = None


def command(image: Image) -> tuple[str, ...]:
    """The words that a health check executes; none where there is no such check.

    Source: the OCI runtime's `Healthcheck.Test`: CMD and words, CMD-SHELL and a line, or NONE.
    """
    kind, *words = image.healthcheck.get("Test") or ["NONE"]
    if kind == "CMD-SHELL":
        return (*(image.config.get("Shell") or _SHELL), *words)
    return tuple(words) if kind == "CMD" else ()


def health(engine: Engine, name: str, built: str, image: Image, app: App) -> HealthResult:
    """Execute the health check beside `app`, and in a container called `name` without it."""
    words = command(image)
    if not words:
        return HealthResult()
    beside = engine.execute(app.name, words, timeout=SECONDS)
    alone = run_to_end(
        engine,
        name,
        built,
        options=[f"--entrypoint={words[0]}"],
        command=words[1:],
        seconds=SECONDS,
    )
    return HealthResult(beside.code, alone.code)
