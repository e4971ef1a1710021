"""Serves a pack to a class: nginx before a registry, a package index, and files."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.classroom import accounts, archive, certificate, checkout, images, page, repository
from workshop.classroom import manifest as manifests
from workshop.classroom.progress_bar import show_bytes
from workshop.classroom.servers import Servers, check_ports, free_port
from workshop.classroom.wheels import FOLDER as PACKAGES
from workshop.core.errors import UserError
from workshop.core.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.classroom.certificate import Certificate
    from workshop.classroom.manifest import Manifest
    from workshop.core.process import SubprocessRunner
    from workshop.core.progress import Job, ProgressDisplay

FILES, WWW, STORAGE, LOCK = "files", "www", "registry", "lock"
KIT = "kit.git"
# Debian's packages; nginx and docker-registry are started here, not by the system.
PROGRAMS = {
    "nginx": "nginx-light",
    "docker-registry": "docker-registry",
    "skopeo": "skopeo",
    "apt-ftparchive": "apt-utils",
    "git": "git",
}


@dataclass(frozen=True)
class Room:
    """A classroom: its pack, the folder for its files, its address, and its learners."""

    pack: Path
    folder: Path
    host: str
    port: int
    learners: tuple[str, ...]

    @property
    def address(self) -> str:
        """The address, as in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self) -> str:
        """Where learners read."""
        return f"https://{self.address}:{self.port}"

    @property
    def push(self) -> str:
        """The registry to which learners push."""
        return f"{self.address}:{self.port + 1}"


def check_programs() -> None:
    """Raise a `UserError` that names all missing programs."""
    # Debian has nginx outside an ordinary user's PATH.
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    if missing:
        packages = " ".join(PROGRAMS[name] for name in missing)
        fix = f"Install them: sudo apt-get install --no-install-recommends {packages}"
        raise UserError("classroom", f"missing: {', '.join(missing)}", fix)


@contextlib.contextmanager
def serve(room: Room, run: SubprocessRunner, display: ProgressDisplay) -> Iterator[Servers]:
    """Start a classroom, and yield its servers when all answer; they end with the block."""
    check_programs()
    check_ports(room.host, room.port)
    with _lock(room.folder), tempfile.TemporaryDirectory(prefix="workshop-room-") as name:
        with display.job(room.pack.name, "unpacking") as job:
            manifest = _unpack(room, job)
        made = certificate.ensure(room.folder, room.host)
        with display.job("indexes", "writing"):
            _write_files(room, run, manifest, made)
        with Servers(run) as servers:
            _start(room, run, servers, manifest, made, Path(name), display)
            yield servers


def _unpack(room: Room, job: Job) -> Manifest:
    """Unpack the pack, unless the folder has it; return its manifest."""
    files = room.folder / FILES
    manifest = archive.read_manifest(room.pack)
    known = files / manifests.NAME
    if known.exists() and known.read_bytes() == manifest.to_json():
        return manifest
    shutil.rmtree(files, ignore_errors=True)
    shutil.rmtree(room.folder / WWW, ignore_errors=True)
    free = shutil.disk_usage(room.folder).free
    if free < manifest.size:
        found = f"{format_bytes(free)} free, {format_bytes(manifest.size)} are needed"
        raise UserError(f"disk under {room.folder}", found, "Free some, or use --folder")
    return archive.unpack(room.pack, files, show_bytes(job, manifest.size))


def _write_files(room: Room, run: SubprocessRunner, manifest: Manifest, made: Certificate) -> None:
    www = room.folder / WWW
    www.mkdir(exist_ok=True)
    if not (www / KIT).exists():
        checkout.publish(run, room.folder / FILES / checkout.KIT, www / KIT)
        codenames = {image.codename for image in manifest.images}
        files = room.folder / FILES
        repository.write_indexes(run, files, codenames, {*manifest.architectures})
    shutil.copyfile(made.path, www / certificate.CERTIFICATE)
    page.write(www, manifest, room.url, room.push, made.fingerprint)


def _start(  # noqa: PLR0913, PLR0917 - the parts of a classroom
    room: Room,
    run: SubprocessRunner,
    servers: Servers,
    manifest: Manifest,
    made: Certificate,
    folder: Path,
    display: ProgressDisplay,
) -> None:
    registry_port, packages_port = free_port(), free_port()
    values = {
        "run": folder,
        "root": os.geteuid() == 0,
        "certificate": made.path,
        "key": made.key,
        "registry_port": registry_port,
        "packages_port": packages_port,
        "host": room.address,
        "address": room.address,
        "port": room.port,
        "www": room.folder / WWW,
        "files": room.folder / FILES,
        "users": accounts.ensure(room.folder, room.learners),
        "storage": room.folder / STORAGE,
        "secret": secrets.token_hex(),
    }
    registry = _write(folder / "registry.yml", page.render("registry.yml", **values))
    servers.start(["docker-registry", "serve", registry], "docker-registry")
    servers.wait_for(f"http://127.0.0.1:{registry_port}/v2/")
    with display.job("base images", "copying into the registry"):
        files = room.folder / FILES
        images.upload(run, manifest, files, f"127.0.0.1:{registry_port}")
    packages = room.folder / FILES / PACKAGES
    packages.mkdir(exist_ok=True)
    options = ("--interface", "127.0.0.1", "--port", str(packages_port), "--disable-fallback")
    argv = (sys.executable, "-m", "pypiserver", "run", *options, "--hash-algo", "sha256")
    servers.start([*argv, str(packages)], "pypiserver")
    servers.wait_for(f"http://127.0.0.1:{packages_port}/")
    nginx = _write(folder / "nginx.conf", page.render("nginx.conf", **values))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    servers.start([program, "-p", str(folder), "-e", "stderr", "-c", nginx], "nginx-light")
    servers.wait_for(f"{room.url}/", str(made.path))


def _write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Prevent two classrooms from using the same folder."""
    import fcntl  # noqa: PLC0415 - Windows has no such module

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        found = error.strerror or "not writable"
        raise UserError(f"folder {folder}", found, "Choose another with --folder") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            found = "another classroom uses it"
            raise UserError(f"folder {folder}", found, "Stop it, or use --folder") from None
        yield
