"""Installs Debian packages without changing the machine's apt configuration."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from workshop.core.process import Runner

# Debian 12's Docker is too old for compose 2 and buildx. Debian 13's packages also run on
# Debian 12, so these four packages, and no others, come from Debian 13.
NEWER = "trixie"
FROM_NEWER = ("docker.io", "docker-cli", "docker-compose", "docker-buildx")
BOOTSTRAP = ("mmdebstrap",)
# Includes mmdebstrap: a machine without an engine often cannot reach a registry either, and a
# second `apt-get update` takes as long as everything else.
ENGINE = (*FROM_NEWER, "containerd", "runc", "iptables", *BOOTSTRAP)

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_ENV = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def mirror(etc: Path = Path("/etc/apt")) -> str:
    """Return the URL of the Debian mirror in this machine's apt sources."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix not in _READERS or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        # Debian's packages are in `main`; other vendors use other component names.
        for address, components in _READERS[file.suffix](lines):
            if "main" in components and address.rstrip("/").endswith("/debian"):
                return address.rstrip("/")
    fix = "Add one, then run this again"
    raise UserError(str(etc), "no Debian mirror is named in apt's sources", fix)


def _read_list(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL and the components of each source in a `.list` file."""
    for line in lines:
        if found := re.match(r"deb(?:\s+\[[^]]*\])?\s+(\S+)\s+\S+\s+(.*)", line.strip()):
            yield found[1], found[2].split()


def _read_deb822(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the URL and the components of each enabled source in a `.sources` file."""
    for stanza in "\n".join(lines).split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE))
        if fields.get("Enabled", "yes").strip().lower() in {"no", "false", "0"}:
            continue
        for address in fields.get("URIs", "").split():
            yield address, fields.get("Components", "").split()


_READERS = {".list": _read_list, ".sources": _read_deb822}


def install(
    packages: Sequence[str],
    codename: str,
    run: Runner,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Install `packages` on Debian `codename`, as root."""
    # An interrupted run may have left packages unpacked but not configured.
    run(["dpkg", "--configure", "-a"], env=_ENV, timeout=300)
    with tempfile.TemporaryDirectory(prefix="workshop-apt-") as folder:
        options = _write_configuration(Path(folder), codename)
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            done = run(["apt-get", *options, *command], env=_ENV, on_line=on_line, timeout=900)
            if done.code:
                fix = "Check the network (and that no other apt is running), then run this again"
                raise UserError(f"apt-get {command[0]}", _first_error(done.output), fix)


def find_missing(programs: Sequence[str]) -> list[str]:
    """Return those `programs` that are not on the PATH."""
    return [program for program in programs if not shutil.which(program)]


def _write_configuration(folder: Path, codename: str) -> list[str]:
    """Write apt's sources, pins and lists to `folder`, and return the options that use them."""
    suites = " ".join(dict.fromkeys((codename, f"{codename}-updates", NEWER)))
    (folder / "sources").mkdir()
    (folder / "sources" / "debian.sources").write_text(
        f"Types: deb\nURIs: {mirror()}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n"
    )
    (folder / "preferences").mkdir()
    (folder / "preferences" / "workshop").write_text(
        f"Package: *\nPin: release n={NEWER}\nPin-Priority: {100 if codename != NEWER else 500}\n\n"
        f"Package: {' '.join(FROM_NEWER)}\nPin: release n={NEWER}\nPin-Priority: 990\n"
    )
    (folder / "lists").mkdir()
    settings = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": str(folder / "sources"),
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": str(folder / "preferences"),
        "Dir::State::Lists": str(folder / "lists"),
        "Dir::Cache::PkgCache": "",
        "Dir::Cache::SrcPkgCache": "",
        "DPkg::Lock::Timeout": "120",
        "APT::Sandbox::User": "root",  # only root may read the folder
    }
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def _first_error(output: str) -> str:
    """Return apt's first error, without its `E:`."""
    errors = [line[2:].strip() for line in output.splitlines() if line.startswith("E:")]
    return (errors or ["it failed"])[0].rstrip(".")
