"""The compose file of the to-do app: the app in development mode, and a test runner."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from workshop.analysis.container import server as servers
from workshop.analysis.container import stack_plan, suite_runs
from workshop.checks.compose import no_forbidden_options, services_start, valid_compose_file
from workshop.checks.dockerfile import files_exist
from workshop.checks.server import local_addresses
from workshop.model import Check, Failed, Task, check

if TYPE_CHECKING:
    from workshop.analysis.compose import Compose, Service
    from workshop.analysis.container.server import Server
    from workshop.analysis.container.stack import Stack
    from workshop.analysis.container.suite_runs import SuiteService
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

FILE = "docker-compose.yml"
FOLDER = "services/todo-app"
PAGE = f"{FOLDER}/todo_app/templates/base.html"
PROGRAM = f"{FOLDER}/todo_app/app.py"
TESTED_MODULE = f"{FOLDER}/todo_app/items.py"
FAULT = "\nclean_title = str.swapcase\n"

SECONDS_TO_RELOAD = 20.0
WORKERS = 10
OK = 200

# ---- the text of the compose file


def _started(compose: Compose) -> list[Service]:
    """Return the services that `docker compose up` starts."""
    return [service for service in compose.services.values() if not service.profiles]


def _first_line(services: list[Service]) -> int:
    return services[0].line if services else 1


def builds_target(target: str, purpose: str) -> Check:
    """Require a service that is built from a target of the app's Dockerfile."""

    @check(
        points=1,
        name=f"builds-{target}",
        title=f"A service for {purpose} is built from the Dockerfile's {target} target",
        why="Without a target, Docker builds the last stage of the Dockerfile.",
        hint=f"Under build: set context: {FOLDER} and target: {target}.",
    )
    def builds(source: Source) -> None:
        services = _started(stack_plan.read_valid(source))
        for service in services:
            build = service.build
            if build and build.context == FOLDER and build.target.lower() == target:
                return
        found = [
            f"{service.name}: {service.build.context} {service.build.target}".rstrip()
            if service.build
            else f"{service.name}: no build"
            for service in services
        ]
        expected = f"a service with context: {FOLDER} and target: {target}"
        raise Failed("; ".join(found) or "no service", expected, line=_first_line(services))

    return builds


@check(
    points=1,
    why="Your browser can reach only the published ports of a container.",
    hint="ports: with HOST:CONTAINER, such as 127.0.0.1:5100:PORT (macOS uses port 5000 itself).",
)
def publishes_port(source: Source) -> None:
    """The app's port is published."""
    services = _started(stack_plan.read_valid(source))
    if not any(port.protocol == "tcp" for service in services for port in service.ports):
        raise Failed(
            "no service has ports", "the app's port, published", line=_first_line(services)
        )


@check(
    points=2,
    why="The compose file is committed and shared, so everyone can read the values in it.",
    hint="Keep the value in .env, which is not committed, and list that file under env_file.",
)
def contains_no_secrets(source: Source) -> None:
    """The compose file contains no secrets."""
    # A value that comes from .env contains this marker; a value from the compose file does not.
    marker = secrets.token_hex(8)
    compose = stack_plan.read_valid(source, marker)
    for service in compose.services.values():
        arguments = service.build.args if service.build else {}
        for name, value in [*service.environment.items(), *arguments.items()]:
            if stack_plan.SECRET.search(name) and value and marker not in value:
                actual = f"{service.name} has {name}={value}"
                raise Failed(actual, f"{name} in .env", line=service.line)


# ---- the running app


def _server(evaluation: Evaluation, _of: str) -> Server:
    return servers.find(evaluation.fact("stack", ""))


def _test_suite(evaluation: Evaluation, _of: str) -> SuiteService:
    return suite_runs.find(evaluation.fact("stack", ""))


def _failing_suite(evaluation: Evaluation, _of: str) -> SuiteService:
    """Break the source until the tests fail, then restore it."""
    suite: SuiteService = evaluation.fact("test_suite", "")
    suite.check_green()
    suite.check_waits()
    with suite.stack.edited(TESTED_MODULE, lambda text: text + FAULT):
        suite.check_reruns(TESTED_MODULE, green=False)
    return suite


@check(
    points=2,
    why="A container runs only as long as its first process, which must be the server.",
    hint="docker compose logs SERVICE shows what the service printed before it ended.",
)
def app_keeps_running(server: Server) -> None:
    """The app starts and keeps running."""
    if not server.stack.running(server.name):
        raise server.stack.ended(server.name, "a server that keeps running")


@check(
    points=2,
    why="HOST:CONTAINER forwards to a port of the container, and the server must listen on it.",
    hint="Use the port that the server prints when it starts (see its logs) as second number.",
)
def publishes_server_port(server: Server) -> None:
    """The published port is the one that the server listens on."""
    if server.ports[0] not in server.published:
        published, listening = (
            " and ".join(map(str, ports)) for ports in (server.published, server.ports)
        )
        actual = f"port {published} is published, but the server listens on {listening}"
        raise server.failed(actual, f"HOST:{server.ports[0]}")


@check(
    points=1,
    why="Inside a container, 127.0.0.1 is the container itself: nothing outside can connect to it.",
    hint="Make flask listen on all interfaces: --host 0.0.0.0",
)
def app_listens_on_all_interfaces(server: Server) -> None:
    """The server listens on 0.0.0.0."""
    if addresses := local_addresses(server.listens, server.ports[0]):
        actual = f"{server.name} listens only on {addresses}"
        raise server.failed(actual, "a server that listens on 0.0.0.0")


