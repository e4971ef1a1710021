"""A class is graded on the workers of a Dask cluster as on one engine."""

from __future__ import annotations

import sys
import threading

import pytest
from classroom import FOLDER, TASK, Silent, document, submission
from distributed import LocalCluster, get_worker
from harness import until

from workshop.analysis import starter
from workshop.cohort import cluster as module
from workshop.cohort import listing
from workshop.cohort import worker as remote
from workshop.cohort.cluster import Cluster
from workshop.cohort.keys import Keys
from workshop.cohort.run import Graded, grade_all, plan
from workshop.cohort.store import Store
from workshop.core.errors import Interrupted, UserError
from workshop.tasks import course

HERE = "0.1.0"
ENGINE = '["26.1.5", []]'


class Grader:
    """Grades by the last line of the Dockerfile, if it is a number; records who was graded."""

    graded: list[str]
    blind: str

    def __init__(self, _engine, _cache, *, limits) -> None: ...

    def __call__(self, found):
        self.graded.append(found.learner.id)
        last = (found.folder / "Dockerfile").read_text().splitlines()[-1]
        if last == "RUN false" and self.blind != get_worker().address:
            return Graded(document(0))
        return Graded(document(int(last[1:]) if last.startswith("#") else 13))


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """A scheduler with two workers, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        with LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
            protocol="tcp",
            preload="workshop.cohort.worker",
        ) as found:
            yield found


@pytest.fixture
def address(dask, monkeypatch):
    """The address of the scheduler; its workers have engines that answer and enforce limits."""
    monkeypatch.setattr(Grader, "graded", [], raising=False)
    monkeypatch.setattr(Grader, "blind", "", raising=False)
    monkeypatch.setattr(remote, "Grader", Grader)
    monkeypatch.setattr(remote, "read_keys", lambda _engine: Keys(HERE, ENGINE))
    monkeypatch.setattr(
        remote.isolation, "find_limits", lambda _engine, _cache, **_: {"memory": True}
    )
    return dask.scheduler_address


@pytest.fixture
def found(tmp_path):
    """Six submissions; each gets its number as its score."""
    made = []
    for number in range(6):
        folder = tmp_path / f"learner-{number}"
        folder.mkdir()
        starter.copy_solution(course.task(TASK), folder)
        with (folder / "Dockerfile").open("a") as file:
            file.write(f"\n#{number}\n")
        digest = listing.digest(listing.read(folder), "")
        made.append(submission(folder.name)._replace(folder=folder, digest=digest))
    return made


def run(address, found, out, *, isolated=False):
    """Grade a class; return the marks, the events, and what was reported."""
    reports, watcher = [], Silent()
    with Store(out) as store, Cluster(address, (TASK,), 0, reports.append) as cluster:
        keys = {one: cluster.keys.key(one) for one in found}
        store.enrol(FOLDER, keys, {TASK})
        cluster.try_limits(required=isolated)
        with cluster.open(None) as workers:
            grade_all(store, plan(store, keys), workers, watcher=watcher)
        marks = {row.learner.id: (row.outcome, row.score) for row in store.rows()}
    return marks, watcher, reports


def expected(found):
    return {one.learner.id: ("failed", number) for number, one in enumerate(found)}


def by_worker(first, second):
    """Return a function that returns a worker's value: `first` for one, and `second` for all."""
    known: dict[str, object] = {}

    def choose(*_arguments, **_options):
        address = get_worker().address
        known.setdefault(address, second if known else first)
        return known[address]

    return choose


def test_both_workers_grade_after_both_known_answers_and_get_no_names(address, found, tmp_path):
    marks, _, reports = run(address, found, tmp_path / "marks")
    assert marks == expected(found)
    assert reports == []
    assert Grader.graded.count("canary") == 4
    assert len({*Grader.graded} - {"canary"}) == 6
    assert not any("learner" in name for name in Grader.graded)


def test_the_keys_are_those_of_one_engine(address):
    with Cluster(address, (TASK,), 0, print) as cluster:
        assert cluster.keys == Keys(HERE, ENGINE)


def test_a_worker_that_passes_a_broken_answer_is_set_aside(dask, address, found, tmp_path):
    Grader.blind = dask.workers[0].address
    marks, seen, _ = run(address, found, tmp_path / "marks")
    assert marks == expected(found)
    reason = f"a known answer to {TASK} passed, although it should have failed"
    assert seen.aside == [f"the worker {Grader.blind}: {reason}"]


