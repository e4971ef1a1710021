"""The doctor checks the proxy of the network, and who uses it."""

from __future__ import annotations

import json
import stat

import pytest
from fakes import INFO, docker, subject
from harness import free_ports

from workshop.core.errors import UserError
from workshop.engine import KIT_LABEL, PROXY_LABEL
from workshop.machine import engine_proxy
from workshop.machine.doctor import proxy
from workshop.machine.doctor.finding import State

from .web import occupied

PROXY = "http://ada:secret@192.0.2.1:3128"


def check(root, *, online=False, info=INFO, **environ):
    engine, _ = docker(info=info)
    environ = {"DOCKER_CONFIG": str(root), **environ}
    options = {"environ": environ, "service_settings": root / "no-such-file"}
    return list(proxy.check_proxy(subject(engine, root, online=online, **options)))


def test_a_network_without_a_proxy_is_ok(tmp_path):
    (found,) = check(tmp_path, online=True)
    assert found.state is State.OK


def test_a_proxy_that_answers_is_ok(tmp_path):
    with occupied() as port:
        found = check(tmp_path, online=True, HTTPS_PROXY=f"http://127.0.0.1:{port}")
    assert found[0].state is State.OK


def test_a_dead_proxy_is_a_problem(tmp_path):
    (port,) = free_ports(1)
    (found,) = check(tmp_path, online=True, HTTPS_PROXY=f"http://ada:secret@127.0.0.1:{port}")
    assert found.state is State.PROBLEM
    assert found.found == f"http://...@127.0.0.1:{port}: Connection refused"
    assert "unset it" in found.fix


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://proxy", "it has no host or no port"),
        ("http://proxy:0x10", "Port could not be cast to integer value as '0x10'"),
        ("socks5://proxy:1080", "its scheme is socks5, not http or https"),
    ],
)
def test_an_invalid_proxy_is_a_problem(url, fault, tmp_path):
    (found,) = check(tmp_path, HTTPS_PROXY=url)
    assert (found.state, found.found) == (State.PROBLEM, f"{url}: {fault}")


def test_a_proxy_on_the_loopback_interface_cannot_serve_builds(tmp_path):
    found = check(tmp_path, HTTPS_PROXY="http://localhost:3128")
    assert [finding.state for finding in found] == [State.OK, State.PROBLEM]
    assert "container itself" in found[1].found


def test_the_repair_adds_the_proxy_to_the_service_of_systemd(tmp_path, monkeypatch):
    """Until the engine is restarted, the finding stays, and says so."""
    monkeypatch.setattr(engine_proxy.configure_service, "__defaults__", (None, tmp_path / "lib"))
    (tmp_path / "engine-id").write_text("one\n", encoding="ascii")
    info = json.dumps({**json.loads(INFO), "DockerRootDir": str(tmp_path), "ID": "one"})
    engine, script = docker({"systemctl": ""}, info=info)
    file = tmp_path / "proxy.conf"
    options = {"environ": {"HTTPS_PROXY": PROXY}, "service_settings": file, "run": script}
    _, found = proxy.check_proxy(subject(engine, tmp_path, **options))
    assert str(file) in found.repair.action
    found.repair.run()
    assert "DOCKER_BUILDKIT_RUNC_COMMAND" in file.read_text(encoding="utf-8")
    assert script.calls("systemctl") == [["systemctl", "daemon-reload"]]
    _, found = proxy.check_proxy(subject(engine, tmp_path, **options))
    assert (found.state, found.repair) == (State.PROBLEM, None)
    assert found.fix == "Restart it: systemctl restart docker"
    restarted = json.dumps({**json.loads(info), "HttpsProxy": "http://xxxxx:xxxxx@192.0.2.1:3128"})
    engine, _ = docker(info=restarted)
    _, found = proxy.check_proxy(subject(engine, tmp_path, **options))
    assert found.state is State.OK


@pytest.mark.parametrize("labels", [[], [KIT_LABEL]])
def test_an_engine_that_was_started_without_the_proxy_is_a_problem(labels, tmp_path):
    info = json.dumps({**json.loads(INFO), "Labels": labels})
    _, found = check(tmp_path, info=info, HTTPS_PROXY=PROXY)
    assert found.state is State.PROBLEM
    assert ("make up" in found.fix) is bool(labels)


def test_an_engine_of_the_kit_that_shares_the_proxy_is_ok(tmp_path):
    info = json.dumps({**json.loads(INFO), "Labels": [KIT_LABEL, PROXY_LABEL]})
    _, found = check(tmp_path, info=info, HTTPS_PROXY=PROXY)
    assert found.state is State.OK


OTHER = json.dumps({**json.loads(INFO), "HttpsProxy": "http://xxxxx:xxxxx@192.0.2.1:3128"})


def test_builds_of_another_engine_get_the_proxy_from_the_docker_command(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"auths": {"localhost:5001": {}}}', encoding="utf-8")
    _, found = check(tmp_path, info=OTHER, HTTPS_PROXY=PROXY)
    assert found.state is State.PROBLEM
    assert "secret" not in found.found + found.fix + found.repair.action
    found.repair.run()
    _, found = check(tmp_path, info=OTHER, HTTPS_PROXY=PROXY)
    assert found.state is State.OK
    config = json.loads(file.read_text(encoding="utf-8"))
    assert config["auths"] == {"localhost:5001": {}}
    assert config["proxies"]["default"] == {
        "httpProxy": PROXY,
        "httpsProxy": PROXY,
        "noProxy": "localhost,127.0.0.1,::1",
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_broken_docker_configuration_stays_as_it_is(tmp_path):
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    _, found = check(tmp_path, info=OTHER, HTTPS_PROXY=PROXY)
    with pytest.raises(UserError, match=r"config\.json"):
        found.repair.run()
    assert (tmp_path / "config.json").read_text(encoding="utf-8") == "{"
