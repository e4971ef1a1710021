"""The commands `cache` and `slim` on a real engine: what they say is so, and nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from harness import ROOT, WORKSHOP, docker, until

from workshop.core.process import is_alive
from workshop.engine import Engine
from workshop.grading import cleanup

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]

TASK = "basic-python"
SLIM = """\
FROM python:3.13-slim-trixie
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt
RUN head -c 5000000 /dev/urandom > /big
RUN rm /big
RUN useradd --create-home ada
COPY requirements.txt data /data/
RUN chown -R ada:ada /data
USER ada
CMD ["cowsay", "-t", "somenergia.coop"]
"""
# The answer installs with the lock, after a slow step that does not need it.
CACHE = """\
FROM python:3.13-slim-trixie
WORKDIR /app
COPY . .
RUN sleep 3
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt
CMD ["cowsay", "-t", "somenergia.coop"]
"""


class Learner(NamedTuple):
    """A folder with an answer, and an environment with its cache and temporary files."""

    folder: Path
    env: dict[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (*WORKSHOP, *arguments),
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with self.start(*arguments) as child:
            out, err = child.communicate(timeout=900)
        assert "Traceback" not in out + err
        return child.returncode, out, err

    @property
    def records(self) -> list[Path]:
        """The records of what was created in the engine and is not removed yet."""
        return [*(self.folder.parent / "cache/workshop/runs").glob("*.json")]

    @property
    def temporary(self) -> list[Path]:
        return [*(self.folder.parent / "tmp").iterdir()]


@pytest.fixture
def learner(tmp_path: Path) -> Callable[[str], Learner]:
    """Return a function that writes an answer to the task."""

    def write(dockerfile: str) -> Learner:
        folder = tmp_path / "answer"
        (folder / "data").mkdir(parents=True)
        (folder / "data/random").write_bytes(os.urandom(3_000_000))
        (folder / "Dockerfile").write_text(dockerfile)
        lock = (ROOT / "services/part-3/basic-python/requirements.txt").read_text()
        (folder / "requirements.txt").write_text(lock)
        (folder / ".dockerignore").write_text("**/.env\n**/.git\n**/.venv\n")
        (tmp_path / "tmp").mkdir()
        env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}
        return Learner(folder, env)

    return write


def test_slim_suggests_what_it_tried_and_writes_it(learner, tmp_path):
    found = learner(SLIM)
    code, out, err = found.run("slim", TASK, str(found.folder), "--apply")
    assert (code, found.records, found.temporary) == (0, [], [])
    # Patches and paths are as long as they are.
    own = (*"+- @", "Written: ")
    prose = [line for line in out.splitlines() if not line.startswith(own)]
    assert max(map(len, [*prose, *err.splitlines()])) <= 80
    gains = {title: float(gain) for title, gain in re.findall(r"\d\. (.*): saves (.*) MB", out)}
    assert gains["Remove files in the RUN that creates them"] == pytest.approx(5, abs=0.2)
    assert gains["Copy with --chown instead of RUN chown"] == pytest.approx(3, abs=0.2)
    assert f"Written: {found.folder / 'Dockerfile'}\n" in out
    # The patches lead from the answer to what was written.
    again = tmp_path / "again"
    again.mkdir()
    (again / "Dockerfile").write_text(SLIM)
    subprocess.run(["patch", "-p1", "-s"], input=out, text=True, cwd=again, check=True)
    assert (again / "Dockerfile").read_text() == (found.folder / "Dockerfile").read_text()
    # And the size is the engine's.
    after = float(re.search(r"before, ([\d.]+) MB after", out)[1])
    argv = ("build", "--quiet", "--no-cache", str(found.folder))
    image = docker(*argv)
    try:
        size = int(docker("image", "inspect", "--format", "{{.Size}}", image))
        assert size / 1e6 == pytest.approx(after, abs=0.3)
    finally:
        docker("image", "rm", "--force", image)
    code, out, _ = found.run("check", TASK, str(found.folder))
    assert (code, "everything passed" in out) == (0, True)


def test_cache_shows_what_is_repeated_and_a_swap_that_helps(learner):
    found = learner(CACHE)
    code, out, err = found.run("cache", TASK, str(found.folder))
    assert (code, found.records, found.temporary) == (0, [], [])
    assert max(map(len, [*out.splitlines(), *err.splitlines()])) <= 80
    head, *rows = out.partition("\n\n")[0].splitlines()
    assert head.split() == ["line", "instruction", "nothing", "lock", "comment"]
    cells = {row.split()[0]: row.replace(" s", "").split()[-3:] for row in rows}
    assert cells["4"][0] == "cached"
    assert float(cells["4"][1]) >= 3
    assert cells["2"] == ["cached"] * 3
    flat = " ".join(out.split())
    assert "Swap lines 3 and 4: move line 4 above 3. Tried with the edit of the lock" in flat
    # The Dockerfile is in the image, so that a comment repeats the COPY and all below it.
    assert cells["3"][2] != "cached"
    assert "List Dockerfile in the ignore file" in flat
    assert (found.folder / "Dockerfile").read_text() == CACHE


def test_an_answer_that_does_not_build_fails(learner):
    found = learner("FROM python:3.13-slim-trixie\nRUN false\n")
    for command in ("cache", "slim"):
        code, out, _ = found.run(command, TASK, str(found.folder))
        assert code == 1
        assert "(line 2); expected: a build that succeeds\nFix this first: workshop check" in out
    assert (found.records, found.temporary) == ([], [])


def end_builds(images: list[str]) -> None:
    """End the builds of these images, which outlive the killed command that started them."""
    for image in images:
        argv = ["pgrep", "--full", f"build --tag {image} "]
        for pid in subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split():
            # It may have ended meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)
            until(lambda pid=pid: not is_alive(int(pid)), "the build ends")


@pytest.mark.parametrize(
    ("number", "created"),
    [(signal.SIGINT, "folders"), (signal.SIGINT, "images"), (signal.SIGKILL, "images")],
)
def test_an_interrupted_command_leaves_nothing(number, created, learner, monkeypatch):
    found = learner(CACHE.replace("sleep 3", "sleep 30"))

    def is_created() -> bool:
        return any(json.loads(record.read_text())[created] for record in found.records)

    with found.start("cache", TASK, str(found.folder)) as child:
        until(is_created, "a build begins", 60)
        child.send_signal(number)
        _, err = child.communicate(timeout=120)
    if number == signal.SIGINT:
        assert child.returncode == 130
        assert err.endswith("Interrupted. Run the command again to continue.\n")
    else:
        (record,) = found.records
        images = json.loads(record.read_text())["images"]
        # What the next command does first.
        monkeypatch.setattr("tempfile.tempdir", found.env["TMPDIR"])
        end_builds(images)
        cleanup.remove_stale(record.parent, Engine())
        assert not [image for image in images if Engine().has(image)]
    assert (found.records, found.temporary) == ([], [])
