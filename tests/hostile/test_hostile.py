"""Each threat is contained on the real engine, and a neighbour graded beside it keeps its points.

A file describes one threat; its keys are those of `Threat`. Texts may have the placeholders of
`_fill`.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import socket
import stat
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from harness import docker
from rubric.examples import describe, lay_out_answer

from workshop.analysis import source
from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.core.sizes import MB
from workshop.grading import cgroups, grade
from workshop.grading.cache import Cache
from workshop.grading.enforcement import own_address
from workshop.grading.evaluation import Evaluation
from workshop.grading.limits import CLASS, Limits
from workshop.machine.base_images import package_index
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop.engine import Engine
    from workshop.model import Task, Verdict

TASK, NEIGHBOUR = course.task("task-5"), course.task("basic-python")
FILE = TASK.answer[0]
# Far below the limits of a class, so that the tests leave the machine alone.
TIGHT = CLASS._replace(memory=200 * MB, processes=100, disk=100 * MB, log=1 * MB)
SERVER = """
import http.server, threading, time


def start(action):
    threading.Thread(target=action, daemon=True).start()
    http.server.HTTPServer(("0.0.0.0", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()


"""
SERVER_DOCKERFILE = """FROM python:3.11-slim-bookworm
COPY app/main.py /
VOLUME /data
CMD ["python", "-u", "/main.py"]
"""

needs_limits = pytest.mark.skipif(
    not cgroups.is_available(),
    reason="the kit cannot limit builds here: it needs root and cgroups",
)


@dataclass(frozen=True)
class Threat:
    """What a submission tries, the `outcome` of its verdict, and a pattern that its report matches.

    `dockerfile`, `server` (Python) or `files` (a function below) make the submission; `before` is
    the Dockerfile of another learner, graded first. With `unreached`, no connection reaches the
    listening port of this machine. `seconds` is the time of a build.
    """

    threat: str
    outcome: str
    says: str
    dockerfile: str = ""
    server: str = ""
    files: str = ""
    before: str = ""
    unreached: bool = False
    seconds: float = CLASS.seconds


THREATS = {
    path.stem: Threat(**tomllib.loads(path.read_text(encoding="utf-8")))
    for path in sorted(Path(__file__).parent.glob("*.toml"))
}


class Listener:
    """A server on every address of this machine, which counts its visitors."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("0.0.0.0", 0))  # noqa: S104 - what is attacked
        self.port: int = self._socket.getsockname()[1]
        self.visitors: list[str] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, (address, _) = self._socket.accept()
            except OSError:
                return
            self.visitors.append(address)
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


@pytest.fixture(scope="module")
def stolen_image(engine: Engine) -> Iterator[str]:  # noqa: ARG001 - needs one
    """An image on this machine that holds somebody's answer."""
    name = f"workshop-test-{secrets.token_hex(4)}"
    docker("tag", "python:3.11-slim-bookworm", f"{name}:1")
    yield f"{name}:1"
    docker("image", "rm", f"{name}:1")


@pytest.fixture
def judge(engine: Engine, tmp_path: Path) -> Callable[..., Verdict | UserError]:
    """Grade a folder as a submission of a class."""

    def run(task: Task, folder: Path, limits: Limits, owner: str) -> Verdict | UserError:
        cache = Cache(tmp_path / "cache")
        try:
            with Evaluation(
                engine, source.find(task, folder), cache, limits=limits, owner=owner
            ) as evaluation:
                return grade.full(evaluation)
        except UserError as error:
            return error

    return run


@pytest.fixture
def fill(listener: Listener, stolen_image: str) -> Callable[[str], str]:
    """Replace the placeholders in a text."""
    known = {
        "nonce": secrets.token_hex(8),
        "host": docker(
            *("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
        ),
        "other_host": own_address(),
        "port": str(listener.port),
        "index": urlsplit(package_index(SubprocessRunner())).hostname or "",
        "neighbour": _find_neighbour(own_address()),
        "image": stolen_image,
    }
    return lambda text: re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], m[0]), text)


