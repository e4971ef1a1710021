"""What an image is set to: its environment, its folder, its ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.analysis.dockerfile.effective import Setting
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source


def builds(lesson: str, of: str = "") -> Check:
    """The image can be built."""

    def has_a_stage(source: Source) -> None:
        source.final(source.task.recipe(of))

    @check(
        points=1,
        lesson=lesson,
        text=has_a_stage,
        why="Nothing can run that cannot be built.",
        hint="Read the last lines of the step that failed: they name the command and its error.",
    )
    def builds(image: Image) -> None:
        """The image can be built."""

    return builds


def environment(name: str, lesson: str, value: str = "") -> Check:
    """Every container has this variable; with this value, or with any but an empty one."""
    expected = f"{name}={value or 'any value but an empty one'}"

    def fits(found: str | None) -> bool:
        return bool(found) and (not value or found == value)

    def said(source: Source) -> None:
        setting = source.final().env.get(name)
        # Without a line of its own, the base image may have set it.
        if setting and not fits(setting.value):
            raise Failed(f"{name}={setting.value}", expected, line=setting.line)

    @check(
        points=1,
        lesson=lesson,
        name=f"sets-{name.lower().replace('_', '-')}",
        title=f"Every container has {expected} in its environment",
        text=said,
        why="ENV sets a variable for the build and for every container; ARG for the build alone.",
        hint=f"Write ENV {name}={value or 'VALUE'} in the last stage.",
    )
    def sets(image: Image) -> None:
        if not fits(image.env.get(name)):
            found = image.env.get(name)
            raise Failed(f"{name} is not set" if found is None else f"{name}={found}", expected)

    return sets


def no_environment(name: str, lesson: str) -> Check:
    """No container inherits this variable."""

    def said(source: Source) -> None:
        if setting := source.final().env.get(name):
            actual = f"ENV {name} in the image"
            raise Failed(actual, f"{name} known to the build alone", line=setting.line)

    @check(
        points=1,
        lesson=lesson,
        name=f"no-{name.lower().replace('_', '-')}",
        title=f"{name} is for the build alone",
        text=said,
        why="What ENV sets stays for every container, and for every image built on this one.",
        hint=f"Write ARG {name}=VALUE in place of ENV.",
    )
    def not_set(image: Image) -> None:
        if name in image.env:
            raise Failed(f"{name}={image.env[name]} in every container", "no such variable")

    return not_set


def workdir(folder: str, lesson: str) -> Check:
    """Containers start in this folder."""

    def said(source: Source) -> None:
        setting = source.final().workdir
        if setting is None or setting.value.rstrip("/") != folder:
            actual = f"WORKDIR {setting.value}" if setting else "no WORKDIR"
            raise Failed(actual, f"WORKDIR {folder}", line=setting.line if setting else None)

    @check(
        points=1,
        lesson=lesson,
        name="working-directory",
        title=f"Containers start in {folder}",
        blame=("WORKDIR",),
        text=said,
        why="Paths in COPY, RUN and CMD are taken from the working folder.",
        hint=f"Write WORKDIR {folder} before the COPY: it makes the folder too.",
    )
    def working_folder(image: Image) -> None:
        if image.workdir.rstrip("/") != folder:
            raise Failed(f"they start in {image.workdir}", folder)

    return working_folder


def exposes(port: int, lesson: str) -> Check:
    """EXPOSE names the port."""

    def said(source: Source) -> None:
        ports = source.final().ports
        if f"{port}/tcp" not in ports:
            actual = f"EXPOSE of {', '.join(ports)}" if ports else "no EXPOSE"
            raise Failed(actual, f"EXPOSE {port}", line=_first_line(ports.values()))

    @check(
        points=1,
        lesson=lesson,
        name=f"exposes-{port}",
        title=f"EXPOSE names port {port}",
        text=said,
        why="EXPOSE publishes nothing: it tells people and tools where the server listens.",
        hint=f"Add EXPOSE {port} to the last stage.",
    )
    def exposes_port(image: Image) -> None:
        if f"{port}/tcp" not in image.ports:
            raise Failed(f"it names {', '.join(sorted(image.ports)) or 'nothing'}", f"{port}/tcp")

    return exposes_port


def _first_line(settings: Iterable[Setting]) -> int | None:
    return next((setting.line for setting in settings), None)