@check(
    points=1,
    why="A running server does not prove that its application works.",
    hint="Open the page, then run docker compose logs SERVICE. Check the target of each volume.",
)
def app_responds(server: Server) -> None:
    """The app returns its page."""
    answer = server.get_when_ready("/")
    if answer.status != OK:
        actual = f"{server.name}: {answer.error or f'status {answer.status}'}"
        raise server.failed(actual + server.stack.last_output(server.name), "status 200")


_SETTINGS = "the settings from .env in the app's environment"


def _env_file_by_text(source: Source) -> None:
    compose = stack_plan.read_valid(source, marker := secrets.token_hex(8))
    services = _started(compose)
    if not any(
        service.env_files or any(marker in value for value in service.environment.values())
        for service in services
    ):
        raise Failed("no service has an env_file", _SETTINGS, line=_first_line(services))


@check(
    points=2,
    text=_env_file_by_text,
    why="Settings differ between machines, so a container must get them when it starts.",
    hint=f"List {FOLDER}/.env under the app's env_file. A template does not contain your values.",
)
def app_reads_env_file(stack: Stack) -> None:
    """The app's settings come from an env file."""
    name = servers.find_service(stack)
    service = stack.plan.compose.services[name]
    key = stack.environment(name).get("SECRET_KEY", "")
    files = [file.path for file in service.env_files if not file.path.endswith(stack_plan.TEMPLATE)]
    own = files and key and "SECRET_KEY" not in service.environment
    if key != stack.plan.environment["SECRET_KEY"] and not own:
        actual = f"SECRET_KEY is {f'{key}, not the value from .env' if key else 'not set'}"
        raise Failed(f"in {name}, {actual}", _SETTINGS, line=service.line)


def _mount_by_text(source: Source) -> None:
    services = [service for service in _started(stack_plan.read_valid(source)) if service.ports]
    mounts = [mount for service in services for mount in service.mounts]
    if services and not any(mount.kind == "bind" for mount in mounts):
        actual = f"{services[0].name} has no bind mount"
        watch = (
            "The check runs docker compose up, which ignores develop: watch. Keep it if you like, "
            "and mount the folder too, under volumes."
        )
        hint = watch if services[0].develop_watch else ""
        raise Failed(actual, "todo_app mounted", line=services[0].line, hint=hint)


@check(
    points=3,
    text=_mount_by_text,
    why="If every edit needs a rebuild, development is slow.",
    hint=f"Under volumes: mount {FOLDER}/todo_app over the image's todo_app (see its Dockerfile).",
)
def reloads_after_edit(server: Server) -> None:
    """An edited file takes effect without a rebuild."""
    # An edit during the first test run could make that run fail.
    suite_runs.find_first(server.stack)
    # Each worker of a server loads a page on its first request: the first edit may show although
    # a second one does not.
    for _ in range(WORKERS):
        server.get("/")
    for _ in range(2):
        if not _shows(server, f"<!-- {secrets.token_hex(8)} -->"):
            actual = f"{SECONDS_TO_RELOAD:.0f} s after an edit of {PAGE}, the page is unchanged"
            raise server.failed(actual, "the edit on the page")


def _shows(server: Server, mark: str) -> bool:
    # Some servers watch only the program, and read the templates again after a restart.
    with (
        server.stack.edited(PAGE, lambda text: f"{text}\n{mark}\n"),
        server.stack.edited(PROGRAM, lambda text: f"{text}\n# {mark}\n"),
    ):
        return server.stack.until(lambda: mark in server.get("/").body, SECONDS_TO_RELOAD)


# ---- the tests


@check(
    points=2,
    why="Tests that start automatically are not forgotten.",
    hint="Add a second service, from the test target. Run docker compose logs SERVICE",
)
def tests_run_at_start(test_suite: SuiteService) -> None:
    """The tests run when the services start, and all of them pass."""
    test_suite.check_green()


@check(
    points=2,
    why="A runner that exits after one run misses every later change.",
    hint="Give the service a command that watches for changes: see run_tests.py.",
)
def test_runner_keeps_running(test_suite: SuiteService) -> None:
    """The test runner keeps running after its first run."""
    test_suite.check_waits()


@check(
    points=3,
    why="Without a mount, the runner tests the image's files instead of your edited ones.",
    hint="Mount todo_app (and tests) in this service too. Some mounts need polling: TEST_POLL.",
)
def tests_fail_on_fault(failing_suite: SuiteService) -> None:
    """The tests fail when the source is broken."""


@check(
    points=2,
    why="A runner that exits after a failure does not show whether your fix works.",
    hint="The watcher must keep running after a failed test: check its command.",
)
def tests_pass_after_fix(failing_suite: SuiteService) -> None:
    """After a fix, the tests pass again and the runner keeps running."""
    failing_suite.check_reruns(TESTED_MODULE, green=True)
    failing_suite.check_waits()


TASK = Task(
    "compose-todo",
    "start the to-do app and its tests with one command, and keep them running",
    "todo-app/compose",
    folder=".",
    only=(FOLDER,),
    answer=(FILE,),
    withheld=(f"{FOLDER}/README.md",),
    compose=FILE,
    recipes=(),
    facts={"server": _server, "test_suite": _test_suite, "failing_suite": _failing_suite},
    checks=(
        files_exist(FILE),
        valid_compose_file,
        no_forbidden_options,
        builds_target("development", "the app"),
        publishes_port,
        contains_no_secrets,
        services_start(),
        app_keeps_running,
        publishes_server_port,
        app_listens_on_all_interfaces,
        app_responds,
        app_reads_env_file,
        reloads_after_edit,
        builds_target("test", "the tests"),
        tests_run_at_start,
        test_runner_keeps_running,
        tests_fail_on_fault,
        tests_pass_after_fix,
    ),
)
