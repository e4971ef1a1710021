"""Base images are pulled, or built as stand-ins if no registry answers."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from fakes import INFO, NO_IMAGE, NOWHERE, Script, docker, machine, programs
from harness import ROOT
from pip._internal.models.index import PyPI

from workshop.core.errors import UserError
from workshop.core.process import ProcessResult
from workshop.engine import PROXY_LABEL, Info
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
NEEDED = PINS.base[2:]
OURS, THEIRS = Info("26", NOWHERE, ours=True), Info("26", NOWHERE, ours=False)
NO_REGISTRY = ProcessResult(1, "Error: Get https://registry.example/v2/: dial tcp: no such host\n")
HOST = "https://index.example/simple"


@pytest.fixture(autouse=True)
def around(tmp_path, monkeypatch):
    """Prepare a machine that can build stand-ins."""
    (tmp_path / "certificates").write_text("none", encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificates"))
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", mmdebstrap=""))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    # It reads the apt sources of this machine, which may not be a Debian.
    monkeypatch.setattr(apt, "mirror", lambda: "http://mirror.example/debian")


def runner(**answers) -> Script:
    own_mounts = {"unshare --mount true": ProcessResult(1, "")}
    return Script({"mmdebstrap": "", "python3 -m pip config": HOST + "\n", **own_mounts, **answers})


def images_of(script: Script, command: str) -> list[str]:
    """Return the images that were pulled or built, in order."""
    calls = script.calls(f"docker {command}")
    return [argv[argv.index("--tag") + 1] if "--tag" in argv else argv[-1] for argv in calls]


def test_only_base_images_of_services_can_be_missing():
    engine, _ = docker({"inspect python:1": "sha256:1", "docker image inspect": NO_IMAGE})
    assert [base.image for base in base_images.find_missing(engine, PINS)] == [
        "ubuntu:1",
        "python:2",
    ]


def test_no_image_is_missing_if_all_are_present():
    engine, _ = docker({"docker image inspect": "sha256:1"})
    assert base_images.find_missing(engine, REAL) == []


def test_no_image_is_pulled_or_built_if_all_are_present():
    engine, script = docker({"docker image inspect": "sha256:1"})
    here, output = machine(engine)
    base_images.ensure_images(here, PINS, OURS)
    assert len(script.argvs) == len(NEEDED)
    assert output.getvalue() == ""


def test_missing_images_are_pulled():
    engine, script = docker({"docker image inspect": NO_IMAGE, "docker pull": ""})
    here, _ = machine(engine)
    base_images.ensure_images(here, PINS, THEIRS)
    assert images_of(script, "pull") == ["ubuntu:1", "python:1", "python:2"]
    assert images_of(script, "build") == []


def test_pulling_stops_after_the_first_failure():
    engine, script = docker({"docker pull ubuntu:1": "", "docker pull": NO_REGISTRY})
    here, output = machine(engine)
    assert base_images.pull(here, NEEDED) == list(NEEDED[1:])
    assert images_of(script, "pull") == ["ubuntu:1", "python:1"]
    assert "no registry answers (no such host)" in output.getvalue()


def test_the_newest_images_are_pulled_even_if_all_are_present():
    engine, script = docker({"docker image inspect": "sha256:1", "docker pull": ""})
    here, _ = machine(engine)
    base_images.pull_again(here, PINS)
    assert images_of(script, "pull") == ["ubuntu:1", "python:1", "python:2"]


def test_a_base_image_that_no_registry_has_is_never_replaced_by_a_stand_in():
    engine, script = docker({"docker pull ubuntu:1": "", "docker pull": NO_REGISTRY})
    here, _ = machine(engine, run=runner())
    with pytest.raises(UserError, match=r"^base image python:1: no registry answers\. Check "):
        base_images.pull_again(here, PINS)
    assert images_of(script, "build") == []


def test_in_the_users_engine_no_stand_in_is_built_automatically():
    engine, script = docker({"docker image inspect": NO_IMAGE, "docker pull": NO_REGISTRY})
    here, _ = machine(engine)
    with pytest.raises(UserError, match=r"^base image ubuntu:1: no registry answers\. .*stand-ins"):
        base_images.ensure_images(here, PINS, THEIRS)
    assert images_of(script, "build") == []


ANSWERS = {"docker image inspect": NO_IMAGE, "docker pull": NO_REGISTRY, "docker build": ""}


@pytest.mark.parametrize(
    ("info", "ask_registry", "pulled"),
    [(OURS, True, ["ubuntu:1"]), (OURS, False, []), (THEIRS, False, [])],
)
def test_stand_ins_are_built_after_their_debian(info, ask_registry, pulled):
    engine, script = docker(ANSWERS)
    run = runner()
    here, _ = machine(engine, run=run)
    base_images.ensure_images(here, PINS, info, ask_registry=ask_registry)
    built = images_of(script, "build")
    assert sorted(built) == sorted(base.image for base in PINS.base)
    for child, root in (("ubuntu:1", "a"), ("python:1", "a"), ("python:2", "b")):
        assert built.index(f"debian:{root}-slim") < built.index(child)
    assert images_of(script, "pull") == pulled
    sources = {argv[4]: argv[-1] for argv in run.calls("mmdebstrap")}
    assert sources == {suite: f"deb http://mirror.example/debian {suite} main" for suite in "ab"}


@pytest.mark.parametrize(
    ("labels", "certificates"),
    [([], "none"), ([PROXY_LABEL], "Debian's")],  # those of this machine, or of the package
)
def test_behind_a_proxy_a_stand_in_has_only_debians_certificates(labels, certificates):
    found = []

    def bootstrap() -> str:
        with tarfile.open(run.argvs[-1][-2], "w") as root:
            member = tarfile.TarInfo("./etc/ssl/certs/ca-certificates.crt")
            member.size = len("Debian's")
            root.addfile(member, io.BytesIO(b"Debian's"))
        return ""

    def build() -> str:
        found.append(Path(script.argvs[-1][-1], "ca-certificates.crt").read_text("utf-8"))
        return ""

    info = json.dumps({**json.loads(INFO), "Labels": labels})
    engine, script = docker({"docker build debian:a-slim": build, **ANSWERS}, info=info)
    run = runner(mmdebstrap=bootstrap)
    here, _ = machine(engine, run=run)
    base_images.build_standins(here, PINS, [PINS.base[3]])
    assert found == [certificates]


def test_a_stand_in_has_its_label_and_its_pins():
    engine, script = docker(ANSWERS)
    here, _ = machine(engine, run=runner())
    base_images.build_standins(here, PINS, [PINS.base[3]])
    (root,) = script.calls("docker build debian:a-slim")
    assert "workshop.standin=debian:a-slim" in root
    assert f"PACKAGE_INDEX={HOST}" in root
    (child,) = script.calls("docker build python:1")
    assert "workshop.standin=python:1" in child
    assert {"SUITE=a", "PACKAGES=git curl", "PIP=pip==1", "MIRROR_PLUGIN=plugin==2"} <= set(child)


def test_an_existing_debian_is_not_rebuilt():
    engine, script = docker({"docker image inspect": "sha256:1", "docker build": ""})
    run = runner()
    here, _ = machine(engine, run=run)
    base_images.build_standins(here, PINS, [PINS.base[4]])
    assert images_of(script, "build") == ["python:2"]
    assert run.argvs == []


def test_the_mounts_of_mmdebstrap_are_its_own_where_that_is_possible():
    engine, _ = docker(ANSWERS)
    run = runner(**{"unshare --mount true": ""})
    here, _ = machine(engine, run=run)
    base_images.ensure_images(here, PINS, OURS, ask_registry=False)
    assert all(argv[:2] == ["unshare", "--mount"] for argv in run.calls("mmdebstrap"))
    assert run.calls("mmdebstrap")


def test_a_failure_of_mmdebstrap_is_an_error_with_its_last_line():
    engine, script = docker(ANSWERS)
    here, _ = machine(engine, run=runner(mmdebstrap=ProcessResult(25, "I: one\nE: no route\n")))
    with pytest.raises(
        UserError, match=r"^stand-in for debian:a-slim: mmdebstrap failed: E: no route"
    ):
        base_images.build_standins(here, PINS, NEEDED[:2])
    assert images_of(script, "build") == []


def test_a_missing_mmdebstrap_is_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", programs(tmp_path / "other", apt_get=""))
    engine, _ = docker(ANSWERS)
    run = runner(**{"apt-get": "", "dpkg": ""})
    here, output = machine(engine, run=run)
    base_images.ensure_images(here, PINS, OURS)
    (install,) = run.calls("apt-get install")
    assert install[-1] == "mmdebstrap"
    assert "Installing mmdebstrap" in output.getvalue()


def test_mmdebstrap_that_cannot_be_installed_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", programs(tmp_path / "empty"))
    engine, _ = docker(ANSWERS)
    here, _ = machine(engine, root=False)
    with pytest.raises(UserError, match=r"^mmdebstrap: it is missing\. Install it"):
        base_images.ensure_images(here, PINS, OURS)


def test_a_full_disk_is_an_error_before_any_pull(tmp_path, monkeypatch):
    monkeypatch.setattr(base_images.disk, "FIRST_TIME", 10**18)
    engine, script = docker({"docker image inspect": NO_IMAGE, "docker info": INFO})
    here, _ = machine(engine)
    with pytest.raises(UserError, match="GB are needed"):
        base_images.ensure_images(here, PINS, Info("26", str(tmp_path), ours=True))
    assert images_of(script, "pull") == []


def test_missing_certificates_are_an_error(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", NOWHERE)
    engine, _ = docker(ANSWERS)
    here, _ = machine(engine, run=runner())
    with pytest.raises(UserError, match=NOWHERE):
        base_images.build_standins(here, PINS, NEEDED)


# ------------------------------------------------------------- the package index

NOT_SET = Script({"pip config": ProcessResult(1, "ERROR: No such key - global.index-url\n")})


@pytest.mark.parametrize(
    ("pip", "variable", "index"),
    [
        (runner(), "", HOST),
        (runner(), f"{HOST}/2", f"{HOST}/2"),
        (NOT_SET, "", PyPI.simple_url),
    ],
    ids=["pip's settings", "environment", "pip's default"],
)
def test_the_package_index_is_that_of_pip(pip, variable, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", variable)
    assert base_images.package_index(pip) == index


@pytest.mark.parametrize("user", ["me:5ecre7", "5ecre7"])
def test_a_password_in_the_package_index_is_an_error_without_it(user, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", HOST.replace("//", f"//{user}@"))
    with pytest.raises(UserError, match=r"^pip's index-url: it contains a password") as caught:
        base_images.package_index(NOT_SET)
    assert "5ecre7" not in str(caught.value)
