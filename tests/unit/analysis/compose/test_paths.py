"""Files outside the learner's folder are refused, even behind symbolic links."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from unit.analysis.compose.files import read_web

from workshop.analysis.compose import RefusedError, emit

if TYPE_CHECKING:
    from pathlib import Path

LINKED = (
    "image: x\nvolumes: [./link:/x]",
    "image: x\nvolumes: [./link/inner:/x]",
    "image: x\nenv_file: link/.env",
    "image: x\nenv_file: [{path: link/none.env, required: false}]",
    "build: link",
    "build: {context: ., dockerfile: link/File}",
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A learner's folder with a symbolic link to a directory outside."""
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / ".env").write_text("A=secret")
    (outside / "File").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    return folder


def emit_web(body: str, folder: Path) -> str:
    """Emit the service `web`, with an image unless it is built."""
    compose = read_web(body)
    assert compose.refusals == ()
    images = {} if body.startswith("build") else {"web": "x"}
    return emit(compose, ["web"], images=images, folder=folder)


def reason(body: str, folder: Path) -> str:
    """Return the reason why the service `web` is refused."""
    with pytest.raises(RefusedError) as caught:
        emit_web(body, folder)
    (refusal,) = caught.value.refusals
    return refusal.why


@pytest.mark.parametrize("body", LINKED)
def test_symbolic_links_are_refused(body, folder):
    assert reason(body, folder) == "link is a symbolic link"


def test_named_pipes_are_refused(folder):
    os.mkfifo(folder / "pipe")
    assert "neither a file" in reason("image: x\nenv_file: pipe", folder)


def test_only_optional_env_files_may_be_missing(folder):
    assert reason("image: x\nenv_file: no.env", folder) == "no such file or folder"
    assert emit_web("image: x\nenv_file: [{path: a, required: false}]", folder)


def test_only_the_short_mount_syntax_creates_a_missing_folder(folder):
    assert emit_web("image: x\nvolumes: [./new:/x]", folder)
    long_syntax = "image: x\nvolumes: [{type: bind, source: ./new, target: /x}]"
    assert reason(long_syntax, folder) == "no such file or folder"


def test_the_folder_itself_may_be_reached_through_a_link(folder):
    (folder / "a").mkdir()
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert str(folder / "a") in emit_web("image: x\nvolumes: [./a:/x]", link)


def test_variables_that_keep_doubling_are_refused(folder):
    lines = ["A0=xxxxxxxx", *(f"A{n}=$A{n - 1}$A{n - 1}" for n in range(1, 4000))]
    (folder / ".env").write_text("\n".join(lines))
    assert "more than 1,000,000" in reason("image: x\nenv_file: .env", folder)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"A=\xff", "utf-8"),
        (b"A=${", "brace"),
        (b"A=1\n=2", "line 2"),
        (b"A" * 100_001, "bytes"),
    ],
)
def test_invalid_env_files_are_refused(data, why, folder):
    (folder / ".env").write_bytes(data)
    assert why in reason("image: x\nenv_file: .env", folder)
