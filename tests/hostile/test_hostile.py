"""Each threat is contained on the real engine, and a neighbour graded beside it keeps its points.

`threats.py` describes the files of threats. Those that need a whole class are in `test_class.py`.
"""

from __future__ import annotations

import re

import pytest
from hostile.neighbour import record
from hostile.submissions import FILE, TASK, lay_out
from hostile.threats import ALONE, ROOT_ONLY, THREATS, Threat
from rubric.examples import describe, lay_out_answer

from workshop.analysis.dockerfile.parser import parse
from workshop.core.errors import UserError
from workshop.core.sizes import MB
from workshop.grading import cache_scope
from workshop.grading.limits import CLASS, UNLIMITED

# What the modules of the threat `files-code` write if they are imported.
TRACES = ("executed", "app/executed", "workshop/executed")
# Far below the limits of a class, so that the tests leave the machine alone.
TIGHT = CLASS._replace(memory=200 * MB, processes=100, disk=100 * MB, log=1 * MB)


def test_there_is_a_file_for_each_threat():
    assert len(THREATS) >= 75


@pytest.mark.engine
@pytest.mark.parametrize("name", ALONE)
def test_the_threat_is_contained(  # noqa: PLR0913, PLR0917 - fixtures
    name, judge, neighbour, fill, listener, can_limit, is_recorded, tmp_path
):
    threat = ALONE[name]
    if threat.holds == ROOT_ONLY and not can_limit:
        pytest.skip("the kit cannot limit builds here: it needs root and cgroups")
    limits = TIGHT._replace(seconds=threat.seconds)
    scope = ""
    if threat.before:
        before = tmp_path / "before"
        lay_out(Threat("", "", "", dockerfile=threat.before), before, fill)
        scope = cache_scope.find(before, FILE, parse((before / FILE).read_bytes())).id
        judge(TASK, before, limits)
    lay_out(threat, tmp_path / "submission", lambda text: fill(text.replace("{scope}", scope)))
    verdict, beside = neighbour.beside(lambda: judge(TASK, tmp_path / "submission", limits))
    report = describe(verdict) if not isinstance(verdict, UserError) else f"error: {verdict}"
    assert re.search(fill(threat.says), report), report
    assert getattr(verdict, "outcome", "ungradable") == threat.outcome, report
    assert not threat.never or not re.search(fill(threat.never), report), report
    assert not (threat.unreached and listener.visitors)
    assert list((tmp_path / "cache/runs").glob("*")) == []
    assert not any((tmp_path / "submission" / name).exists() for name in TRACES)
    beside.check()
    if is_recorded:
        record(name, ratio=round(beside.ratio, 2))


@pytest.mark.engine
def test_the_attacks_work_without_limits(judge, fill, listener, can_limit, tmp_path):
    """The port of this machine is reached by one's own builds: the limits make the difference."""
    if not can_limit:
        pytest.skip("the kit cannot limit builds here: it needs root and cgroups")
    lay_out(THREATS["build-host-port"], tmp_path / "submission", fill)
    open_network = CLASS._replace(network=True, packages=UNLIMITED)
    judge(TASK, tmp_path / "submission", open_network)
    assert listener.visitors


@pytest.mark.engine
def test_the_answer_itself_passes(judge, tmp_path):
    """The limits of these tests are not what the threats fail for."""
    (tmp_path / "submission").mkdir()
    lay_out_answer(TASK, tmp_path / "submission")
    limits = TIGHT._replace(memory=CLASS.memory, disk=CLASS.disk)
    verdict = judge(TASK, tmp_path / "submission", limits)
    assert verdict.outcome == "passed", describe(verdict)
    assert (tmp_path / "submission" / FILE).exists()
