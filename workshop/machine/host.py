"""What kind of machine this is."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_INSTALL = "WORKSHOP_NO_INSTALL"
MTU_OF_ETHERNET = 1500


@dataclass(frozen=True)
class Host:
    """The facts on which it depends what can be installed here."""

    system: str
    release: str
    root: bool
    forbidden: bool
    other_engine: str
    systemd: bool
    mtu: int

    @property
    def codename(self) -> str:
        """The distribution's code name, as in `bookworm`."""
        return self.release.split()[-1]

    @property
    def obstacle(self) -> str:
        """Why the kit cannot install an engine here; empty where it can."""
        if self.other_engine:
            return f"DOCKER_HOST asks for {self.other_engine}"
        if self.forbidden:
            return f"{NO_INSTALL} forbids installing one"
        if self.system != "Linux" or self.release not in {"debian bookworm", "debian trixie"}:
            return f"the kit can install one on Debian 12 and 13 only, and this is {self.release}"
        if not self.root:
            return "installing one needs root"
        if not shutil.which("apt-get"):
            return "installing one needs apt-get"
        return ""


def look(environ: Mapping[str, str] = os.environ) -> Host:
    """Look at this machine."""
    return Host(
        system=platform.system(),
        release=_release(),
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        forbidden=environ.get(NO_INSTALL, "") not in {"", "0"},
        other_engine=environ.get("DOCKER_HOST", ""),
        systemd=Path("/run/systemd/system").is_dir(),
        mtu=_mtu(),
    )


def _release() -> str:
    """The distribution and its code name, as in `debian bookworm`."""
    try:
        said = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.release()}".strip()
    return f"{said.get('ID', '')} {said.get('VERSION_CODENAME', '')}".strip()


def _mtu() -> int:
    """The smallest MTU, in bytes, of the cards that lead out of this machine.

    Containers that send larger packets than the machine can pass on see connections hang.
    """
    cards = Path("/sys/class/net")
    sizes = [
        int((card / "mtu").read_text())
        for card in (cards.iterdir() if cards.is_dir() else ())
        if (card / "device").exists() or card.name.startswith(("eth", "en"))
    ]
    return min([MTU_OF_ETHERNET, *sizes])
