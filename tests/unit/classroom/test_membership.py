"""A learner's side of a classroom, with a scripted engine."""

from __future__ import annotations

import json
import ssl
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import TYPE_CHECKING

import fakes
import pytest
from harness import serving
from rich.console import Console

from workshop.classroom import certificate
from workshop.classroom.membership import Membership
from workshop.core.errors import UserError
from workshop.core.process import ProcessResult
from workshop.core.progress import ProgressDisplay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = "python:3.13-slim-trixie"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def room(tmp_path) -> Iterator[tuple[str, str]]:
    """The address and the fingerprint of a classroom that has one image for amd64."""
    folder = tmp_path / "room"
    folder.mkdir()
    made = certificate.ensure(folder, "127.0.0.1")
    images = [{"name": BASE, "architecture": "amd64", "codename": "trixie"}]
    (folder / "room.json").write_text(json.dumps({"push": "127.0.0.1:9", "images": images}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.path, made.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield f"https://127.0.0.1:{server.server_port}", made.fingerprint


def member(tmp_path: Path, answers: dict[str, object]) -> tuple[Membership, fakes.Script]:
    defaults = {"docker version": "amd64", "docker pull": "", "docker image inspect": BASE}
    engine, script = fakes.docker({**defaults, "docker build": "", **answers})
    display = ProgressDisplay(Console(file=StringIO()))
    return Membership(engine, display, tmp_path / "course", tmp_path / "certs.d"), script


def test_a_join_pulls_each_base_image_and_builds_on_it_under_its_name(room, tmp_path):
    url, fingerprint = room
    membership, script = member(tmp_path, {})
    membership.join(f"{url}/", fingerprint, "plugin==1")
    registry = url.removeprefix("https://")
    assert script.calls(f"docker pull {registry}/amd64/{BASE}")
    (build,) = script.calls(f"docker build --tag {BASE}")
    assert f"URL={url}" in build
    pem = (tmp_path / "room/room.pem").read_text()
    assert (tmp_path / "certs.d" / registry / "ca.crt").read_text() == pem
    assert f"index-url = {url}/simple/" in (tmp_path / "course/.classroom/pip.conf").read_text()


def test_an_architecture_that_the_pack_lacks_is_reported_and_nothing_changes(room, tmp_path):
    membership, script = member(tmp_path, {"docker version": "arm64"})
    with pytest.raises(UserError, match=r"for amd64, and this computer needs arm64.*--arch"):
        membership.join(*room, "plugin==1")
    assert not script.calls("docker pull")
    assert not (tmp_path / "certs.d").exists()
    assert not (tmp_path / "course").exists()


def test_another_fingerprint_is_refused(room, tmp_path):
    """Two classrooms on one network."""
    membership, _ = member(tmp_path, {})
    with pytest.raises(UserError, match=r"expected AB:CD. Another classroom"):
        membership.join(room[0], "AB:CD", "plugin==1")


def test_an_engine_that_does_not_trust_the_certificate_is_reported(room, tmp_path):
    output = "Error response from daemon: x509: certificate signed by unknown authority"
    membership, _ = member(tmp_path, {"docker pull": ProcessResult(1, output)})
    with pytest.raises(UserError, match=r"does not trust .* Restart Docker"):
        membership.join(*room, "plugin==1")
    assert not (tmp_path / "course").exists()


def test_a_learner_without_root_is_told_what_needs_it(room, tmp_path):
    (tmp_path / "certs.d").write_text("not a folder")
    membership, _ = member(tmp_path, {})
    with pytest.raises(UserError, match=r"ca\.crt.*sudo"):
        membership.join(*room, "plugin==1")


def test_leaving_without_having_joined_is_an_error(tmp_path):
    membership, _ = member(tmp_path, {})
    with pytest.raises(UserError, match="has joined none"):
        membership.leave()


def test_leaving_gives_the_base_images_their_names_back(room, tmp_path):
    membership, script = member(tmp_path, {"docker tag": "", "docker image rm": ""})
    membership.join(*room, "plugin==1")
    assert membership.leave() == room[0]
    registry = room[0].removeprefix("https://")
    assert script.calls(f"docker tag {registry}/amd64/{BASE} {BASE}")
    assert not (tmp_path / "course/.classroom").exists()
    assert not [*(tmp_path / "certs.d").iterdir()]
