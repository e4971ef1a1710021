"""Services are built, started and listed, and removed after a failure."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack
from io import StringIO

import pytest
from fakes import NO_ENGINE, display, docker, programs
from harness import ROOT
from rich.console import Console

from workshop.core.errors import Interrupted, UserError
from workshop.core.process import ProcessResult
from workshop.stack import services
from workshop.stack.images import IMAGES, WEB

NOISE = 'time="2026-11-21" level=warning msg="The TEST_POLL variable is not set."\n'


@pytest.fixture
def ports() -> dict[str, int]:
    """A free port of this machine for each web service."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in WEB]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return {web.service: probe.getsockname()[1] for web, probe in zip(WEB, probes, strict=True)}


def config(ports: dict[str, int]) -> ProcessResult:
    published = {name: {"ports": [{"published": str(port)}]} for name, port in ports.items()}
    return noisy(json.dumps({"services": published}, indent=2))


def noisy(answer: str) -> ProcessResult:
    """An answer on standard output, and a warning on standard error."""
    return ProcessResult(0, NOISE + answer, answer)


def ps(ports: dict[str, int]) -> ProcessResult:
    rows = [
        {"Service": name, "Publishers": [{"PublishedPort": port}, {"PublishedPort": 0}]}
        for name, port in ports.items()
    ]
    rows.append({"Service": "todo-tests", "Publishers": None})
    return noisy("\n".join(map(json.dumps, rows)) + "\n")


def starter(answers: dict, root, ports):
    """Return a function that starts the services, and the script with these compose answers."""
    answers = {"ps": "", "config": config(ports), "up": "", "down": "", **answers}
    engine, script = docker({f"docker compose {key}": text for key, text in answers.items()})

    def start() -> dict[str, str]:
        return services.start(engine, root, display()[0])

    return start, script


def test_the_addresses_come_from_compose(tmp_path, ports):
    start, script = starter({"ps": [noisy(""), noisy(""), ps(ports)]}, tmp_path, ports)
    addresses = start()
    assert addresses == {w.service: f"http://localhost:{ports[w.service]}{w.page}" for w in WEB}
    (argv,) = script.calls("docker compose up --detach --wait --no-build")
    assert argv[-len(WEB) :] == [web.service for web in WEB]
    assert argv[argv.index("--project-directory") + 1] == str(tmp_path)
    assert script.calls("docker compose down") == []


@pytest.mark.parametrize("web", [WEB[0], WEB[-1]], ids=lambda web: web.service)
def test_a_port_that_another_program_uses_is_an_error(web, tmp_path, ports):
    start, script = starter({}, tmp_path, ports)
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[web.service]))
        other.listen()
        with pytest.raises(UserError) as caught:
            start()
    assert str(caught.value) == (
        f"port {ports[web.service]}, for {web.service}: another program uses it. "
        f"Stop that program, or set {web.variable} to a free port in .env"
    )
    assert script.calls("docker compose up") == []


def test_a_port_that_the_services_use_is_no_error(tmp_path, ports):
    start, script = starter({"ps": ps(ports)}, tmp_path, ports)
    with socket.socket() as own:
        own.bind(("127.0.0.1", ports["deathstar"]))
        own.listen()
        start()
    assert len(script.calls("docker compose up")) == 1


def test_an_invalid_compose_file_is_an_error_with_the_reason(tmp_path, ports):
    invalid = ProcessResult(15, "validating docker-compose.yml: services.x must be a mapping\n")
    start, _ = starter({"config": invalid}, tmp_path, ports)
    with pytest.raises(UserError, match=r"^docker-compose\.yml: .*x must be a mapping\. "):
        start()


UNHEALTHY = ProcessResult(
    1, " Container workshop-1-deathstar-1  Error\ncontainer workshop-1-deathstar-1 is unhealthy\n"
)


def test_an_unhealthy_service_is_removed_and_its_log_is_shown(tmp_path, ports):
    answers = {"up": UNHEALTHY, "logs": "Traceback\nKeyError: 'SECRET_KEY'\n"}
    start, script = starter(answers, tmp_path, ports)
    with pytest.raises(UserError) as caught:
        start()
    assert str(caught.value) == (
        "docker compose up: container workshop-1-deathstar-1 is unhealthy. "
        "Its last log line: KeyError: 'SECRET_KEY'"
    )
    commands = [next(a for a in argv if a in {"up", "logs", "down"}) for argv in script.argvs[3:6]]
    assert commands == ["up", "logs", "down"]
    assert script.calls("docker compose logs")[0][-1] == "deathstar"


