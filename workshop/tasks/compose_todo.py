"""The to-do app's compose file: the app as one develops it, and its tests beside it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from workshop.analysis.container import server as servers
from workshop.analysis.container import stack_plan, suite_runs
from workshop.checks import writes
from workshop.checks.compose import asks_for_nothing_refused, can_be_read, comes_up
from workshop.model import Check, Failed, Task, check

if TYPE_CHECKING:
    from workshop.analysis.compose import Compose, Service
    from workshop.analysis.container.server import Server
    from workshop.analysis.container.stack import Stack
    from workshop.analysis.container.suite_runs import SuiteService
    from workshop.analysis.source import Source
    from workshop.grading.evaluation import Evaluation

LESSON = "todo-app/compose"
FILE = "docker-compose.yml"
FOLDER = "services/todo-app"
PAGE = f"{FOLDER}/todo_app/templates/base.html"
PROGRAM = f"{FOLDER}/todo_app/app.py"
TESTED = f"{FOLDER}/todo_app/items.py"
BREAK = "\nclean_title = str.swapcase\n"

SECONDS_TO_SHOW = 20.0
WORKERS = 10
OK = 200

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what a container's server has to listen on


# ---- what the text says


def _started(found: Compose) -> list[Service]:
    """The services that `docker compose up` starts."""
    return [service for service in found.services.values() if not service.profiles]


def from_target(target: str, what: str) -> Check:
    """A service is built from a target of the app's Dockerfile."""

    @check(
        points=1,
        lesson=LESSON,
        name=f"builds-{target}",
        title=f"A service for {what} is built from the Dockerfile's {target} target",
        why="One Dockerfile holds several images, and without a target its last one is built.",
        hint=f"Under build: give context: {FOLDER} and target: {target}.",
    )
    def builds(source: Source) -> None:
        services = _started(stack_plan.read_valid(source))
        expected = f"a service with context: {FOLDER} and target: {target}"
        for service in services:
            spec = service.build
            if spec and spec.context == FOLDER and spec.target.lower() == target:
                return
        found = [
            f"{service.name}: {service.build.context} {service.build.target}".rstrip()
            if service.build
            else f"{service.name}: no build"
            for service in services
        ]
        raise Failed("; ".join(found) or "no service", expected, line=_line(services))

    return builds


def _line(services: list[Service]) -> int:
    return services[0].line if services else 1


@check(
    points=1,
    lesson=LESSON,
    why="A container's ports can be reached from your browser only where they are published.",
    hint="ports: with HOST:CONTAINER, such as 127.0.0.1:5100:PORT (5000 is taken on every Mac).",
)
def publishes_a_port(source: Source) -> None:
    """A port of the app is published."""
    services = _started(stack_plan.read_valid(source))
    if not any(port.protocol == "tcp" for service in services for port in service.ports):
        raise Failed("no service has ports", "the app's port, published", line=_line(services))


@check(
    points=2,
    lesson=LESSON,
    why="The compose file is committed and shared: what stands in it is no secret any more.",
    hint="Keep the value in .env, which is not committed, and name that file under env_file.",
)
def keeps_secrets_out(source: Source) -> None:
    """No secret is written into the compose file."""
    # What comes from the settings has this value; what stands in the file has its own.
    outside = secrets.token_hex(8)
    found = stack_plan.read_valid(source, outside)
    for service in found.services.values():
        spec = service.build
        for name, value in [*service.environment.items(), *(spec.args.items() if spec else ())]:
            if stack_plan.SECRET.search(name) and value and outside not in value:
                actual = f"{service.name} is given {name}={value}"
                raise Failed(actual, f"{name} kept in .env", line=service.line)


# ---- what runs: each fact is made once


def _server(evaluation: Evaluation, _of: str) -> Server:
    return servers.find(evaluation.fact("stack", ""))


