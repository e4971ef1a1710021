"""Collects all that a class needs, and writes it to one archive."""

from __future__ import annotations

import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.analysis.container.prober_client import PROBER_IMAGE
from workshop.classroom import archive, checkout, recipes, wheels
from workshop.classroom.base_queries import BaseQueries
from workshop.classroom.images import ImageCopier
from workshop.classroom.locks import LOCKS, read
from workshop.classroom.manifest import File, Image, Manifest
from workshop.classroom.progress_bar import show_bytes
from workshop.classroom.wheels import Need, Target
from workshop.core.errors import UserError
from workshop.core.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workshop.classroom.file_store import Download, FileStore
    from workshop.classroom.recipes import Recipe
    from workshop.core.process import Runner
    from workshop.core.progress import ProgressDisplay
    from workshop.engine import Engine
    from workshop.stack.versions import Versions

SITE = "site"
ARCHITECTURES = ("amd64", "arm64")
# The Pythons that the kit itself runs on.
KIT_PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
# pip builds a source distribution with these, and no lock names them.
BUILD_TOOLS = ("setuptools", "wheel")
_CONNECTIONS = 4
_PYTHON = re.compile(r"python(3)\.(\d+)_")


@dataclass(frozen=True)
class Options:
    """What to pack: architectures of images, systems of learners, and names of services.

    Without `services`, all are packed.
    """

    architectures: tuple[str, ...]
    systems: tuple[str, ...]
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class BaseImage:
    """A base image to pack, and its uncompressed size in bytes."""

    name: str
    architecture: str
    codename: str
    size: int
    local: bool


@dataclass(frozen=True)
class Plan:
    """What a pack will hold, before anything large is downloaded.

    `seconds` is the time of the commit, since 1970.
    """

    images: tuple[BaseImage, ...]
    downloads: tuple[Download, ...]
    commit: str
    seconds: int

    @property
    def size(self) -> int:
        """The largest size of the pack in bytes; images become smaller when compressed."""
        return sum(file.size for file in self.downloads) + sum(image.size for image in self.images)


