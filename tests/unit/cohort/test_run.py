"""The loop grades what is missing, once for identical submissions, and stores each verdict."""

from __future__ import annotations

import threading
import tracemalloc
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from functools import partial

import pytest
from classroom import FOLDER, MOST, TASK, Silent, document, grade, run, submission, submissions

from workshop.cohort import run as module
from workshop.cohort.exports import csv_marks
from workshop.cohort.run import (
    MOST_FAILURES,
    Graded,
    Job,
    Worker,
    find_reason,
    grade_all,
    judge,
    judge_again,
    plan,
)
from workshop.cohort.store import Store
from workshop.core.errors import Interrupted, UserError
from workshop.model import LintWarning, Outcome, Result, Verdict
from workshop.reports import json
from workshop.tasks import course

ALIKE = [submission("anna", "x"), submission("ben", "x"), submission("carl", "y")]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "marks") as opened:
        yield opened


def scores(store: Store) -> dict[str, int]:
    return {row.learner.id: row.score for row in store.rows()}


def by_name(**results: list[Graded]):
    """Return a grader that gives each learner the results in the list, and `grade`'s after."""

    def choose(found):
        left = results.get(found.learner.id)
        return left.pop(0) if left else grade(found)

    return choose


FAILED_ENGINE = Graded(document(0, note="the engine\nstopped"), engine_failed=True)


def test_every_submission_gets_its_verdict(store):
    found = submissions(30)
    run(store, found, limit=4)
    assert scores(store) == {one.learner.id: grade(one).document["score"] for one in found}


def test_the_same_class_again_grades_nothing(store):
    run(store, submissions(3))
    assert run(store, submissions(3)).started == []


def test_only_a_changed_submission_is_graded_again(store):
    run(store, [submission("anna"), submission("ben")])
    again = run(store, [submission("anna"), submission("ben", "new")])
    assert again.started == ["ben"]
    assert scores(store)["ben"] == grade(submission("ben", "new")).document["score"]


def test_a_submission_that_is_changed_back_has_its_verdict(store):
    for content in ("old", "new"):
        run(store, [submission("anna", content)])
    assert run(store, [submission("anna", "old")]).started == []
    assert scores(store)["anna"] == grade(submission("anna", "old")).document["score"]


def test_a_changed_rubric_grades_everything_again(store):
    run(store, submissions(3))
    assert len(run(store, submissions(3), rubric="new").started) == 3


def test_identical_submissions_are_graded_once_and_marked_alike(store):
    assert sorted(run(store, ALIKE).started) == ["anna", "carl"]
    marks = scores(store)
    assert marks["anna"] == marks["ben"] != marks["carl"]


def test_a_later_submission_that_is_identical_is_not_graded(store):
    run(store, ALIKE)
    assert run(store, [*ALIKE, submission("dora", "y")]).started == []
    assert scores(store)["dora"] == scores(store)["carl"]


def test_a_job_says_how_many_are_alike(store):
    keys = {one: one.digest for one in ALIKE}
    names = [job.name for job in plan(store, keys)]
    assert names == [f"anna {TASK} and 1 alike", f"carl {TASK}"]


def test_an_ungradable_verdict_is_stored_and_tried_again_after_all_others(store):
    run(store, [submission("anna")], by_name(anna=[Graded(document(0, note="too busy"))]))
    assert [row.outcome for row in store.rows()] == ["ungradable"]
    again = run(store, [submission("anna"), submission("ben")], limit=1)
    assert again.started == ["ben", "anna"]
    assert "ungradable" not in {row.outcome for row in store.rows()}


def test_after_a_failure_of_the_engine_a_submission_is_tried_once_more(store):
    found = run(store, submissions(3), by_name(**{"learner-00000": [FAILED_ENGINE]}), limit=1)
    assert found.started == [f"learner-0000{number}" for number in (0, 1, 2, 0)]
    assert found.retried == ["learner-00000"]
    assert scores(store)["learner-00000"] == grade(submissions(1)[0]).document["score"]


