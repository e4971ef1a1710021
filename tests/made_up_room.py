"""A small pack, and a classroom that serves it."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from harness import ROOT, free_ports, run

from workshop.classroom import archive, room
from workshop.classroom.manifest import File, Image, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SECONDS_TO_START = 60


def is_possible() -> bool:
    """Whether this machine has the servers of a classroom."""
    path = "/usr/sbin:/usr/bin:/usr/local/bin"
    return all(shutil.which(name) or shutil.which(name, path=path) for name in room.PROGRAMS)


def write_pack(
    folder: Path, contents: Mapping[str, bytes] = {}, images: tuple[Image, ...] = ()
) -> Path:
    """Write a pack with `contents` by path, and with a kit of one file."""
    kit = folder / "kit.tar"
    (folder / "README.md").write_text("The kit\n")
    run("tar", "-cf", str(kit), "-C", str(folder), "README.md")
    everything = {"kit.tar": kit.read_bytes(), "site/index.html": b"lessons", **contents}
    files, sources = [], {}
    for path, data in sorted(everything.items()):
        sha256 = hashlib.sha256(data).hexdigest()
        sources[sha256] = folder / sha256
        sources[sha256].write_bytes(data)
        files.append(File(path=path, size=len(data), sha256=sha256))
    manifest = Manifest(
        commit="c0ffee", architectures=("amd64",), images=images, files=tuple(files)
    )
    archive.write(manifest, sources, folder / "pack.tar")
    return folder / "pack.tar"


@dataclass(frozen=True)
class Classroom:
    """A classroom that runs; `folder` is that of its files."""

    process: subprocess.Popen[str]
    url: str
    folder: Path

    @property
    def push(self) -> str:
        """The URL of the registry to which learners push."""
        host, _, port = self.url.rpartition(":")
        return f"{host}:{int(port) + 1}"

    @property
    def password(self) -> str:
        """The password of learner-1."""
        lines = (self.folder / "passwords.txt").read_text().splitlines()
        return dict(line.split() for line in lines)["learner-1"]

    def ask(self, method: str, address: str, **options) -> httpx.Response:
        """Send a request that trusts only the classroom's certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "room.pem"))
        with httpx.Client(verify=context, trust_env=False, timeout=20) as client:
            return client.request(method, address, **options)

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", f"{self.url}{path}")


def argv(pack: Path, *options: str) -> tuple[str, ...]:
    """Return the command that serves a pack."""
    return (sys.executable, "-m", "workshop", "classroom", str(pack), *options)


def free_port_pair() -> int:
    """Return a free port that is followed by a free port."""
    while True:
        (port,) = free_ports(1)
        with socket.socket() as next_one, contextlib.suppress(OSError):
            next_one.bind(("127.0.0.1", port + 1))
            return port


@contextlib.contextmanager
def classroom(
    pack: Path,
    folder: Path,
    *options: str,
    host: str = "127.0.0.1",
    inside: tuple[str, ...] = (),
    seconds: float = SECONDS_TO_START,
) -> Iterator[Classroom]:
    """Serve a pack until the block ends; `inside` starts the command in a namespace."""
    port = free_port_pair()
    command = argv(pack, "--folder", str(folder), "--host", host, "--port", str(port), *options)
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            (*inside, *command),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            lines = []
            for line in process.stdout or ():
                lines.append(line)
                if "press Ctrl-C" in line:
                    break
            else:
                errors.seek(0)
                raise AssertionError("".join([*lines, errors.read()]))
            timer.cancel()
            yield Classroom(process, f"https://{host}:{port}", folder)
        finally:
            timer.cancel()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
