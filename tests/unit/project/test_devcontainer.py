"""The dev container forwards every port of the kit, and has the engine that the kit installs."""

from __future__ import annotations

import json
import re
import shlex
from argparse import ArgumentParser

from harness import ROOT, run

from workshop.cli import COMMANDS
from workshop.engine import KIT_LABEL
from workshop.machine import apt, daemon
from workshop.stack.images import WEB

FOLDER = ROOT / ".devcontainer"


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


CONFIGURATION = json.loads(re.sub(r"^\s*//.*$", "", read("devcontainer.json"), flags=re.MULTILINE))
FEATURE = json.loads(read("engine/devcontainer-feature.json"))


def default_port(command: str) -> int:
    parser = ArgumentParser()
    COMMANDS[command].add_options(parser)
    return parser.get_default("port")


def test_every_port_of_the_kit_is_forwarded_with_a_label():
    ports = {web.port for web in WEB} | {default_port("serve"), default_port("learn")}
    assert set(CONFIGURATION["forwardPorts"]) == ports
    labels = {int(port): row["label"] for port, row in CONFIGURATION["portsAttributes"].items()}
    assert set(labels) == ports
    assert labels[default_port("learn")] == "workshop learn"


def test_every_feature_is_a_folder_of_the_kit_with_a_version():
    assert FEATURE["id"] == "engine"
    assert re.fullmatch(r"\d+\.\d+\.\d+", FEATURE["version"])
    assert list(CONFIGURATION["features"]) == [f"./{FEATURE['id']}"]


def test_the_services_are_up_when_the_editor_opens_and_after_each_start():
    for hook in ("updateContentCommand", "postStartCommand"):
        assert CONFIGURATION[hook] == "wait-for-engine && make up"


def test_the_engine_is_the_one_that_the_kit_installs():
    install = read("engine/install.sh").replace("\\\n", " ")
    (line,) = re.findall(r"apt-get install (.*)", install)
    packages = [word for word in shlex.split(line) if not word.startswith("-")]
    assert set(packages) | set(apt.BOOTSTRAP) == set(apt.ENGINE)
    assert "mmdebstrap" in read("Dockerfile")


def test_the_engine_is_started_like_the_one_of_the_kit():
    start = read("engine/start-engine").replace("\\\n", " ")
    (line,) = re.findall(r"setsid (dockerd .*?) *> ", start)
    assert shlex.split(line) == ["dockerd", "--label", KIT_LABEL, *daemon.DNS_OPTIONS]
    assert str(daemon.LOG) in start
    assert FEATURE["entrypoint"] == "/usr/local/bin/start-engine"


def test_the_scripts_are_valid_and_may_be_run():
    for name in ("install.sh", "mmdebstrap", "start-engine", "wait-for-engine"):
        script = FOLDER / "engine" / name
        run("sh", "-n", str(script))
        assert script.stat().st_mode & 0o111


def test_the_user_of_the_editor_is_the_one_of_the_image():
    assert re.findall(r"useradd .* (\w+) ", read("Dockerfile")) == [CONFIGURATION["remoteUser"]]
