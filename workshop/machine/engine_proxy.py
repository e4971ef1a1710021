"""Lets an engine that the kit starts use the proxy of the network, in pulls and in builds.

The engine pulls with the proxy in its environment, and BuildKit fetches `ADD https://...` with
it. Docker gives the steps of builds neither the proxy nor the engine's certificates: for them,
BuildKit calls `build_runtime` instead of runc.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workshop.core import proxies
from workshop.core.errors import UserError
from workshop.engine import PROXY_LABEL
from workshop.machine import build_runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path("/usr/local/lib/workshop")
SERVICE_SETTINGS = Path("/etc/systemd/system/docker.service.d/workshop-proxy.conf")
# Names the program that BuildKit starts for each step.
# Source: moby 26.1, builder/builder-next/executor_linux.go
_RUNTIME = "DOCKER_BUILDKIT_RUNC_COMMAND"
_CERTIFICATES = "SSL_CERT_FILE"


class Settings(NamedTuple):
    """The options of dockerd, and the variables that are added to its environment."""

    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}


def prepare(environ: Mapping[str, str], folder: Path = FOLDER) -> Settings:
    """Return how to start dockerd, after writing the files that it needs into `folder`.

    Without a proxy in `environ`, nothing is written and nothing differs.
    """
    found = proxies.read(environ)
    if not found:
        return Settings()
    variables = {**found.variables, _RUNTIME: str(_install(folder))}
    if certificates := environ.get(_CERTIFICATES, ""):
        variables[_CERTIFICATES] = str(Path(certificates).resolve())
    return Settings(("--label", PROXY_LABEL), variables)


def _install(folder: Path) -> Path:
    """Write `build_runtime` and apt's configuration, each completely or not at all."""
    program = folder / "build-runtime"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "apt.conf", f'Acquire::https::CAInfo "{build_runtime.BUNDLE}";\n', 0o644)
        source = Path(build_runtime.__file__).read_text(encoding="utf-8")
        _write(program, source, 0o755)
    except OSError as error:
        fix = "Make it writable, or unset HTTPS_PROXY"
        raise UserError(str(folder), error.strerror or "it cannot be written", fix) from None
    if not shutil.which("python3", path="/usr/bin"):
        fix = "Install Debian's python3: the steps of builds get the proxy from a program in Python"
        raise UserError("/usr/bin/python3", "it is missing", fix)
    return program


def configure_service(
    environ: Mapping[str, str], path: Path = SERVICE_SETTINGS, folder: Path = FOLDER
) -> bool:
    """Write the settings of systemd's docker.service, or remove those of an earlier proxy.

    Return whether systemd must read them again.
    """
    settings = prepare(environ, folder)
    try:
        if not settings.variables:
            existed = path.exists()
            path.unlink(missing_ok=True)
            return existed
        # Debian's service passes DOCKER_OPTS to dockerd.
        variables = {**settings.variables, "DOCKER_OPTS": " ".join(settings.options)}
        lines = [f'Environment="{_escape(f"{n}={value}")}"' for n, value in variables.items()]
        path.parent.mkdir(parents=True, exist_ok=True)
        # The proxy's URL may have a password.
        _write(path, "\n".join(["[Service]", *lines, ""]), 0o600)
    except OSError as error:
        fix = "Make it writable, or unset HTTPS_PROXY"
        raise UserError(str(path), error.strerror or "it cannot be written", fix) from None
    return True


def _escape(text: str) -> str:
    """Escape what systemd reads as a quote, an escape or a specifier (systemd.syntax(7))."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _write(path: Path, text: str, mode: int) -> None:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    part.chmod(mode)
    part.replace(path)
