"""A classroom of a small pack: what learners can read, and where they can write. No engine."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from harness import ROOT, run
from made_up_room import Classroom, argv, classroom, free_port_pair, is_possible, write_pack

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

WHEEL = "packages/moo-1.0-py3-none-any.whl"
CONTENTS = {WHEEL: b"not really a wheel"}


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    if not is_possible():
        reason = "nginx, docker-registry, skopeo or apt-ftparchive is missing"
        if os.environ.get("REQUIRE_ENGINE", "") not in {"", "0"}:
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def pack(tmp_path_factory) -> Path:
    return write_pack(tmp_path_factory.mktemp("pack"), CONTENTS)


@pytest.fixture(scope="module")
def room(pack, tmp_path_factory) -> Iterator[Classroom]:
    with classroom(pack, tmp_path_factory.mktemp("room") / "classroom") as running:
        yield running


def test_the_page_has_the_address_the_fingerprint_and_the_digest_of_join(room):
    page = room.get("/").text
    pem = ssl.get_server_certificate(("127.0.0.1", int(room.url.rpartition(":")[2])))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
    assert f"python3 join.py {room.url} {digest.hex(':').upper()}" in page
    assert hashlib.sha256(room.get("/join.py").content).hexdigest() in page
    assert "<svg" in page


def test_only_the_certificate_of_the_room_is_trusted(room):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(room.url, trust_env=False)


def test_packages_lessons_and_the_registry_can_be_read(room):
    index = room.get("/simple/moo/").text
    link = re.search(r'href="(/packages/[^#]+)#sha256=(\w+)"', index)
    assert link
    content = room.get(link[1]).content
    assert content == CONTENTS[WHEEL]
    assert hashlib.sha256(content).hexdigest() == link[2]
    assert room.get("/site/index.html").text == "lessons"
    assert room.get("/v2/").status_code == 200


def test_the_course_is_cloned_from_the_room(room, tmp_path):
    env = {"GIT_SSL_CAINFO": str(room.folder / "room.pem"), "GIT_CONFIG_NOSYSTEM": "1"}
    run("git", "clone", "--quiet", f"{room.url}/kit.git", str(tmp_path / "course"), env=env)
    assert (tmp_path / "course/README.md").read_text() == "The kit\n"


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/", "/simple/", f"/{WHEEL}", "/debian/x", "/v2/a/x/blobs/uploads/"]
)
def test_a_learner_writes_nothing_where_all_read(room, method, path):
    assert room.ask(method, f"{room.url}{path}", content=b"x").status_code == 403


@pytest.mark.parametrize(
    "path", ["/passwords.txt", "/../passwords.txt", "/packages/../../room.key"]
)
def test_what_the_instructor_keeps_is_not_served(room, path):
    port = int(room.url.rpartition(":")[2])
    context = ssl.create_default_context(cafile=str(room.folder / "room.pem"))
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        status = connection.recv(100).split()[1]
    assert status in {b"400", b"404"}
    for name in ("passwords.txt", "users", "room.key"):
        assert (room.folder / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("repository", "status"),
    [
        ("learner-1/image", 202),
        ("learner-2/image", 403),
        ("learner-10/image", 403),
        ("amd64/python", 403),
        ("python", 403),
        ("learner-1/../learner-2/image", 403),
        ("learner-1%2f..%2flearner-2/image", 403),
    ],
)
def test_a_learner_pushes_to_the_own_name_only(room, repository, status):
    address = f"{room.push}/v2/{repository}/blobs/uploads/"
    answer = room.ask("POST", address, auth=("learner-1", room.password))
    assert answer.status_code == status
    if status == 403:
        message = answer.json()["errors"][0]["message"]
        assert message == f"learner-1 may push to {room.push[8:]}/learner-1/IMAGE only"


def test_nobody_pushes_without_the_password(room):
    address = f"{room.push}/v2/learner-1/image/blobs/uploads/"
    assert room.ask("POST", address).status_code == 403
    assert room.ask("POST", address, auth=("learner-1", "wrong")).status_code == 401
    assert room.ask("GET", f"{room.push}/v2/").status_code == 401


def test_a_push_where_all_read_is_refused_with_the_right_address(room):
    answer = room.ask("POST", f"{room.url}/v2/learner-1/image/blobs/uploads/")
    assert f"push to {room.push[8:]}/YOUR-NAME/IMAGE" in answer.json()["errors"][0]["message"]


def test_ctrl_c_ends_every_server_and_a_second_start_keeps_fingerprint_and_passwords(
    pack, tmp_path
):
    folder = tmp_path / "classroom"
    with classroom(pack, folder) as first:
        certificate, password = (folder / "room.pem").read_bytes(), first.password
        children = run("pgrep", "--parent", str(first.process.pid)).stdout.split()
        assert len(children) == 3
    assert first.process.returncode == 130
    assert not any(Path("/proc", child).exists() for child in children)
    with classroom(pack, folder) as second:
        assert (folder / "room.pem").read_bytes() == certificate
        assert second.password == password


def fail(*command: str) -> str:
    """Run a command that cannot do its work, and return its one line."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


def test_a_taken_port_is_reported_with_another(pack, tmp_path):
    port = free_port_pair()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port + 1))
        holder.listen()
        line = fail(*argv(pack, "--folder", str(tmp_path / "room"), "--port", str(port)))
    assert line.startswith(f"port {port + 1} on 127.0.0.1: address already in use.")
    assert f"--port {port + 10}" in line
    assert not (tmp_path / "room").exists()


def test_two_classrooms_in_one_folder_are_refused(pack, room):
    options = ("--folder", str(room.folder), "--port", str(free_port_pair()))
    assert "another classroom uses it" in fail(*argv(pack, *options))


def test_the_address_of_another_computer_is_refused(pack, tmp_path):
    line = fail(*argv(pack, "--folder", str(tmp_path / "room"), "--host", "192.0.2.1"))
    assert line.startswith("--host 192.0.2.1: it is not this computer's.")


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_pack_is_refused_before_anything_is_served(pack, damage, tmp_path):
    whole = pack.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    (tmp_path / "bad.tar").write_bytes(whole[:middle] if damage == "cut" else changed)
    line = fail(
        *argv(
            tmp_path / "bad.tar",
            *("--folder", str(tmp_path / "room"), "--port", str(free_port_pair())),
        )
    )
    assert "bad.tar" in line
    assert "Copy the pack again" in line
    assert not (tmp_path / "room/files").exists()


def test_a_join_with_another_fingerprint_is_refused_with_both(room, tmp_path):
    """Two classrooms on one network: the address is that of the other one."""
    wrong = "AB:" * 31 + "AB"
    join = (sys.executable, str(ROOT / "workshop/classroom/join.py"), room.url, wrong)
    line = fail(*join, str(tmp_path / "course"))
    assert f"expected {wrong}" in line
    assert "Another classroom" in line
    assert not (tmp_path / "course").exists()


def test_a_join_without_a_classroom_says_so(tmp_path):
    join = (sys.executable, str(ROOT / "workshop/classroom/join.py"))
    line = fail(*join, f"https://127.0.0.1:{free_port_pair()}", "AB", str(tmp_path / "course"))
    assert "does not answer" in line


def test_a_killed_classroom_can_start_again(pack, tmp_path):
    folder = tmp_path / "classroom"
    with classroom(pack, folder) as first:
        children = run("pgrep", "--parent", str(first.process.pid)).stdout.split()
        first.process.kill()
        first.process.wait()
        for child in children:
            os.killpg(int(child), signal.SIGTERM)
    with classroom(pack, folder) as second:
        assert second.get("/site/index.html").text == "lessons"