def test_a_submission_that_always_stops_the_engine_is_ungradable(store):
    results = {"learner-00000": [FAILED_ENGINE, FAILED_ENGINE]}
    run(store, submissions(3), by_name(**results), limit=1)
    outcomes = {row.learner.id: row.outcome for row in store.rows()}
    assert outcomes.pop("learner-00000") == "ungradable"
    assert len(outcomes) == 2
    assert "ungradable" not in outcomes.values()


def test_an_engine_that_fails_three_times_in_a_row_ends_the_run(store):
    results = {f"learner-0000{number}": [FAILED_ENGINE] for number in range(1, 5)}
    with pytest.raises(UserError) as error:
        run(store, submissions(9), by_name(**results), limit=1)
    assert f"{MOST_FAILURES} times in a row (the engine)" in str(error.value)
    assert [*scores(store)] == ["learner-00000"]
    assert len(run(store, submissions(9)).started) == 8


def test_an_engine_that_stops_is_waited_for_and_fails_once_whatever_was_running(store):
    both = threading.Barrier(4)
    waits = []

    def stop_all(found):
        if waits:
            return grade(found)
        both.wait(10)
        return FAILED_ENGINE

    def recover():
        waits.append("for the engine")
        return True

    found = run(store, submissions(9), stop_all, limit=4, recover=recover)
    assert len(waits) == 1
    assert sorted(found.retried) == sorted(found.started[:4])
    assert scores(store) == {one.learner.id: grade(one).document["score"] for one in submissions(9)}


def test_an_engine_that_does_not_come_back_ends_the_run(store):
    results = {"learner-00001": [FAILED_ENGINE]}
    with pytest.raises(UserError, match=r"does not answer any more \(the engine\)"):
        run(store, submissions(9), by_name(**results), limit=1, recover=lambda: False)
    assert [*scores(store)] == ["learner-00000"]


def test_submissions_that_are_ungradable_by_themselves_do_not_end_the_run(store):
    results = {one.learner.id: [Graded(document(0, note="odd"))] for one in submissions(5)}
    run(store, submissions(5), by_name(**results), limit=1)
    assert [row.outcome for row in store.rows()] == ["ungradable"] * 5


def test_a_lost_worker_is_a_failure_of_the_engine(store):
    lost = []

    def lose_once(found):
        if not lost:
            lost.append(found)
            raise BrokenExecutor("a worker ended")
        return grade(found)

    assert run(store, submissions(1), lose_once).retried == ["learner-00000"]
    assert len(scores(store)) == 1


def test_an_interrupt_keeps_what_was_graded(store):
    def interrupt_third(found):
        if found.learner.id == "learner-00002":
            raise Interrupted
        return grade(found)

    with pytest.raises(Interrupted):
        run(store, submissions(5), interrupt_third, limit=1)
    assert [*scores(store)] == ["learner-00000", "learner-00001"]
    assert len(run(store, submissions(5)).started) == 3


def test_no_more_run_at_once_than_the_limit(store):
    running, most, lock = set(), [], threading.Lock()
    both = threading.Barrier(2, timeout=10)

    def count(found):
        with lock:
            running.add(found)
            most.append(len(running))
        both.wait()
        with lock:
            running.discard(found)
        return grade(found)

    run(store, submissions(8), count, limit=2)
    assert max(most) == 2


def test_two_runs_of_a_class_write_the_same_bytes(tmp_path):
    tables = []
    for name in ("one", "two"):
        with Store(tmp_path / name) as store:
            run(store, [*submissions(40), *ALIKE], limit=8 if name == "one" else 1)
            csv_marks.write(store.rows(), tmp_path / name)
        tables.append((tmp_path / name / "marks.csv").read_bytes())
    assert tables[0] == tables[1]
    assert tables[0].count(b"\n") == 44


