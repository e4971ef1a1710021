"""The to-do app: one Dockerfile with a target for each thing that one does with an app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    builds,
    caches_dependencies,
    contains_no_secrets,
    leaves_out,
    pins_poetry,
    runs_as_non_root,
    server_is_process_1,
    stops_on_sigterm,
    writes,
)
from workshop.model import Failed, Recipe, Task, check
from workshop.tasks.todo_app.debug import wait, waits_for_editor
from workshop.tasks.todo_app.development import debug_mode, reloads_after_edit
from workshop.tasks.todo_app.serving import (
    exposes_server_port,
    listens_on_all_interfaces,
    returns_expected_response,
    serve,
    server_starts,
    uses_production_server,
)
from workshop.tasks.todo_app.target import LESSON
from workshop.tasks.todo_app.tests import (
    SOURCE,
    TEST_SECONDS,
    run_tests,
    tests_detect_fault,
    tests_pass,
)

if TYPE_CHECKING:
    from workshop.analysis.source import Source

FILE, IGNORE = "Dockerfile", ".dockerignore"
PRODUCTION, DEVELOPMENT, DEBUG, TEST = "production", "development", "debug", "test"

# What the app has to be told, and where every user may write.
ENVIRONMENT = {
    "SECRET_KEY": "made-up-for-this-check",
    "DATABASE_URL": "sqlite:////tmp/todo.db",
}
SECRETS = (".env", ".git/config", ".venv/pyvenv.cfg")


@check(
    points=1,
    lesson=LESSON,
    why="Sooner or later somebody writes COPY . . and the image holds what was in .env.",
    hint="One line each in .dockerignore: .env, .git, .venv; and what else no image needs.",
)
def ignores_secrets(source: Source) -> None:
    """.dockerignore keeps .env, .git and .venv out of every build."""
    source.read(IGNORE)
    let = [path.partition("/")[0] for path in SECRETS if not source.ignores(path)]
    if let:
        raise Failed(f"{', '.join(let)} not ignored", "a line for each", file=IGNORE)


def _recipe(target: str, *, mount: bool = False) -> Recipe:
    return Recipe(
        target,
        target=target,
        environment=ENVIRONMENT,
        seconds=TEST_SECONDS,
        edit=SOURCE,
        project="todo-app",
        mount=mount,
    )


TASK = Task(
    "todo-app",
    "one Dockerfile for production, development and tests",
    LESSON,
    folder="services/todo-app",
    answer=(FILE, IGNORE),
    withheld=("README.md",),
    recipes=(_recipe(PRODUCTION), _recipe(DEVELOPMENT, mount=True), _recipe(TEST), _recipe(DEBUG)),
    facts={"served": serve, "waiting": wait, "tests": run_tests},
    checks=(
        writes(FILE, IGNORE, lesson=LESSON),
        based_on("python", LESSON, tag=r"^\d+\.\d+", kind="with its version"),
        ignores_secrets,
        pins_poetry(LESSON),
        builds(LESSON),
        leaves_out("debugpy", "playwright", "pytest", "pytest-watch", lesson=LESSON, points=2),
        contains_no_secrets(LESSON),
        caches_dependencies(LESSON),
        server_starts(
            "Run it with --env-file .env; gunicorn.conf.py reads the port from ENV PORT."
        ),
        listens_on_all_interfaces(),
        returns_expected_response,
        exposes_server_port,
        uses_production_server,
        runs_as_non_root(LESSON),
        server_is_process_1(LESSON),
        stops_on_sigterm(LESSON),
        server_starts("flask --app todo_app.app run, with the packages of the app.", 1).of_recipe(
            DEVELOPMENT
        ),
        listens_on_all_interfaces(1).of_recipe(DEVELOPMENT),
        debug_mode.of_recipe(DEVELOPMENT),
        reloads_after_edit.of_recipe(DEVELOPMENT),
        tests_pass._replace(of=TEST),
        tests_detect_fault._replace(of=TEST),
        waits_for_editor._replace(of=DEBUG),
    ),
)
