"""Base images: pulled where a registry answers, else stood in for by Debian's packages.

A stand-in bears the real image's name, so that every Dockerfile and compose file builds
unchanged, and a label, so that every report which rests on one can say so.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workshop import apt
from workshop.engine import STANDIN_LABEL, Build
from workshop.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.engine import Engine
    from workshop.process import Runner
    from workshop.progress import Board
    from workshop.versions import Base, Standin, Versions

RECIPES = Path(__file__).parent / "standins"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ROOT_RECIPE = "debian"


def missing(engine: Engine, versions: Versions) -> list[Base]:
    """The base images that services build on and the engine does not hold."""
    return [b for b in versions.base if b.recipe != ROOT_RECIPE and not engine.has(b.image)]


def pull(engine: Engine, wanted: Iterable[Base], board: Board) -> list[Base]:
    """Pull what is `wanted`; returns what could not be had once the registry does not answer."""
    left = list(wanted)
    while left:
        with board.job(left[0].image, "pulling") as job:
            done = engine.pull(left[0].image, on_line=job.step)
            if done.code:
                job.note(f"no registry answers ({_short(done.last_line)})")
                return left
        left.pop(0)
    return left


def stand_in(
    engine: Engine, versions: Versions, wanted: Iterable[Base], run: Runner, board: Board
) -> None:
    """Make a stand-in for each image that is `wanted`, each Debian release beside the others."""
    suites: dict[str, list[Base]] = {}
    for base in wanted:
        suites.setdefault(base.suite, []).append(base)
    roots = {b.suite: b for b in versions.base if b.recipe == ROOT_RECIPE}
    with tempfile.TemporaryDirectory(prefix="workshop-bases-") as name:
        folder = Path(name)
        maker = _Maker(engine, versions.standin, run, board, folder)
        with ThreadPoolExecutor() as pool:
            started = [pool.submit(maker.root, roots[suite]) for suite in suites]
            chains = dict(zip(suites, started, strict=True))
            made = []
            for suite, chain in chains.items():
                chain.result()
                made += [pool.submit(maker.child, base) for base in suites[suite]]
            for image in made:
                image.result()


class _Maker:
    """Builds stand-ins by the recipes in `workshop/standins/`."""

    def __init__(
        self, engine: Engine, pins: Standin, run: Runner, board: Board, folder: Path
    ) -> None:
        self._engine, self._pins, self._run, self._board = engine, pins, run, board
        self._folder = folder

    def root(self, base: Base) -> None:
        """Debian itself, from the mirror that this machine uses."""
        if self._engine.has(base.image):
            return
        context = self._folder / base.suite
        shutil.copytree(RECIPES / "etc", context / "etc")
        shutil.copy(os.environ.get("SSL_CERT_FILE") or CERTIFICATES, context / CERTIFICATES.name)
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
                raise Trouble(
                    f"stand-in for {base.image}",
                    f"mmdebstrap failed: {done.last_line}",
                    "Check the network and the free disk space, then run this again",
                )
            arguments = {"PACKAGE_INDEX": package_index(self._run)}
            self._engine.build(self._build(base, context, arguments), on_line=job.step)

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
            self._engine.build(self._build(base, context, arguments), on_line=job.step)

    def _build(self, base: Base, context: Path, arguments: dict[str, str]) -> Build:
        return Build(
            image=base.image,
            context=context,
            dockerfile=RECIPES / f"{base.recipe}.Dockerfile",
            arguments=arguments,
            labels={STANDIN_LABEL: base.image},
        )


def package_index(run: Runner) -> str:
    """Where this machine's pip looks packages up; one that holds a password is kept out."""
    done = run(["python3", "-m", "pip", "config", "get", "global.index-url"], timeout=60)
    address = os.environ.get("PIP_INDEX_URL") or ("" if done.code else done.last_line)
    if not address:
        from pip._internal.models.index import PyPI  # noqa: PLC0415 - pip's own default

        address = PyPI.simple_url
    if urlsplit(address).password:
        raise Trouble(
            "pip's index-url",
            "it holds a password, which would be readable in every image",
            "Give the password in a .netrc file instead",
        )
    return address


def _short(line: str) -> str:
    return line.rsplit(": ", 1)[-1][:60]
