"""Chooses the files of Python packages that a class needs: wheels, and source distributions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from pypi_simple import PyPISimple
from requests import RequestException

from workshop.classroom.file_store import Download
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.tags import Tag
    from pypi_simple import DistributionPackage, ProjectPage

    from workshop.classroom.locks import Pin

FOLDER = "packages"
CONNECTIONS = 8
_SECONDS = 60
# The C library of Debian 12, 13 and Ubuntu 22.04 or later accepts these and older ones.
_GLIBC_MINORS = range(36, 4, -1)
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_MACOS = {"amd64": "x86_64", "arm64": "arm64"}
_WINDOWS = {"amd64": "win_amd64", "arm64": "win_arm64"}
_MACOS_MAJORS = range(15, 10, -1)
SYSTEMS = ("linux", "macos", "windows")


class Target(NamedTuple):
    """A Python that installs packages: `python` is a minor version, such as (3, 13)."""

    python: tuple[int, int]
    system: str
    architecture: str

    def tags(self) -> frozenset[Tag]:
        """Return the tags of the wheels that it can install (PEP 425)."""
        platforms = [*_platforms(self.system, self.architecture)]
        interpreter = f"cp{self.python[0]}{self.python[1]}"
        return frozenset(
            (
                *cpython_tags(self.python, platforms=platforms),
                *compatible_tags(self.python, interpreter, platforms),
            )
        )


def _platforms(system: str, architecture: str) -> Iterator[str]:
    if system == "linux":
        machine = _MACHINES[architecture]
        yield from (f"manylinux_2_{minor}_{machine}" for minor in _GLIBC_MINORS)
        yield from (f"manylinux{name}_{machine}" for name in (2014, 2010, 1))
        yield f"linux_{machine}"
    elif system == "macos":
        machine = _MACOS[architecture]
        for major in _MACOS_MAJORS:
            yield from (f"macosx_{major}_0_{kind}" for kind in (machine, "universal2"))
        for minor in range(16, 8, -1):
            yield from (f"macosx_10_{minor}_{kind}" for kind in (machine, "universal2"))
    else:
        yield _WINDOWS[architecture]


class Need(NamedTuple):
    """A pinned package, and the Pythons that install it."""

    pin: Pin
    targets: frozenset[Target]


def find(index: str, needs: Iterable[Need]) -> list[Download]:
    """Return the files on a package index that fulfil `needs`, sorted by name.

    A package without a file that a lock allows is a `UserError`.
    """
    by_project: dict[str, list[Need]] = {}
    for need in needs:
        by_project.setdefault(need.pin.name, []).append(need)
    endpoint = f"{index.rstrip('/')}/"
    with PyPISimple(endpoint) as client, ThreadPoolExecutor(CONNECTIONS) as pool:

        def look_up(name: str) -> list[Download]:
            try:
                page = client.get_project_page(name, timeout=_SECONDS)
            except RequestException as error:
                found = f"the package index does not answer ({type(error).__name__})"
                fix = "Check the network, then run this again"
                raise UserError(f"package {name}", found, fix) from None
            return [file for need in by_project[name] for file in _choose(page, need)]

        found = [file for files in pool.map(look_up, sorted(by_project)) for file in files]
    return sorted({file.path: file for file in found}.values())


def _choose(page: ProjectPage, need: Need) -> list[Download]:
    accepted = frozenset(tag for target in need.targets for tag in target.tags())
    files = [file for file in page.packages if _is_allowed(file, need.pin)]
    chosen = [file for file in files if _is_installable(file, accepted)]
    if not chosen:
        found = "the package index has no file that fits its lock and this class"
        fix = "Lock it again, or choose other architectures"
        raise UserError(f"package {need.pin.name} {need.pin.version}", found, fix)
    return [
        Download(f"{FOLDER}/{file.filename}", file.url, file.size or 0, str(file.digests["sha256"]))
        for file in chosen
    ]


def _is_allowed(file: DistributionPackage, pin: Pin) -> bool:
    sha256 = file.digests.get("sha256", "")
    if pin.hashes:
        return sha256 in pin.hashes
    return bool(sha256) and file.version == pin.version and not file.is_yanked


def _is_installable(file: DistributionPackage, accepted: frozenset[Tag]) -> bool:
    if file.package_type == "sdist":
        return True
    try:
        *_, tags = parse_wheel_filename(file.filename)
    except InvalidWheelFilename:
        return False
    return bool(tags & accepted)
