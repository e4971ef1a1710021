"""A build that exceeds a limit names it; other failures stay as they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.dockerfile.parser import parse
from workshop.engine import BuildError
from workshop.grading.containment import Containment
from workshop.grading.limits import CLASS, OWN

if TYPE_CHECKING:
    from workshop.grading.limits import Limits


def contained(limits: Limits = CLASS, *, memory: bool = False, processes: bool = False):
    """A containment whose group ran out of memory or processes."""
    found = Containment(limits=limits, owner="ada")
    found._group = SimpleNamespace(
        parent="/group", ran_out_of_memory=memory, ran_out_of_processes=processes
    )
    return found


def failed(output: str) -> BuildError:
    error = BuildError("image x", "step RUN x failed", "fix")
    error.line, error.output = 7, output
    return error


@pytest.mark.parametrize(
    ("output", "state", "actual"),
    [
        ("exit code: 137", {"memory": True}, "the build used more than 1 GB of memory"),
        ("Cannot fork", {"processes": True}, "the build started more than 512 processes"),
        ("RuntimeError: can't start new thread", {"processes": True}, "the build started more"),
        ("write: File too large", {}, "the build wrote a file of more than 2 GB"),
        ("exit code: 153", {}, "the build wrote a file of more than 2 GB"),
    ],
)
def test_the_limit_is_named_with_the_line(output, state, actual):
    found = contained(**state).explain(failed(output))
    assert found.actual.startswith(actual)
    assert found.line == 7


@pytest.mark.parametrize(
    ("output", "state"),
    [
        ("exit code: 1", {"memory": True, "processes": True}),
        ("exit code: 137", {}),
        ("exit code: 1370", {"memory": True}),
        ("Cannot fork", {}),
    ],
)
def test_another_failure_is_left_alone(output, state):
    assert contained(**state).explain(failed(output)) is None


def test_a_machine_without_groups_blames_no_limit():
    assert Containment(limits=CLASS).explain(failed("exit code: 137")) is None


def test_own_work_is_built_as_by_hand():
    with Containment(limits=OWN) as containment:
        assert containment.build_options(parse("FROM a")) == ()
        assert containment.build_arguments == {}
        assert containment.run_options == ()


def test_builds_and_runs_of_a_class_are_limited():
    containment = contained()
    assert containment.build_options(parse("FROM a")) == (
        *("--cgroup-parent", "/group", "--ulimit", "fsize=2000000000"),
    )
    assert {"--memory=1000000000", "--memory-swap=1000000000", "--pids-limit=256"} <= {
        *containment.run_options
    }


@pytest.mark.parametrize("mount", ["type=cache,target=/c", "target=/c,type=cache", "type=$T"])
def test_a_step_with_a_cache_mount_is_not_reused_for_another_learner(mount):
    options = contained().build_options(parse(f"FROM a\nRUN --mount={mount} b"))
    assert options[1] == "/group/ada"


def test_an_excess_of_the_disk_fails_the_evaluation():
    containment = contained()
    containment.check()
    containment._group = None
    containment._stop_writing()
    with pytest.raises(Exception, match="the submission wrote more than 2 GB to the disk"):
        containment.check()
