"""Task 4: look inside a running container, and find out which files it keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from workshop.analysis import answer_sheet
from workshop.analysis.answer_sheet import AnswerSheet
from workshop.analysis.container import persistence as facts
from workshop.checks import dockerfile
from workshop.core.paths import ROOT
from workshop.model import Check, Failed, Recipe, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.container.persistence import Persistence
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

    # What is wrong with an answer and what is expected instead; None if the answer is right.
    Mismatch = tuple[str, str] | None

FILE = "task-4.toml"
DOCKERFILE = "Dockerfile-task-3-2"
KEYS = (
    "working_folder",
    "files",
    "replaced_by_bash",
    "diff_after_touch",
    "there_after_stop_and_start",
    "there_after_rm",
    "there_after_rm_in_a_volume",
)

_DIFF = re.compile(r"(?:(?P<letter>[ACD])\s+)?(?P<path>/\S*)")
# Other paths that a shell may write: its history, and Python's compiled files.
_ALLOWED = re.compile(
    r"/root(?:/\.\S*)?|/home(?:/[^/]+(?:/\.\S*)?)?|/tmp(?:/\S*)?|\S*/__pycache__(?:/\S*)?|/kept"
)


class Compared(NamedTuple):
    """The learner's form, and the kit's own observations."""

    form: AnswerSheet
    observed: Persistence


def _read_form(source: Source) -> AnswerSheet:
    return answer_sheet.read(FILE, source.read(FILE), KEYS)


def _observe(evaluation: Evaluation, _of: str) -> Compared:
    """Carry out the exercise with the learner's image of task 3-2, or else with the kit's."""
    form = _read_form(evaluation.source)
    own = (evaluation.fact("build_context", "") / DOCKERFILE).is_file()
    dockerfile = DOCKERFILE if own else str(ROOT / fastapi.FOLDER / DOCKERFILE)
    try:
        image = evaluation.build_as(Recipe(dockerfile=dockerfile), "persistence")
    except Failed as failed:
        failed.file = DOCKERFILE
        raise
    volume = evaluation.volume("kept")
    observed = facts.observe_persistence(
        evaluation.engine, image, evaluation.container, volume, evaluation.run_options
    )
    return Compared(form, observed)


@check(
    points=1,
    why="The grader can read the form only if the TOML is valid.",
    hint=f"Compare with {FILE.replace('.', '.template.')}: texts in quotes, one key on each line.",
)
def valid_form(source: Source) -> None:
    """The form is TOML with the template's keys."""
    _read_form(source)


def question(  # noqa: PLR0913 - the parts of a check
    key: str,
    read: Callable[[AnswerSheet, str], Any],
    compare: Callable[[Any, Persistence], Mismatch],
    *,
    points: int,
    title: str,
    why: str,
    hint: str,
) -> Check:
    """Require that the answer to `key` matches the observation.

    `read` gets the answer from the form, and `compare` says what is wrong with it.
    """

    def check_text(source: Source) -> None:
        read(_read_form(source), key)

    @check(
        points=points,
        name=key.replace("_", "-"),
        title=title,
        text=check_text,
        why=why,
        hint=hint,
    )
    def answer(persistence: Compared) -> None:
        form, observed = persistence
        if mismatch := compare(read(form, key), observed):
            raise form.failed(key, *mismatch)

    return answer


def _compare_folder(answer: str, observed: Persistence) -> Mismatch:
    if answer.rstrip("/") == observed.working_folder.rstrip("/"):
        return None
    return f"working_folder is {answer}", "the directory that pwd prints in the container"


def _compare_files(lines: list[str], observed: Persistence) -> Mismatch:
    # ls prints the names on one line, so a text with spaces is a list too.
    names = (name for line in lines for name in line.split())
    named = {name.strip(",").removeprefix("./").rstrip("/") for name in names}
    named -= {"", ".", "..", facts.FILE}
    shown = {name for name in observed.files if not name.startswith(".")}
    if missing := sorted(shown - named):
        return f"{missing[0]} is missing", "every name that ls prints"
    if extra := sorted(named - observed.files):
        return f"{extra[0]} is listed", "only names that ls prints"
    return None