@pytest.mark.parametrize(
    "case",
    [
        (Keys("0.0.9", ENGINE), f"it has version 0.0.9 of the kit, and this computer {HERE}"),
        (None, "no Docker engine answers"),
    ],
)
def test_a_worker_that_differs_is_not_used(address, found, tmp_path, monkeypatch, case):
    other, reason = case
    choose = by_worker(other, Keys(HERE, ENGINE))

    def read(_engine):
        if keys := choose():
            return keys
        raise UserError("x", "no Docker engine answers", "Start one")

    monkeypatch.setattr(remote, "read_keys", read)
    marks, _, reports = run(address, found, tmp_path / "marks")
    assert marks == expected(found)
    assert len(reports) == 1
    assert reason in reports[0]


def test_workers_with_other_checks_cannot_be_used(address, monkeypatch):
    def other(*_arguments, **_options):
        return remote.Identity(HERE, {TASK: "other"}, ENGINE)

    monkeypatch.setattr(remote, "identify", other)
    with (
        pytest.raises(UserError, match=f"its checks of {TASK} differ from this computer's"),
        Cluster(address, (TASK,), 0, lambda _: None),
    ):
        pass


def test_engines_that_differ_are_named(dask, address, monkeypatch):
    choose = by_worker(Keys(HERE, '["27.0", ["ubuntu:24.04"]]'), Keys(HERE, ENGINE))
    monkeypatch.setattr(remote, "read_keys", choose)
    with pytest.raises(UserError) as error, Cluster(address, (TASK,), 0, print):
        pass
    assert "Docker 27.0 with stand-ins for ubuntu:24.04" in str(error.value)
    assert all(worker.address in str(error.value) for worker in dask.workers.values())


@pytest.mark.slow
def test_a_limit_that_an_engine_does_not_enforce_is_told_or_refused(
    address, found, tmp_path, monkeypatch
):
    choose = by_worker({"memory": False}, {"memory": True})
    monkeypatch.setattr(remote.isolation, "find_limits", choose)
    reason = "its engine does not enforce these limits: memory"
    _, _, reports = run(address, found[:1], tmp_path / "marks")
    assert [line.startswith("Submissions are not fully") for line in reports] == [True]
    _, seen, reports = run(address, found, tmp_path / "isolated", isolated=True)
    assert [line.endswith(f"is not used: {reason}") for line in reports] == [True]
    assert Grader.graded
    assert seen.aside == []


def test_what_nobody_waits_for_any_more_is_stopped_on_the_worker(dask, address, found, monkeypatch):
    started, stopped = threading.Event(), threading.Event()

    class Waiting(Grader):
        def __init__(self, engine, _cache, *, limits):  # noqa: ARG002
            self.engine = engine

        def __call__(self, _found):
            started.set()
            try:
                while not stopped.wait(0.01):
                    self.engine.info()
            except Interrupted:
                stopped.set()
            raise Interrupted

    monkeypatch.setattr(remote, "Grader", Waiting)
    with Cluster(address, (TASK,), 0, print) as cluster:
        future = next(iter(cluster.workers())).submit(found[0])
        assert started.wait(10)
        future.cancel()
        assert stopped.wait(10)
    states = [worker.plugins["workshop"] for worker in dask.workers.values()]
    until(lambda: not any(state._runners for state in states), "no submission is graded")


@pytest.mark.slow
def test_files_that_changed_meanwhile_are_no_grade(address, found, tmp_path):
    wrong = found[0]._replace(digest="0" * 64)
    marks, _, _ = run(address, [wrong, *found[1:]], tmp_path / "marks")
    assert marks.pop("learner-0")[0] == "ungradable"
    assert "ungradable" not in {outcome for outcome, _ in marks.values()}


@pytest.mark.slow
def test_a_scheduler_without_workers_is_one_line(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_TO_CONNECT", 1)
    with (
        LocalCluster(
            n_workers=0, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
        ) as empty,
        pytest.raises(UserError, match=r"no worker has joined .* --preload workshop\.cohort"),
        Cluster(empty.scheduler_address, (TASK,), 0, print),
    ):
        pass


@pytest.mark.parametrize(
    ("protocol", "found"),
    [("tcp", "no Dask scheduler answers there"), ("tls", "names no certificate for TLS")],
)
def test_a_scheduler_that_cannot_be_reached_is_one_line(monkeypatch, protocol, found):
    monkeypatch.setattr(module, "_SECONDS_TO_CONNECT", 0.5)
    with (
        pytest.raises(UserError, match=found),
        Cluster(f"{protocol}://127.0.0.1:9", (TASK,), 0, print),
    ):
        pass


def test_without_the_extra_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "workshop.cohort.cluster")
    with pytest.raises(UserError, match=r"needs the Python package distributed.*\[cluster\]"):
        __import__("workshop.cohort.cluster")
