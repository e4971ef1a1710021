from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.core.errors import UserError
from workshop.grading import grade
from workshop.model import NOT_CHECKED, Failed, Outcome, Recipe, Task, check

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = "FROM python:3.13\nUSER root\nCMD python -m app\n"


def complete_check(name: str, **options):
    """Decorate a function as a check with every required text."""
    return check(
        points=2, lesson="some/lesson", why="It matters.", hint="Try.", name=name, **options
    )


@complete_check("text", title="Says hello")
def says_hello(source: Source) -> None:
    if "hello" not in source.read("Dockerfile"):
        raise Failed("no hello", "a hello", line=3)


def no_root(source: Source) -> None:
    user = source.final().user
    if user and user.value == "root":
        raise Failed("USER root", "another", line=user.line, hint="Name another user.")


@complete_check("image", title="Is an image", text=no_root)
def is_image(image: str) -> None:
    if image != "image":
        raise Failed("no image", "an image")


@complete_check("app", title="Runs", blame=("CMD",))
def runs(app: str) -> None:
    if app != "app":
        raise Failed("no app", "an app")


@complete_check("shutdown", title="Ends")
def ends(shutdown: str) -> None:
    assert shutdown == "shutdown"


TASK = Task(
    "task-0",
    "do something",
    "some/lesson",
    folder="services/fastapi",
    answer=("Dockerfile",),
    recipes=(Recipe(),),
    checks=(says_hello, is_image, runs, ends),
)


class Evaluation:
    """Made-up facts; an exception is raised."""

    standin_bases = True
    cache = SimpleNamespace(canary="canary-1")

    def __init__(self, folder: Path, **facts):
        self.source = Source(TASK, folder)
        self.task = TASK
        self.facts = {"image": "image", "app": "app", "shutdown": "shutdown", **facts}
        self.needed: list[str] = []

    def prepare(self, needs: str, _of: str) -> None:
        assert needs != "shutdown", "a server that was shut down answers no requests"

    def fact(self, needs: str, _of: str):
        self.needed.append(needs)
        found = self.source if needs == "source" else self.facts[needs]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE + "# hello\n", encoding="utf-8")
    return tmp_path


def outcomes(verdict) -> list[str]:
    return [str(result.outcome) for result in verdict.results]


def test_a_correct_solution_gets_every_point(folder: Path):
    verdict = grade.full(Evaluation(folder))
    assert (verdict.outcome, verdict.score, verdict.max_score) == ("passed", 8, 8)
    assert verdict.standin_bases


def test_a_failed_check_costs_only_its_own_points(folder: Path):
    verdict = grade.full(Evaluation(folder, app="another"))
    assert (verdict.outcome, verdict.score) == ("failed", 6)
    assert outcomes(verdict) == ["passed", "passed", "failed", "passed"]


def test_no_result_shows_the_planted_secret(folder: Path):
    failed = Failed("it printed SECRET=canary-1", "a server", hint="Remove canary-1.")
    result = grade.full(Evaluation(folder, app=failed)).results[2]
    assert result.actual == "it printed SECRET=(a planted secret)"
    assert result.hint == "Remove (a planted secret)."


def test_a_failure_that_many_checks_share_is_reported_once(folder: Path):
    failed = Failed("the build broke", "a build")
    verdict = grade.full(Evaluation(folder, image=failed, app=failed, shutdown=failed))
    assert outcomes(verdict) == ["passed", "failed", "skipped", "skipped"]
    assert verdict.results[2].actual == "not checked, because this failed: Is an image"


def test_the_check_of_the_text_finds_the_line_to_blame(folder: Path):
    result = grade.full(Evaluation(folder, image="another")).results[1]
    assert (result.file, result.line) == ("Dockerfile", 2)
    assert result.hint == "Name another user."
    assert result.actual == "no image"


def test_without_a_check_of_the_text_an_instruction_is_blamed(folder: Path):
    assert grade.full(Evaluation(folder, app="another")).results[2].line == 3


def test_a_user_error_costs_no_points_and_is_reported_once(folder: Path):
    gone = UserError("the prober", "it is gone", "Look")
    verdict = grade.full(Evaluation(folder, app=gone, shutdown=gone))
    assert verdict.outcome == "ungradable"
    assert outcomes(verdict) == ["passed", "passed", "error", "skipped"]