def _compare_instruction(answer: str, _observed: Persistence) -> Mismatch:
    # Source: Docker's reference, "docker container run": [OPTIONS] IMAGE [COMMAND] [ARG...].
    if set(re.findall(r"cmd|entry ?point", answer.lower())) == {"cmd"}:
        return None
    return f"replaced_by_bash is {answer}", "the instruction that did not run"


def _compare_diff(lines: list[str], observed: Persistence) -> Mismatch:
    answers = {}
    for line in lines:
        found = _DIFF.fullmatch(line)
        if not found:
            expected = "lines as docker diff prints them: a letter, and an absolute path"
            return f"a line is {line}", expected
        # The letter is optional.
        answers[found["path"].rstrip("/") or "/"] = found["letter"] or ""
    for path, letter in observed.diff.items():
        if path not in answers:
            return f"{path} is missing", "every line that docker diff prints"
        if answers[path] not in {"", letter}:
            return f"{answers[path]} {path}", "the letter that docker diff prints"
    for path in answers:
        if path not in observed.diff and not _ALLOWED.fullmatch(path):
            return f"{path} is listed", "only lines that docker diff prints"
    return None


def file_exists_question(key: str, points: int, title: str, why: str, hint: str) -> Check:
    """Require the right answer to whether the file still exists."""

    def compare(answer: object, observed: Persistence) -> Mismatch:
        if answer == getattr(observed, key):
            return None
        return f"{key} is {str(answer).lower()}", "the result that you see in the container"

    return question(
        key, AnswerSheet.get_bool, compare, points=points, title=title, why=why, hint=hint
    )


TASK = Task(
    "task-4",
    "look inside a running container, and find out which files it keeps",
    "fastapi/task-4",
    folder=fastapi.FOLDER,
    answer=(FILE,),
    withheld=("Dockerfile*", "README.md", "tests/test_pins.py"),
    recipes=(Recipe(dockerfile=DOCKERFILE),),
    facts={"persistence": _observe},
    checks=(
        dockerfile.files_exist(FILE),
        valid_form,
        question(
            "working_folder",
            AnswerSheet.get_string,
            _compare_folder,
            points=1,
            title="working_folder is the directory in which the container starts",
            why="WORKDIR sets the directory in which a container starts.",
            hint="Type pwd at the container's prompt, and copy the output.",
        ),
        question(
            "files",
            AnswerSheet.get_strings,
            _compare_files,
            points=2,
            title="files lists the image's files in that directory",
            why="COPY copies only the files that .dockerignore does not exclude.",
            hint="Type ls right after the container has started, before you create any file in it.",
        ),
        question(
            "replaced_by_bash",
            AnswerSheet.get_string,
            _compare_instruction,
            points=1,
            title="replaced_by_bash is the instruction that bash replaces",
            why="With an ENTRYPOINT, a shell's name after the image name is only an argument.",
            hint="Compare docker inspect with the last two instructions of the Dockerfile.",
        ),
        question(
            "diff_after_touch",
            AnswerSheet.get_strings,
            _compare_diff,
            points=2,
            title="diff_after_touch is the output of docker diff after touch toto.py",
            why="A container writes to its own layer on top of the image, which stays unchanged.",
            hint="Leave the container running, and type docker diff NAME in a second terminal.",
        ),
        file_exists_question(
            "there_after_stop_and_start",
            2,
            "there_after_stop_and_start tells whether a file survives a restart",
            "A stopped container keeps its layer on disk, not in RAM.",
            "Start the same container again by its name: docker start -ai NAME, then ls.",
        ),
        file_exists_question(
            "there_after_rm",
            2,
            "there_after_rm tells whether a file survives docker rm",
            "docker rm removes the container's layer, and each new container has an empty one.",
            "Remove the container, create a new one from the same image, and type ls.",
        ),
        file_exists_question(
            "there_after_rm_in_a_volume",
            1,
            "there_after_rm_in_a_volume tells whether a file in a volume survives docker rm",
            "A volume exists independently of containers, so its data survives.",
            "Mount the same named volume in both containers, and list its files.",
        ),
    ),
)
