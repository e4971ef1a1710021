"""The templates' workflows run here from a push to marks, with the kit and the real engine.

act runs them: the expressions, conditions and steps are those that GitHub runs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, run
from workflows.act import Runner, commit

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("engine")

TEMPLATES = ROOT / "templates"
ANSWER = ("Dockerfile-nonroot", "app", "pyproject.toml", "poetry.lock", "constraints.txt")
# The action sets up the environment of the kit in the folder where GitHub puts it. Here, that of
# this checkout is used: a test of bootstrap.py covers the rest.
MAKEFILE = """
.venv/.ready:
	mkdir -p .venv/bin
	printf '#!/bin/sh\\nPYTHONSAFEPATH=1 PYTHONPATH={root} exec {python} -m workshop "$$@"\\n' \
		> .venv/bin/workshop
	chmod +x .venv/bin/workshop && touch $@
"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory) -> Path:
    """The kit as the action finds it on GitHub, with the environment of this checkout."""
    folder = tmp_path_factory.mktemp("kit")
    shutil.copytree(ROOT / ".github/actions", folder / ".github/actions")
    makefile = MAKEFILE.format(root=ROOT, python=sys.executable)
    (folder / "Makefile").write_text(makefile, encoding="utf-8")
    return folder


@pytest.fixture
def runner(tmp_path, kit) -> Runner:
    keep = {name: text for name, text in os.environ.items() if name.startswith(("DOCKER", "TMP"))}
    return Runner(tmp_path / "act", kit, {**keep, "XDG_CACHE_HOME": str(tmp_path / "cache")})


def write_answer(folder: Path) -> None:
    """Write a correct answer to task 5."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ANSWER:
        source = ROOT / "services/fastapi" / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)


def break_answer(folder: Path) -> None:
    """Let the server run as root."""
    file = folder / "Dockerfile-nonroot"
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("USER ")]
    assert len(kept) < len(lines)
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")


@pytest.fixture
def learner(tmp_path) -> Path:
    """The repository of a learner, with a correct answer that is not committed yet."""
    folder = tmp_path / "workshop-anna"
    shutil.copytree(TEMPLATES / "learner", folder)
    write_answer(folder)
    return folder


def test_a_push_of_a_correct_answer_is_green_with_the_points_and_a_result(runner, learner):
    commit(learner, "acme/workshop-anna")
    done = runner.run(learner, "check.yml", "push", "--actor", "anna")
    assert done.code == 0, done.output
    assert "22 of 22 points" in done.summary
    assert "Every check passed." in done.summary
    result = json.loads((done.uploaded / "results/marks/result.json").read_text(encoding="utf-8"))
    assert result["schema"] == "classroom50/result/v1"
    assert (result["owner"], result["assignment"]) == ("anna", "task-5")
    assert (result["score"], result["max-score"]) == (22, 22)
    assert all(test["passed"] for test in result["tests"])


def test_a_push_of_a_wrong_answer_is_red_with_the_failure_and_the_hint(runner, learner):
    break_answer(learner)
    commit(learner, "acme/workshop-anna")
    done = runner.run(learner, "check.yml", "push", "--actor", "anna")
    assert done.code == 1
    assert "Runs as a non-root user" in done.summary
    assert "Hint: " in done.summary
    result = json.loads((done.uploaded / "results/marks/result.json").read_text(encoding="utf-8"))
    assert 0 < result["score"] < result["max-score"]


def test_a_push_without_an_answer_is_red_and_says_why(runner, tmp_path):
    learner = tmp_path / "workshop-anna"
    shutil.copytree(TEMPLATES / "learner", learner)
    commit(learner, "acme/workshop-anna")
    done = runner.run(learner, "check.yml", "push", "--actor", "anna")
    assert done.code == 1
    assert "marks.json: nothing was graded" in done.output
    assert "Traceback" not in done.output


# What a learner adds to a repository to get marks: each would write the file `ran`, or full marks.
FORGERY = {
    ".github/workflows/grade.yml": "name: Grade\non: push\njobs: {}\n",
    ".github/actions/grade/action.yml": "runs: {using: composite, steps: []}\n",
    "Makefile": ".venv/.ready:\n\ttouch {ran}\n",
    "workshop/__init__.py": "open('{ran}', 'w')\n",
    "sitecustomize.py": "open('{ran}', 'w')\n",
    "json.py": "open('{ran}', 'w')\n",
    "csv.py": "open('{ran}', 'w')\n",
    "collect.py": "open('{ran}', 'w')\n",
    ".env": "PYTHONPATH=.\n",
    "marks/marks.json": '{"marks": []}',
    "result.json": '{"schema": "classroom50/result/v1", "score": 22, "max-score": 22}',
    "overrides.toml": '[anna."task-5"]\npoints = 22\n',
}


@pytest.fixture
def class_of_two(tmp_path) -> Path:
    """A server with the repositories of anna, who forges, and ben; and the grading repository."""
    server, ran = tmp_path / "server/acme", tmp_path / "ran"
    for name in ("anna", "ben"):
        work = tmp_path / "work" / name
        write_answer(work)
        if name == "anna":
            break_answer(work)
            for path, text in FORGERY.items():
                file = work / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text.replace("{ran}", str(ran)), encoding="utf-8")
        commit(work, f"acme/{name}")
        run("git", "clone", "--quiet", "--bare", str(work), str(server / name))
    grading = tmp_path / "grading"
    shutil.copytree(TEMPLATES / "grading", grading)
    # Another server than GitHub, for this step only: act needs GitHub's address itself.
    file = grading / ".github/workflows/grade.yml"
    workflow = file.read_text(encoding="utf-8")
    step = "run: python3 -I collect.py"
    assert step in workflow
    address = f"GITHUB_SERVER_URL=file://{tmp_path}/server"
    file.write_text(workflow.replace(step, f"run: {address} {step[5:]}"), encoding="utf-8")
    rows = (f"{name},{name.title()},,acme/{name}\n" for name in ("anna", "ben", "cem"))
    text = "id,name,email,repository\n" + "".join(rows)
    (grading / "class.csv").write_text(text, encoding="utf-8")
    commit(grading, "acme/grading")
    return grading


def test_the_grading_repository_marks_the_class_and_nothing_of_a_learner_decides(
    runner, class_of_two, tmp_path
):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"inputs": {"task": "task-5"}}), encoding="utf-8")
    done = runner.run(
        class_of_two,
        "grade.yml",
        "workflow_dispatch",
        *("--secret", "READ_TOKEN=made-up-token", "--eventpath", str(event)),
    )
    # A repository is missing, which makes the run red. The others are graded.
    assert done.code == 1
    assert "cem: fatal: " in done.output
    feedback = (done.uploaded / "marks/marks/feedback/ben.md").read_text(encoding="utf-8")
    assert "Every check passed." in feedback, feedback
    assert done.succeeded("Summarise")
    marks = json.loads((done.uploaded / "marks/marks/marks.json").read_text(encoding="utf-8"))
    outcomes = {mark["learner"]["id"]: mark["outcome"] for mark in marks["marks"]}
    assert outcomes == {"anna": "failed", "ben": "passed"}
    assert not (tmp_path / "ran").exists()
    assert "made-up-token" not in done.output
    assert "| ben | task&#45;5 | 22" in done.summary.replace("&#32;", " ")
