"""`workshop grade` in a terminal: Ctrl-C ends it in seconds, and the same command goes on."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import termios
from typing import TYPE_CHECKING

import pexpect
import pytest
from harness import ROOT, WORKSHOP, docker

from workshop.cohort.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.engine import Engine

TASK = "baby-steps"
QUICK = (ROOT / "services/part-3/baby-steps/Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def own(engine: Engine, tmp_path: Path) -> Iterator[dict[str, str]]:  # noqa: ARG001 - needs one
    """An environment with its own temporary folder and cache; asserts the cleanup."""
    (tmp_path / "tmp").mkdir()
    cache = tmp_path / "cache"
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "XDG_CACHE_HOME": str(cache)}
    yield {**environment, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    assert list((tmp_path / "tmp").iterdir()) == []
    assert [*cache.glob("workshop/runs/*")] == []


def start(folder: Path, own: dict[str, str]) -> pexpect.spawn:
    arguments = [str(folder / "class"), "--task", TASK, "--out", str(folder / "marks"), "--jobs=2"]
    return pexpect.spawn(
        WORKSHOP[0],
        [*WORKSHOP[1:], "grade", *arguments],
        env=own,
        cwd=ROOT,
        encoding="utf-8",
        dimensions=(24, 80),
        timeout=300,
    )


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_loses_nothing_that_is_graded(own, tmp_path):
    nonce = secrets.token_hex(4)
    for learner, text in {
        "anna": QUICK,
        "ben": f"FROM debian:bookworm-slim\nRUN : {nonce}; sleep 600\n",
    }.items():
        (tmp_path / "class" / learner).mkdir(parents=True)
        (tmp_path / "class" / learner / "Dockerfile").write_text(text, encoding="utf-8")
    child = start(tmp_path, own)
    before = termios.tcgetattr(child.child_fd)
    child.expect_exact("13 of 13 points")
    child.expect_exact(f"RUN : {nonce}")
    child.sendintr()
    child.expect(pexpect.EOF, timeout=60)
    assert termios.tcgetattr(child.child_fd) == before
    child.close()
    assert child.exitstatus == 130
    assert "Stopped: 1 of 2 are left. Run the same command to go on." in child.before
    assert "Traceback" not in child.before
    assert nonce not in docker("ps", "--no-trunc", "--format", "{{.Command}}")

    shutil.copyfile(
        ROOT / "services/part-3/baby-steps/Dockerfile", tmp_path / "class/ben/Dockerfile"
    )
    child = start(tmp_path, own)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert re.search(r"2 submissions: [12] already graded", child.before)
    with Store(tmp_path / "marks") as store:
        assert {row.learner.id: row.score for row in store.rows()} == {"anna": 13, "ben": 13}
