"""Base images: pulled where a registry answers, else stood in for by Debian's packages.

A stand-in bears the real image's name, so that every Dockerfile and compose file builds
unchanged, and a label, so that every report which rests on one can say so.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workshop.core.errors import UserError
from workshop.engine import STANDIN_LABEL, Build
from workshop.machine import apt, disk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.core.process import Runner
    from workshop.core.progress import Job
    from workshop.engine import Engine, Info
    from workshop.machine.machine import Machine
    from workshop.stack.versions import Base, Standin, Versions

RECIPES = Path(__file__).parent / "standins"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ROOT_RECIPE = "debian"
RETRY = "Check the network, then run this again: what is made already stays"


def ready(machine: Machine, pins: Versions, info: Info, *, ask_registry: bool = True) -> None:
    """Make every base image present: from a registry, or else, in the kit's own engine, made here.

    Without `ask_registry` stand-ins are made in whatever engine this is.
    """
    needed = missing(machine.engine, pins)
    if needed:
        disk.check(info, disk.FIRST_TIME)
    if needed and ask_registry:
        needed = pull(machine, needed)
        if needed and not info.ours:
            raise UserError(
                f"base image {needed[0].image}",
                "no registry answers",
                "Check the network, or make stand-ins with: .venv/bin/workshop bases --stand-ins",
            )
    if needed:
        _provide_mmdebstrap(machine)
        stand_in(machine, pins, needed)


def missing(engine: Engine, pins: Versions) -> list[Base]:
    """The base images that services build on and the engine does not hold."""
    return [b for b in pins.base if b.recipe != ROOT_RECIPE and not engine.has(b.image)]


def pull(machine: Machine, needed: Iterable[Base]) -> list[Base]:
    """Pull what is `wanted`; returns what could not be had once the registry does not answer."""
    left = list(needed)
    while left:
        with machine.display.job(left[0].image, "pulling") as job:
            done = machine.engine.pull(left[0].image, on_line=job.line)
            if done.code:
                job.note(f"no registry answers ({_short(done.last_line)})")
                return left
        left.pop(0)
    return left


def stand_in(machine: Machine, pins: Versions, needed: Iterable[Base]) -> None:
    """Make a stand-in for each image that is `wanted`, one Debian release beside the other."""
    suites: dict[str, list[Base]] = {}
    for base in needed:
        suites.setdefault(base.suite, []).append(base)
    roots = {b.suite: b for b in pins.base if b.recipe == ROOT_RECIPE}
    with tempfile.TemporaryDirectory(prefix="workshop-bases-") as folder:
        maker = _Maker(machine, pins.standin, Path(folder))
        with ThreadPoolExecutor() as pool:

            def whole_suite(suite: str) -> list[Future[None]]:
                maker.root(roots[suite])
                return [pool.submit(maker.child, base) for base in suites[suite]]

            for made in [pool.submit(whole_suite, suite) for suite in suites]:
                for child in made.result():
                    child.result()


def _provide_mmdebstrap(machine: Machine) -> None:
    if not apt.missing(apt.BOOTSTRAP):
        return
    if machine.host.obstacle:
        raise UserError("mmdebstrap", "it is missing", "Install it, then run this again")
    machine.display.say("Base images are to be made from Debian's packages: installing mmdebstrap")
    with machine.display.job("mmdebstrap", "installing") as job:
        apt.install(apt.BOOTSTRAP, machine.host.codename, machine.run, on_line=job.line)


class _Maker:
    """Builds stand-ins by the recipes in `workshop/machine/standins/`, in a temporary `folder`."""

    def __init__(self, machine: Machine, pins: Standin, folder: Path) -> None:
        self._engine, self._run, self._board = machine.engine, machine.run, machine.display
        self._pins, self._folder = pins, folder

    def root(self, base: Base) -> None:
        """Debian itself, from the mirror that this machine uses."""
        if self._engine.has(base.image):
            return
        context = self._folder / base.suite
        shutil.copytree(RECIPES / "etc", context / "etc")
        _copy_certificates(context / CERTIFICATES.name)
        with self._board.job(base.image, "mmdebstrap: Debian from its packages") as job:
            done = self._run(
                [
                    "mmdebstrap",
                    "--variant=minbase",
                    "--include=ca-certificates",
                    f"--dpkgopt={RECIPES / 'etc/dpkg/dpkg.cfg.d/container'}",
                    base.suite,
                    str(context / "root.tar"),
                    f"deb {apt.mirror()} {base.suite} main",
                ],
                env={"TMPDIR": str(self._folder)},
                timeout=900,
            )
            if done.code:
                raise UserError(
                    f"stand-in for {base.image}",
                    f"mmdebstrap failed: {done.last_line}",
                    RETRY,
                )
            arguments = {"PACKAGE_INDEX": package_index(self._run)}
            self._build(base, context, arguments, job)

    def child(self, base: Base) -> None:
        """An image made from its release's Debian."""
        context = self._folder / base.image.replace(":", "-")
        context.mkdir()
        arguments = {"SUITE": base.suite}
        if base.recipe == "python":
            arguments |= {
                "PACKAGES": " ".join(base.packages),
                "PIP": self._pins.pip,
                "MIRROR_PLUGIN": self._pins.mirror_plugin,
            }
        with self._board.job(base.image, "stand-in") as job:
            self._build(base, context, arguments, job)

    def _build(self, base: Base, context: Path, arguments: dict[str, str], job: Job) -> None:
        build = Build(
            image=base.image,
            context=context,
            dockerfile=RECIPES / f"{base.recipe}.Dockerfile",
            arguments=arguments,
            labels={STANDIN_LABEL: base.image},
        )
        try:
            self._engine.build(build, on_line=job.step)
        except UserError as error:
            # Its context is gone by the time that this is read: no command could repeat it.
            raise UserError(f"stand-in for {base.image}", error.found, RETRY) from None


def _copy_certificates(target: Path) -> None:
    source = os.environ.get("SSL_CERT_FILE") or str(CERTIFICATES)
    try:
        shutil.copy(source, target)
    except OSError as error:
        raise UserError(
            f"certificates {source}",
            str(error.strerror),
            "Install ca-certificates, or unset SSL_CERT_FILE",
        ) from None


def package_index(run: Runner) -> str:
    """Where this machine's pip looks packages up; one that holds a password is kept out."""
    done = run(["python3", "-m", "pip", "config", "get", "global.index-url"], timeout=60)
    address = os.environ.get("PIP_INDEX_URL") or ("" if done.code else done.stdout.strip())
    if not address:
        from pip._internal.models.index import PyPI  # noqa: PLC0415 - pip's own default

        address = PyPI.simple_url
    parts = urlsplit(address)
    if parts.password or parts.username:
        raise UserError(
            "pip's index-url",
            "it holds a password, which would be readable in every image",
            "Give the password in a .netrc file instead",
        )
    return address


def _short(line: str) -> str:
    return line.rsplit(": ", 1)[-1][:60]
