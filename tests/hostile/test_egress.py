"""The quota of a build, and the limits of a compose file's services, hold on the real engine.

In the files `stack-*.toml`, `dockerfile` is that of the service basic-python.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest
from hostile.threats import STACK
from rubric.examples import describe, lay_out_answer

from workshop.analysis import source
from workshop.core.process import SubprocessRunner
from workshop.core.sizes import MB
from workshop.grading import cgroups, grade
from workshop.grading.cache import Cache
from workshop.grading.evaluation import Evaluation
from workshop.grading.limits import CLASS, Quota
from workshop.machine.base_images import package_index
from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.engine import Engine
    from workshop.grading.limits import Limits
    from workshop.model import Task, Verdict

BUILD, SERVICES = course.task("task-5"), course.task("compose-part-3")
SERVICE = "services/part-3/basic-python/Dockerfile"
# The images of the three services take more of the disk than their containers.
TIGHT = CLASS._replace(memory=300 * MB, processes=60, disk=500 * MB, log=1 * MB)
QUOTA = Quota(connections=20, received=20 * MB, sent=1 * MB)
# The first program downloads more than the quota, the second one asks too often.
DOWNLOADS = {
    "downloaded more than 1 MB": (
        QUOTA._replace(received=1 * MB),
        "pip download --no-cache-dir --no-deps --dest /x setuptools==80.9.0",
    ),
    "opened more than 5 connections to package hosts": (
        QUOTA._replace(connections=5),
        "for n in 1 2 3 4 5 6; do pip download --no-cache-dir --no-deps --dest /$n cowsay; done",
    ),
    "sent more than 0.01 MB to package hosts": (
        QUOTA._replace(sent=10_000),
        """python -c "import urllib.request as u; u.urlopen(u.Request('{index}/pip/', \\
            headers={f'x-{n}': 'secret' * 1000 for n in range(9)}))\"""",
    ),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not cgroups.is_available(),
        reason="the kit cannot limit builds here: it needs root and cgroups",
    ),
]


def judge(engine: Engine, tmp_path: Path, task: Task, limits: Limits) -> Verdict:
    found = source.find(task, tmp_path / "submission")
    with Evaluation(
        engine, found, Cache(tmp_path / "cache"), limits=limits, is_shared=True
    ) as evaluation:
        return grade.full(evaluation)


def lay_out(task: Task, folder: Path, file: str, text: str) -> None:
    folder.mkdir()
    lay_out_answer(task, folder)
    index = package_index(SubprocessRunner()).rstrip("/")
    filled = text.replace("{nonce}", secrets.token_hex(8)).replace("{index}", index)
    (folder / file).write_text(filled)


@pytest.mark.parametrize("says", DOWNLOADS)
def test_a_build_cannot_exceed_its_quota(says, engine, tmp_path):
    quota, program = DOWNLOADS[says]
    text = f"FROM python:3.11-slim-bookworm\nRUN : {{nonce}}; {program}\n"
    lay_out(BUILD, tmp_path / "submission", BUILD.answer[0], text)
    verdict = judge(engine, tmp_path, BUILD, TIGHT._replace(packages=quota))
    assert f"the build {says}" in describe(verdict)
    assert verdict.outcome == "failed"


def test_two_submissions_do_not_share_a_quota(engine, tmp_path):
    program = "pip download --no-cache-dir --no-deps --dest /x cowsay"
    text = f"FROM python:3.11-slim-bookworm\nRUN : {{nonce}}; {program}\n"
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        lay_out(BUILD, folder / "submission", BUILD.answer[0], text)
        # Each needs two connections, to the index and to its files.
        limits = TIGHT._replace(packages=QUOTA._replace(connections=3))
        assert "the build opened" not in describe(judge(engine, folder, BUILD, limits))


@pytest.mark.parametrize("name", STACK)
def test_the_services_of_a_compose_file_are_contained(name, engine, tmp_path):
    threat = STACK[name]
    lay_out(SERVICES, tmp_path / "submission", SERVICE, threat.dockerfile)
    verdict = judge(engine, tmp_path, SERVICES, TIGHT)
    assert re.search(threat.says, describe(verdict)), describe(verdict)
    assert verdict.outcome == threat.outcome
    assert list((tmp_path / "cache/runs").glob("*")) == []
