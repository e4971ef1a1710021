"""A build that exceeds a limit names it; other failures stay as they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from fakes import Script

from workshop.engine import BuildError, Engine
from workshop.grading import cleanup
from workshop.grading.cache_scope import CacheScope
from workshop.grading.containment import Containment
from workshop.grading.limits import CLASS, OWN

if TYPE_CHECKING:
    from workshop.grading.limits import Limits


def contained(limits: Limits = CLASS, *, memory: bool = False, processes: bool = False):
    """A containment whose group ran out of memory or processes."""
    found = Containment(limits=limits)
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
        assert containment.build_options(CacheScope()) == ()
        assert containment.build_arguments(CacheScope()) == {}
        assert containment.run_options == ()


def test_builds_and_runs_of_a_class_are_limited():
    containment = contained()
    assert containment.build_options(CacheScope()) == (
        *("--cgroup-parent", "/group", "--ulimit", "fsize=2000000000"),
    )
    assert {
        *("--memory=1000000000", "--memory-swap=1000000000", "--pids-limit=256"),
        *("--cpu-quota=200000", "--ulimit=fsize=2000000000"),
    } == {*containment.run_options}


def test_builds_without_a_network_get_the_address_of_the_proxy():
    containment = contained()
    containment._egress = containment._create_egress(SimpleNamespace(processes=list), bool)
    assert containment.build_options(CacheScope())[-2:] == ("--network", "none")
    arguments = containment.build_arguments(CacheScope("ab12"))
    assert arguments["HTTPS_PROXY"] == "http://127.0.0.1:3128"
    assert arguments["BUILDKIT_CACHE_MOUNT_NS"] == "ab12"
    found = containment.explain(failed("Network is unreachable"))
    assert found.actual == "the build connected to the network without the proxy in HTTPS_PROXY"


def test_the_services_of_a_class_share_the_limits_of_one_submission():
    found = contained().limits_of_services(4)
    assert (found.memory, found.processes, found.cpus) == (250_000_000, 128, 0.5)
    own = Containment(limits=OWN).limits_of_services(4)
    assert (own.memory, own.processes, own.cpus) == (1_000_000_000, 512, 0)


def test_a_step_with_a_cache_mount_is_not_reused_outside_of_its_scope():
    assert contained().build_options(CacheScope("ab12", is_used=True))[1] == "/group/ab12"
    assert contained().build_options(CacheScope("ab12"))[1] == "/group"


def test_an_excess_of_the_disk_fails_the_evaluation():
    containment = contained()
    containment.check()
    containment._group = None
    containment._stop_writing()
    with pytest.raises(Exception, match="the submission wrote more than 2 GB to the disk"):
        containment.check()


def test_a_second_log_file_fails_the_evaluation(tmp_path):
    script = Script({"{{.LogPath}}": f"{tmp_path}/log\n", "docker": ""})
    record = cleanup.new_record(tmp_path, "x")
    record.record("containers", "service")
    containment = Containment(Engine(script), record, CLASS)
    (tmp_path / "log").touch()
    assert containment._find_folders(tmp_path) == set()
    containment.check()
    (tmp_path / "log.1").touch()
    containment._find_folders(tmp_path)
    with pytest.raises(Exception, match="a container printed more than 16 MB"):
        containment.check()
    assert any("stop" in argv for argv in script.argvs)
