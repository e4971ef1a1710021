"""The site is built in strict mode, and served only on this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from harness import ROOT, free_ports, get, until

from workshop.core.errors import UserError
from workshop.core.process import SubprocessRunner
from workshop.site import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one page and one generated file."""
    (tmp_path / "docs/assets").mkdir(parents=True)
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = re.compile(r"^nav:\n(?:  .*\n)+", re.MULTILINE)
    text = nav.sub("nav:\n  - Start here: index.md\n", settings)
    (tmp_path / "mkdocs.yml").write_text(text, encoding="utf-8")
    mermaid = tmp_path / "web" / build.MERMAID
    mermaid.parent.mkdir(parents=True)
    mermaid.write_text("window.mermaid = {};\n", encoding="utf-8")
    page(tmp_path, "# Start here\n\nHello.\n")
    return tmp_path


def page(checkout: Path, text: str, name: str = "index.md") -> None:
    (checkout / "docs" / name).write_text(text, encoding="utf-8")


def test_the_site_has_the_pages_and_mermaid(checkout):
    assert build.build(SubprocessRunner(), checkout) == ""
    assert "Hello." in (checkout / "site/index.html").read_text(encoding="utf-8")
    assert (checkout / "site" / build.MERMAID_TARGET).is_file()


def test_without_npm_the_diagrams_stay_text_with_a_warning(checkout, monkeypatch):
    shutil.rmtree(checkout / "web")
    monkeypatch.setenv("PATH", "")
    assert "npm could not fetch Mermaid" in build.build(SubprocessRunner(), checkout)
    assert (checkout / "site/index.html").is_file()


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("[x](none.md)", "docs/index.md, line 3: it contains a link 'none.md'"),
        ("[x](#none)", "docs/index.md, line 3: it contains a link '#none'"),
        ("[x](/index.md)", "docs/index.md, line 3: it contains a link '/index.md'"),
        ('```python\n--8<-- "none.py"\n```', "none.py"),
    ],
)
def test_a_missing_target_fails_the_build(bad, fault, checkout):
    page(checkout, f"# Start here\n\n{bad}\n")
    with pytest.raises(UserError, match=re.escape(fault)):
        build.build(SubprocessRunner(), checkout)


def test_a_page_outside_the_menu_fails_the_build(checkout):
    page(checkout, "# Lost\n", "lost.md")
    with pytest.raises(UserError, match=r"lost\.md"):
        build.build(SubprocessRunner(), checkout)


def test_the_kits_site_builds_in_strict_mode(tmp_path):
    done = subprocess.run(
        (sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_site_is_stale_before_a_build_and_after_a_change(checkout):
    assert build.is_stale(checkout)
    build.build(SubprocessRunner(), checkout)
    assert not build.is_stale(checkout)
    later = time.time() + 10
    page(checkout, "# Start here\n")
    os.utime(checkout / "docs/index.md", (later, later))
    assert build.is_stale(checkout)


def test_the_site_is_served_only_on_this_machine(tmp_path):
    (tmp_path / "index.html").write_text("hello", encoding="utf-8")
    with build.serve(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert server.server_address[0] == "127.0.0.1"
        assert get(f"http://127.0.0.1:{server.server_port}/").text == "hello"
        server.shutdown()


def test_a_busy_port_is_an_error():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, error = serve(str(port))
    assert code == 2
    fix = f"Use another: workshop serve --port {port + 1}"
    assert error == f"port {port}: Address already in use. {fix}\n"


@pytest.mark.parametrize("port", ["65536", "-1"])
def test_an_invalid_port_is_an_error(port):
    code, error = serve(port)
    assert code == 2
    assert error == f"port {port}: there is no such port. Use a port from 1 to 65535\n"


def serve(port: str) -> tuple[int, str]:
    argv = (sys.executable, "-m", "workshop", "serve", f"--port={port}")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stderr


def test_ctrl_c_ends_the_server():
    (port,) = free_ports(1)
    argv = (sys.executable, "-m", "workshop", "serve", "--port", str(port))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        until(lambda: f":{port}/" in child.stdout.readline(), "the address", 120)
        child.send_signal(2)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "Traceback" not in out + err
