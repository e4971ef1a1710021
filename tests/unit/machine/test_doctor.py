"""The doctor checks everything, changes nothing, and has a fix for each bad finding."""

from __future__ import annotations

import json

import pytest
from fakes import INFO, MISSING, NO_ENGINE, NO_IMAGE, docker, host, programs
from harness import ROOT

from workshop.core.process import ProcessResult
from workshop.engine import KIT_LABEL
from workshop.machine import daemon, disk, doctor
from workshop.stack.images import IMAGES, WEB
from workshop.stack.versions import read

PINS = read(ROOT / "versions.toml")
ALL_THERE = {"inspect {{.Id}}": "sha256:1", "docker image inspect": ""}
READS = {"info", "image", "compose", "buildx"}


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", programs(folder, docker="", apt_get=""))
    return folder


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    return tmp_path


def findings(engine, root, **facts) -> dict[str, doctor.Finding]:
    found = list(doctor.examine(engine, host(**facts), PINS, root))
    assert all(finding.found for finding in found)
    assert all(finding.good or finding.fix for finding in found)
    return {finding.thing: finding for finding in found}


def bad(found: dict[str, doctor.Finding]) -> set[str]:
    return {thing for thing, finding in found.items() if not finding.good}


def test_a_ready_machine_has_only_good_findings(root):
    engine, script = docker(ALL_THERE)
    found = findings(engine, root)
    assert bad(found) == set()
    assert list(found) == [
        *("Python", "docker command", "Docker engine", "docker compose", "docker buildx"),
        *("disk", "base images", "images of the course"),
    ]
    assert found["Docker engine"].found == "26.1.5"
    assert found["base images"].found == "all present, pulled"
    assert found["images of the course"].found == f"{len(IMAGES)} of {len(IMAGES)} built"
    assert {argv[1] for argv in script.argvs} == READS


@pytest.mark.parametrize(("version", "good"), [("24.0.9", False), ("26.0.0", True), ("dev", True)])
def test_an_engine_must_support_every_instruction_of_the_dockerfiles(root, version, good):
    info = json.dumps(json.loads(INFO) | {"ServerVersion": version})
    engine, _ = docker(ALL_THERE, info=info)
    found = findings(engine, root)["Docker engine"]
    assert (found.good, found.found) == (good, version)
    assert "26 or later" in found.fix


def test_the_doctor_writes_nothing(root):
    engine, script = docker(ALL_THERE)
    before = sorted(root.rglob("*"))
    findings(engine, root)
    assert sorted(root.rglob("*")) == before
    assert {" ".join(argv[1:3]) for argv in script.argvs} <= {
        *("info --format", "image inspect", "compose version", "buildx version")
    }


def test_the_kits_engine_is_marked(root):
    info = {**json.loads(INFO), "Labels": [KIT_LABEL]}
    engine, _ = docker(ALL_THERE, info=json.dumps(info))
    assert findings(engine, root)["Docker engine"].found == "26.1.5 (started by the kit)"


@pytest.mark.parametrize("answer", [NO_ENGINE, MISSING])
def test_a_missing_engine_is_good_if_make_up_can_install_one(answer, root):
    engine, _ = docker(info=answer)
    found = findings(engine, root)
    assert bad(found) == set()
    assert found["Docker engine"].found == "none yet: make up installs and starts one"
    assert "base images" not in found


def test_a_missing_docker_command_is_good_if_make_up_can_install_one(root, path):
    (path / "docker").unlink()
    engine, _ = docker(info=MISSING)
    assert bad(findings(engine, root)) == set()


DENIED = ProcessResult(1, "permission denied while trying to connect")


@pytest.mark.parametrize(
    ("info", "facts", "reason", "fix"),
    [
        (NO_ENGINE, {"release": "ubuntu noble"}, "not on ubuntu noble", daemon.INSTALL_DOCKER),
        (NO_ENGINE, {"other_engine": "tcp://x:1"}, "points to tcp://x:1", "unset DOCKER_HOST"),
        (DENIED, {}, "you may not use it", "usermod"),
    ],
)
def test_an_engine_that_the_kit_cannot_start_is_bad(info, facts, reason, fix, root):
    engine, _ = docker(info=info)
    found = findings(engine, root, **facts)
    assert bad(found) == {"Docker engine"}
    assert reason in found["Docker engine"].found
    assert fix in found["Docker engine"].fix


def test_a_missing_docker_command_is_bad_if_none_can_be_installed(root, path):
    (path / "docker").unlink()
    engine, _ = docker(info=MISSING)
    assert bad(findings(engine, root, forbidden=True)) == {"docker command", "Docker engine"}


@pytest.mark.parametrize("plugin", daemon.PLUGINS)
def test_a_missing_plugin_is_bad(plugin, root):
    engine, script = docker(ALL_THERE)
    script.answers[f"docker {plugin} version"] = ProcessResult(1, "")
    found = findings(engine, root)
    assert bad(found) == {f"docker {plugin}"}
    assert found[f"docker {plugin}"].found == "the docker command has no such plug-in"


def test_missing_base_images_are_listed(root):
    expected = "python:3.13-slim-trixie"
    engine, _ = docker({f"docker image inspect {expected}": NO_IMAGE, **ALL_THERE})
    found = findings(engine, root)
    assert bad(found) == {"base images"}
    assert found["base images"].found == f"missing: {expected}"
    assert "bases" in found["base images"].fix


def test_stand_ins_are_counted(root):
    stand_in = {"inspect python:3.11-bookworm": "python:3.11-bookworm"}
    engine, _ = docker({"inspect {{.Id}}": "sha256:1", **stand_in, **ALL_THERE})
    found = findings(engine, root)
    assert found["base images"].found == "all present, 1 of them stand-ins"


def test_images_that_are_not_built_are_good(root):
    built = {f"docker image inspect {IMAGES[0].name}": NO_IMAGE}
    engine, _ = docker({**built, **ALL_THERE})
    found = findings(engine, root)
    assert found["images of the course"] == doctor.Finding(
        "images of the course", good=True, found=f"{len(IMAGES) - 1} of {len(IMAGES)} built"
    )


@pytest.mark.parametrize("absent", [False, True])
def test_a_full_disk_is_bad_and_the_first_time_needs_more_space(absent, root, monkeypatch):
    monkeypatch.setattr(disk, "FIRST_TIME" if absent else "AGAIN", 10**18)
    monkeypatch.setattr(disk, "AGAIN" if absent else "FIRST_TIME", 0)
    info = json.dumps({**json.loads(INFO), "DockerRootDir": str(root)})
    there = {"docker image inspect": NO_IMAGE} if absent else ALL_THERE
    engine, _ = docker(there, info=info)
    found = findings(engine, root)
    assert "disk" in bad(found)
    assert "1000000000 GB are needed" in found["disk"].found


def test_ports_are_checked_before_the_settings_are_written(tmp_path, monkeypatch):
    engine, _ = docker(ALL_THERE)
    monkeypatch.setattr(doctor, "is_free", lambda _port: True)
    assert findings(engine, tmp_path)["ports"].found == "free"
    monkeypatch.setattr(doctor, "is_free", lambda port: port != WEB[0].port)
    found = findings(engine, tmp_path)
    assert found["ports"].found == f"{WEB[0].port} in use: make up picks others and prints them"
