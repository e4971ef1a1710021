"""The to-do app: one Dockerfile with a target for each thing that one does with an app."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workshop.checks import (
    based_on,
    builds,
    first_process,
    keeps_secrets_out,
    leaves_out,
    ordinary_user,
    pins_poetry,
    reuses_dependencies,
    stops,
    writes,
)
from workshop.facts.app import Run
from workshop.model import Check, Failed, Recipe, Task, check
from workshop.process import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop.bench import Bench
    from workshop.facts.app import Answer, App
    from workshop.facts.image import Image
    from workshop.facts.source import Source

LESSON = "todo-app"
FILE, IGNORE = "Dockerfile", ".dockerignore"
SOURCE = "todo_app/app.py"
PRODUCTION, DEVELOPMENT, DEBUG, TEST = "production", "development", "debug", "test"
OK = 200

# What the app has to be told, and where every user may write.
ENVIRONMENT = {
    "SECRET_KEY": "made-up-for-this-check",
    "DATABASE_URL": "sqlite:////tmp/todo.db",
}
SECRETS = (".env", ".git/config", ".venv/pyvenv.cfg")
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - what a container's server has to listen on
LOCALHOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?!\S*/)")
PATIENCE_SECONDS = 45.0
RELOAD_SECONDS = 15.0
IDLE_SECONDS = 3.0
POLL_SECONDS = 0.2
TEST_SECONDS = 300.0

# A file of the debugger that Flask's own server adds to every page in debug mode.
DEBUGGER = "/?__debugger__=yes&cmd=resource&f=style.css"
ROUTE = """

@blueprint.get("/workshop-reload")
def workshop_reload() -> str:
    return "reloaded"
"""
# A fault that unit, integration and browser tests all see.
SOUND, FAULTY = 'title = " ".join(', 'title = "".join('


# ---- source


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


# ---- production


@dataclass(frozen=True)
class Served:
    """An image, and its server while it runs."""

    image: Image
    app: App


def serve(bench: Bench, of: str) -> Served:
    """The two together."""
    return Served(bench.fact("image", of), bench.fact("app", of))


def _exposed_by_text(source: Source) -> None:
    if not source.final().ports:
        raise Failed("no EXPOSE", "EXPOSE with the port that the server listens on")


@check(
    points=1,
    lesson=LESSON,
    text=_exposed_by_text,
    blame=("EXPOSE",),
    why="EXPOSE publishes nothing: it tells people and tools where the server listens.",
    hint="EXPOSE 8000 for gunicorn, EXPOSE 5000 for flask; or the number that you chose.",
)
def exposes_its_port(served: Served) -> None:
    """EXPOSE names the port that the server listens on."""
    listening = f"{served.app.port}/tcp"
    if listening not in served.image.ports:
        seen = f"EXPOSE names {', '.join(sorted(served.image.ports)) or 'nothing'}"
        raise Failed(f"{seen}, and the server listens on {listening}", f"EXPOSE {listening}")


def _has_target(source: Source) -> None:
    source.final()


def starts(hint: str, points: int = 2) -> Check:
    """The server comes up, on a port of the learner's choice."""

    @check(
        points=points,
        lesson=LESSON,
        text=_has_target,
        blame=("CMD", "ENTRYPOINT"),
        why="A container lives as long as its first process: that has to be the server.",
        hint=hint,
    )
    def starts(app: App) -> None:
        """The container starts a server."""

    return starts


def reachable(points: int = 2) -> Check:
    """The server listens on all of the container's addresses."""
    wanted = "a server that listens on 0.0.0.0"

    def said(source: Source) -> None:
        final = source.final()
        for command in (final.cmd, final.entrypoint):
            if command and LOCALHOST.search(" ".join(command.words)):
                seen = f"{command.text} listens on the container's own localhost"
                raise Failed(seen, wanted, line=command.line)

    @check(
        points=points,
        lesson=LESSON,
        text=said,
        blame=("CMD", "ENTRYPOINT"),
        why="Inside a container, 127.0.0.1 is the container itself: nobody else gets there.",
        hint="--host 0.0.0.0 for flask run, --bind 0.0.0.0:8000 for gunicorn.",
    )
    def reachable(app: App) -> None:
        """The server can be reached from outside the container."""
        found = {address for address, port in app.listening if port == app.port}
        if not found & EVERYWHERE:
            raise Failed(f"it listens on {' and '.join(sorted(found)) or 'nothing'} only", wanted)

    return reachable


