"""The doctor finds certificates that are missing, empty, expired or not trusted."""

from __future__ import annotations

import shutil

import pytest
from fakes import docker, subject

from workshop.machine.doctor import certificates
from workshop.machine.doctor.finding import State

from .web import server, write_certificate

PAGE = {"/simple/pip/": (200, {}, "")}


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    if not shutil.which("openssl"):
        pytest.skip("openssl creates the certificates")
    for name in ("HTTPS_PROXY", "https_proxy", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


def check_files(root, **environ):
    engine, _ = docker()
    return list(certificates.check_files(subject(engine, root, environ=environ)))


def check_trust(root, base):
    engine, script = docker({"python3": f"{base}/simple\n"})
    (found,) = certificates.check_trust(subject(engine, root, online=True, run=script))
    return found


@pytest.mark.parametrize("name", certificates.VARIABLES)
def test_a_file_that_does_not_exist_is_a_problem(name, tmp_path):
    (found,) = check_files(tmp_path, **{name: "/no/such/ca.pem"})
    assert (found.thing, found.state) == (name, State.PROBLEM)
    assert found.found == "/no/such/ca.pem: no such file"


def test_a_file_without_a_certificate_is_a_problem(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\ncut short", encoding="ascii")
    (found,) = check_files(tmp_path, SSL_CERT_FILE=str(file))
    assert found.found == f"{file}: it holds no certificate"


def test_a_file_with_a_certificate_is_ok(tmp_path):
    _, file = write_certificate(tmp_path)
    assert check_files(tmp_path, SSL_CERT_FILE=str(file), PIP_CERT="") == []


def test_a_server_whose_certificate_nobody_trusts_is_a_problem(tmp_path, monkeypatch):
    with_key, alone = write_certificate(tmp_path)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with server(PAGE, with_key) as base:
        found = check_trust(tmp_path, base)
        assert found.state is State.PROBLEM
        assert "self-signed certificate" in found.found
        assert "update-ca-certificates" in found.fix
        monkeypatch.setenv("SSL_CERT_FILE", str(alone))
        assert check_trust(tmp_path, base).state is State.OK


def test_a_certificate_that_has_expired_points_to_the_clock(tmp_path, monkeypatch):
    with_key, alone = write_certificate(tmp_path, ends="20200102")
    monkeypatch.setenv("SSL_CERT_FILE", str(alone))
    with server(PAGE, with_key) as base:
        found = check_trust(tmp_path, base)
    assert found.state is State.PROBLEM
    assert "certificate has expired" in found.found
    assert "clock" in found.fix
