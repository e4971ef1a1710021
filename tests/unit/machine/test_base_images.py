"""Base images are pulled where a registry answers, else made here, and say so."""

from __future__ import annotations

import pytest
from fakes import INFO, NO_IMAGE, NOWHERE, Script, docker, machine, programs
from harness import ROOT
from pip._internal.models.index import PyPI

from workshop.core.errors import UserError
from workshop.core.process import ProcessResult
from workshop.engine import Info
from workshop.machine import apt, base_images
from workshop.stack.versions import Versions, read

REAL = read(ROOT / "versions.toml")


def base(image: str, recipe: str, suite: str, *packages: str) -> dict:
    ends = "2030-01-01"
    return {"image": image, "recipe": recipe, "suite": suite, "ends": ends, "packages": packages}


PINS = Versions.model_validate(
    {
        "poetry": {"version": "2"},
        "standin": {"pip": "pip==1", "mirror-plugin": "plugin==2"},
        "base": [
            base("debian:a-slim", "debian", "a"),
            base("debian:b-slim", "debian", "b"),
            base("ubuntu:1", "ubuntu", "a"),
            base("python:1", "python", "a", "git", "curl"),
            base("python:2", "python", "b"),
        ],
    }
)
WANTED = PINS.base[2:]
OURS, THEIRS = Info("26", NOWHERE, ours=True), Info("26", NOWHERE, ours=False)
NO_REGISTRY = ProcessResult(1, "Error: Get https://registry.example/v2/: dial tcp: no such host\n")
HOST = "https://index.example/simple"