def test_an_exception_in_a_check_is_an_error_not_a_failure(folder: Path):
    result = grade.full(Evaluation(folder, shutdown="another")).results[3]
    assert result.outcome is Outcome.ERROR
    assert "AssertionError" in result.actual


def test_checks_run_in_the_order_of_their_stages(folder: Path):
    evaluation = Evaluation(folder)
    evaluation.task = TASK._replace(checks=(ends, runs, says_hello, is_image))
    verdict = grade.full(evaluation)
    assert evaluation.needed == ["source", "image", "app", "shutdown"]
    assert [result.check.id for result in verdict.results] == ["shutdown", "app", "text", "image"]


def test_without_an_engine_only_the_text_is_checked(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    verdict = grade.static(Source(TASK, tmp_path))
    assert outcomes(verdict) == ["failed", "failed", "skipped", "skipped"]
    assert verdict.outcome == "failed"


def test_without_the_file_no_check_says_that_it_needs_a_build(tmp_path: Path):
    verdict = grade.static(Source(TASK, tmp_path))
    assert outcomes(verdict) == ["failed", "skipped", "skipped", "skipped"]
    assert {result.actual for result in verdict.results[1:]} == {f"{NOT_CHECKED}Says hello"}


def test_a_check_that_passes_only_on_the_text_earns_no_points(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM python:3.13\n# hello\n", encoding="utf-8")
    verdict = grade.static(Source(TASK, tmp_path))
    assert outcomes(verdict) == ["passed", "skipped", "skipped", "skipped"]
    assert verdict.results[1].actual.startswith("no problem found in the text")
    assert (verdict.outcome, verdict.score) == ("passed", 2)


def test_control_characters_of_a_learner_are_removed(folder: Path):
    failed = Failed("\x1b[2Jgone\nand\x00 on", "a build")
    assert grade.full(Evaluation(folder, image=failed)).results[1].actual == "gone\nand on"


def test_the_cause_is_found_in_the_output_of_the_program(folder: Path):
    failed = Failed("it ended", "a server", output="/bin/sh: 1: git: not found")
    result = grade.full(Evaluation(folder, app=failed)).results[2]
    assert result.cause == "program-not-installed"
    assert "no program git" in result.why
    assert "Install git" in result.hint
    assert (result.actual, result.line) == ("it ended", 3)


def test_a_cause_of_two_failures_is_described_once(folder: Path):
    missing = "ModuleNotFoundError: No module named 'flask'"
    app, shutdown = (Failed(f"{who}: {missing}", "a server") for who in ("one", "two"))
    facts = {"app": app, "shutdown": shutdown}
    first, second = grade.full(Evaluation(folder, **facts)).results[2:]
    assert first.cause == second.cause == "module-missing"
    assert "flask" in first.why
    assert (second.why, second.hint) == ("", "This has the same cause as: Runs")


def test_a_hint_of_the_check_comes_before_the_table(folder: Path):
    failed = Failed("ModuleNotFoundError: No module named 'flask'", "a server", hint="Ask.")
    result = grade.full(Evaluation(folder, app=failed)).results[2]
    assert (result.cause, result.hint, result.why) == ("", "Ask.", "It matters.")


def test_a_line_that_confirms_the_cause_is_to_blame(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM a\nCMD flask run --port $PORT\nUSER app\n# hello\n")
    failed = Failed("process 1 is /bin/sh -c flask run --port $PORT", "the server")
    result = grade.full(Evaluation(tmp_path, app=failed)).results[2]
    assert (result.cause, result.line) == ("shell-form-with-variable", 2)
    assert "CMD exec" in result.hint


def test_two_equal_verdicts_combine_to_the_same(folder: Path):
    verdict = grade.full(Evaluation(folder, app="another"))
    assert grade.has_runtime_failure(verdict)
    assert grade.combine(verdict, verdict) == verdict


def test_a_check_with_two_outcomes_is_an_error(folder: Path):
    first, second = grade.full(Evaluation(folder, app="another")), grade.full(Evaluation(folder))
    verdict = grade.combine(first, second)
    assert verdict.outcome == "ungradable"
    assert "failed only once" in verdict.results[2].actual


def test_a_failure_before_the_run_is_not_repeated(folder: Path):
    assert not grade.has_runtime_failure(grade.full(Evaluation(folder, image="another")))


def test_a_verdict_with_a_note_is_ungradable(folder: Path):
    verdict = grade.static(Source(TASK, folder), note="no engine")
    assert verdict.outcome == "ungradable"
    assert not verdict.static
