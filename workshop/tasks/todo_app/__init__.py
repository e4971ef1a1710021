"""The to-do app: one Dockerfile with targets for production, development, tests and debugging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.unwanted_files import SECRETS
from workshop.checks import config, content, dockerfile, poetry, server, user
from workshop.model import Failed, Recipe, Task, check
from workshop.tasks.todo_app.debug import observe_idle, waits_for_editor
from workshop.tasks.todo_app.development import debug_mode, reloads_after_edit
from workshop.tasks.todo_app.serving import (
    RunningImage,
    exposes_server_port,
    returns_expected_response,
    uses_production_server,
)
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

# The app's required settings; every user can write to the database's directory.
ENVIRONMENT = {
    "SECRET_KEY": "made-up-for-this-check",
    "DATABASE_URL": "sqlite:////tmp/todo.db",
}


@check(
    points=1,
    why="Without these lines, a COPY . . puts the secrets in .env into the image.",
    hint="Write one line each in .dockerignore: .env, .git, .venv, and other unneeded files.",
)
def ignores_secrets(source: Source) -> None:
    """.dockerignore excludes .env, .git and .venv."""
    source.read(IGNORE)
    if missing := [path.partition("/")[0] for path in SECRETS if not source.ignores(path)]:
        raise Failed(f"not excluded: {', '.join(missing)}", "a line for each", file=IGNORE)


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
    "todo-app",
    folder="services/todo-app",
    answer=(FILE, IGNORE),
    withheld=("README.md",),
    recipes=(_recipe(PRODUCTION), _recipe(DEVELOPMENT, mount=True), _recipe(TEST), _recipe(DEBUG)),
    facts={
        "running_image": RunningImage.of,
        "idle_container": observe_idle,
        "test_suite": run_tests,
    },
    checks=(
        dockerfile.files_exist(FILE, IGNORE),
        dockerfile.base_image("python", tag=dockerfile.VERSION, variant="with a version"),
        ignores_secrets,
        poetry.pins_poetry,
        config.builds,
        content.no_development_packages(
            "debugpy", "playwright", "pytest", "pytest-watch", points=2
        ),
        content.contains_no_secrets,
        content.caches_dependencies,
        server.server_starts(
            hint="Run the image with --env-file .env; gunicorn.conf.py reads PORT from ENV.",
            text=config.has_stage,
        ),
        server.listens_on_all_interfaces(),
        returns_expected_response,
        exposes_server_port,
        uses_production_server,
        user.runs_as_non_root(),
        server.server_is_process_1,
        server.stops_on_sigterm,
        server.server_starts(
            hint="Install the app's packages, and run flask --app todo_app.app run.",
            text=config.has_stage,
        )
        .of_recipe(DEVELOPMENT)
        ._replace(points=1),
        server.listens_on_all_interfaces().of_recipe(DEVELOPMENT)._replace(points=1),
        debug_mode.of_recipe(DEVELOPMENT),
        reloads_after_edit.of_recipe(DEVELOPMENT),
        tests_pass._replace(of=TEST),
        tests_detect_fault._replace(of=TEST),
        waits_for_editor._replace(of=DEBUG),
    ),
)