def _find_neighbour(own: str) -> str:
    """Return another address of the network that this machine is in."""
    network = ipaddress.ip_network(f"{own}/24", strict=False)
    return next(str(address) for address in network.hosts() if str(address) != own)


def _lay_out(threat: Threat, folder: Path, fill: Callable[[str], str]) -> None:
    folder.mkdir()
    lay_out_answer(TASK, folder)
    if threat.dockerfile:
        (folder / FILE).write_text(fill(threat.dockerfile))
    if threat.server:
        (folder / FILE).write_text(SERVER_DOCKERFILE)
        (folder / "app/main.py").write_text(SERVER + fill(threat.server))
    if threat.files:
        FILES[threat.files](folder)


def _replace(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        (folder / FILE).unlink()
        make(folder / FILE)

    return run


def _deep(folder: Path) -> None:
    # No path of this length can be created at once.
    inside = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=inside)
        outside, inside = inside, os.open("d" * 250, os.O_RDONLY, dir_fd=inside)
        os.close(outside)
    os.close(inside)


def _sparse(folder: Path) -> None:
    with (folder / "app/large").open("wb") as file:
        file.truncate(8_000 * MB)


def _many(folder: Path) -> None:
    for number in range(6_000):
        (folder / f"app/{number}").touch()


def _socket(path: Path) -> None:
    # The path of a socket is short, so it is made elsewhere.
    listening = socket.socket(socket.AF_UNIX)
    short = Path(os.environ.get("TMPDIR", "/tmp")) / secrets.token_hex(4)  # noqa: S108
    listening.bind(str(short))
    listening.close()
    short.rename(path)


FILES: dict[str, Callable[[Path], object]] = {
    "fifo": _replace(os.mkfifo),
    # The numbers of /dev/zero.
    "device": _replace(lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))),
    "socket": _replace(_socket),
    "link-out": _replace(lambda path: path.symlink_to("/etc/passwd")),
    "link-loop": _replace(lambda path: path.symlink_to(path.name)),
    "deep": _deep,
    "sparse": _sparse,
    "many": _many,
}


def test_there_is_a_file_for_each_threat():
    assert len(THREATS) >= 40


@needs_limits
@pytest.mark.engine
@pytest.mark.parametrize("name", THREATS)
def test_the_threat_is_contained(name, judge, fill, listener, tmp_path):
    threat = THREATS[name]
    limits = TIGHT._replace(seconds=threat.seconds)
    _lay_out(threat, tmp_path / "submission", fill)
    (tmp_path / "neighbour").mkdir()
    lay_out_answer(NEIGHBOUR, tmp_path / "neighbour")
    if threat.before:
        (tmp_path / "before").mkdir()
        lay_out_answer(TASK, tmp_path / "before")
        (tmp_path / "before" / FILE).write_text(fill(threat.before))
        judge(TASK, tmp_path / "before", limits, "b" * 8)
    with ThreadPoolExecutor(2) as threads:
        beside = threads.submit(judge, NEIGHBOUR, tmp_path / "neighbour", CLASS, "n" * 8)
        verdict = judge(TASK, tmp_path / "submission", limits, "a" * 8)
        neighbour = beside.result()
    report = describe(verdict) if not isinstance(verdict, UserError) else f"error: {verdict}"
    assert re.search(fill(threat.says), report), report
    assert getattr(verdict, "outcome", "ungradable") == threat.outcome, report
    assert neighbour.outcome == "passed", describe(neighbour)
    assert not (threat.unreached and listener.visitors)
    assert list((tmp_path / "cache/runs").glob("*")) == []


@needs_limits
@pytest.mark.engine
def test_the_attacks_work_without_limits(judge, fill, listener, tmp_path):
    """The port of this machine is reached by one's own builds: the rules make the difference."""
    threat = THREATS["build-host-port"]
    _lay_out(threat, tmp_path / "submission", fill)
    judge(TASK, tmp_path / "submission", CLASS._replace(network=True), "a" * 8)
    assert listener.visitors
