"""Each example of a cause fails on a real engine for that cause alone, and works once fixed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from causes.examples import diagnose, examples
from harness import docker, run

from workshop.analysis import source
from workshop.checks.config import builds
from workshop.checks.program import require_exit_code_0
from workshop.checks.server import (
    listens_on_all_interfaces,
    returns_expected_response,
    server_is_process_1,
    server_starts,
    stops_on_sigterm,
)
from workshop.grading import grade
from workshop.grading.cache import Cache
from workshop.grading.evaluation import Evaluation
from workshop.model import Outcome, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from causes.examples import Example

    from workshop.analysis.container.app import Run
    from workshop.engine import Engine
    from workshop.model import Check, Verdict

    Judge = Callable[[Example, Path], Verdict]

GRADED = {"build", "run", "serve"}
# Graded in `make test` too: these take about a second.
QUICK = {"unknown-instruction", "copy-missing", "undefined-volume"}
START_SECONDS = 8.0


@check(points=1, why="It must end.", hint="Look.", blame=("CMD", "ENTRYPOINT"))
def ends(run: Run) -> None:
    """The program ends with exit code 0."""
    require_exit_code_0(run)


CHECKS: dict[str, tuple[Check, ...]] = {
    "build": (builds,),
    "run": (builds, ends),
    "serve": (
        builds,
        server_starts(8000),
        listens_on_all_interfaces(8000),
        returns_expected_response(8000, "/", "hello"),
        server_is_process_1,
        stops_on_sigterm,
    ),
}


def parametrize(*, graded: bool) -> pytest.MarkDecorator:
    found = [
        pytest.param(
            example,
            id=example.cause.id,
            marks=() if example.cause.id in QUICK else pytest.mark.slow,
        )
        for example in examples()
        if not example.not_run and (example.run in GRADED) is graded
    ]
    return pytest.mark.parametrize("example", found)


@pytest.fixture
def judge(engine: Engine, pytestconfig: pytest.Config) -> Judge:
    """Grade the files of an example; facts about images are cached between test runs."""
    cache = Cache(pytestconfig.cache.mkdir("causes"))

    def run(example: Example, folder: Path) -> Verdict:
        task = example.task._replace(checks=CHECKS[example.run])
        submission = source.find(task, folder)
        with Evaluation(engine, submission, cache, start_seconds=START_SECONDS) as evaluation:
            return grade.full(evaluation)

    return run


@parametrize(graded=True)
def test_a_broken_example_fails_for_its_cause(judge: Judge, example: Example, tmp_path: Path):
    example.lay_out(tmp_path, fixed=False)
    failed = [r for r in judge(example, tmp_path).results if r.outcome is Outcome.FAILED]
    assert failed
    assert {result.cause for result in failed} == {example.cause.id}, failed[0]
    assert failed[0].line or example.cause.stage == "request" or example.cause.id == "no-command"
    assert [bool(result.why) for result in failed] == [True, *(False for _ in failed[1:])]


@parametrize(graded=True)
def test_a_fixed_example_works(judge: Judge, example: Example, tmp_path: Path):
    example.lay_out(tmp_path, fixed=True)
    verdict = judge(example, tmp_path)
    assert verdict.outcome == "passed", [r for r in verdict.results if r.outcome != "passed"]


@pytest.fixture
def compose(engine: Engine, tmp_path: Path) -> Iterator[Callable[[str], tuple[int, str]]]:  # noqa: ARG001
    """Run a command of docker compose in a folder, and remove what it started."""
    project = f"workshop-test-{secrets.token_hex(4)}"

    def run_compose(command: str) -> tuple[int, str]:
        argv = ("docker", "compose", "--project-name", project, *command.split())
        done = run(*argv, check=False, cwd=tmp_path)
        return done.returncode, done.stdout

    yield run_compose
    docker("compose", "--project-name", project, "down", "--timeout", "0", check=False)
    docker("image", "rm", "--force", f"{project}-web", check=False)


@parametrize(graded=False)
def test_a_broken_compose_file_fails_for_its_cause(compose, example: Example, tmp_path: Path):
    example.lay_out(tmp_path, fixed=False)
    code, output = compose(example.run)
    assert code, output
    found = diagnose(example, tmp_path, output)
    assert found, output
    assert found.cause.id == example.cause.id, output


@parametrize(graded=False)
def test_a_fixed_compose_file_works(compose, example: Example, tmp_path: Path):
    example.lay_out(tmp_path, fixed=True)
    code, output = compose(example.run)
    assert code == 0, output
