"""Task 5: the FastAPI application, run as a non-root user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.checks import config, content, dockerfile, server, user
from workshop.model import Failed, Recipe, Task, check
from workshop.tasks import fastapi

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

FILE = "Dockerfile-nonroot"
HOME = "home/runner/server"
UID = 10000


@check(
    points=1,
    why="ls and ps show the name from the image's /etc/passwd instead of a bare number.",
    hint=f"RUN useradd --uid {UID} runner",
)
def user_named_runner(image: Image) -> None:
    """User 10000 is named runner."""
    found = image.identity("runner")
    if found is None or found[0] != UID:
        actual = "no user named runner" if found is None else f"runner has uid {found[0]}"
        raise Failed(actual, f"a user named runner with uid {UID}")


@check(
    points=2,
    why="An attacker who takes over the server could change the program or the system's passwords.",
    hint="Keep root as the owner of the application: COPY without --chown, no chown or chmod.",
)
def application_is_read_only(image: Image) -> None:
    """The server's user cannot change the application or /etc."""
    identity = image.identity()
    if identity is None:
        raise Failed(f"/etc/passwd does not list USER {image.user}", "a user of the image")
    uid, _, groups = identity
    for folder in (HOME, "etc"):
        if writable := image.writable_paths(uid, groups, folder):
            raise Failed(f"uid {uid} can write to /{writable[0]}", f"read-only files in /{folder}")


@check(
    points=1,
    why="An application needs a writable directory, and a volume keeps data after docker rm.",
    hint="RUN install -d -o runner /home/runner/data, and VOLUME /home/runner/data after it.",
)
def has_writable_volume(image: Image) -> None:
    """A directory is declared as a volume, and the server's user can write to it."""
    identity = image.identity()
    if identity is None or not any(
        image.writable(folder.strip("/"), identity[0], identity[2]) for folder in image.volumes
    ):
        volumes = ", ".join(sorted(image.volumes))
        actual = f"VOLUME {volumes}" if volumes else "no VOLUME"
        raise Failed(actual, f"a volume that user {image.user or 'root'} can write to")


@check(
    points=1,
    why="With sudo, a non-root user can become root.",
    hint="Do not install sudo: run the steps that need root before USER.",
)
def no_sudo(image: Image) -> None:
    """sudo is not installed."""
    if found := [*image.find("**/bin/sudo"), *image.find("**/bin/doas")]:
        raise Failed(f"/{found[0]}", "no such program")


TASK = Task(
    "task-5",
    "run the container as a non-root user",
    "fastapi/task-5",
    folder=fastapi.FOLDER,
    answer=(FILE,),
    withheld=fastapi.WITHHELD,
    recipes=(Recipe(dockerfile=FILE, port=fastapi.PORT),),
    already_met=(
        "files-exist",
        "base-image",
        "builds",
        "exposes-8000",
        "contains-no-secrets",
        "no-sudo",
        "server-starts",
        "listens-on-all-interfaces",
        "returns-expected-response",
        "server-is-process-1",
        "stops-on-sigterm",
    ),
    checks=(
        dockerfile.files_exist(FILE),
        dockerfile.base_image("python", tag="slim", variant="slim variant"),
        config.builds,
        user_named_runner,
        config.working_directory("/home/runner/server"),
        config.exposes(fastapi.PORT),
        content.contains_no_secrets,
        application_is_read_only,
        has_writable_volume,
        no_sudo,
        *fastapi.SERVER_CHECKS,
        user.runs_as_non_root(UID),
        server.server_is_process_1,
        server.stops_on_sigterm,
    ),
)
