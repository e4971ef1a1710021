"""An engine that answers is used as it is; none is started where that is not the kit's to do."""

from __future__ import annotations

import json

import pytest
from fakes import INFO, MISSING, NO_ENGINE, Script, docker, machine, programs

from workshop.core.errors import UserError
from workshop.core.process import ProcessResult
from workshop.engine import KIT_LABEL
from workshop.machine import apt, daemon

OURS = json.dumps({"ServerVersion": "26", "DockerRootDir": "/x", "Labels": [KIT_LABEL]})


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    """Programs of the test's own, and no dpkg: so no lock of this machine is taken."""
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", programs(folder, apt_get="", docker="", dockerd="", iptables=""))
    monkeypatch.setattr(daemon, "LOG", tmp_path / "log")
    return folder


def refused(engine, **facts) -> UserError:
    here, _ = machine(engine, **facts)
    with pytest.raises(UserError) as caught:
        daemon.ready(here)
    return caught.value


@pytest.mark.parametrize("facts", [{}, {"forbidden": True}, {"other_engine": "tcp://example:1"}])
def test_an_engine_that_answers_is_used_as_it_is(facts):
    engine, script = docker()
    here, paper = machine(engine, **facts)
    assert daemon.ready(here).version == "26.1.5"
    assert paper.getvalue() == ""
    assert {argv[1] for argv in script.asked} == {"info", "compose", "buildx"}


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
            "DOCKER_HOST asks for tcp://example:1",
            "Start that engine, or unset DOCKER_HOST",
        ),
    ],
)
def test_where_none_may_be_installed_that_is_said_with_a_cure(answer, facts, why, fix):
    engine, _ = docker(info=answer)
    assert str(refused(engine, **facts)) == f"Docker engine: none answers, and {why}. {fix}"


DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///x.sock"
CONFIG = "WARNING: Error loading config file: open config.json: permission denied\n"


def test_an_engine_that_the_user_may_not_use_is_called_that():
    engine, _ = docker(info=ProcessResult(1, DENIED))
    error = refused(engine)
    assert "you may not use it" in error.found
    assert "usermod -aG docker" in error.fix


def test_a_settings_file_that_cannot_be_read_is_not_the_engine():
    engine, _ = docker(info=ProcessResult(1, CONFIG + NO_ENGINE.output))
    assert "none answers" in refused(engine, forbidden=True).found


@pytest.mark.parametrize("plugin", ["compose", "buildx"])
def test_a_plugin_that_is_missing_is_named(plugin):
    engine, script = docker()
    script.answers[f"docker {plugin} version"] = ProcessResult(1, "docker: unknown command\n")
    error = refused(engine)
    assert error.thing == f"docker {plugin}"
    assert f"docker-{plugin}-plugin" in error.fix


def late(text: str, times: int):
    """No engine so many times, then this answer."""
    return [NO_ENGINE] * times + [text]


def test_an_engine_that_is_installed_is_only_started():
    engine, _ = docker(info=late(INFO, 5))
    run = Script({"systemctl start docker": ""})
    here, paper = machine(engine, run=run, systemd=True)
    assert daemon.ready(here).version == "26.1.5"
    assert run.asked == [["systemctl", "start", "docker"]]
    assert paper.getvalue().split()[:2] == ["Docker", "engine"]


@pytest.mark.parametrize("gone", ["dockerd", "docker", "iptables"])
def test_an_engine_that_is_not_there_is_installed_and_that_is_said(gone, path, monkeypatch):
    (path / gone).unlink()
    # `install` asks the machine it runs on, which need not be a Debian.
    monkeypatch.setattr(apt, "mirror", lambda: "http://mirror.example/debian")
    engine, _ = docker(info=late(INFO, 4))
    run = Script({"dpkg": "", "apt-get": "", "systemctl": ""})
    here, paper = machine(engine, run=run, release="debian bookworm")
    daemon.ready(here)
    (install,) = run.calls("apt-get install")
    assert install[-len(apt.ENGINE) :] == list(apt.ENGINE)
    assert [argv[0] for argv in run.asked][-1] == "systemctl"
    assert "installing one" in paper.getvalue()
    assert "WORKSHOP_NO_INSTALL=1 forbids it" in paper.getvalue()


def test_an_engine_that_another_checkout_started_meanwhile_is_used():
    engine, _ = docker(info=late(INFO, 2))
    here, paper = machine(engine)
    daemon.ready(here)
    assert paper.getvalue() == ""


STARTED = '{ echo "$@"; pwd; } > "$0.part"; /bin/mv "$0.part" "$0.said"'
DNS = " ".join(daemon.DNS_OPTIONS)
SMALL = " --mtu 1400 --default-network-opt bridge=com.docker.network.driver.mtu=1400"


@pytest.mark.parametrize(("mtu", "words"), [(1500, ""), (1400, SMALL)])
# The engine outlives the kit: nothing waits for it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_systemd_the_kit_starts_an_engine_of_its_own(mtu, words, path):
    programs(path, dockerd=STARTED + "; exec /bin/sleep 1")
    said = path / "dockerd.said"
    engine, _ = docker(info=lambda: OURS if said.exists() else NO_ENGINE)
    here, _ = machine(engine, systemd=False, mtu=mtu)
    assert daemon.ready(here).ours
    assert said.read_text(encoding="utf-8").splitlines() == [
        f"--label {KIT_LABEL} {DNS}{words}",
        "/",
    ]


def test_an_engine_that_dies_is_trouble_with_its_last_words(path):
    programs(path, dockerd="echo first; echo 'failed to start daemon: no cgroups.' >&2; exit 1")
    engine, _ = docker(info=NO_ENGINE)
    error = refused(engine, systemd=False)
    assert error.found == "it did not start: failed to start daemon: no cgroups"
    assert str(daemon.LOG) in error.fix


def test_an_engine_that_never_answers_is_trouble(monkeypatch):
    monkeypatch.setattr(daemon, "SECONDS_TO_ANSWER", 0.2)
    engine, _ = docker(info=NO_ENGINE)
    run = Script({"systemctl": ProcessResult(1, "Job for docker.service failed")})
    assert refused(engine, run=run, systemd=True).found == "it did not start: it left no log"
