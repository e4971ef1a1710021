"""A running engine is used; the kit starts one only if it may."""

from __future__ import annotations

import json

import pytest
from fakes import INFO, MISSING, NO_ENGINE, Script, docker, machine, programs

from workshop.core.errors import UserError
from workshop.core.process import ProcessResult
from workshop.engine import KIT_LABEL, PROXY_LABEL
from workshop.machine import apt, daemon, engine_proxy

OURS = json.dumps({"ServerVersion": "26", "DockerRootDir": "/x", "Labels": [KIT_LABEL]})


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    """Provide fake programs, without dpkg, so that the test takes no lock of this machine."""
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", programs(folder, apt_get="", docker="", dockerd="", iptables=""))
    monkeypatch.setattr(daemon, "LOG", tmp_path / "log")
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return folder


def ready_error(engine, **facts) -> UserError:
    here, _ = machine(engine, **facts)
    with pytest.raises(UserError) as caught:
        daemon.ensure_engine(here)
    return caught.value


@pytest.mark.parametrize("facts", [{}, {"forbidden": True}, {"other_engine": "tcp://example:1"}])
def test_a_running_engine_is_used(facts):
    engine, script = docker()
    here, output = machine(engine, **facts)
    assert daemon.ensure_engine(here).version == "26.1.5"
    assert output.getvalue() == ""
    assert {argv[1] for argv in script.argvs} == {"info", "compose", "buildx"}


@pytest.mark.parametrize("answer", [NO_ENGINE, MISSING])
@pytest.mark.parametrize(
    ("facts", "why", "fix"),
    [
        (
            {"forbidden": True},
            "WORKSHOP_NO_INSTALL forbids installing one",
            "Install Docker (docs.docker.com/engine/install), start it, then run this again",
        ),
        (
            {"other_engine": "tcp://example:1"},
            "DOCKER_HOST points to tcp://example:1",
            "Start that engine, or unset DOCKER_HOST",
        ),
    ],
)
def test_an_obstacle_is_an_error_with_a_fix(answer, facts, why, fix):
    engine, _ = docker(info=answer)
    assert str(ready_error(engine, **facts)) == f"Docker engine: none answers, and {why}. {fix}"


DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///x.sock"
CONFIG = "WARNING: Error loading config file: open config.json: permission denied\n"


def test_missing_permission_for_the_engine_is_an_error():
    engine, _ = docker(info=ProcessResult(1, DENIED))
    error = ready_error(engine)
    assert "you may not use it" in error.found
    assert "usermod -aG docker" in error.fix


def test_an_unreadable_docker_config_is_not_blamed_on_the_engine():
    engine, _ = docker(info=ProcessResult(1, CONFIG + NO_ENGINE.output))
    assert "none answers" in ready_error(engine, forbidden=True).found


@pytest.mark.parametrize("plugin", ["compose", "buildx"])
def test_a_missing_plugin_is_an_error(plugin):
    engine, script = docker()
    script.answers[f"docker {plugin} version"] = ProcessResult(1, "docker: unknown command\n")
    error = ready_error(engine)
    assert error.thing == f"docker {plugin}"
    assert f"docker-{plugin}-plugin" in error.fix


def late(text: str, times: int):
    """No engine for a number of times, then this answer."""
    return [NO_ENGINE] * times + [text]


@pytest.fixture(autouse=True)
def service(tmp_path, monkeypatch):
    """Let systemd's settings of the engine be a file of the test."""
    file = tmp_path / "docker.service.d/proxy.conf"
    defaults = (file, tmp_path / "lib")
    monkeypatch.setattr(engine_proxy.configure_service, "__defaults__", defaults)
    return file


