"""Task 4: what is inside a running container, and what of it stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis import answer_sheet
from workshop.analysis.container import persistence as facts
from workshop.checks import writes
from workshop.core.paths import ROOT
from workshop.model import Check, Failed, Recipe, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.analysis.answer_sheet import AnswerSheet
    from workshop.analysis.container.persistence import Persistence
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

LESSON = "fastapi/task-4"
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
# What a shell leaves behind besides, in its home and where Python keeps what it compiled.
_BESIDES = re.compile(
    r"/root(?:/\.\S*)?|/home(?:/[^/]+(?:/\.\S*)?)?|/tmp(?:/\S*)?|\S*/__pycache__(?:/\S*)?|/kept"
)


class Compared(NamedTuple):
    """The form, beside what the kit has seen."""

    form: AnswerSheet
    truth: Persistence


def _form(source: Source) -> AnswerSheet:
    return answer_sheet.read(FILE, source.read(FILE), KEYS)


def _persistence(evaluation: Evaluation, _of: str) -> Compared:
    """Do what the form asks about, with the learner's image of task 3-2, or the kit's own."""
    filled = _form(evaluation.source)
    own = (evaluation.fact("build_context", "") / DOCKERFILE).is_file()
    dockerfile = DOCKERFILE if own else str(ROOT / fastapi.FOLDER / DOCKERFILE)
    try:
        image = evaluation.build_as(Recipe(dockerfile=dockerfile), "persistence")
    except Failed as failed:
        failed.file = DOCKERFILE
        raise
    volume = evaluation.volume("kept")
    return Compared(
        filled, facts.observe_persistence(evaluation.engine, image, evaluation.container, volume)
    )


@check(
    points=1,
    lesson=LESSON,
    why="A form that a program reads has to be written the way the program expects.",
    hint=f"Compare with {FILE.replace('.', '.template.')}: texts in quotes, one key on each line.",
)
def form_can_be_read(source: Source) -> None:
    """The form is TOML, with the template's keys."""
    _form(source)


def _filled(key: str, get: Callable[[AnswerSheet, str], object]) -> Callable[[Source], None]:
    def filled(source: Source) -> None:
        get(_form(source), key)

    return filled


@check(
    points=1,
    lesson=LESSON,
    text=_filled("working_folder", answer_sheet.AnswerSheet.get_string),
    why="WORKDIR decides where a container starts, and so where your files are.",
    hint="Type pwd at the container's own prompt, and copy what it prints.",
)
def working_folder(persistence: Compared) -> None:
    """The folder in which the container starts."""
    filled, truth = persistence
    said = filled.get_string("working_folder")
    if said.rstrip("/") != truth.working_folder.rstrip("/"):
        actual = f"working_folder is {said}"
        raise filled.failed("working_folder", actual, "the folder that pwd prints inside")


@check(
    points=2,
    lesson=LESSON,
    text=_filled("files", answer_sheet.AnswerSheet.get_strings),
    why="An image holds what COPY took and .dockerignore left, and nothing else of your folder.",
    hint="Type ls right after the container has started, before you make anything in it.",
)
def files(persistence: Compared) -> None:
    """What the image has in that folder."""
    filled, truth = persistence
    # One text for all of them, with blanks between, is what ls prints.
    words = [word for line in filled.get_strings("files") for word in line.split()]
    said = {word.strip(",").removeprefix("./").rstrip("/") for word in words}
    said -= {"", ".", "..", facts.FILE}
    shown = {name for name in truth.files if not name.startswith(".")}
    if missing := sorted(shown - said):
        raise filled.failed("files", f"{missing[0]} is not named", "everything that ls shows")
    if extra := sorted(said - truth.files):
        raise filled.failed("files", f"{extra[0]} is named", "nothing but what ls shows")


