"""The test image: it runs the tests, and finds a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.analysis.container.app import Run
from workshop.core.process import TIMED_OUT
from workshop.model import Check, Failed, check
from workshop.tasks.todo_app.target import LESSON, has_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.grading.evaluation import Evaluation

SOURCE = "todo_app/app.py"
TEST_SECONDS = 300.0
# A fault that unit, integration and browser tests all see.
SOUND, FAULTY = 'title = " ".join(', 'title = "".join('


@dataclass(frozen=True)
class Tests:
    """Two runs of the tests: of the source as it is, and of one with a fault in it."""

    sound: Run
    faulty: Run


def run_tests(evaluation: Evaluation, of: str) -> Tests:
    """Run the test image twice; what came out well is remembered for the image."""
    image = evaluation.fact("image", of)
    key = ("tests", image.id, SOUND, FAULTY)
    if evaluation.cache.get_value(*key):
        return Tests(Run(0, ""), Run(1, ""))
    sound = evaluation.run(of, "sound")
    folder = (evaluation.copy("faulty") / SOURCE).parent
    items = folder / "items.py"
    text = items.read_text(encoding="utf-8")
    fault = text.replace(SOUND, FAULTY) if SOUND in text else f"{text}\nraise RuntimeError\n"
    items.write_text(fault, encoding="utf-8")
    faulty = evaluation.run(of, "faulty", mount=folder) if sound.code == 0 else Run(1, "")
    if sound.code == 0 and faulty.code not in {0, TIMED_OUT}:
        evaluation.cache.put_value(True, *key)  # noqa: FBT003 - all there is to know
    return Tests(sound, faulty)


def _test_check(points: int, why: str, hint: str) -> Callable[[Callable[[Tests], None]], Check]:
    """What both checks of the test image have in common."""
    return check(
        points=points,
        lesson=LESSON,
        text=has_target,
        blame=("CMD", "ENTRYPOINT"),
        why=why,
        hint=hint,
    )


@_test_check(
    2,
    "Tests that run in an image run the same on every machine.",
    "Copy what the tests read (pytest.ini, .env.template, gunicorn.conf.py, run_tests.py, tests); "
    "without a browser in the image, leave tests/e2e out.",
)
def tests_pass(tests: Tests) -> None:
    """docker run of the test image runs the tests, and they pass."""
    if tests.sound.code == TIMED_OUT:
        actual = f"it did not end within {TEST_SECONDS:.0f} seconds"
        raise Failed(actual, "the tests run once, and exit code 0")
    if tests.sound.code:
        last = "\n".join(tests.sound.output.splitlines()[-20:])
        raise Failed(f"exit code {tests.sound.code}, after:\n{last}", "exit code 0")


@_test_check(
    2,
    "Who runs the tests has to hear of a failure: by the exit code, which programs can read.",
    'Let pytest be the command, with no "|| true" or ";" behind it: CMD ["pytest"].',
)
def tests_detect_fault(tests: Tests) -> None:
    """With a fault in the app, the test image ends with an exit code other than 0."""
    if tests.faulty.code == 0:
        actual = "exit code 0, with a fault in todo_app/items.py mounted over the image's todo_app"
        raise Failed(actual, "another exit code, since tests fail")