def test_a_failure_without_a_service_has_its_reason(tmp_path, ports):
    failed = ProcessResult(1, "Error response from daemon: network not found\n")
    start, script = starter({"up": failed}, tmp_path, ports)
    with pytest.raises(UserError, match=r"^docker compose up: network not found\. Run the command"):
        start()
    assert len(script.calls("docker compose down")) == 1


def test_services_that_ran_before_are_not_removed(tmp_path, ports):
    answers = {"ps": ps(ports), "up": UNHEALTHY, "logs": ""}
    start, script = starter(answers, tmp_path, ports)
    with pytest.raises(UserError, match="is unhealthy"):
        start()
    assert script.calls("docker compose down") == []


def test_a_failure_of_down_does_not_hide_the_failure_of_up(tmp_path, ports):
    answers = {"up": UNHEALTHY, "logs": "", "down": ProcessResult(1, "network is in use\n")}
    start, _ = starter(answers, tmp_path, ports)
    with pytest.raises(UserError, match="is unhealthy"):
        start()


def test_an_interrupted_start_is_removed_by_a_new_engine(tmp_path, ports, monkeypatch):
    def interrupt() -> str:
        raise Interrupted

    path = programs(tmp_path / "bin", docker=f'echo "$@" >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", path)
    start, script = starter({"up": interrupt}, tmp_path, ports)
    with pytest.raises(Interrupted):
        start()
    assert script.calls("docker compose down") == []
    assert " down --remove-orphans" in (tmp_path / "calls").read_text(encoding="utf-8")


@pytest.mark.parametrize("everything", [False, True])
def test_only_everything_removes_the_data(everything, tmp_path):
    engine, script = docker({"docker compose down": ""})
    services.down(engine, tmp_path, everything=everything)
    (argv,) = script.argvs
    assert ("--volumes" in argv) is everything


def test_a_failure_of_down_is_an_error(tmp_path):
    engine, _ = docker({"docker compose down": NO_ENGINE})
    with pytest.raises(UserError, match=r"^docker compose down: the Docker engine stopped"):
        services.down(engine, tmp_path)


# -------------------------------------------------------------------- building


def test_images_are_built_longest_first_and_returned_in_order(monkeypatch):
    monkeypatch.setattr(services, "BUILDS_AT_A_TIME", 1)
    engine, script = docker({"docker build": "", "docker image inspect": "123\n"})
    built = services.build(engine, ROOT, IMAGES, display()[0])
    assert [b.image for b in built] == list(IMAGES)
    assert {b.size for b in built} == {123}
    assert all(b.seconds >= 0 for b in built)
    longest = max(IMAGES, key=lambda image: image.cold_seconds)
    first, *others = script.calls("docker build")
    assert longest.name in first
    assert len(others) == len(IMAGES) - 1


def test_a_failed_build_stops_the_others_and_names_the_image():
    def later() -> str:
        time.sleep(0.1)
        return ""

    failed = ProcessResult(1, "ERROR: failed to solve: no\n")
    engine, script = docker({"docker build": [failed, later]})
    with pytest.raises(UserError, match=rf"^image {IMAGES[0].name}: failed to solve: no\. "):
        services.build(engine, ROOT, [IMAGES[0]] * 50, display()[0])
    assert len(script.calls("docker build")) < 25


# ------------------------------------------------------------------- the table

BUILT = [services.Built(image, 1_234_500_000, 123.456) for image in IMAGES]
ADDRESSES = {web.service: f"http://localhost:65535{web.page}" for web in WEB}


def printed(built=BUILT, width: int = 80) -> list[str]:
    output = StringIO()
    Console(file=output, width=width, no_color=True).print(services.make_table(built, ADDRESSES))
    return output.getvalue().splitlines()


def test_the_table_fits_in_80_columns():
    head, *rows = printed()
    assert head.split() == ["service", "URL", "MB", "build", "s"]
    assert len(rows) == len(IMAGES)
    for row, image in zip(rows, IMAGES, strict=True):
        assert row.startswith(f"{image.service} {image.target}".strip() + " ")
        assert row.split()[-2:] == ["1234", "123.5"]
        if image.web:
            assert f" {ADDRESSES[image.web.service]} " in row
        else:
            assert "http" not in row


def test_a_service_that_is_not_running_has_no_address():
    table = services.make_table([BUILT[3]], {})
    assert list(table.columns[1].cells) == [""]
