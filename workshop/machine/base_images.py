"""Provides the base images: pulls them, or builds stand-ins from Debian packages.

A stand-in has the name of the real image, so that Dockerfiles and compose files build
unchanged, and a label, so that reports can mention it.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workshop.core.errors import UserError
from workshop.core.paths import CLASSROOM
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
RETRY = "Check the network, then run this again: finished images are kept"


def ensure_images(
    machine: Machine, pins: Versions, info: Info, *, ask_registry: bool = True
) -> None:
    """Pull the missing base images, or build stand-ins if no registry answers.

    Stand-ins are built only in an engine that the kit has started, or without `ask_registry`.
    """
    needed = find_missing(machine.engine, pins)
    if needed:
        disk.check(info, disk.FIRST_TIME)
    if needed and ask_registry:
        needed = pull(machine, needed)
        if needed and not info.ours:
            fix = "Check the network, or build stand-ins: .venv/bin/workshop bases --stand-ins"
            raise UserError(f"base image {needed[0].image}", "no registry answers", fix)
    if needed:
        _provide_mmdebstrap(machine)
        build_standins(machine, pins, needed)


def pull_again(machine: Machine, pins: Versions) -> None:
    """Pull the newest version of every base image, even of those that the engine has.

    Raises a `UserError` about the first one that no registry provides; stand-ins are never built.
    """
    if left := pull(machine, _bases_of_services(pins)):
        fix = "Check the network, and the rate limit of the registry, then run this again"
        raise UserError(f"base image {left[0].image}", "no registry answers", fix)


def find_missing(engine: Engine, pins: Versions) -> list[Base]:
    """Return the base images of services that the engine does not have."""
    return [base for base in _bases_of_services(pins) if not engine.has(base.image)]


def _bases_of_services(pins: Versions) -> list[Base]:
    """Return the base images without those that only stand-ins are built on."""
    return [base for base in pins.base if base.recipe != ROOT_RECIPE]


def pull(machine: Machine, needed: Iterable[Base]) -> list[Base]:
    """Pull the `needed` images until one fails; return that one and the rest."""
    left = list(needed)
    while left:
        with machine.display.job(left[0].image, "pulling") as job:
            done = machine.engine.pull(left[0].image, on_line=job.line)
            if done.code:
                reason = done.last_line.rsplit(": ", 1)[-1][:60]
                job.note(f"no registry answers ({reason})")
                return left
        left.pop(0)
    return left


def build_standins(machine: Machine, pins: Versions, needed: Iterable[Base]) -> None:
    """Build a stand-in for each `needed` image, with the Debian releases in parallel."""
    suites: dict[str, list[Base]] = {}
    for base in needed:
        suites.setdefault(base.suite, []).append(base)
    roots = {b.suite: b for b in pins.base if b.recipe == ROOT_RECIPE}
    with tempfile.TemporaryDirectory(prefix="workshop-bases-") as folder:
        builder = _StandinBuilder(machine, pins.standin, Path(folder))
        with ThreadPoolExecutor() as pool:

            def build_suite(suite: str) -> list[Future[None]]:
                builder.build_root(roots[suite])
                return [pool.submit(builder.build_child, base) for base in suites[suite]]

            for built in [pool.submit(build_suite, suite) for suite in suites]:
                for child in built.result():
                    child.result()


def _provide_mmdebstrap(machine: Machine) -> None:
    if not apt.find_missing(apt.BOOTSTRAP):
        return
    if machine.host.obstacle:
        raise UserError("mmdebstrap", "it is missing", "Install it, then run this again")
    machine.display.print("Installing mmdebstrap, to build base images from Debian packages")
    with machine.display.job("mmdebstrap", "installing") as job:
        apt.install(apt.BOOTSTRAP, machine.host.codename, machine.run, on_line=job.line)


class _StandinBuilder:
    """Builds stand-ins from `workshop/machine/standins/`, in a temporary `folder`."""

    def __init__(self, machine: Machine, pins: Standin, folder: Path) -> None:
        self._engine, self._run, self._display = machine.engine, machine.run, machine.display
        self._pins, self._folder = pins, folder

    def build_root(self, base: Base) -> None:
        """Build a minimal Debian from the mirror that this machine uses."""
        if self._engine.has(base.image):
            return
        context = self._folder / base.suite
        shutil.copytree(RECIPES / "etc", context / "etc")
        _copy_certificates(context / CERTIFICATES.name)
        with self._display.job(base.image, "mmdebstrap: Debian from its packages") as job:
            done = self._run(
                [
                    *_own_mounts(self._run),
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
                found = f"mmdebstrap failed: {done.last_line}"
                raise UserError(f"stand-in for {base.image}", found, RETRY)
            info = self._engine.info()
            if info and info.shares_proxy:
                # Builds get the network's certificates from the engine: no image needs them.
                _extract_certificates(context / "root.tar", context / CERTIFICATES.name)
            arguments = {"PACKAGE_INDEX": package_index(self._run)}
            self._build(base, context, arguments, job)

    def build_child(self, base: Base) -> None:
        """Build an image on the Debian of its release."""
        context = self._folder / base.image.replace(":", "-")
        context.mkdir()
        arguments = {"SUITE": base.suite}
        if base.recipe == "python":
            arguments |= {
                "PACKAGES": " ".join(base.packages),
                "PIP": self._pins.pip,
                "MIRROR_PLUGIN": self._pins.mirror_plugin,
            }
        with self._display.job(base.image, "stand-in") as job:
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
            # The error's fix would name a build context that is deleted by then.
            raise UserError(f"stand-in for {base.image}", error.found, RETRY) from None


def _own_mounts(run: Runner) -> list[str]:
    """Return a prefix that hides the mounts of a program from this machine, where that is possible.

    They end with the program, even if it is killed. Otherwise /sys stays mounted in its folder.
    """
    prefix = ["unshare", "--mount"]
    return [] if run([*prefix, "true"], timeout=60).code else prefix


def _copy_certificates(target: Path) -> None:
    source = os.environ.get("SSL_CERT_FILE") or str(CERTIFICATES)
    try:
        shutil.copy(source, target)
    except OSError as error:
        fix = "Install ca-certificates, or unset SSL_CERT_FILE"
        raise UserError(f"certificates {source}", str(error.strerror), fix) from None


def _extract_certificates(archive: Path, target: Path) -> None:
    """Write those certificates to `target` that Debian's own package provides."""
    with tarfile.open(archive) as root:
        found = root.extractfile(f".{CERTIFICATES}")
        if found:
            target.write_bytes(found.read())


def package_index(run: Runner) -> str:
    """Return pip's package index on this machine; one with a password is a `UserError`."""
    room = CLASSROOM / "pip.conf"
    env = {"PIP_CONFIG_FILE": str(room)} if room.exists() else {}
    argv = ["python3", "-m", "pip", "config", "get", "global.index-url"]
    done = run(argv, env=env, timeout=60)
    address = os.environ.get("PIP_INDEX_URL") or ("" if done.code else done.stdout.strip())
    if not address:
        from pip._internal.models.index import PyPI  # noqa: PLC0415 - pip's own default

        address = PyPI.simple_url
    parts = urlsplit(address)
    if parts.password or parts.username:
        found = "it contains a password, which every image would reveal"
        raise UserError("pip's index-url", found, "Put the password in a .netrc file instead")
    return address
