"""The to-do app's compose file: the app as one develops it, and its tests beside it."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, NamedTuple

from workshop.checks import writes
from workshop.compose_checks import asks_for_nothing_refused, can_be_read, comes_up
from workshop.facts import stack as stacks
from workshop.model import Check, Failed, Task, check

if TYPE_CHECKING:
    from workshop.facts.compose import Compose, Service
    from workshop.facts.source import Source
    from workshop.facts.stack import Stack

LESSON = "todo-app/compose"
FILE = "docker-compose.yml"
FOLDER = "services/todo-app"
PAGE = f"{FOLDER}/todo_app/templates/base.html"
PROGRAM = f"{FOLDER}/todo_app/app.py"
TESTED = f"{FOLDER}/todo_app/items.py"
BREAK = "\nclean_title = str.swapcase\n"

SECONDS_TO_LISTEN = 30.0
SECONDS_TO_SHOW = 20.0
SECONDS_TO_TEST = 120.0
SECONDS_TO_SEE = 20.0
SECONDS_TO_CLOSE = 1.0
OK = 200

# pytest's last line, with its rule or (quiet) without.
_COUNT = r"\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun)"
_SUMMARY = re.compile(rf"^=*\s*(?:{_COUNT}(?:, {_COUNT})*) in (?P<seconds>\d[\d.]*)s\b")
_BROKEN = re.compile(r"^(?:ImportError while loading conftest|ERROR: .*not found|INTERNALERROR)")
_RED = re.compile(r"failed|error|no tests", re.IGNORECASE)
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
        services = _started(stacks.sound(source))
        wanted = f"a service with context: {FOLDER} and target: {target}"
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
        raise Failed("; ".join(found) or "no service", wanted, line=_line(services))

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
    services = _started(stacks.sound(source))
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
    found = stacks.read(source, outside)
    stacks.check_sound(found)
    for service in found.services.values():
        spec = service.build
        for name, value in [*service.environment.items(), *(spec.args.items() if spec else ())]:
            if stacks.SECRET.search(name) and value and outside not in value:
                seen = f"{service.name} is given {name}={value}"
                raise Failed(seen, f"{name} kept in .env", line=service.line)


# ---- what runs


def _web(stack: Stack) -> str:
    """The service whose port is published: the one that listens there, if several are."""
    named = [name for name in stack.services if any(_tcp(stack.plan.compose.services[name]))]
    if not named:
        line = stack.line(stack.services[0])
        raise Failed("no service has ports", "the app's port, published", line=line)
    return next((name for name in named if _leads(stack, name)), named[0])


def _tcp(service: Service) -> list[int]:
    return [port.target for port in service.ports if port.protocol == "tcp"]


def _leads(stack: Stack, name: str) -> bool:
    found = {port for _, port in _listening(stack, name)}
    return bool(found & set(_tcp(stack.plan.compose.services[name])))


def _listening(stack: Stack, name: str) -> list[tuple[str, int]]:
    """Where a service's server listens, as soon as it does; nothing where it has ended."""
    if not stack.running(name):
        return []
    prober = stack.prober(name)
    stack.until(lambda: prober.listening() or not stack.running(name), SECONDS_TO_LISTEN)
    return prober.listening() if stack.running(name) else []


@check(
    points=2,
    lesson=LESSON,
    why="A container lives as long as its first process: for an app, that is its server.",
    hint="docker compose logs SERVICE shows what it said before it ended.",
)
def app_keeps_running(stack: Stack) -> None:
    """The app comes up, and keeps running."""
    _server(stack)


def _server(stack: Stack) -> tuple[str, list[tuple[str, int]]]:
    """The app's service, and where it listens."""
    name = _web(stack)
    found = _listening(stack, name)
    wanted = f"{name} with a server that keeps running"
    if not stack.running(name):
        raise stack.ended(name, wanted)
    if not found:
        seen = f"{name} runs, and listens nowhere after {SECONDS_TO_LISTEN:.0f} s"
        raise Failed(seen + stack.last_words(name), wanted, line=stack.line(name))
    return name, found


@check(
    points=2,
    lesson=LESSON,
    why="HOST:CONTAINER leads to a port inside, and somebody has to listen at that one.",
    hint="The second number is the one that the server names when it starts (see its logs).",
)
def port_leads_to_the_server(stack: Stack) -> None:
    """The published port leads to the port on which the server listens."""
    name, found = _server(stack)
    published = _tcp(stack.plan.compose.services[name])
    ports = sorted({port for _, port in found})
    if not set(ports) & set(published):
        seen = f"it leads to port {_listed(published)}, and the server listens on {_listed(ports)}"
        raise Failed(seen, f"HOST:{ports[0]}", line=stack.line(name))


