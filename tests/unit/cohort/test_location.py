from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from workshop.cohort import listing, location
from workshop.core.paths import ROOT
from workshop.tasks.course import TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALL = tuple(TASKS)


def write(folder: Path, *files: str) -> None:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"my {file}")


def copy(folder: Path, source: str, target: str) -> None:
    (folder / target).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / source, folder / target)


def locate(folder: Path, names: Sequence[str] = ALL) -> dict[str, str]:
    """Return the place of each task; each unclear one begins with a question mark."""
    found = location.locate([listing.read(folder)], names)
    unclear = {
        f"?{' '.join(tasks)}": " ".join(place.folder for place in places)
        for tasks, places in found.unclear.items()
    }
    return {name: place.folder for name, place in found.places.items()} | unclear


@pytest.mark.parametrize("prefix", ["", "anna/", "repo/exercises/fastapi/", "services/fastapi/"])
def test_an_answer_is_found_in_any_folder(tmp_path: Path, prefix: str):
    write(tmp_path, f"{prefix}Dockerfile-nonroot", f"{prefix}app/main.py")
    assert locate(tmp_path, ["task-5"]) == {"task-5": prefix.rstrip("/")}


def test_an_answer_that_is_too_deep_is_not_found(tmp_path: Path):
    write(tmp_path, "a/b/c/d/e/Dockerfile-task-1", "a/b/c/d/e/f/Dockerfile-nonroot")
    assert locate(tmp_path) == {"task-1": "a/b/c/d/e"}


def test_one_folder_holds_several_tasks(tmp_path: Path):
    write(tmp_path, "Dockerfile-task-1", "Dockerfile-nonroot", "task-4.toml", "README.md")
    assert locate(tmp_path) == {"task-1": "", "task-4": "", "task-5": ""}
    assert locate(tmp_path, ["task-5", "task-2"]) == {"task-5": ""}


@pytest.mark.parametrize(
    ("beside", "task"),
    [
        ("degrees_api.py", "degrees-api"),
        ("src/greeter/cli.py", "greeter"),
        ("todo_app/app.py", "todo-app"),
        ("deathstar/planets.py", "deathstar"),
    ],
)
def test_the_files_of_the_starter_tell_which_dockerfile_it_is(
    tmp_path: Path, beside: str, task: str
):
    write(tmp_path, "x/Dockerfile", "x/pyproject.toml", f"x/{beside}")
    assert locate(tmp_path) == {task: "x"}
    assert locate(tmp_path, [task]) == {task: "x"}
    assert locate(tmp_path, ["baby-steps"]) == {}


def test_the_name_of_the_folder_tells_which_dockerfile_it_is(tmp_path: Path):
    write(tmp_path, "baby-steps/Dockerfile", "greeter/Dockerfile", "degrees_api/Dockerfile")
    expected = {"baby-steps": "baby-steps", "greeter": "greeter", "degrees-api": "degrees_api"}
    assert locate(tmp_path) == expected


def test_a_dockerfile_alone_fits_the_only_task_that_is_wanted(tmp_path: Path):
    write(tmp_path, "Dockerfile")
    assert locate(tmp_path, ["deathstar"]) == {"deathstar": ""}
    assert locate(tmp_path, ["deathstar", "task-1"]) == {"deathstar": ""}
    assert locate(tmp_path, ["deathstar", "baby-steps"]) == {"?baby-steps deathstar": ""}


def test_a_dockerfile_with_requirements_is_no_first_step(tmp_path: Path):
    write(tmp_path, "Dockerfile", "requirements.txt")
    assert locate(tmp_path, ["baby-steps", "basic-python"]) == {"basic-python": ""}


def test_the_own_folder_comes_before_another_and_the_upper_before_the_lower(tmp_path: Path):
    write(tmp_path, "Dockerfile", "x/y/Dockerfile", "x/y/deathstar/api.py")
    assert locate(tmp_path, ["deathstar"]) == {"deathstar": "x/y"}
    write(tmp_path, "old/Dockerfile-task-1", "Dockerfile-task-1")
    assert locate(tmp_path, ["task-1"]) == {"task-1": ""}