@check(
    points=1,
    lesson=LESSON,
    text=_filled("replaced_by_bash", answer_sheet.AnswerSheet.get_string),
    why="Where ENTRYPOINT stays, a shell's name behind the image's is only its argument.",
    hint="Compare what docker inspect says with the two instructions at the Dockerfile's end.",
)
def replaced_by_bash(persistence: Compared) -> None:
    """The instruction that the words behind the image's name replace."""
    filled, _ = persistence
    said = filled.get_string("replaced_by_bash")
    # Source: Docker's reference, "docker container run": [OPTIONS] IMAGE [COMMAND] [ARG...].
    if set(re.findall(r"cmd|entry ?point", said.lower())) != {"cmd"}:
        actual = f"replaced_by_bash is {said}"
        raise filled.failed("replaced_by_bash", actual, "the instruction that did not run")


@check(
    points=2,
    lesson=LESSON,
    text=_filled("diff_after_touch", answer_sheet.AnswerSheet.get_strings),
    why="A container writes into a layer of its own, on top of the image, which stays as it is.",
    hint="Leave the container running, and type docker diff NAME in a second terminal.",
)
def diff_after_touch(persistence: Compared) -> None:
    """What docker diff shows after touch toto.py."""
    filled, truth = persistence
    said = dict(_diff_line(filled, line) for line in filled.get_strings("diff_after_touch"))
    for path, letter in truth.diff.items():
        if path not in said:
            actual = f"{path} is not among its lines"
            raise filled.failed("diff_after_touch", actual, "every line that docker diff prints")
        if said[path] not in {"", letter}:
            actual = f"{said[path]} {path}"
            raise filled.failed("diff_after_touch", actual, "the letter that docker diff prints")
    for path in said:
        if path not in truth.diff and not _BESIDES.fullmatch(path):
            actual = f"{path} is among its lines"
            raise filled.failed("diff_after_touch", actual, "nothing but what docker diff prints")


def _diff_line(filled: AnswerSheet, line: str) -> tuple[str, str]:
    """The path and the letter of one line; the letter may be left out."""
    found = _DIFF.fullmatch(line)
    if not found:
        expected = "lines as docker diff prints them: a letter, and a path from / on"
        raise filled.failed("diff_after_touch", f"a line is {line}", expected)
    return found["path"].rstrip("/") or "/", found["letter"] or ""


def truth(key: str, points: int, title: str, why: str, hint: str) -> Check:
    """Whether the file is there at some point is told rightly."""

    @check(
        points=points,
        lesson=LESSON,
        name=key.replace("_", "-"),
        title=title,
        text=_filled(key, answer_sheet.AnswerSheet.get_bool),
        why=why,
        hint=hint,
    )
    def told(persistence: Compared) -> None:
        filled, actual = persistence
        if filled.get_bool(key) != getattr(actual, key):
            said = str(filled.get_bool(key)).lower()
            raise filled.failed(key, f"{key} is {said}", "what you see when you do it")

    return told


TASK = Task(
    "task-4",
    "look inside a running container, and find out what it keeps",
    LESSON,
    folder=fastapi.FOLDER,
    answer=(FILE,),
    withheld=("Dockerfile*", "README.md", "tests/test_pins.py"),
    recipes=(Recipe(dockerfile=DOCKERFILE),),
    facts={"persistence": _persistence},
    checks=(
        writes(FILE, lesson=LESSON),
        form_can_be_read,
        working_folder,
        files,
        replaced_by_bash,
        diff_after_touch,
        truth(
            "there_after_stop_and_start",
            2,
            "Whether a file outlives docker stop and docker start",
            "A stopped container still has its layer, on the disk: nothing of it is in memory.",
            "Start the same container again, by its name: docker start -ai NAME, and then ls.",
        ),
        truth(
            "there_after_rm",
            2,
            "Whether a file outlives docker rm",
            "docker rm removes the container's layer, and each new container has an empty one.",
            "Remove the container, make a new one of the same image, and look with ls.",
        ),
        truth(
            "there_after_rm_in_a_volume",
            1,
            "Whether a file in a volume outlives docker rm",
            "A volume is no part of a container: that is how data is kept.",
            "Give both containers the same named volume, and look into its folder.",
        ),
    ),
)