@pytest.fixture(autouse=True)
def around(tmp_path, monkeypatch):
    """What lies around the kit on a machine that can make stand-ins."""
    (tmp_path / "certificates").write_text("none", encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificates"))
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", mmdebstrap=""))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    # It asks the machine that it runs on, which need not be a Debian.
    monkeypatch.setattr(apt, "mirror", lambda: "http://mirror.example/debian")


def runner(**answers) -> Script:
    return Script({"mmdebstrap": "", "python3 -m pip config": HOST + "\n", **answers})


def images_of(script: Script, word: str) -> list[str]:
    """What was pulled or built, in its order."""
    calls = script.calls(f"docker {word}")
    return [argv[argv.index("--tag") + 1] if "--tag" in argv else argv[-1] for argv in calls]


def test_only_what_services_build_on_can_be_missing():
    engine, _ = docker({"inspect python:1": "sha256:1", "docker image inspect": NO_IMAGE})
    assert [one.image for one in base_images.missing(engine, PINS)] == ["ubuntu:1", "python:2"]


def test_nothing_is_missing_where_all_is_there():
    engine, _ = docker({"docker image inspect": "sha256:1"})
    assert base_images.missing(engine, REAL) == []


def test_where_all_is_there_nothing_is_pulled_or_made():
    engine, script = docker({"docker image inspect": "sha256:1"})
    here, paper = machine(engine)
    base_images.ready(here, PINS, OURS)
    assert len(script.asked) == len(WANTED)
    assert paper.getvalue() == ""


def test_what_is_missing_is_pulled():
    engine, script = docker({"docker image inspect": NO_IMAGE, "docker pull": ""})
    here, _ = machine(engine)
    base_images.ready(here, PINS, THEIRS)
    assert images_of(script, "pull") == ["ubuntu:1", "python:1", "python:2"]
    assert images_of(script, "build") == []


def test_a_registry_that_does_not_answer_is_asked_no_more():
    engine, script = docker({"docker pull ubuntu:1": "", "docker pull": NO_REGISTRY})
    here, paper = machine(engine)
    assert base_images.pull(here, WANTED) == list(WANTED[1:])
    assert images_of(script, "pull") == ["ubuntu:1", "python:1"]
    assert "no registry answers (no such host)" in paper.getvalue()


def test_in_an_engine_that_is_not_the_kits_no_stand_in_is_made_unasked():
    engine, script = docker({"docker image inspect": NO_IMAGE, "docker pull": NO_REGISTRY})
    here, _ = machine(engine)
    with pytest.raises(UserError, match=r"^base image ubuntu:1: no registry answers\. .*stand-ins"):
        base_images.ready(here, PINS, THEIRS)
    assert images_of(script, "build") == []


ANSWERS = {"docker image inspect": NO_IMAGE, "docker pull": NO_REGISTRY, "docker build": ""}


@pytest.mark.parametrize(
    ("info", "ask", "pulled"), [(OURS, True, ["ubuntu:1"]), (OURS, False, []), (THEIRS, False, [])]
)
def test_stand_ins_are_made_each_after_its_debian(info, ask, pulled):
    engine, script = docker(ANSWERS)
    run = runner()
    here, _ = machine(engine, run=run)
    base_images.ready(here, PINS, info, ask_registry=ask)
    built = images_of(script, "build")
    assert sorted(built) == sorted(one.image for one in PINS.base)
    for child, root in (("ubuntu:1", "a"), ("python:1", "a"), ("python:2", "b")):
        assert built.index(f"debian:{root}-slim") < built.index(child)
    assert images_of(script, "pull") == pulled
    made = {argv[4]: argv[-1] for argv in run.calls("mmdebstrap")}
    assert made == {suite: f"deb http://mirror.example/debian {suite} main" for suite in "ab"}


def test_a_stand_in_says_for_which_image_and_is_given_its_pins():
    engine, script = docker(ANSWERS)
    here, _ = machine(engine, run=runner())
    base_images.build_standins(here, PINS, [PINS.base[3]])
    (root,) = script.calls("docker build debian:a-slim")
    assert "workshop.standin=debian:a-slim" in root
    assert f"PACKAGE_INDEX={HOST}" in root
    (child,) = script.calls("docker build python:1")
    assert "workshop.standin=python:1" in child
    assert {"SUITE=a", "PACKAGES=git curl", "PIP=pip==1", "MIRROR_PLUGIN=plugin==2"} <= set(child)


def test_a_debian_that_is_there_is_not_made_again():
    engine, script = docker({"docker image inspect": "sha256:1", "docker build": ""})
    run = runner()
    here, _ = machine(engine, run=run)
    base_images.build_standins(here, PINS, [PINS.base[4]])
    assert images_of(script, "build") == ["python:2"]
    assert run.asked == []


def test_mmdebstrap_that_fails_is_trouble_with_its_last_line():
    engine, script = docker(ANSWERS)
    here, _ = machine(engine, run=runner(mmdebstrap=ProcessResult(25, "I: one\nE: no route\n")))
    with pytest.raises(
        UserError, match=r"^stand-in for debian:a-slim: mmdebstrap failed: E: no route"
    ):
        base_images.build_standins(here, PINS, WANTED[:2])
    assert images_of(script, "build") == []


def test_mmdebstrap_is_installed_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", programs(tmp_path / "other", apt_get=""))
    engine, _ = docker(ANSWERS)
    run = runner(**{"apt-get": "", "dpkg": ""})
    here, paper = machine(engine, run=run)
    base_images.ready(here, PINS, OURS)
    (install,) = run.calls("apt-get install")
    assert install[-1] == "mmdebstrap"
    assert "installing mmdebstrap" in paper.getvalue()


def test_mmdebstrap_that_cannot_be_installed_is_trouble(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", programs(tmp_path / "empty"))
    engine, _ = docker(ANSWERS)
    here, _ = machine(engine, root=False)
    with pytest.raises(UserError, match=r"^mmdebstrap: it is missing\. Install it"):
        base_images.ready(here, PINS, OURS)


def test_a_disk_without_room_is_said_before_anything_is_pulled(tmp_path, monkeypatch):
    monkeypatch.setattr(base_images.disk, "FIRST_TIME", 10**18)
    engine, script = docker({"docker image inspect": NO_IMAGE, "docker info": INFO})
    here, _ = machine(engine)
    with pytest.raises(UserError, match="GB are needed"):
        base_images.ready(here, PINS, Info("26", str(tmp_path), ours=True))
    assert images_of(script, "pull") == []


def test_certificates_that_are_missing_are_trouble(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", NOWHERE)
    engine, _ = docker(ANSWERS)
    here, _ = machine(engine, run=runner())
    with pytest.raises(UserError, match=NOWHERE):
        base_images.build_standins(here, PINS, WANTED)


# ------------------------------------------------------------- the package index

NOT_SET = Script({"pip config": ProcessResult(1, "ERROR: No such key - global.index-url\n")})


def test_the_package_index_is_the_one_that_pip_is_set_to():
    assert base_images.package_index(runner()) == HOST


def test_the_environment_goes_before_pips_settings(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", HOST + "/2")
    assert base_images.package_index(runner()) == HOST + "/2"


def test_without_settings_the_package_index_is_pips_own_default():
    assert base_images.package_index(NOT_SET) == PyPI.simple_url


@pytest.mark.parametrize(
    "user",
    [
        "me:5ecre7",
        "5ecre7",
    ],
)
def test_a_package_index_with_a_password_is_trouble_that_does_not_show_it(user, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", HOST.replace("//", f"//{user}@"))
    with pytest.raises(UserError, match=r"^pip's index-url: it holds a password") as caught:
        base_images.package_index(NOT_SET)
    assert "5ecre7" not in str(caught.value)
