"""Builds of strangers share a cache only if nothing differs that could have prepared it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.dockerfile.parser import parse
from workshop.grading.cache_scope import CacheScope, find

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "FROM a\nRUN --mount=type=cache,target=/c b\nCMD c\n"


def scope(folder: Path, text: str = TEXT, **files: str) -> CacheScope:
    folder.mkdir(exist_ok=True)
    for name, content in {"main.py": "pass", **files}.items():
        (folder / name).write_text(content)
    (folder / "Dockerfile").write_text(text)
    return find(folder, "Dockerfile", parse(text))


@pytest.mark.parametrize("mount", ["type=cache,target=/c", "target=/c,type=cache", "type=$T"])
def test_a_cache_mount_is_found(tmp_path, mount):
    assert scope(tmp_path / "a", f"FROM a\nRUN --mount={mount} b").is_used
    assert not scope(tmp_path / "b", "FROM a\nRUN b").is_used


def test_what_comes_after_the_last_cache_mount_may_differ(tmp_path):
    other = scope(tmp_path / "b", f"{TEXT}LABEL of=ben\nRUN c\n")
    assert scope(tmp_path / "a") == other


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("target=/c b", "target=/c d"),
        f"ARG x\n{TEXT}",
        TEXT.replace("FROM a", "FROM a\nENV x=y"),
        f"{TEXT}RUN --mount=type=cache,target=/c echo bad > /c/x\n",
        f"{TEXT}FROM a AS other\nRUN --mount=type=cache,target=/c echo bad > /c/x\n",
        f"{TEXT}RUN --MOUNT=type=cache,target=/c echo bad > /c/x\n",
        f"{TEXT}RUN <<E\nmount\nE\n",
    ],
)
def test_another_dockerfile_has_another_scope(tmp_path, text):
    assert scope(tmp_path / "a").id != scope(tmp_path / "b", text).id


def test_another_file_has_another_scope(tmp_path):
    ids = {
        scope(tmp_path / "a").id,
        scope(tmp_path / "b", **{"main.py": "bad"}).id,
        scope(tmp_path / "c", **{"sitecustomize.py": "bad"}).id,
        scope(tmp_path / "d", **{".dockerignore": "main.py"}).id,
    }
    (tmp_path / "a/main.py").chmod(0o755)
    ids.add(scope(tmp_path / "a").id)
    (tmp_path / "a/link").symlink_to("/etc/passwd")
    ids.add(scope(tmp_path / "a").id)
    assert len(ids) == 6


def test_a_missing_or_unusual_file_is_no_error(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert find(tmp_path, "Dockerfile", parse(TEXT)).is_used