class Packer:
    """Makes a pack of the checkout at `root`."""

    def __init__(  # noqa: PLR0913 - the parts of one pack
        self,
        engine: Engine,
        run: Runner,
        store: FileStore,
        display: ProgressDisplay,
        root: Path,
        *,
        index: str,
    ) -> None:
        self._engine, self._run, self._store = engine, run, store
        self._display, self._root, self._index = display, root, index

    def plan(self, pins: Versions, options: Options) -> Plan:
        """Look up everything that the pack needs, and its size."""
        commit, seconds = checkout.commit(self._run, self._root)
        chosen = self._choose(options)
        # The grader's prober runs in one of them, whatever a class builds.
        names = {recipe.base for recipe in chosen} | {PROBER_IMAGE}
        if not options.services:
            names |= {base.image for base in pins.base if base.recipe != "debian"}
        codenames = {}
        with self._display.job("base images", "looking up") as job:
            for name in sorted(names):
                job.line(name)
                codenames[name] = BaseQueries(self._engine, name).codename()
            images = [
                self._find_image(name, architecture, codenames[name])
                for name in sorted(names)
                for architecture in options.architectures
            ]
        debs = self._find_debian(chosen, codenames, options)
        packages = self._find_python(chosen, debs, pins, options)
        files = {file.path: file for file in (*debs, *packages)}
        return Plan(tuple(images), tuple(files[path] for path in sorted(files)), commit, seconds)

    def check_disk(self, plan: Plan, out: Path) -> None:
        """Raise a `UserError` if the cache's or the pack's folder has not enough free space."""
        missing = [f for f in plan.downloads if not self._store.has(f.sha256, f.size)]
        wanted = sum(f.size for f in missing) + sum(image.size for image in plan.images)
        needs = {self._store.folder: wanted, out.absolute().parent: plan.size}
        by_disk: dict[int, int] = {}
        for folder, size in needs.items():
            try:
                disk = folder.stat().st_dev
            except OSError as error:
                fix = "Create it, or choose another with --out"
                raise UserError(f"folder {folder}", error.strerror or "missing", fix) from None
            by_disk[disk] = by_disk.get(disk, 0) + size
            free = shutil.disk_usage(folder).free
            if free < by_disk[disk]:
                found = f"{format_bytes(free)} free, {format_bytes(by_disk[disk])} are needed"
                raise UserError(f"disk under {folder}", found, "Free some, then run this again")

    def collect(self, plan: Plan, site: Path) -> tuple[Manifest, dict[str, Path]]:
        """Download and copy all files; return the manifest, and the path of each digest."""
        files = self._download(plan.downloads)
        images: list[Image] = []
        copier = ImageCopier(self._engine, self._run, self._store)
        for base in plan.images:
            with self._display.job(f"{base.name} {base.architecture}", "copying"):
                image, blobs = copier.collect(
                    base.name, base.architecture, base.codename, local=base.local
                )
            images.append(image)
            files += blobs
        files += [self._archive_kit(plan.commit), *self._add_site(site)]
        unique = {file.path: file for file in files}
        manifest = Manifest(
            commit=plan.commit,
            architectures=tuple(sorted({base.architecture for base in plan.images})),
            images=tuple(images),
            files=tuple(unique[path] for path in sorted(unique)),
        )
        return manifest, {file.sha256: self._store.path(file.sha256) for file in manifest.files}

    def write(self, manifest: Manifest, sources: dict[str, Path], out: Path) -> str:
        """Write the pack, and return its seal."""
        with self._display.job(out.name, "writing") as job:
            return archive.write(manifest, sources, out, show_bytes(job, manifest.size))

    def _choose(self, options: Options) -> list[Recipe]:
        found = recipes.read_all(self._root / "services")
        known = sorted({recipe.folder.name for recipe in found})
        for name in options.services:
            if name not in known:
                raise UserError("--service", f"no service '{name}'", f"Use {', '.join(known)}")
        return [r for r in found if not options.services or r.folder.name in options.services]

    def _find_image(self, name: str, architecture: str, codename: str) -> BaseImage:
        local = self._engine.inspect(name, "{{.Architecture}}") == architecture
        thing = f"base image {name} for {architecture}"
        if not local and self._engine.standin_for(name):
            found = "only a stand-in of this machine's architecture is here"
            raise UserError(thing, found, "Leave that architecture out, or pack with a registry")
        return BaseImage(name, architecture, codename, self._engine.size(name), local)

    def _find_debian(
        self, chosen: Iterable[Recipe], codenames: dict[str, str], options: Options
    ) -> dict[Download, str]:
        """Return the Debian packages with the base image that each is for."""
        commands: dict[str, dict[str, None]] = {}
        for recipe in chosen:
            commands.setdefault(recipe.base, {}).update(dict.fromkeys(recipe.apt))
        found: dict[Download, str] = {}
        with self._display.job("Debian packages", "looking up") as job:
            for base, asked in sorted(commands.items()):
                queries = BaseQueries(self._engine, base)
                for architecture in options.architectures:
                    job.line(f"{base} {architecture}")
                    for file in queries.debian_packages(asked, codenames[base], architecture):
                        found[file] = base
        return found

    def _find_python(
        self,
        chosen: Sequence[Recipe],
        debs: dict[Download, str],
        pins: Versions,
        options: Options,
    ) -> list[Download]:
        """Return the files of every lock, and of what the Dockerfiles install beside it."""
        pythons = _find_pythons(chosen, debs)
        needs = [
            Need(pin, _targets(KIT_PYTHONS, options.systems, options.architectures))
            for pin in read(self._root / "requirements.txt")
        ]
        for folder in sorted({recipe.folder for recipe in chosen}):
            wanted = {p for r in chosen if r.folder == folder for p in pythons[r.base]}
            targets = _targets(wanted, ("linux",), options.architectures)
            for lock in (folder / name for name in LOCKS):
                needs += [Need(pin, targets) for pin in (read(lock) if lock.exists() else ())]
        with self._display.job("Python packages", "looking up") as job:
            for base in sorted({recipe.base for recipe in chosen}):
                python = recipes.python_of(base)
                if python is None:
                    continue
                job.line(base)
                asked = {name for r in chosen if r.base == base for name in r.python}
                asked |= {*BUILD_TOOLS, pins.standin.mirror_plugin}
                targets = _targets([python], ("linux",), options.architectures)
                queries = BaseQueries(self._engine, base)
                needs += [Need(pin, targets) for pin in queries.python_packages(asked)]
            job.line("package index")
            return wheels.find(self._index, needs)

    def _download(self, downloads: Sequence[Download]) -> list[File]:
        with (
            self._display.job("packages", "downloading") as job,
            ThreadPoolExecutor(_CONNECTIONS) as pool,
        ):
            show = show_bytes(job, sum(file.size for file in downloads))
            jobs = [pool.submit(self._store.fetch, file, show) for file in downloads]
            try:
                for each in jobs:
                    each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [File(path=f.path, size=f.size, sha256=f.sha256) for f in downloads]

    def _archive_kit(self, commit: str) -> File:
        with tempfile.TemporaryDirectory(dir=self._store.folder, prefix="kit-") as folder:
            target = Path(folder, checkout.KIT)
            checkout.archive(self._run, self._root, commit, target)
            sha256, size = self._store.adopt(target)
        return File(path=checkout.KIT, size=size, sha256=sha256)

    def _add_site(self, site: Path) -> list[File]:
        files = []
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            data = path.read_bytes()
            name = f"{SITE}/{path.relative_to(site).as_posix()}"
            files.append(File(path=name, size=len(data), sha256=self._store.add(data)))
        return files


def _find_pythons(
    chosen: Iterable[Recipe], debs: dict[Download, str]
) -> dict[str, set[tuple[int, int]]]:
    """Return the Pythons of each base image: its own, or those that apt installs in it."""
    found: dict[str, set[tuple[int, int]]] = {}
    for recipe in chosen:
        pythons = found.setdefault(recipe.base, set())
        if python := recipes.python_of(recipe.base):
            pythons.add(python)
    for file, base in debs.items():
        if named := _PYTHON.match(Path(file.path).name):
            found[base].add((int(named[1]), int(named[2])))
    return found


def _targets(
    pythons: Iterable[tuple[int, int]], systems: Iterable[str], architectures: Iterable[str]
) -> frozenset[Target]:
    return frozenset(
        Target(python, system, architecture)
        for python in pythons
        for system in systems
        for architecture in architectures
    )