def _tests(evaluation: Evaluation, _of: str) -> SuiteService:
    return suite_runs.find(evaluation.fact("stack", ""))


def _red(evaluation: Evaluation, _of: str) -> SuiteService:
    """The tests, once they have turned red because the source was broken, which is mended now."""
    tests: SuiteService = evaluation.fact("tests", "")
    tests.check_green()
    tests.check_waits()
    with tests.stack.edited(TESTED, lambda text: text + BREAK):
        tests.check_reruns(TESTED, green=False)
    return tests


@check(
    points=2,
    lesson=LESSON,
    why="A container lives as long as its first process: for an app, that is its server.",
    hint="docker compose logs SERVICE shows what it said before it ended.",
)
def app_keeps_running(server: Server) -> None:
    """The app comes up, and keeps running."""
    if not server.stack.running(server.name):
        raise server.stack.ended(server.name, "a server that keeps running")


@check(
    points=2,
    lesson=LESSON,
    why="HOST:CONTAINER leads to a port inside, and somebody has to listen at that one.",
    hint="The second number is the one that the server names when it starts (see its logs).",
)
def port_leads_to_the_server(server: Server) -> None:
    """The published port leads to the port on which the server listens."""
    if server.ports[0] not in server.published:
        leads, listens = (
            " and ".join(map(str, ports)) for ports in (server.published, server.ports)
        )
        actual = f"it leads to port {leads}, and the server listens on {listens}"
        raise server.failed(actual, f"HOST:{server.ports[0]}")


@check(
    points=1,
    lesson=LESSON,
    why="Inside a container, 127.0.0.1 is the container itself: nobody else gets there.",
    hint="Let flask listen on all addresses: --host 0.0.0.0.",
)
def app_is_reachable(server: Server) -> None:
    """The server can be reached from outside its container."""
    addresses = [address for address, port in server.listens if port == server.ports[0]]
    if not set(addresses) & set(_EVERYWHERE):
        actual = f"{server.name} listens on {' and '.join(addresses)} only"
        raise server.failed(actual, "a server that listens on 0.0.0.0")


@check(
    points=1,
    lesson=LESSON,
    why="That a server runs does not mean that its application works.",
    hint="Open the page, then read: docker compose logs SERVICE. Look where each volume goes.",
)
def app_answers(server: Server) -> None:
    """The app answers with its page."""
    answer = server.get_when_ready("/")
    if answer.status != OK:
        actual = f"{server.name}: {answer.error or f'status {answer.status}'}"
        raise server.failed(actual + server.stack.last_output(server.name), "status 200")


_SETTINGS = "what stands in .env, in the app's environment"


def _names_settings(source: Source) -> None:
    found = stack_plan.read_valid(source, outside := secrets.token_hex(8))
    if not any(
        service.env_files or any(outside in value for value in service.environment.values())
        for service in _started(found)
    ):
        actual = "no service has an env_file"
        raise Failed(actual, _SETTINGS, line=_line(_started(found)))


@check(
    points=2,
    lesson=LESSON,
    text=_names_settings,
    why="Settings differ from machine to machine: they come from outside, when a container starts.",
    hint=f"Name {FOLDER}/.env under the app's env_file. A template alone holds no values of yours.",
)
def app_gets_its_settings(stack: Stack) -> None:
    """The app's settings come from an env file."""
    name = servers.find_service(stack)
    service = stack.plan.compose.services[name]
    key = stack.environment(name).get("SECRET_KEY", "")
    files = [file.path for file in service.env_files if not file.path.endswith(stack_plan.TEMPLATE)]
    own = files and key and "SECRET_KEY" not in service.environment
    if key != stack.plan.environment["SECRET_KEY"] and not own:
        actual = f"SECRET_KEY is {f'not what .env says, but {key}' if key else 'not set'}"
        raise Failed(f"in {name}, {actual}", _SETTINGS, line=service.line)


