"""Task 5: the FastAPI application, run by an ordinary user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    builds,
    contains_no_secrets,
    exposes,
    listens_on_all_interfaces,
    returns_expected_response,
    runs_as_non_root,
    server_is_process_1,
    server_starts,
    stops_on_sigterm,
    workdir,
    writes,
)
from workshop.model import Failed, Recipe, Task, check

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

LESSON = "fastapi/task-5"
FILE = "Dockerfile-nonroot"
HOME = "home/runner/server"
PORT = 8000
UID = 10000


@check(
    points=1,
    lesson=LESSON,
    why="A number says nothing to people; a name in the image's own /etc/passwd does.",
    hint=f"RUN useradd --uid {UID} runner",
)
def user_named_runner(image: Image) -> None:
    """The image knows user 10000 as runner."""
    found = image.identity("runner")
    if found is None or found[0] != UID:
        actual = "no user called runner" if found is None else f"runner has uid {found[0]}"
        raise Failed(actual, f"a user called runner with uid {UID}")


@check(
    points=2,
    lesson=LESSON,
    why="Who gets into the server could else change the program, or the passwords of the system.",
    hint="Let root own the application: COPY without --chown, and no chown or chmod on it.",
)
def application_is_read_only(image: Image) -> None:
    """The server's user can change neither the application nor /etc."""
    who = image.identity()
    if who is None:
        raise Failed(f"USER {image.user} is nobody that the image knows", "a user of the image")
    uid, _, groups = who
    for folder in (HOME, "etc"):
        if may := image.writable_paths(uid, groups, folder):
            actual = f"uid {uid} may write to /{may[0]}"
            raise Failed(actual, f"all in /{folder} to be read and not written")


@check(
    points=1,
    lesson=LESSON,
    why="An application needs some folder for what it writes, and a volume outlives a container.",
    hint="RUN install -d -o runner /home/runner/data, and VOLUME /home/runner/data after it.",
)
def has_writable_volume(image: Image) -> None:
    """One folder is declared as a volume, and the server's user may write to it."""
    who = image.identity()
    if who is None or not any(
        image.writable(folder.strip("/"), who[0], who[2]) for folder in image.volumes
    ):
        actual = f"VOLUME of {', '.join(sorted(image.volumes)) or 'nothing'}"
        raise Failed(actual, f"a volume that user {image.user or 'root'} may write to")


@check(
    points=1,
    lesson=LESSON,
    why="With sudo, an ordinary user is root again.",
    hint="Do not install sudo: what needs root comes before USER.",
)
def no_sudo(image: Image) -> None:
    """There is no sudo in the image."""
    if found := [*image.find("**/bin/sudo"), *image.find("**/bin/doas")]:
        raise Failed(f"/{found[0]}", "no such program")


TASK = Task(
    "task-5",
    "make the image run as an ordinary user",
    LESSON,
    folder="services/fastapi",
    answer=(FILE,),
    withheld=("Dockerfile*", "README.md", "task-4*.toml", "tests/test_pins.py"),
    recipes=(Recipe(dockerfile=FILE, port=PORT),),
    checks=(
        writes(FILE, lesson=LESSON),
        based_on("python", LESSON, tag="slim", kind="in its slim variant"),
        builds(LESSON),
        user_named_runner,
        workdir("/home/runner/server", LESSON),
        exposes(PORT, LESSON),
        contains_no_secrets(LESSON),
        application_is_read_only,
        has_writable_volume,
        no_sudo,
        server_starts(PORT, LESSON),
        listens_on_all_interfaces(PORT, LESSON),
        returns_expected_response(PORT, "/", "Hello World", LESSON),
        runs_as_non_root(LESSON, UID),
        server_is_process_1(LESSON),
        stops_on_sigterm(LESSON),
    ),
)
