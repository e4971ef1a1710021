"""The trials of `slim`, with made-up measurements: what is kept, and against what."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.commands.trials import apply_changes
from workshop.core.errors import UserError
from workshop.engine import Engine
from workshop.grading.cache import Cache
from workshop.model import Failed, Outcome, Recipe, Result, Task, Verdict, check
from workshop.reports.slimming import format_slimming
from workshop.trials import slim
from workshop.trials.bench import Bench, Measured, Observer, lost_checks
from workshop.trials.draft import read_draft
from workshop.trials.slim import Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MB = 10**6
TEXT = """FROM python:3.11-bookworm
RUN apt-get update && apt-get install -y git
RUN pip install flask
COPY . .
"""


@check(points=1, why="w", hint="h")
def works(source: Source) -> None:
    """It works."""


@check(points=1, why="w", hint="h")
def never_worked(source: Source) -> None:
    """It never worked."""


TASK = Task(
    "task-0",
    "t",
    "l",
    folder="services/fastapi",
    answer=("Dockerfile",),
    recipes=(Recipe(),),
    checks=(works, never_worked),
    only=("app",),
)


def verdict(first: Outcome = Outcome.PASSED) -> Verdict:
    return Verdict(TASK, (Result(works, first), Result(never_worked, Outcome.FAILED)))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., slim.Slimming]:
    """Return a function that tries everything; `measure` gets the two files."""
    (tmp_path / "learner").mkdir()
    (tmp_path / "learner/Dockerfile").write_text(TEXT)
    (tmp_path / "learner/README.md").write_text("x")
    lines: list[str] = []

    @contextlib.contextmanager
    def job(title: str):
        yield lines.append, lambda remark: lines.append(f"{title}: {remark}")

    def try_all(measure: Callable[[str, str], Measured]) -> slim.Slimming:
        def evaluate(bench: Bench, _on_line: object, most: int = 0) -> Measured:
            ignore = bench.exercise / ".dockerignore"
            text = ignore.read_text() if ignore.exists() else ""
            found = measure((bench.exercise / "Dockerfile").read_text(), text)
            return found._replace(verdict=None) if most and found.size > most else found

        monkeypatch.setattr(slim, "evaluate", evaluate)
        source = Source(TASK, tmp_path / "learner")
        cache = Cache(tmp_path / "cache")
        return slim.slim(source, Engine(), cache, Observer(job), ("python:3.11-slim-bookworm",))

    return try_all


def measure(text: str, ignore: str) -> Measured:
    """Measure an image in which every change saves something, but for one that breaks a check."""
    size = 900 * MB
    size -= 300 * MB * ("slim-" in text)
    size -= 50 * MB * ("--no-install-recommends" in text)
    size -= 20 * MB * ("apt/lists" in text)
    size -= 1000 * ("--no-cache-dir" in text)
    size -= 5 * MB * ("*.md" in ignore)
    if "install -y --no-install-recommends git" not in text and "git" not in text:
        raise Failed("step RUN failed", "a build that succeeds")
    return Measured(size, verdict(Outcome.FAILED if "slim-" in text else Outcome.PASSED))


def test_only_what_saves_bytes_and_passes_is_suggested(run):
    found = run(measure)
    assert [(trial.title, trial.gain) for trial in found.kept] == [
        ("Install no recommended packages", 50 * MB),
        ("Remove the package lists in the RUN that fetches them", 20 * MB),
        ("Leave unneeded files out of the build context", 5 * MB),
    ]
    assert {trial.title: trial.reason for trial in found.trials if not trial.is_kept} == {
        "Keep no cache of pip": Reason.NO_GAIN,
        "Write no bytecode": Reason.NO_GAIN,
        "Leave out git": Reason.NO_BUILD,
        "Move the build tools to another stage": Reason.NO_GAIN,
        "Use the base image python:3.11-slim-bookworm": Reason.FAILS,
    }
    assert (found.size_before, found.size_after) == (900 * MB, 825 * MB)
    # What is written at the end was tried as it is.
    assert measure(found.end.text, found.end.ignore).size == 825 * MB
    assert found.end.text.count("\n") == TEXT.count("\n") + 1


def test_each_patch_applies_to_the_one_before(run):
    kept = run(measure).kept
    for before, after in itertools.pairwise(kept):
        assert before.after == after.before
    assert "+*.md" in kept[-1].patch
    assert kept[-1].patch.startswith("--- /dev/null\n+++ b/.dockerignore\n")
    assert "b/Dockerfile" not in kept[-1].patch


def test_a_check_that_the_kit_could_not_run_is_no_suggestion(run):
    def uncertain(text: str, ignore: str) -> Measured:
        size = measure("git", ignore).size - 300 * MB * ("--no-" in text)
        return Measured(size, verdict(Outcome.ERROR if "--no-" in text else Outcome.PASSED))

    found = run(uncertain)
    reasons = {trial.title: trial.reason for trial in found.trials}
    assert reasons["Install no recommended packages"] is Reason.UNKNOWN
    assert "--no-" not in found.end.text


def test_an_answer_that_does_not_build_is_the_learners_failure(run):
    def broken(_text: str, _ignore: str) -> Measured:
        raise Failed("no FROM instruction", "a FROM")

    with pytest.raises(Failed, match="no FROM instruction"):
        run(broken)


def test_a_check_that_failed_before_may_fail_after():
    assert lost_checks(verdict(), verdict()) == []
    (lost,) = lost_checks(verdict(), verdict(Outcome.SKIPPED))
    assert lost.check is works


def test_the_report_has_each_gain_and_patch_in_80_columns(run):
    text = format_slimming(run(measure))
    assert max(map(len, text.splitlines())) <= 80
    assert "1. Install no recommended packages: saves 50.0 MB.\n\n--- a/Dockerfile\n" in text
    assert "  Leave out git: it does not build (step RUN failed).\n" in text
    assert "3.11-slim-bookworm: a check fails (It works).\n" in text
    assert "900.0 MB before, 825.0 MB after 3 changes, each on top of those before it." in text


def test_without_a_gain_there_is_no_suggestion(run):
    text = format_slimming(run(lambda *_: Measured(MB, verdict())))
    assert text.endswith("The image has 1.0 MB. No change was found that makes it smaller.\n")


def test_changes_are_written_to_the_learners_files(run, tmp_path):
    found = run(measure)
    folder = tmp_path / "learner"
    (folder / "Dockerfile").chmod(0o640)
    assert (folder / "Dockerfile").read_text() == TEXT
    written = apply_changes(found, folder)
    assert written == [folder / "Dockerfile", folder / ".dockerignore"]
    assert (folder / "Dockerfile").read_text() == found.end.text
    assert (folder / "Dockerfile").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in folder.iterdir()) == [
        ".dockerignore",
        "Dockerfile",
        "README.md",
    ]


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_a_file_that_has_changed_meanwhile_is_not_overwritten(name, run, tmp_path):
    found = run(measure)
    (tmp_path / "learner" / name).write_text("mine")
    with pytest.raises(UserError, match="it has changed since it was read"):
        apply_changes(found, tmp_path / "learner")
    assert (tmp_path / "learner" / name).read_text() == "mine"
    other = {"Dockerfile": ".dockerignore", ".dockerignore": "Dockerfile"}[name]
    assert (tmp_path / "learner" / other).exists() == (other == "Dockerfile")


def test_a_task_without_a_dockerfile_is_an_error(tmp_path):
    task = TASK._replace(answer=("docker-compose.yml",))
    with pytest.raises(UserError, match="task task-0: its answer has no Dockerfile"):
        read_draft(Source(task, tmp_path))