def _mounts_source(source: Source) -> None:
    services = [service for service in _started(stack_plan.read_valid(source)) if service.ports]
    if services and not any(mount.kind == "bind" for each in services for mount in each.mounts):
        raise Failed(
            f"{services[0].name} has no bind mount", "todo_app mounted", line=services[0].line
        )


@check(
    points=3,
    lesson=LESSON,
    text=_mounts_source,
    why="Whoever has to rebuild after each line soon stops trying things out.",
    hint=f"Under volumes: mount {FOLDER}/todo_app where the image has it: look at its Dockerfile.",
)
def edit_shows(server: Server) -> None:
    """An edited file shows without a rebuild."""
    # An edit in the middle of the tests' first run could spoil it.
    suite_runs.find_first(server.stack)
    # Each worker of a server reads a page once, when it is first asked: the first change may
    # show where the second does not.
    for _ in range(WORKERS):
        server.get("/")
    for _ in range(2):
        if not _shows(server, f"<!-- {secrets.token_hex(8)} -->"):
            actual = f"{PAGE} was changed, and the page is the same {SECONDS_TO_SHOW:.0f} s later"
            raise server.failed(actual, "the change on the page")


def _shows(server: Server, mark: str) -> bool:
    # A server may look at its program alone, and read templates anew when it starts again.
    with (
        server.stack.edited(PAGE, lambda text: f"{text}\n{mark}\n"),
        server.stack.edited(PROGRAM, lambda text: f"{text}\n# {mark}\n"),
    ):
        return server.stack.until(lambda: mark in server.get("/").body, SECONDS_TO_SHOW)


# ---- the tests


@check(
    points=2,
    lesson=LESSON,
    why="Tests that start by themselves are tests that are run.",
    hint="A second service, from the test target. Try: docker compose logs SERVICE",
)
def tests_run_at_start(tests: SuiteService) -> None:
    """The tests run as soon as everything starts, and all pass."""
    tests.check_green()


@check(
    points=2,
    lesson=LESSON,
    why="A runner that ends after one run sees no change, and you would start it again each time.",
    hint="Give the service a command that watches: run_tests.py says which one it knows.",
)
def test_runner_keeps_running(tests: SuiteService) -> None:
    """The test runner keeps running after its first run."""
    tests.check_waits()


@check(
    points=3,
    lesson=LESSON,
    why="The runner tests the files that it sees: its image's, or yours where they are mounted.",
    hint="Mount todo_app (and tests) into this service too. Some mounts need polling: TEST_POLL.",
)
def tests_turn_red(red: SuiteService) -> None:
    """The tests turn red when the source breaks."""


@check(
    points=2,
    lesson=LESSON,
    why="A runner is for the whole day: red, green and red again.",
    hint="The watcher itself has to go on after a failure: look at what its command does then.",
)
def tests_turn_green_again(red: SuiteService) -> None:
    """Once the source is mended the tests turn green again, and the runner still runs."""
    red.check_reruns(TESTED, green=True)
    red.check_waits()


TASK = Task(
    "compose-todo",
    "start the to-do app and its tests with one command, and keep them running",
    LESSON,
    folder=".",
    only=(FOLDER,),
    answer=(FILE,),
    withheld=(f"{FOLDER}/README.md",),
    compose=FILE,
    recipes=(),
    facts={"server": _server, "tests": _tests, "red": _red},
    checks=(
        writes(FILE, lesson=LESSON),
        can_be_read(LESSON),
        asks_for_nothing_refused(LESSON),
        from_target("development", "the app"),
        publishes_a_port,
        keeps_secrets_out,
        comes_up(LESSON),
        app_keeps_running,
        port_leads_to_the_server,
        app_is_reachable,
        app_answers,
        app_gets_its_settings,
        edit_shows,
        from_target("test", "the tests"),
        tests_run_at_start,
        test_runner_keeps_running,
        tests_turn_red,
        tests_turn_green_again,
    ),
)