@pytest.mark.slow
def test_2000_submissions_need_little_memory(tmp_path):
    padding = "x" * 20_000

    def grade_long(found):
        return Graded({**grade(found).document, "padding": f"{found.digest}{padding}"})

    found = submissions(2000)
    with Store(tmp_path) as store:
        tracemalloc.start()
        try:
            run(store, found, grade_long)
            csv_marks.write(store.rows(), tmp_path)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(store.rows()) == 2000
    # All documents together have 40 MB.
    assert most < 4_000_000


def verdict(outcome: Outcome, **points: int) -> Verdict:
    """Return a verdict on baby-steps with this outcome for each check; `points` by id."""
    task = course.task(TASK)
    checks = [
        check._replace(points=points.get(check.id.replace("-", "_"), check.points))
        for check in task.checks
    ]
    results = tuple(
        Result(check, outcome, "found", "wanted", "why", "hint", 3, "Dockerfile")
        for check in checks
    )
    warning = LintWarning(4, "DL3000", "Use absolute WORKDIR")
    return Verdict(task._replace(checks=tuple(checks)), results, lint_warnings=(warning,))


@pytest.mark.parametrize("outcome", Outcome)
def test_judging_again_without_a_change_gives_the_same_document(outcome):
    stored = json.document(verdict(outcome))
    assert judge(stored) == stored


def test_judging_again_takes_the_points_of_today():
    before = json.document(verdict(Outcome.PASSED, builds=9, base_image=9))
    assert before["score"] != MOST
    assert judge(before) == json.document(verdict(Outcome.PASSED))


def test_a_task_with_other_checks_is_not_judged_again():
    stored = json.document(verdict(Outcome.PASSED))
    assert judge({**stored, "checks": stored["checks"][1:]}) is None


def test_only_what_has_the_same_facts_is_judged_again(store):
    stored = json.document(verdict(Outcome.PASSED, builds=9))
    store.put("old", submission("anna"), stored, "facts of anna")
    jobs = [Job("new", (submission("anna"),)), Job("other", (submission("ben"),))]
    (left,) = judge_again(store, jobs, lambda found: f"facts of {found.learner.id}")
    assert (left.key, left.facts) == ("other", "facts of ben")
    assert store.get("new") == json.document(verdict(Outcome.PASSED))
    assert scores(store) == {"anna": MOST}


def test_the_reason_is_the_note_or_the_first_error():
    checks = [{"outcome": "failed", "actual": "x"}, {"outcome": "error", "actual": "no disk "}]
    assert find_reason({"note": "no engine", "checks": checks}) == "no engine"
    assert find_reason({"note": "", "checks": checks}) == "no disk"
    assert find_reason({"note": "", "checks": []}) == ""


def test_the_fake_grader_gives_different_marks():
    assert len({grade(one).document["score"] for one in submissions(50)}) == MOST + 1
    assert {one.folder.parent for one in submissions(5)} == {FOLDER}


class Cluster:
    """Workers that grade in threads, by name; each has one slot, and may leave."""

    def __init__(self, **graders) -> None:
        self.threads = ThreadPoolExecutor(len(graders))
        self.there = [
            Worker(name, partial(self.threads.submit, grade), 1) for name, grade in graders.items()
        ]

    def run(self, store, found, watcher=None):
        watcher = watcher or Silent()
        keys = {one: one.digest for one in found}
        store.enrol(FOLDER, keys, {TASK})
        with self.threads:
            grade_all(store, plan(store, keys), lambda: [*self.there], watcher=watcher)
        return watcher


def expected(found):
    return {one.learner.id: grade(one).document["score"] for one in found}


WRONG = Graded(document(0, note="a known answer failed"), engine_failed=True, is_wrong=True)