def test_two_equal_places_are_unclear(tmp_path: Path):
    write(tmp_path, *(f"{name}/Dockerfile-task-1" for name in "abcde"))
    assert locate(tmp_path, ["task-1"]) == {"?task-1": "a b c d e"}


def test_the_exercises_come_before_the_services_of_the_kit(tmp_path: Path):
    for name in ("services/fastapi", "exercises/fastapi"):
        write(tmp_path, f"{name}/Dockerfile-task-1")
    write(tmp_path, "services/fastapi/Dockerfile-nonroot")
    assert locate(tmp_path) == {"task-1": "exercises/fastapi", "task-5": "services/fastapi"}


def test_the_solutions_in_a_checkout_of_the_kit_are_no_answers(tmp_path: Path):
    nonroot, todo = TASKS["task-5"], TASKS["todo-app"]
    write(tmp_path, "kit/versions.toml", "kit/workshop/cli.py", "kit/services/fastapi/README.md")
    copy(tmp_path, nonroot, f"kit/{nonroot}")
    write(tmp_path, f"kit/{todo}")
    assert locate(tmp_path) == {"todo-app": "kit/services/todo-app"}
    (tmp_path / "kit/versions.toml").unlink()
    assert locate(tmp_path, ["task-5"]) == {"task-5": "kit/services/fastapi"}


@pytest.mark.parametrize("is_solved", [True, False])
def test_the_starter_of_a_compose_task_holds_no_answers(tmp_path: Path, *, is_solved: bool):
    top = "exercises/compose-todo"
    copy(tmp_path, TASKS["todo-app"], f"{top}/{TASKS['todo-app']}")
    expected = {}
    if is_solved:
        write(tmp_path, f"{top}/docker-compose.yml")
        expected = {"compose-todo": top}
    assert locate(tmp_path) == expected
    write(tmp_path, f"{top}/{TASKS['todo-app']}")
    assert locate(tmp_path) == {**expected, "todo-app": f"{top}/services/todo-app"}


def test_a_whole_set_of_answers_is_found_as_the_kit_has_them(tmp_path: Path):
    for path in TASKS.values():
        copy(tmp_path, path, path)
    assert locate(tmp_path) == {name: path.rpartition("/")[0] for name, path in TASKS.items()}


def test_answers_in_several_folders_of_a_learner_are_found(tmp_path: Path):
    write(tmp_path, "a/Dockerfile-task-1", "b/Dockerfile-nonroot")
    listings = [listing.read(tmp_path / name) for name in "ab"]
    found = location.locate(listings, ALL)
    assert {name: place.path.name for name, place in found.places.items()} == {
        "task-1": "a",
        "task-5": "b",
    }


@pytest.mark.parametrize(
    ("files", "name", "expected"),
    [
        (["app/main.py"], "task-1", ""),
        (["work/README.md"], "task-1", "work"),
        (["work/README.md", "notes.md"], "task-1", ""),
        (["a/b/dockerfile-nonroot", "a/x"], "task-5", "a/b"),
        (["a/Dockerfile.txt", "x"], "deathstar", "a"),
        (["a/services/fastapi/app/main.py", "x"], "task-1", "a/services/fastapi"),
        (["a/degrees_api.py", "x"], "degrees-api", "a"),
        (["docker-compose.yaml"], "compose-todo", ""),
    ],
)
def test_the_place_of_a_missing_answer_is_likely(
    tmp_path: Path, files: list[str], name: str, expected: str
):
    write(tmp_path, *files)
    assert location.likely([listing.read(tmp_path)], name).folder == expected


def test_the_main_file_is_one_that_the_learner_writes():
    from workshop.tasks import course  # noqa: PLC0415 - compared only here

    for name in TASKS:
        assert location.main_file(name) == course.task(name).answer[0]