@check(
    points=1,
    lesson=LESSON,
    why="Inside a container, 127.0.0.1 is the container itself: nobody else gets there.",
    hint="Let flask listen on all addresses: --host 0.0.0.0.",
)
def app_is_reachable(stack: Stack) -> None:
    """The server can be reached from outside its container."""
    name, found = _server(stack)
    # The other end of a published port is what matters, where there is one.
    ends = set(_tcp(stack.plan.compose.services[name])) & {port for _, port in found}
    addresses = [address for address, port in found if port in ends or not ends]
    if not set(addresses) & set(_EVERYWHERE):
        seen = f"{name} listens on {' and '.join(addresses)} only"
        raise Failed(seen, "a server that listens on 0.0.0.0", line=stack.line(name))


@check(
    points=1,
    lesson=LESSON,
    why="That a server runs does not mean that its application works.",
    hint="Open the page, then read: docker compose logs SERVICE. Look where each volume goes.",
)
def app_answers(stack: Stack) -> None:
    """The app answers with its page."""
    name, found = _server(stack)
    answer = stack.prober(name).request(_port(stack, name, found), "/")
    if answer.status != OK:
        seen = answer.error or f"status {answer.status}"
        last = stack.last_words(name)
        raise Failed(f"{name}: {seen}{last}", "status 200", line=stack.line(name))


def _port(stack: Stack, name: str, found: list[tuple[str, int]]) -> int:
    """The port to ask: one that is published, or any other."""
    ports = [port for _, port in found]
    published = _tcp(stack.plan.compose.services[name])
    return next((port for port in ports if port in published), ports[0])


def _listed(ports: list[int]) -> str:
    return " and ".join(map(str, ports))


def _names_settings(source: Source) -> None:
    found = stacks.read(source, outside := secrets.token_hex(8))
    stacks.check_sound(found)
    if not any(
        service.env_files or any(outside in value for value in service.environment.values())
        for service in _started(found)
    ):
        seen = "no service has an env_file"
        raise Failed(seen, _SETTINGS, line=_line(_started(found)))


_SETTINGS = "what stands in .env, in the app's environment"


@check(
    points=2,
    lesson=LESSON,
    text=_names_settings,
    why="Settings differ from machine to machine: they come from outside, when a container starts.",
    hint=f"Name {FOLDER}/.env under the app's env_file. A template alone holds no values of yours.",
)
def app_gets_its_settings(stack: Stack) -> None:
    """The app's settings come from an env file."""
    name = _web(stack)
    service = stack.plan.compose.services[name]
    key = stack.environment(name).get("SECRET_KEY", "")
    files = [file.path for file in service.env_files if not file.path.endswith(stacks.TEMPLATE)]
    own = files and key and "SECRET_KEY" not in service.environment
    if key != stack.plan.environment["SECRET_KEY"] and not own:
        seen = f"SECRET_KEY is {f'not what .env says, but {key}' if key else 'not set'}"
        raise Failed(f"in {name}, {seen}", _SETTINGS, line=service.line)


def _mounts_source(source: Source) -> None:
    services = [service for service in _started(stacks.sound(source)) if service.ports]
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
def edit_shows(stack: Stack) -> None:
    """An edited file shows without a rebuild."""
    name, found = _server(stack)
    mark = f"<!-- {secrets.token_hex(8)} -->"
    prober, port = stack.prober(name), _port(stack, name, found)

    def shows() -> bool:
        return mark in prober.request(port, "/").body

    # A server may look at its program alone, and read templates anew when it starts again.
    with (
        stack.edited(PAGE, lambda text: f"{text}\n{mark}\n"),
        stack.edited(PROGRAM, lambda text: f"{text}\n# {mark}\n"),
    ):
        if not stack.until(shows, SECONDS_TO_SHOW):
            seen = f"{PAGE} was changed, and the page is the same {SECONDS_TO_SHOW:.0f} s later"
            raise Failed(seen, "the change on the page", line=stack.line(name))


# ---- the tests


class Tested(NamedTuple):
    """One run of pytest that came to its end: its last line, and how long it took."""

    line: str
    green: bool
    seconds: float