@pytest.mark.parametrize(
    ("result", "times", "reason"),
    [
        (WRONG, 1, "a known answer failed"),
        (FAILED_ENGINE, MOST_FAILURES, f"it failed {MOST_FAILURES} times in a row (the engine)"),
    ],
)
def test_a_worker_with_a_bad_engine_is_set_aside_and_the_others_go_on(store, result, times, reason):
    tried = []

    def fail(found):
        tried.append(found)
        return result

    seen = Cluster(bad=fail, good=grade).run(store, submissions(12))
    assert seen.aside == [f"bad: {reason}"]
    assert len(tried) == times
    assert scores(store) == expected(submissions(12))


def test_an_engine_that_stops_under_several_submissions_has_failed_once(store):
    results = {one.learner.id: [FAILED_ENGINE] for one in submissions(MOST_FAILURES + 1)}
    seen = run(store, submissions(8), by_name(**results), limit=MOST_FAILURES + 1)
    assert sorted(seen.retried) == sorted(results)
    assert seen.aside == []
    assert scores(store) == expected(submissions(8))


def test_a_submission_that_a_bad_engine_never_tried_is_graded_by_another(store):
    """The other worker is busy until the bad one is set aside."""
    untried = FAILED_ENGINE._replace(is_tried=False)
    aside = threading.Event()

    class Seen(Silent):
        def set_aside(self, worker, reason):
            super().set_aside(worker, reason)
            aside.set()

    def wait_and_grade(found):
        assert aside.wait(10)
        return grade(found)

    cluster = Cluster(bad=lambda _: untried, good=wait_and_grade)
    seen = cluster.run(store, submissions(2), Seen())
    assert seen.retried == ["learner-00000"] * MOST_FAILURES
    assert scores(store) == expected(submissions(2))


def test_a_result_that_comes_after_its_worker_was_set_aside_is_not_used(store):
    """The worker has two slots: one submission fails while the other is graded, wrongly."""
    late, found = threading.Event(), submissions(4)

    def fail(one):
        if one.learner.id == "learner-00000":
            assert late.wait(10)
            return Graded(document(1))
        return WRONG

    class Seen(Silent):
        def set_aside(self, worker, reason):
            super().set_aside(worker, reason)
            late.set()

    keys = {one: one.digest for one in found}
    store.enrol(FOLDER, keys, {TASK})
    with ThreadPoolExecutor(4) as threads:
        bad = Worker("bad", partial(threads.submit, fail), 2)
        good = Worker("good", partial(threads.submit, grade), 1)
        grade_all(store, plan(store, keys), lambda: [bad, good], watcher=Seen())
    assert scores(store) == expected(found)


def test_the_submission_of_a_lost_worker_is_graded_by_another(store):
    cluster = Cluster(lost=grade, good=grade)
    lost, good = cluster.there
    lost.submit = lambda _: Future()

    def leave(found):
        # The first submission is on the worker that now leaves the cluster.
        cluster.there[:] = [good]
        return grade(found)

    good.submit = partial(cluster.threads.submit, leave)
    seen = cluster.run(store, submissions(5))
    assert seen.aside == ["lost: it is no longer connected"]
    assert seen.retried == ["learner-00000"]
    assert scores(store) == expected(submissions(5))


def test_a_submission_that_loses_each_worker_is_no_grade(store, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_TO_LOOK", 0.01)
    cluster = Cluster(**dict.fromkeys("abcd", grade))
    fleet = iter([*cluster.there])
    current = [next(fleet)]

    def vanish(_found):
        current[:] = [next(fleet)]
        return Future()

    for worker in cluster.there[:-1]:
        worker.submit = vanish
    keys = {one: one.digest for one in submissions(1)}
    store.enrol(FOLDER, keys, {TASK})
    watcher = Silent()
    grade_all(store, plan(store, keys), lambda: [*current], watcher=watcher)
    assert [row.outcome for row in store.rows()] == ["ungradable"]
    assert len(watcher.aside) == MOST_FAILURES


def test_the_last_bad_engine_ends_the_run(store):
    with pytest.raises(UserError, match=r"worker: a known answer failed\. See workshop doctor"):
        Cluster(worker=lambda _: WRONG).run(store, submissions(3))
    assert scores(store) == {}
