"""A step of a build gets the engine's proxy and certificates; runc runs it as before."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from fakes import programs

from workshop.machine import build_runtime

PROXY = "http://ada:secret@proxy:3128"
ENGINE = {"HTTPS_PROXY": PROXY, "https_proxy": PROXY, "NO_PROXY": "localhost"}
RUN = ("--log", "log.json", "--log-format=json", "run", "--bundle", "BUNDLE", "step1")


@pytest.fixture
def files(tmp_path):
    """The engine's certificates, and apt's configuration beside the program."""
    folder = tmp_path / "lib"
    folder.mkdir()
    shutil.copy(build_runtime.__file__, folder / "build-runtime")
    (folder / "apt.conf").write_text("apt", encoding="ascii")
    (folder / "ca.pem").write_text("certificates", encoding="ascii")
    return folder


def configure(files, *variables, **environ):
    spec = {"process": {"env": ["PATH=/bin", *variables]}, "mounts": [{"destination": "/dev"}]}
    environ = {**ENGINE, "SSL_CERT_FILE": str(files / "ca.pem"), **environ}
    build_runtime.configure(spec, environ, str(files / "apt.conf"))
    pairs = (variable.partition("=")[::2] for variable in spec["process"]["env"])
    return dict(pairs), spec["mounts"]


def test_a_step_gets_the_proxy_and_the_certificates(files):
    env, mounts = configure(files)
    assert env["PATH"] == "/bin"
    assert (env["HTTPS_PROXY"], env["https_proxy"], env["NO_PROXY"]) == (PROXY, PROXY, "localhost")
    assert {env[name] for name in build_runtime.CERTIFICATES} == {build_runtime.BUNDLE}
    assert env["APT_CONFIG"] == build_runtime.APT_CONFIG
    # After /dev, in which runc creates their targets.
    assert [mount["destination"] for mount in mounts] == [
        "/dev",
        build_runtime.BUNDLE,
        build_runtime.APT_CONFIG,
    ]
    assert all("ro" in mount["options"] for mount in mounts[1:])


def test_the_proxy_that_a_build_names_is_kept(files):
    env, _ = configure(files, "HTTP_PROXY=http://127.0.0.1:3128")
    assert env["HTTP_PROXY"] == "http://127.0.0.1:3128"
    assert "HTTPS_PROXY" not in env
    assert env["SSL_CERT_FILE"] == build_runtime.BUNDLE


def test_the_certificates_of_the_engine_replace_those_of_an_image(files):
    env, _ = configure(files, "SSL_CERT_FILE=/image/ca.pem", "APT_CONFIG=/image/apt.conf")
    assert env["SSL_CERT_FILE"] == build_runtime.BUNDLE
    assert env["APT_CONFIG"] == "/image/apt.conf"


def test_without_certificates_nothing_is_mounted(files, monkeypatch):
    monkeypatch.setattr(build_runtime, "SYSTEM_BUNDLE", "/no/such/file")
    env, mounts = configure(files, SSL_CERT_FILE="")
    assert len(mounts) == 1
    assert "SSL_CERT_FILE" not in env
    assert env["HTTPS_PROXY"] == PROXY


@pytest.mark.parametrize(
    ("arguments", "bundle"),
    [
        (RUN, "BUNDLE"),
        (("create", "--bundle=BUNDLE", "step1"), "BUNDLE"),
        (("run", "-b", "BUNDLE", "step1"), "BUNDLE"),
        (("kill", "step1", "KILL"), ""),
        (("delete", "step1"), ""),
    ],
)
def test_only_a_new_container_is_configured(arguments, bundle):
    assert build_runtime.find_bundle(list(arguments)) == bundle


def test_runc_gets_the_same_arguments_and_the_new_configuration(files, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    config = bundle / "config.json"
    config.write_text(json.dumps({"process": {"env": ["A=ä"]}}), encoding="utf-8")
    arguments = [str(bundle) if argument == "BUNDLE" else argument for argument in RUN]
    path = programs(tmp_path / "bin", runc='echo "$@"; exit 7')
    env = {**ENGINE, "PATH": path, "SSL_CERT_FILE": str(files / "ca.pem")}
    done = subprocess.run(
        [sys.executable, "-IS", files / "build-runtime", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=env,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, " ".join(arguments) + "\n", "")
    found = json.loads(config.read_text(encoding="utf-8"))
    assert "A=ä" in found["process"]["env"]
    assert f"HTTPS_PROXY={PROXY}" in found["process"]["env"]
    assert found["mounts"][0]["source"] == str(files / "ca.pem")
