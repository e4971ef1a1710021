"""A submission that cannot be graded is ungradable, and never ends the class."""

from __future__ import annotations

import pytest
from classroom import submission
from fakes import NO_ENGINE, docker

from workshop.cohort import grader as module
from workshop.cohort.grader import Grader
from workshop.cohort.run import find_reason
from workshop.core.errors import UserError
from workshop.grading.cache import Cache
from workshop.model import Outcome, Result, Verdict
from workshop.tasks import course


@pytest.fixture
def anna(tmp_path):
    folder = tmp_path / "anna"
    folder.mkdir()
    return submission("anna")._replace(folder=folder)


def grade(found, tmp_path, instances=("one",)):
    """Grade with an engine that has these instances, one after the other."""
    ids = [NO_ENGINE if one is None else one for one in instances]
    info = {"info": NO_ENGINE} if instances[-1] is None else {}
    engine, _ = docker({"docker network inspect": ids}, **info)
    return Grader(engine, Cache(tmp_path / "cache"))(found)


def raising(error: Exception):
    def fail(*_arguments: object) -> None:
        raise error

    return fail


@pytest.fixture
def verdict(monkeypatch):
    """Make every evaluation end with this text; its outcome is an error unless one is given."""

    def give(text, outcome=Outcome.ERROR):
        task = course.task("baby-steps")
        found = Verdict(task, (Result(task.checks[0], outcome, text),))
        monkeypatch.setattr(module.grade, "confirmed", lambda _evaluate: found)

    return give


def test_a_folder_that_is_gone_is_ungradable_and_no_fault_of_the_engine(anna, tmp_path):
    anna.folder.rmdir()
    graded = grade(anna, tmp_path)
    assert graded.document["outcome"] == "ungradable"
    assert "no such folder" in find_reason(graded.document)
    assert not graded.engine_failed


@pytest.mark.parametrize("error", [UserError("x", "y", "z"), OSError("y"), RuntimeError("y")])
def test_an_error_of_the_kit_is_ungradable(anna, tmp_path, monkeypatch, error):
    monkeypatch.setattr(module.grade, "confirmed", raising(error))
    graded = grade(anna, tmp_path)
    assert graded.document["outcome"] == "ungradable"
    assert graded.document["max_score"] == 13
    assert "y" in find_reason(graded.document)


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ("image x: the disk is full. Free 5 GB", True),
        ("image x: no registry answers for its base image", False),
    ],
)
def test_an_error_of_the_engine_is_told_from_one_of_the_submission(
    anna, tmp_path, verdict, text, failed
):
    verdict(text)
    graded = grade(anna, tmp_path)
    assert graded.document["outcome"] == "ungradable"
    assert graded.engine_failed is failed


@pytest.mark.parametrize("instances", [("one", None), ("one", "two"), (None, "two"), (None,)])
@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.FAILED])
def test_while_the_engine_stops_nothing_is_the_fault_of_a_submission(
    anna, tmp_path, verdict, instances, outcome
):
    verdict("no response", outcome)
    graded = grade(anna, tmp_path, instances)
    assert graded.engine_failed
    assert graded.document["outcome"] == "ungradable"
    assert find_reason(graded.document) == "the Docker engine stopped while it was graded"


def test_without_a_default_network_a_failure_is_the_submissions(anna, tmp_path, verdict):
    verdict("no response", Outcome.FAILED)
    graded = grade(anna, tmp_path, ("",))
    assert (graded.document["outcome"], graded.engine_failed) == ("failed", False)


def test_a_submission_that_passed_before_the_engine_stopped_has_passed(anna, tmp_path, verdict):
    verdict("", Outcome.PASSED)
    graded = grade(anna, tmp_path, ("one", "two"))
    assert (graded.document["outcome"], graded.engine_failed) == ("passed", False)


def test_the_files_are_those_from_before_the_grading(anna, tmp_path, monkeypatch):
    dockerfile = anna.folder / "Dockerfile"
    dockerfile.write_text("FROM before")

    def change(_evaluate: object) -> Verdict:
        dockerfile.write_text("FROM after")
        return Verdict(course.task("baby-steps"), ())

    monkeypatch.setattr(module.grade, "confirmed", change)
    (file, *_) = grade(anna, tmp_path).files
    assert file.text == "FROM before"
