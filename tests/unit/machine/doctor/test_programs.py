"""The doctor compares each program with the lowest version that a lesson needs."""

from __future__ import annotations

import json
import re

import pytest
from fakes import INFO, MISSING, NO_ENGINE, docker, programs, subject
from harness import ROOT

from workshop.core.process import ProcessResult
from workshop.engine import KIT_LABEL
from workshop.machine import daemon
from workshop.machine.doctor import programs as checks
from workshop.machine.doctor.finding import State
from workshop.stack import versions

PINS = versions.read(ROOT / "versions.toml")
LESSONS = ROOT / "docs/lessons"


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", programs(folder, docker="", apt_get=""))
    return folder


def engine_finding(root, info, **facts):
    engine, _ = docker(info=info)
    (found,) = checks.check_engine(subject(engine, root, facts=facts))
    return found


def lesson_texts() -> dict[str, str]:
    """Return each lesson with the files that it includes."""
    texts = {}
    for page in LESSONS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        included = re.findall(r'--8<-- "([^":]+)', text)
        files = [(ROOT / name).read_text(encoding="utf-8") for name in included if "/" in name]
        name = page.relative_to(LESSONS).with_suffix("").as_posix()
        texts[name] = "\n".join([text, *files])
    del texts["TEMPLATE"]
    return texts


@pytest.mark.parametrize("feature", PINS.feature, ids=lambda feature: feature.name)
def test_a_feature_names_every_lesson_that_uses_it(feature):
    found = [
        name
        for name, text in lesson_texts().items()
        if feature.sign and re.search(feature.sign, text, re.MULTILINE)
    ]
    assert sorted(feature.lessons) == sorted(found)
    assert feature.lessons or feature.commands
    tested = getattr(PINS.tested, feature.program)
    assert versions.number(feature.lowest) <= versions.number(tested)


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("20.10.24", State.PROBLEM),
        ("24.0.9", State.PROBLEM),
        ("25.0.0", State.WARNING),
        ("26.1.5+dfsg1", State.OK),
        ("28.0.1", State.OK),
        ("dev", State.OK),
    ],
)
def test_an_engine_must_support_the_features_of_the_lessons(version, state, tmp_path):
    info = json.dumps(json.loads(INFO) | {"ServerVersion": version})
    found = engine_finding(tmp_path, info)
    assert (found.state, found.wanted[:4]) == (state, "26.1" if state == "warning" else "25.0")
    assert found.found.startswith(version)
    if state is State.PROBLEM:
        assert "fastapi/task-5" in found.found
        assert ("part-3/greeter" in found.found) is (version == "20.10.24")


@pytest.mark.parametrize(
    ("plugin", "output", "state"),
    [
        ("compose", "Docker Compose version v2.10.2\n", State.PROBLEM),
        ("compose", "Docker Compose version v2.25.0\n", State.WARNING),
        ("compose", "Docker Compose version 2.26.1-4\n", State.OK),
        ("buildx", "github.com/docker/buildx v0.12.1 30feaa1a\n", State.PROBLEM),
        ("buildx", "github.com/docker/buildx 0.13.1+ds1 0.13.1+ds1-3\n", State.OK),
        ("buildx", "github.com/docker/buildx dev\n", State.OK),
    ],
)
def test_a_plugin_must_support_the_features_of_the_lessons(plugin, output, state, tmp_path):
    engine, _ = docker({f"docker {plugin} version": output, "docker": "v99.0"})
    engine._run.answers = {f"docker {plugin} version": output, "docker": "v99.0"}
    found = {finding.thing: finding for finding in checks.check_plugins(subject(engine, tmp_path))}
    assert {thing: finding.state for thing, finding in found.items()} == {
        "docker compose": state if plugin == "compose" else State.OK,
        "docker buildx": state if plugin == "buildx" else State.OK,
    }


@pytest.mark.parametrize("plugin", daemon.PLUGINS)
def test_a_missing_plugin_is_a_problem(plugin, tmp_path):
    engine, script = docker()
    script.answers[f"docker {plugin} version"] = ProcessResult(1, "")
    (found,) = [f for f in checks.check_plugins(subject(engine, tmp_path)) if f.state == "problem"]
    assert (found.thing, found.found) == (
        f"docker {plugin}",
        "the docker command has no such plug-in",
    )
    assert f"docker-{plugin}-plugin" in found.fix


def test_the_kits_engine_is_marked(tmp_path):
    info = {**json.loads(INFO), "Labels": [KIT_LABEL]}
    assert engine_finding(tmp_path, json.dumps(info)).found == "26.1.5 (started by the kit)"


@pytest.mark.parametrize("answer", [NO_ENGINE, MISSING])
def test_a_missing_engine_can_be_installed_where_the_kit_may(answer, tmp_path):
    found = engine_finding(tmp_path, answer)
    assert (found.state, found.found) == (State.WARNING, "none answers yet")
    assert found.repair


DENIED = ProcessResult(1, "permission denied while trying to connect")


@pytest.mark.parametrize(
    ("info", "facts", "reason", "fix"),
    [
        (NO_ENGINE, {"release": "ubuntu noble"}, "not on ubuntu noble", daemon.INSTALL_DOCKER),
        (NO_ENGINE, {"other_engine": "tcp://x:1"}, "points to tcp://x:1", "unset DOCKER_HOST"),
        (DENIED, {}, "you may not use it", "usermod"),
    ],
)
def test_an_engine_that_the_kit_cannot_start_is_a_problem(info, facts, reason, fix, tmp_path):
    found = engine_finding(tmp_path, info, **facts)
    assert (found.state, found.repair) == (State.PROBLEM, None)
    assert reason in found.found
    assert fix in found.fix


def test_a_missing_docker_command_is_a_problem_if_none_can_be_installed(path, tmp_path):
    (path / "docker").unlink()
    engine, _ = docker(info=MISSING)
    (found,) = checks.check_command(subject(engine, tmp_path))
    assert (found.state, found.found) == (State.OK, "not on the PATH: make up installs it")
    (found,) = checks.check_command(subject(engine, tmp_path, facts={"forbidden": True}))
    assert (found.state, found.fix) == (State.PROBLEM, daemon.INSTALL_DOCKER)