def test_systemd_reads_the_proxy_before_it_starts_the_engine(service, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    engine, _ = docker(info=late(INFO, 5))
    run = Script({"systemctl": ""})
    here, _ = machine(engine, run=run, systemd=True)
    daemon.ensure_engine(here)
    assert [argv[1] for argv in run.argvs] == ["daemon-reload", "start"]
    assert 'Environment="https_proxy=http://proxy:3128"' in service.read_text(encoding="utf-8")


def test_an_installed_engine_is_started():
    engine, _ = docker(info=late(INFO, 5))
    run = Script({"systemctl start docker": ""})
    here, output = machine(engine, run=run, systemd=True)
    assert daemon.ensure_engine(here).version == "26.1.5"
    assert run.argvs == [["systemctl", "start", "docker"]]
    assert output.getvalue().split()[:2] == ["Docker", "engine"]


@pytest.mark.parametrize("missing", ["dockerd", "docker", "iptables"])
def test_a_missing_engine_is_installed_with_a_message(missing, path, monkeypatch):
    (path / missing).unlink()
    # `install` reads the apt sources of this machine, which may not be a Debian.
    monkeypatch.setattr(apt, "mirror", lambda: "http://mirror.example/debian")
    engine, _ = docker(info=late(INFO, 4))
    run = Script({"dpkg": "", "apt-get": "", "systemctl": ""})
    here, output = machine(engine, run=run, release="debian bookworm")
    daemon.ensure_engine(here)
    (install,) = run.calls("apt-get install")
    assert install[-len(apt.ENGINE) :] == list(apt.ENGINE)
    assert [argv[0] for argv in run.argvs][-1] == "systemctl"
    assert "installing one" in output.getvalue()
    assert "WORKSHOP_NO_INSTALL=1 forbids it" in output.getvalue()


def test_an_engine_that_another_checkout_has_started_is_used():
    engine, _ = docker(info=late(INFO, 2))
    here, output = machine(engine)
    daemon.ensure_engine(here)
    assert output.getvalue() == ""


STARTED = '{ echo "$@"; pwd; } > "$0.part"; /bin/mv "$0.part" "$0.log"'
DNS = " ".join(daemon.DNS_OPTIONS)
SMALL = " --mtu 1400 --default-network-opt bridge=com.docker.network.driver.mtu=1400"


@pytest.mark.parametrize(("mtu", "options"), [(1500, ""), (1400, SMALL)])
# The engine outlives the kit, so no code waits for it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_systemd_the_kit_starts_dockerd(mtu, options, path):
    programs(path, dockerd=STARTED + "; exec /bin/sleep 1")
    log = path / "dockerd.log"
    engine, _ = docker(info=lambda: OURS if log.exists() else NO_ENGINE)
    here, _ = machine(engine, systemd=False, mtu=mtu)
    assert daemon.ensure_engine(here).ours
    assert log.read_text(encoding="utf-8").splitlines() == [
        f"--label {KIT_LABEL} {DNS}{options}",
        "/",
    ]


# The engine outlives the kit, so no code waits for it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_kit_gives_its_proxy_to_the_engine(path, tmp_path, monkeypatch):
    folder = tmp_path / "lib"
    monkeypatch.setattr(engine_proxy.prepare, "__defaults__", (folder,))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    programs(path, dockerd=STARTED.replace("pwd", "/usr/bin/env") + "; exec /bin/sleep 1")
    log = path / "dockerd.log"
    engine, _ = docker(info=lambda: OURS if log.exists() else NO_ENGINE)
    here, _ = machine(engine, systemd=False)
    daemon.ensure_engine(here)
    options, *variables = log.read_text(encoding="utf-8").splitlines()
    assert options.endswith(f" --label {PROXY_LABEL}")
    assert "http_proxy=http://proxy:3128" in variables
    assert f"DOCKER_BUILDKIT_RUNC_COMMAND={folder}/build-runtime" in variables


def test_an_engine_that_exits_is_an_error_with_its_last_log_line(path):
    programs(path, dockerd="echo first; echo 'failed to start daemon: no cgroups.' >&2; exit 1")
    engine, _ = docker(info=NO_ENGINE)
    error = ready_error(engine, systemd=False)
    assert error.found == "it did not start: failed to start daemon: no cgroups"
    assert str(daemon.LOG) in error.fix


def test_an_engine_that_never_answers_is_an_error(monkeypatch):
    monkeypatch.setattr(daemon, "SECONDS_TO_ANSWER", 0.2)
    engine, _ = docker(info=NO_ENGINE)
    run = Script({"systemctl": ProcessResult(1, "Job for docker.service failed")})
    assert ready_error(engine, run=run, systemd=True).found == "it did not start: it left no log"
