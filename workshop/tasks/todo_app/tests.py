"""The test image: it runs the tests and reports failures by its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.analysis.container.app import Run
from workshop.checks import config
from workshop.core.process import TIMED_OUT
from workshop.model import Failed, check

if TYPE_CHECKING:
    from workshop.grading.evaluation import Evaluation

SOURCE = "todo_app/app.py"
TEST_SECONDS = 300.0
# A fault that unit, integration and browser tests all detect.
SOUND, FAULTY = 'title = " ".join(', 'title = "".join('


@dataclass(frozen=True)
class TestRuns:
    """Two runs of the tests: with the source as it is, and with a fault in it."""

    sound: Run
    faulty: Run


def run_tests(evaluation: Evaluation, of: str) -> TestRuns:
    """Run the test image twice; a good result is cached for the image."""
    image = evaluation.fact("image", of)
    key = ("tests", image.id, SOUND, FAULTY)
    if evaluation.cache.get_value(*key):
        return TestRuns(Run(0, ""), Run(1, ""))
    sound = evaluation.run(of, "sound")
    folder = (evaluation.copy("faulty") / SOURCE).parent
    items = folder / "items.py"
    text = items.read_text(encoding="utf-8")
    fault = text.replace(SOUND, FAULTY) if SOUND in text else f"{text}\nraise RuntimeError\n"
    items.write_text(fault, encoding="utf-8")
    faulty = evaluation.run(of, "faulty", mount=folder) if sound.code == 0 else Run(1, "")
    if sound.code == 0 and faulty.code not in {0, TIMED_OUT}:
        evaluation.cache.put_value(True, *key)  # noqa: FBT003 - the value carries no information
    return TestRuns(sound, faulty)


@check(
    points=2,
    text=config.has_stage,
    blame=("CMD", "ENTRYPOINT"),
    why="Tests in an image run in the same way on every machine.",
    hint="Copy the files that the tests read (pytest.ini, .env.template, gunicorn.conf.py, "
    "run_tests.py, tests); leave out tests/e2e if the image has no browser.",
)
def tests_pass(test_suite: TestRuns) -> None:
    """docker run of the test image runs the tests, and they pass."""
    run = test_suite.sound
    if run.code == TIMED_OUT:
        actual = f"the container still runs after {TEST_SECONDS:.0f} seconds"
        raise Failed(actual, "one run of the tests, and exit code 0")
    if run.code:
        last_lines = "\n".join(run.output.splitlines()[-20:])
        raise Failed(f"exit code {run.code}, after this output:\n{last_lines}", "exit code 0")


@check(
    points=2,
    text=config.has_stage,
    blame=("CMD", "ENTRYPOINT"),
    why="CI and scripts detect failed tests by the exit code.",
    hint='Make pytest the command, without "|| true" or ";" after it: CMD ["pytest"].',
)
def tests_detect_fault(test_suite: TestRuns) -> None:
    """With a fault in the app, the test image ends with a non-zero exit code."""
    if test_suite.faulty.code == 0:
        actual = "exit code 0, with a fault in todo_app/items.py mounted over the image's todo_app"
        raise Failed(actual, "a non-zero exit code, because tests fail")
