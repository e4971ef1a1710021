from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.source import Source
from workshop.core.errors import UserError
from workshop.grading import grade
from workshop.model import Failed, Outcome, Recipe, Task, check

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = "FROM python:3.13\nUSER root\nCMD python -m app\n"


def told(name: str, **parts):
    """A check with all its words, of the function that it decorates."""
    return check(points=2, lesson="some/lesson", why="It matters.", hint="Try.", name=name, **parts)


@told("text", title="Says hello")
def says_hello(source: Source) -> None:
    if "hello" not in source.read("Dockerfile"):
        raise Failed("no hello", "a hello", line=3)


def no_root(source: Source) -> None:
    user = source.final().user
    if user and user.value == "root":
        raise Failed("USER root", "another", line=user.line, hint="Name another user.")


@told("image", title="Is an image", text=no_root)
def is_image(image: str) -> None:
    if image != "image":
        raise Failed("no image", "an image")


@told("app", title="Runs", blame=("CMD",))
def runs(app: str) -> None:
    if app != "app":
        raise Failed("no app", "an app")


@told("shutdown", title="Ends")
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
    """Facts by heart; one that is an exception is raised."""

    on_standins = True

    def __init__(self, folder: Path, **facts):
        self.source = Source(TASK, folder)
        self.task = TASK
        self.facts = {"image": "image", "app": "app", "shutdown": "shutdown", **facts}
        self.asked: list[str] = []

    def prepare(self, needs: str, _of: str) -> None:
        assert needs != "shutdown", "nothing can be asked of a server that has ended"

    def fact(self, needs: str, _of: str):
        self.asked.append(needs)
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


def test_a_right_answer_gets_every_point(folder: Path):
    verdict = grade.full(Evaluation(folder))
    assert (verdict.outcome, verdict.score, verdict.max_score) == ("passed", 8, 8)
    assert verdict.standin_bases


def test_a_wrong_part_costs_its_own_points_alone(folder: Path):
    verdict = grade.full(Evaluation(folder, app="another"))
    assert (verdict.outcome, verdict.score) == ("failed", 6)
    assert outcomes(verdict) == ["passed", "passed", "failed", "passed"]


def test_where_a_stage_breaks_its_first_check_is_told_and_the_rest_is_skipped(folder: Path):
    failed = Failed("the build broke", "a build")
    verdict = grade.full(Evaluation(folder, image=failed, app=failed, shutdown=failed))
    assert outcomes(verdict) == ["passed", "failed", "skipped", "skipped"]
    assert verdict.results[2].actual == "not looked at, since this failed: Is an image"


def test_the_text_finds_the_line_to_blame(folder: Path):
    result = grade.full(Evaluation(folder, image="another")).results[1]
    assert (result.file, result.line) == ("Dockerfile", 2)
    assert result.hint == "Name another user."
    assert result.actual == "no image"


def test_an_instruction_is_blamed_where_the_text_has_no_opinion(folder: Path):
    assert grade.full(Evaluation(folder, app="another")).results[2].line == 3


def test_trouble_of_ours_costs_nobody_points_and_is_told_once(folder: Path):
    gone = UserError("the prober", "it is gone", "Look")
    verdict = grade.full(Evaluation(folder, app=gone, shutdown=gone))
    assert verdict.outcome == "ungradable"
    assert outcomes(verdict) == ["passed", "passed", "error", "skipped"]


def test_a_check_that_breaks_is_our_own_fault(folder: Path):
    result = grade.full(Evaluation(folder, shutdown="another")).results[3]
    assert result.outcome is Outcome.ERROR
    assert "AssertionError" in result.actual


def test_facts_are_judged_in_the_order_in_which_they_come_to_be(folder: Path):
    evaluation = Evaluation(folder)
    evaluation.task = TASK._replace(checks=(ends, runs, says_hello, is_image))
    verdict = grade.full(evaluation)
    assert evaluation.asked == ["source", "image", "app", "shutdown"]
    assert [result.check.id for result in verdict.results] == ["shutdown", "app", "text", "image"]


def test_without_an_engine_the_text_alone_is_judged(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    verdict = grade.static(Source(TASK, tmp_path))
    assert outcomes(verdict) == ["failed", "failed", "skipped", "skipped"]
    assert verdict.outcome == "failed"
    assert grade.static


def test_a_text_that_looks_right_earns_nothing_yet(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM python:3.13\n# hello\n", encoding="utf-8")
    verdict = grade.static(Source(TASK, tmp_path))
    assert outcomes(verdict) == ["passed", "skipped", "skipped", "skipped"]
    assert verdict.results[1].actual.startswith("the text looks right")
    assert (verdict.outcome, verdict.score) == ("passed", 2)


def test_what_a_learner_wrote_is_shown_without_its_tricks(folder: Path):
    failed = Failed("\x1b[2Jgone\nand\x00 on", "a build")
    assert grade.full(Evaluation(folder, image=failed)).results[1].actual == "gone\nand on"


def test_two_looks_that_agree_are_a_grade(folder: Path):
    verdict = grade.full(Evaluation(folder, app="another"))
    assert grade.runs_failed(verdict)
    assert grade.agreed(verdict, verdict) == verdict


def test_two_looks_that_disagree_are_none(folder: Path):
    late, there = grade.full(Evaluation(folder, app="another")), grade.full(Evaluation(folder))
    verdict = grade.agreed(late, there)
    assert verdict.outcome == "ungradable"
    assert "failed once" in verdict.results[2].actual


def test_what_fails_before_anything_runs_is_looked_at_once(folder: Path):
    assert not grade.runs_failed(grade.full(Evaluation(folder, image="another")))


def test_what_could_not_be_graded_is_not_passed(folder: Path):
    verdict = grade.static(Source(TASK, folder), note="no engine")
    assert verdict.outcome == "ungradable"
    assert not verdict.static
