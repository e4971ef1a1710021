"""The kind of machine: its architecture, Windows Subsystem for Linux, a rootless engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workshop.machine.doctor.finding import Finding, State, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.machine.doctor.subject import Subject

# The architectures of the official base images, and what Docker and Linux call them.
SUPPORTED = ("amd64", "arm64")
_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}
_WINDOWS_DRIVE = re.compile(r"/mnt/[a-z](/|$)")


def check_architecture(subject: Subject) -> Iterator[Finding]:
    """Check that programs in containers run without emulation."""
    thing, info = "architecture", subject.info
    if not info:
        return
    if info.system != "linux":
        fix = "Choose `Switch to Linux containers` in the menu of Docker Desktop"
        found = f"the engine runs {info.system} containers"
        yield Finding(thing, State.PROBLEM, found, "Linux containers", fix)
        return
    name = _NAMES.get(info.architecture, info.architecture)
    own = f"linux/{name}"
    asked = subject.environ.get("DOCKER_DEFAULT_PLATFORM", "")
    foreign = [] if asked else _find_foreign_bases(subject, name)
    if asked and not f"{asked}/".startswith(f"{own}/"):
        fix = "Unset DOCKER_DEFAULT_PLATFORM (in PowerShell: Remove-Item env:...)"
        found = f"DOCKER_DEFAULT_PLATFORM is {asked}, and the engine's own platform is {own}"
        yield Finding(thing, State.PROBLEM, found, own, fix)
    elif foreign:
        fix = f"Run: docker image rm {' '.join(foreign)}; then: workshop bases"
        found = f"base images for another one: {', '.join(foreign)}"
        yield Finding(thing, State.PROBLEM, found, own, fix)
    elif name not in SUPPORTED:
        fix = "Use a computer with one of these processors if a build fails"
        wanted = " or ".join(SUPPORTED)
        yield Finding(thing, State.WARNING, f"{own}, which few images support", wanted, fix)
    else:
        yield ok(thing, own)


def _find_foreign_bases(subject: Subject, name: str) -> list[str]:
    """Return the base images that were pulled or built for another architecture."""
    template = "{{.Architecture}}"
    pairs = [(b.image, subject.engine.inspect(b.image, template)) for b in subject.pins.base]
    return [image for image, found in pairs if found and found != name]


def check_limits(subject: Subject) -> Iterator[Finding]:
    """Check that the engine holds containers to their limits, as the checks of a task need."""
    thing, info = "container limits", subject.info
    if not info:
        return
    if not info.limits_memory:
        fix = "Delegate cgroups to your user (rootlesscontaine.rs/getting-started/common/cgroup2)"
        found = "the engine cannot limit the memory of containers"
        yield Finding(thing, State.WARNING, found, "limits that hold", fix)
    elif info.rootless:
        fix = "To grade a class, use an engine that runs as root"
        found = "rootless: workshop check works, workshop grade cannot limit builds"
        yield Finding(thing, State.WARNING, found, "an engine that runs as root", fix)
    else:
        yield ok(thing, "the engine enforces them")


def check_wsl(subject: Subject) -> Iterator[Finding]:
    """Check the version of WSL, and that the checkout is not on a drive of Windows."""
    kernel, thing = subject.host.kernel, "WSL"
    if "microsoft" not in kernel.lower():
        return
    if "wsl2" not in kernel.lower() and "microsoft-standard" not in kernel:
        fix = "In PowerShell, run: wsl --list; then: wsl --set-version NAME 2"
        yield Finding(thing, State.PROBLEM, "version 1, which runs no engine", "version 2", fix)
    elif _WINDOWS_DRIVE.match(str(subject.root)):
        found = f"{subject.root} is on a drive of Windows: slow, and no file event arrives"
        fix = "Clone the repository again below your Linux home folder (cd ~)"
        yield Finding(thing, State.WARNING, found, "a folder of Linux", fix)
    else:
        yield ok(thing, "version 2")
