"""An engine that the kit starts gets the proxy; without one, nothing on the machine differs."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

import pytest

from workshop.core.errors import UserError
from workshop.machine import engine_proxy
from workshop.machine.engine_proxy import Settings

PROXY = "http://ada:50%25secret@proxy:3128"


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "lib"


def test_without_a_proxy_nothing_is_written(folder):
    assert engine_proxy.prepare({"NO_PROXY": "*"}, folder) == Settings()
    assert not folder.exists()


def test_dockerd_gets_every_variable_and_the_runtime(folder):
    settings = engine_proxy.prepare({"HTTPS_PROXY": PROXY, "SSL_CERT_FILE": "/ca.pem"}, folder)
    assert settings.options == ("--label", "workshop.proxy=shared")
    assert {settings.variables[name] for name in ("HTTP_PROXY", "https_proxy")} == {PROXY}
    assert settings.variables["SSL_CERT_FILE"] == "/ca.pem"
    program = Path(settings.variables["DOCKER_BUILDKIT_RUNC_COMMAND"])
    assert os.access(program, os.X_OK)
    assert program.read_text(encoding="utf-8").startswith("#!/usr/bin/python3 -IS\n")
    # The password is in the environment only.
    assert "secret" not in "".join(file.read_text(encoding="utf-8") for file in folder.iterdir())
    assert engine_proxy.prepare({"HTTPS_PROXY": PROXY}, folder).options == settings.options


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "lib").write_text("a file", encoding="ascii")
    with pytest.raises(UserError, match=r"lib: File exists\. .*unset HTTPS_PROXY"):
        engine_proxy.prepare({"HTTPS_PROXY": PROXY}, tmp_path / "lib")


def test_systemd_gets_the_variables_until_there_is_no_proxy(folder, tmp_path):
    file = tmp_path / "docker.service.d/proxy.conf"
    assert engine_proxy.configure_service({}, file, folder) is False
    assert engine_proxy.configure_service({"HTTPS_PROXY": PROXY}, file, folder) is True
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first, *lines = file.read_text(encoding="utf-8").splitlines()
    assert first == "[Service]"
    settings = dict(shlex.split(line.partition("=")[2])[0].split("=", 1) for line in lines)
    # systemd reads %% as %.
    assert settings["HTTPS_PROXY"].replace("%%", "%") == PROXY
    assert settings["DOCKER_OPTS"] == "--label workshop.proxy=shared"
    assert engine_proxy.configure_service({}, file, folder) is True
    assert not file.exists()
