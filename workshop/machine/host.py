"""Detects the operating system and what the kit may install on it."""

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
    """The facts that decide what the kit can install here."""

    system: str
    release: str
    root: bool
    forbidden: bool
    other_engine: str
    systemd: bool
    mtu: int
    kernel: str = ""

    @property
    def codename(self) -> str:
        """The distribution's code name, such as `bookworm`."""
        return self.release.split()[-1]

    @property
    def obstacle(self) -> str:
        """The reason why the kit cannot install an engine here, or empty."""
        if self.other_engine:
            return f"DOCKER_HOST points to {self.other_engine}"
        if self.forbidden:
            return f"{NO_INSTALL} forbids installing one"
        if self.system != "Linux" or self.release not in {"debian bookworm", "debian trixie"}:
            return f"the kit can install one only on Debian 12 and 13, not on {self.release}"
        if not self.root:
            return "installing one needs root"
        if not shutil.which("apt-get"):
            return "installing one needs apt-get"
        return ""


def detect(environ: Mapping[str, str] = os.environ) -> Host:
    """Detect the facts of this machine."""
    return Host(
        system=platform.system(),
        release=_release(),
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        forbidden=environ.get(NO_INSTALL, "") not in {"", "0"},
        other_engine=environ.get("DOCKER_HOST", ""),
        systemd=Path("/run/systemd/system").is_dir(),
        mtu=_mtu(),
        kernel=platform.release(),
    )


def _release() -> str:
    """Return the distribution and its code name, such as `debian bookworm`."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.release()}".strip()
    return f"{release.get('ID', '')} {release.get('VERSION_CODENAME', '')}".strip()


def _mtu() -> int:
    """Return the smallest MTU, in bytes, of the machine's network interfaces.

    Connections of containers that send larger packets than that hang.
    """
    interfaces = Path("/sys/class/net")
    sizes = [
        int((interface / "mtu").read_text())
        for interface in (interfaces.iterdir() if interfaces.is_dir() else ())
        if (interface / "device").exists() or interface.name.startswith(("eth", "en"))
    ]
    return min([MTU_OF_ETHERNET, *sizes])
