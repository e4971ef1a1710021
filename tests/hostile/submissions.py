"""Writes the folders of hostile submissions."""

from __future__ import annotations

import os
import secrets
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from rubric.examples import lay_out_answer

from workshop.core.sizes import MB
from workshop.tasks import course

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostile.threats import Threat

TASK, COMPOSE_TASK = course.task("task-5"), course.task("compose-part-3")
FILE = TASK.answer[0]
# What a hostile server may use: `start` serves files while `action` runs, and `respond_with` hands
# each connection to a function.
SERVER = """
import http.server, socket, sys, threading, time


def start(action):
    threading.Thread(target=action, daemon=True).start()
    http.server.HTTPServer(("0.0.0.0", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()


def respond_with(answer):
    server = socket.create_server(("0.0.0.0", 8000))
    while True:
        connection, _ = server.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


"""
SERVER_DOCKERFILE = """FROM python:3.11-slim-bookworm
COPY app/main.py /
VOLUME /data
CMD ["python", "-u", "/main.py"]
"""


def lay_out(threat: Threat, folder: Path, fill: Callable[[str], str] = str) -> None:
    """Write the submission of a threat into a new folder; `fill` replaces placeholders."""
    folder.mkdir(parents=True)
    lay_out_answer(COMPOSE_TASK if threat.compose else TASK, folder)
    if threat.compose:
        (folder / COMPOSE_TASK.answer[0]).write_text(fill(threat.compose))
    if threat.dockerfile:
        (folder / FILE).write_text(fill(threat.dockerfile))
    if threat.server:
        (folder / "app/main.py").write_text(SERVER + fill(threat.server))
        if not threat.dockerfile:
            (folder / FILE).write_text(SERVER_DOCKERFILE)
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


def _large(folder: Path) -> None:
    (folder / "app/large").write_bytes(os.urandom(60 * MB))


def _socket(path: Path) -> None:
    # The path of a socket is short, so it is made elsewhere.
    listening = socket.socket(socket.AF_UNIX)
    short = Path(os.environ.get("TMPDIR", "/tmp")) / secrets.token_hex(4)  # noqa: S108
    listening.bind(str(short))
    listening.close()
    short.rename(path)


def _results(folder: Path) -> None:
    """Hand in the results of a grader, and a grader, instead of an answer."""
    (folder / FILE).write_text("FROM python:3.11-slim-bookworm\n")
    verdict = '{"schema": "workshop/verdict/v1", "outcome": "passed", "score": 22, "max_score": 22}'
    for name in ("results.json", "result.json", "verdict.json", "marks.json", "feedback/x.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(verdict)
    (folder / "marks.csv").write_text("learner,task,points,max_points\nx,task-5,22,22\n")
    (folder / "overrides.toml").write_text('["files-results".task-5]\npoints = 22\n')


def _code(folder: Path) -> None:
    """Hand in modules that a grader might import or unpickle instead of the kit's."""
    (folder / FILE).write_text("FROM python:3.11-slim-bookworm\n")
    evil = "import pathlib\npathlib.Path(__file__).with_name('executed').touch()\n"
    evil += "raise SystemExit('everything passed')\n"
    names = ("sitecustomize", "conftest", "usercustomize", "json", "yaml", "workshop/__init__")
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(evil)
    (folder / "app/__init__.py").write_text(evil)
    (folder / "evil.pth").write_text("import os; os._exit(0)\n")
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--co"\n')
    # The pickle of a call of os._exit(0).
    (folder / "cache.pkl").write_bytes(b"cposix\n_exit\n(I0\ntR.")


FILES: dict[str, Callable[[Path], object]] = {
    "fifo": _replace(os.mkfifo),
    # The numbers of /dev/zero.
    "device": _replace(lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))),
    "socket": _replace(_socket),
    "link-out": _replace(lambda path: path.symlink_to("/etc/passwd")),
    "link-loop": _replace(lambda path: path.symlink_to(path.name)),
    "link-folder": lambda folder: (folder / "app/host").symlink_to("/"),
    "deep": _deep,
    "sparse": _sparse,
    "large": _large,
    "many": _many,
    "results": _results,
    "code": _code,
}