@check(
    points=2,
    lesson=LESSON,
    why="That the process runs does not mean that the application works.",
    hint="Run it with --env-file .env and --publish, open it, and read what it prints.",
)
def answers(app: App) -> None:
    """The list of things to do is shown."""
    wanted = "status 200 for /, with the list"
    answer = _ask(app, "/")
    if answer.error:
        raise Failed(f"no answer: {answer.error}", wanted)
    if answer.status != OK or "To do" not in answer.body:
        raise Failed(f"status {answer.status}: {answer.body[:100]}\n{app.logs}".strip(), wanted)


@check(
    points=2,
    lesson=LESSON,
    blame=("CMD", "ENTRYPOINT"),
    why="Flask's own server is for one developer: slow, and its debugger runs anyone's code.",
    hint='CMD ["gunicorn", "--bind", "0.0.0.0:8000", "todo_app.app:create_app()"]',
)
def production_server(app: App) -> None:
    """A real server serves the app, and not Flask's own; there is no debugger."""
    headers = {name.lower(): value for name, value in _ask(app, "/").headers.items()}
    server = headers.get("server", "")
    if server.startswith("Werkzeug"):
        raise Failed(f"Flask's own server answers: {server}", "gunicorn, or another real server")
    if _debugger(app):
        raise Failed("Flask's debugger answers", "no debugger in production")