def _runs(stack: Stack, name: str) -> list[Tested]:
    """Every run of pytest so far, as a service's own output tells them."""
    return [
        Tested(line.strip("= "), not _RED.search(line), _seconds(line))
        for line in stack.logs(name)
        if _SUMMARY.match(line) or _BROKEN.match(line)
    ]


def _seconds(line: str) -> float:
    summary = _SUMMARY.match(line)
    return float(summary["seconds"]) if summary else 0.0


def _tester(stack: Stack) -> str:
    """The service that runs pytest, once its first run is over."""
    others = [name for name in stack.services if not stack.plan.compose.services[name].ports]
    names = [*others, *(name for name in stack.services if name not in others)]

    def found() -> str:
        return next((name for name in names if _runs(stack, name)), "")

    stack.until(lambda: found() or not any(map(stack.running, others)), SECONDS_TO_TEST)
    if not found():
        seen = f"no summary of pytest in what {' and '.join(names)} printed"
        last = stack.last_words(others[0]) if others else ""
        raise Failed(seen + last, "a service that runs the tests", line=stack.line(names[0]))
    return found()


def _green_tester(stack: Stack) -> str:
    name = _tester(stack)
    first = _runs(stack, name)[0]
    if not first.green:
        seen = f"{name}: {first.line}{stack.last_words(name)}"
        raise Failed(seen, "every test passed", line=stack.line(name))
    return name


@check(
    points=2,
    lesson=LESSON,
    why="Tests that start by themselves are tests that are run.",
    hint="A second service, from the test target. Try: docker compose logs SERVICE",
)
def tests_run_at_start(stack: Stack) -> None:
    """The tests run as soon as everything starts, and all pass."""
    _green_tester(stack)


@check(
    points=2,
    lesson=LESSON,
    why="A runner that ends after one run sees no change, and you would start it again each time.",
    hint="Give the service a command that watches: run_tests.py says which one it knows.",
)
def test_runner_keeps_running(stack: Stack) -> None:
    """The test runner keeps running after its first run."""
    _check_waits(stack, _tester(stack))


def _check_waits(stack: Stack, name: str) -> None:
    # What ends after its run does so soon after its last line.
    if stack.until(lambda: not stack.running(name), SECONDS_TO_CLOSE):
        raise stack.ended(name, f"{name} to wait for the next change")


@check(
    points=3,
    lesson=LESSON,
    why="The runner tests the files that it sees: its image's, or yours where they are mounted.",
    hint="Mount todo_app (and tests) into this service too. Some mounts need polling: TEST_POLL.",
)
def tests_turn_red(stack: Stack) -> None:
    """The tests turn red when the source breaks."""
    name = _green_tester(stack)
    _check_waits(stack, name)
    with stack.edited(TESTED, lambda text: text + BREAK):
        _check_turns(stack, name, green=False)


@check(
    points=2,
    lesson=LESSON,
    why="A runner is for the whole day: red, green and red again.",
    hint="The watcher itself has to go on after a failure: look at what its command does then.",
)
def tests_turn_green_again(stack: Stack) -> None:
    """Once the source is mended the tests turn green again, and the runner still runs."""
    name = _green_tester(stack)
    if not any(not run.green for run in _runs(stack, name)):
        # The check before this one has broken the source, and mended it.
        _check_waits(stack, name)
        raise _unmoved(stack, name, green=False)
    _check_turns(stack, name, green=True)
    _check_waits(stack, name)


def _check_turns(stack: Stack, name: str, *, green: bool) -> None:
    """`Failed` where the last run does not come to be green, or red."""

    def turned() -> bool:
        return _runs(stack, name)[-1].green == green

    stack.until(lambda: turned() or not stack.running(name), _patience(stack, name))
    if not turned():
        _check_waits(stack, name)
        raise _unmoved(stack, name, green=green)


def _patience(stack: Stack, name: str) -> float:
    """Seconds to wait for a run: more of them where the first one was slow."""
    return SECONDS_TO_SEE + 5 * _runs(stack, name)[0].seconds


def _unmoved(stack: Stack, name: str, *, green: bool) -> Failed:
    done, wanted = ("mended", "every test passed") if green else ("broken", "failures")
    seconds = _patience(stack, name)
    said = _runs(stack, name)[-1].line
    seen = f"{TESTED} was {done}, and {seconds:.0f} s later {name} still says: {said}"
    return Failed(seen, f"a new run, with {wanted}", line=stack.line(name))


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
