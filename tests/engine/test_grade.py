"""`workshop grade` grades a class on a real engine, also after an interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, WORKSHOP, run, until
from rubric.examples import lay_out_answer

from workshop.tasks import course

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.engine import Engine

TASK = course.task("baby-steps")
MARKS = """\
learner,name,task,points,max_points,percent,outcome,flags,comment
anna,,baby-steps,13,13,100,passed,identical to ben,
ben,,baby-steps,13,13,100,passed,identical to anna,
carl,,baby-steps,{wrong},13,{percent},failed,,
dora,,baby-steps,13,13,100,passed,,
"""


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    """Four learners: two are identical, one is wrong, one is right in another way."""
    folder = tmp_path / "submissions"
    for learner in ("anna", "ben", "carl", "dora"):
        (folder / learner).mkdir(parents=True)
        lay_out_answer(TASK, folder / learner)
    file = folder / "carl" / TASK.answer[0]
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("ENV PATH=", "# ENV PATH="), encoding="utf-8")
    with (folder / "dora" / TASK.answer[0]).open("a", encoding="utf-8") as right:
        right.write("\n# Another comment.\n")
    return folder


@pytest.fixture
def own(engine: Engine, tmp_path: Path) -> dict[str, str]:  # noqa: ARG001 - needs one
    """An environment with its own temporary folder and cache, which show what is left."""
    (tmp_path / "tmp").mkdir()
    paths = {"TMPDIR": str(tmp_path / "tmp"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return {**os.environ, **paths, "PYTHONPATH": str(ROOT)}


@pytest.mark.slow
def test_an_interrupted_class_is_continued_and_has_the_same_marks(submissions, own, tmp_path):
    out = tmp_path / "marks"
    command = [*WORKSHOP, "grade", str(submissions), "--task", TASK.name, "--jobs", "1"]
    with subprocess.Popen(
        [*command, "--out", str(out)],
        env=own,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stderr
        assert "anna baby-steps and 1 alike" in first.stderr.readline()
        until(lambda: [*(tmp_path / "cache/workshop/runs").glob("*.json")], "the next submission")
        first.send_signal(signal.SIGINT)
        printed, errors = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "Stopped: 2 of 3 are left. Run the same command to go on." in printed
    assert "Traceback" not in errors
    assert not (out / "marks.csv").exists()
    assert [*(tmp_path / "tmp").iterdir()] == [*tmp_path.glob("cache/workshop/runs/*")] == []

    continued = run(*command, "--out", str(out), env=own, cwd=tmp_path).stdout
    assert "4 submissions: 2 already graded, 2 to grade" in continued
    marks = (out / "marks.csv").read_text(encoding="utf-8")
    wrong = marks.splitlines()[3].split(",")
    assert marks == MARKS.format(wrong=wrong[3], percent=wrong[5])
    assert 0 < int(wrong[3]) < TASK.max_score

    run(*command, "--out", str(tmp_path / "undisturbed"), "--jobs", "2", env=own, cwd=tmp_path)
    assert (tmp_path / "undisturbed/marks.csv").read_text(encoding="utf-8") == marks
    again = run(*command, "--out", str(out), env=own, cwd=tmp_path).stdout
    assert "4 submissions: 4 already graded, 0 to grade" in again
    assert [*(tmp_path / "tmp").iterdir()] == [*tmp_path.glob("cache/workshop/runs/*")] == []
