"""How an image is configured: its environment, working directory, ports and entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.dockerfile.parser import split_reference
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source


# These official images set no variable that a task requires.
_BARE_IMAGES = {"python", "ubuntu"}


def has_stage(source: Source) -> None:
    """Raise `Failed` if the Dockerfile has no stage, or none with the target's name."""
    source.final()


def is_readable(source: Source) -> None:
    """Raise `Failed` if Docker cannot read the Dockerfile, or if the target stage is missing."""
    for problem in source.dockerfile().problems[:1]:
        raise Failed(problem.text, "a Dockerfile that Docker can read", line=problem.line)
    has_stage(source)


@check(
    points=1,
    text=is_readable,
    why="A container can only run from an image that builds.",
    hint="Read the last lines of the step that failed: they show the command and its error.",
)
def builds(image: Image) -> None:
    """The image builds."""


def sets_variable(name: str) -> Check:
    """Require that every container has this variable, with a value that is not empty."""
    return _environment(
        name,
        f"sets-{name.lower().replace('_', '-')}",
        f"{name} is set in every container",
        bool,
        f"{name} set to a non-empty value",
        why="ENV sets a variable for the build and for every container; ARG only for the build.",
        hint=f"Write ENV {name}=VALUE in the last stage.",
    )


def build_only_variable(name: str) -> Check:
    """Require that no container has this variable."""
    return _environment(
        name,
        f"no-{name.lower().replace('_', '-')}",
        f"{name} is set only during the build",
        lambda value: value is None,
        f"{name} set only during the build",
        why="A variable set with ENV stays in every container, and in images built on this one.",
        hint=f"Write ARG {name}=VALUE instead of ENV.",
    )


def _environment(  # noqa: PLR0913 - the parts of a check
    name: str,
    id_: str,
    title: str,
    is_valid: Callable[[str | None], bool],
    expected: str,
    *,
    why: str,
    hint: str,
) -> Check:
    def check_text(source: Source) -> None:
        final = source.final()
        setting = final.env.get(name)
        if setting and not is_valid(setting.value):
            raise Failed(f"ENV {name}={setting.value}", expected, line=setting.line)
        # Without an ENV instruction, another base image may set the variable.
        if not setting and split_reference(final.base)[0] in _BARE_IMAGES and not is_valid(None):
            raise Failed(f"no ENV {name}", expected)

    @check(points=1, name=id_, title=title, text=check_text, why=why, hint=hint)
    def environment(image: Image) -> None:
        value = image.env.get(name)
        if not is_valid(value):
            raise Failed(f"{name} is not set" if value is None else f"{name}={value}", expected)

    return environment


def working_directory(path: str) -> Check:
    """Require that containers start in this directory."""

    def check_text(source: Source) -> None:
        setting = source.final().workdir
        if setting is None or setting.value.rstrip("/") != path:
            actual = f"WORKDIR {setting.value}" if setting else "no WORKDIR"
            raise Failed(actual, f"WORKDIR {path}", line=setting.line if setting else None)

    @check(
        points=1,
        title=f"The working directory is {path}",
        blame=("WORKDIR",),
        text=check_text,
        why="Relative paths in COPY, RUN and CMD start at the working directory.",
        hint=f"Write WORKDIR {path} before COPY. It also creates the directory.",
    )
    def working_directory(image: Image) -> None:
        if image.workdir.rstrip("/") != path:
            raise Failed(f"containers start in {image.workdir}", path)

    return working_directory


def exposes(port: int) -> Check:
    """Require that EXPOSE lists the port."""

    def check_text(source: Source) -> None:
        final = source.final()
        if f"{port}/tcp" not in final.ports:
            actual = f"EXPOSE {', '.join(final.ports)}" if final.ports else "no EXPOSE"
            # An EXPOSE with an empty variable lists no port.
            lines = [step.line for step in final.instructions if step.keyword == "EXPOSE"]
            raise Failed(actual, f"EXPOSE {port}", line=lines[-1] if lines else None)

    @check(
        points=1,
        name=f"exposes-{port}",
        title=f"EXPOSE lists port {port}",
        text=check_text,
        why="EXPOSE does not publish a port: it documents which port the server listens on.",
        hint=f"Add EXPOSE {port} to the last stage.",
    )
    def exposes_port(image: Image) -> None:
        if f"{port}/tcp" not in image.ports:
            actual = f"EXPOSE lists {', '.join(sorted(image.ports)) or 'no port'}"
            raise Failed(actual, f"{port}/tcp")

    return exposes_port


def no_entrypoint(expected: str) -> Callable[[Source], None]:
    """Return a check of the text that fails without an ENTRYPOINT."""

    def check_text(source: Source) -> None:
        if source.final().entrypoint is None:
            raise Failed("no ENTRYPOINT", expected)

    return check_text
