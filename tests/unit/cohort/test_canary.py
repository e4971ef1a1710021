"""The verdicts of an engine count after it has graded known answers rightly."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from classroom import TASK, document, submission

from workshop.cohort.canary import KNOWN, Canaries
from workshop.cohort.run import Graded, find_reason
from workshop.tasks import course

FAILED = Graded(document(0, note="the engine stopped"), engine_failed=True)


class Engine:
    """Grades known answers rightly, unless told otherwise; records what it graded."""

    def __init__(self, **known: Graded) -> None:
        self.known = {"right": Graded(document()), "broken": Graded(document(0)), **known}
        self.others: list[Graded] = []
        self.graded: list[str] = []

    def __call__(self, found):
        name = found.learner.id
        if name == "canary":
            text = (found.folder / "Dockerfile").read_text()
            name = "broken" if text.endswith("RUN false\n") else "right"
        self.graded.append(name)
        if name in self.known:
            return self.known[name]
        return self.others.pop(0) if self.others else Graded(document(5))


def test_the_first_submission_of_a_task_comes_after_both_known_answers():
    engine, canaries = Engine(), Canaries()
    for name in ("anna", "ben"):
        assert canaries.guard(engine, submission(name)).document["score"] == 5
    assert engine.graded == ["right", "broken", "anna", "ben"]


def test_a_task_that_is_trusted_needs_no_proof_until_the_engine_fails():
    engine, canaries = Engine(), Canaries([TASK])
    engine.others = [Graded(document(5)), FAILED]
    results = [canaries.guard(engine, submission(name)) for name in ("anna", "ben", "carl")]
    assert [result.engine_failed for result in results] == [False, True, False]
    assert engine.graded == ["anna", "ben", "right", "broken", "carl"]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"right": Graded(document(3))}, f"a known answer to {TASK} failed, although it should"),
        ({"broken": Graded(document())}, f"a known answer to {TASK} passed, although it should"),
    ],
)
def test_a_wrong_verdict_for_a_known_answer_is_the_engines_fault(known, reason):
    engine = Engine(**known)
    found = Canaries().guard(engine, submission("anna"))
    assert found.is_wrong
    assert reason in find_reason(found.document)
    assert "anna" not in engine.graded


def test_a_known_answer_without_a_verdict_is_an_error_of_the_engine():
    engine = Engine(right=FAILED)
    found = Canaries().guard(engine, submission("anna"))
    assert (found.engine_failed, found.is_wrong, found.is_tried) == (True, False, False)
    assert engine.graded == ["right"]


def test_a_verdict_that_was_made_beside_an_error_counts_only_after_another_proof():
    canaries, started, failed = Canaries([TASK]), threading.Event(), threading.Event()
    engine = Engine(right=Graded(document(3)))

    def grade(found):
        if found.learner.id == "anna":
            started.set()
            assert failed.wait(10)
        return engine(found)

    with ThreadPoolExecutor() as threads:
        anna = threads.submit(canaries.guard, grade, submission("anna"))
        assert started.wait(10)
        engine.others = [FAILED]
        assert canaries.guard(engine, submission("ben")).engine_failed
        failed.set()
        assert anna.result().is_wrong


@pytest.mark.parametrize("task", course.TASKS)
def test_the_known_answers_to_each_task_differ(tmp_path, task):
    for name, make in zip(("right", "broken"), KNOWN.values(), strict=True):
        (tmp_path / name).mkdir()
        make(course.task(task), tmp_path / name)
    right, broken = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in files if path.is_file()}
        for name, files in ((name, (tmp_path / name).rglob("*")) for name in ("right", "broken"))
    )
    assert {str(path) for path in right} == {*course.task(task).answer}
    assert right != broken