def _ask(app: App, path: str) -> Answer:
    """The first answer: a server may listen long before it has loaded the app."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := app.get(app.port or 1, path)).error and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return answer


def _debugger(app: App) -> bool:
    return "css" in _ask(app, DEBUGGER).headers.get("Content-Type", "")


# ---- development


@check(
    points=1,
    lesson=LESSON,
    blame=("CMD", "ENTRYPOINT", "ENV"),
    why="In debug mode Flask shows where an error happened, and starts again after an edit.",
    hint="flask run --debug, or ENV FLASK_DEBUG=1 in the development stage.",
)
def debug_mode(app: App) -> None:
    """Flask runs in debug mode."""
    if not _debugger(app):
        raise Failed("Flask's debugger does not answer", "the debugger that debug mode brings")


@check(
    points=3,
    lesson=LESSON,
    blame=("CMD", "ENTRYPOINT"),
    why="An image that has to be built after every edit is no place to develop in.",
    hint="flask run in debug mode, and the source in one folder, such as /app/todo_app, "
    "over which yours is mounted.",
)
def shows_an_edit(app: App) -> None:
    """An edited line of the mounted todo_app shows without a new image."""
    assert app.folder is not None  # noqa: S101 - the recipe says that it is mounted
    _ask(app, "/")
    views = app.folder / "views.py"
    text = views.read_text(encoding="utf-8") + ROUTE
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        # Saved again and again: who looks at the time of the last change may look late.
        views.write_text(text, encoding="utf-8")
        if _appears(app):
            return
    seen = f"a page that was added is not there after {PATIENCE_SECONDS:.0f} seconds"
    raise Failed(seen, "the new page, within seconds")


def _appears(app: App) -> bool:
    """Whether the added page comes within the time that a server takes to start again."""
    deadline = time.monotonic() + RELOAD_SECONDS
    while time.monotonic() < deadline:
        if app.get(app.port or 1, "/workshop-reload").body == "reloaded":
            return True
        time.sleep(POLL_SECONDS)
    return False


# ---- debug


@dataclass(frozen=True)
class Waiting:
    """A container that was left alone: what its processes are, and where they listen.

    `flask` is true where somebody who attaches to it can run flask.
    """

    app: App
    processes: tuple[str, ...]
    flask: bool


def wait(bench: Bench, of: str) -> Waiting:
    """Start a container, and see what it does by itself."""
    app = bench.start(of)
    time.sleep(IDLE_SECONDS)
    processes = tuple(process.command for process in app.processes)
    tries = (
        ("flask",),
        ("poetry", "run", "flask"),
        (".venv/bin/flask",),
        ("python", "-m", "flask"),
    )
    flask = any(
        bench.engine.execute(app.name, (*words, "--version"), timeout=60).code == 0
        for words in tries
    )
    return Waiting(app, processes, flask)


@check(
    points=1,
    lesson=LESSON,
    text=_has_target,
    blame=("CMD", "ENTRYPOINT"),
    why="An editor attaches to a container that runs, and starts flask there by itself.",
    hint="FROM development AS debug, with a CMD that only waits: tail -f /dev/null.",
)
def waits_for_an_editor(waiting: Waiting) -> None:
    """The debug image starts, waits, and does not run flask."""
    if not waiting.processes:
        raise Failed(f"it ended by itself\n{waiting.app.logs}".strip(), "a container that waits")
    if waiting.app.port:
        seen = f"it listens on port {waiting.app.port}: {waiting.processes[0]}"
        raise Failed(seen, "a container in which nothing listens yet")
    if not waiting.flask:
        raise Failed("flask cannot be run in it", "flask, for whoever attaches to it")


# ---- test


@dataclass(frozen=True)
class Tests:
    """Two runs of the tests: of the source as it is, and of one with a fault in it."""

    sound: Run
    faulty: Run


def run_tests(bench: Bench, of: str) -> Tests:
    """Run the test image twice; what came out well is remembered for the image."""
    image = bench.fact("image", of)
    key = ("tests", image.id, SOUND, FAULTY)
    if bench.memory.recall(*key):
        return Tests(Run(0, ""), Run(1, ""))
    sound = bench.run(of, "sound")
    folder = (bench.copy("faulty") / SOURCE).parent
    items = folder / "items.py"
    text = items.read_text(encoding="utf-8")
    fault = text.replace(SOUND, FAULTY) if SOUND in text else f"{text}\nraise RuntimeError\n"
    items.write_text(fault, encoding="utf-8")
    faulty = bench.run(of, "faulty", mount=folder) if sound.code == 0 else Run(1, "")
    if sound.code == 0 and faulty.code not in {0, TIMED_OUT}:
        bench.memory.remember(True, *key)  # noqa: FBT003 - all there is to know
    return Tests(sound, faulty)


def _test_check(points: int, why: str, hint: str) -> Callable[[Callable[[Tests], None]], Check]:
    """What both checks of the test image have in common."""
    return check(
        points=points,
        lesson=LESSON,
        text=_has_target,
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
        seen = f"it did not end within {TEST_SECONDS:.0f} seconds"
        raise Failed(seen, "the tests run once, and exit code 0")
    if tests.sound.code:
        last = "\n".join(tests.sound.output.splitlines()[-20:])
        raise Failed(f"exit code {tests.sound.code}, after:\n{last}", "exit code 0")


@_test_check(
    2,
    "Who runs the tests has to hear of a failure: by the exit code, which programs can read.",
    'Let pytest be the command, with no "|| true" or ";" behind it: CMD ["pytest"].',
)
def tests_find_a_fault(tests: Tests) -> None:
    """With a fault in the app, the test image ends with an exit code other than 0."""
    if tests.faulty.code == 0:
        seen = "exit code 0, with a fault in todo_app/items.py mounted over the image's todo_app"
        raise Failed(seen, "another exit code, since tests fail")


# ---- the task


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
        keeps_secrets_out(LESSON),
        reuses_dependencies(LESSON),
        starts("Run it with --env-file .env; gunicorn.conf.py reads the port from ENV PORT."),
        reachable(),
        answers,
        exposes_its_port,
        production_server,
        ordinary_user(LESSON),
        first_process(LESSON),
        stops(LESSON),
        starts("flask --app todo_app.app run, with the packages of the app.", 1).of_recipe(
            DEVELOPMENT
        ),
        reachable(1).of_recipe(DEVELOPMENT),
        debug_mode.of_recipe(DEVELOPMENT),
        shows_an_edit.of_recipe(DEVELOPMENT),
        tests_pass._replace(of=TEST),
        tests_find_a_fault._replace(of=TEST),
        waits_for_an_editor._replace(of=DEBUG),
    ),
)
