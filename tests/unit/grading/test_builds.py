"""The builder refuses what must not reach the engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.dockerfile.parser import parse
from workshop.grading import cache_scope
from workshop.grading.builds import Builder
from workshop.grading.containment import Containment
from workshop.grading.limits import OWN
from workshop.model import Failed, Recipe

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("compose", "line"), [("", 1), ("docker-compose.yml", None)])
@pytest.mark.parametrize("text", ["ARG A", "ARG A=1\nARG B\n", "# FROM a", ""])
def test_a_file_without_a_stage_is_not_sent_to_the_engine(
    tmp_path: Path, text: str, compose: str, line: int | None
):
    (tmp_path / "Dockerfile").write_text(text)
    builder = Builder(
        engine=None,  # any use of it is an error
        source=SimpleNamespace(task=SimpleNamespace(compose=compose)),
        cache=None,
        record=SimpleNamespace(record=lambda *names: names),
        prefix="test",
        folder=tmp_path,
        on_line=print,
        timeout=1.0,
    )
    with pytest.raises(Failed, match="no FROM instruction") as failed:
        builder.build(Recipe(), tmp_path, "app")
    assert failed.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nENV A=aaaaaaaaaa\n" + "ENV A=$A$A\n" * 32,
        "ARG A=aaaaaaaaaa\n" + "ARG A=$A$A\n" * 32 + "FROM a",
        "FROM a\nARG A=aaaaaaaaaa\n" + "ARG A=$A$A\n" * 32 + "EXPOSE $A",
        "FROM a AS b\nENV A=aaaaaaaaaa\n" + "ENV A=$A$A\n" * 32 + "FROM a",
    ],
)
def test_variables_that_would_fill_the_memory_of_the_engine_do_not_reach_it(
    tmp_path: Path, text: str
):
    with pytest.raises(Failed, match="expand to more text than the kit reads"):
        _build(tmp_path, text)


class _Recorder:
    """An engine that keeps the file that it was asked to build."""

    def build(self, build, on_line, timeout):
        assert (on_line, timeout) == (print, 1.0)
        self.text = build.dockerfile.read_text()
        self.argv = build.argv()
        build.id_file.write_text("sha256:1")

    def inspect(self, *_):
        return ""


def _build(folder: Path, text: str, *, is_shared: bool = False, **limits) -> _Recorder:
    (folder / "Dockerfile").write_text(text)
    engine = _Recorder()
    builder = Builder(
        engine=engine,
        source=SimpleNamespace(task=SimpleNamespace(compose=""), folder=folder),
        cache=None,
        record=SimpleNamespace(record=lambda *names: names),
        prefix="test",
        folder=folder,
        on_line=print,
        timeout=1.0,
        containment=Containment(limits=OWN._replace(**limits)),
        is_shared=is_shared,
    )
    builder.build(Recipe(), folder, "app")
    return engine


def test_docker_s_own_frontend_is_the_one_that_is_built_in(tmp_path: Path):
    text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM python\n"
    assert _build(tmp_path, text).text == "# escape=`\n#\nFROM python\n"


def test_experimental_syntax_is_left_to_the_engine_for_own_work(tmp_path: Path):
    text = "# syntax=docker/dockerfile:1-labs\nFROM python\n"
    assert _build(tmp_path, text).text == text
    assert "syntax" not in _build(tmp_path, text, network=False).text


@pytest.mark.parametrize("network", [True, False])
@pytest.mark.parametrize("text", ["# syntax=127.0.0.1:5/x\nFROM a", "// syntax=x/y\nFROM a"])
def test_a_stranger_s_frontend_is_not_executed(tmp_path: Path, text: str, *, network: bool):
    with pytest.raises(Failed, match="syntax=") as failed:
        _build(tmp_path, text, network=network)
    assert failed.value.line == 1


def test_only_a_class_is_kept_from_addresses_that_the_engine_would_ask(tmp_path: Path):
    text = "FROM python\nADD http://127.0.0.1/x /x\n"
    assert _build(tmp_path, text).text == text
    with pytest.raises(Failed, match="ADD downloads"):
        _build(tmp_path, text, network=False)


def test_cache_mounts_are_separate_on_a_shared_engine(tmp_path: Path):
    text = "FROM python\nRUN --mount=type=cache,target=/c true\n"
    assert not any("CACHE_MOUNT" in one for one in _build(tmp_path, text).argv)
    shared = _build(tmp_path, text, is_shared=True)
    scope = cache_scope.find(tmp_path, "Dockerfile", parse(text))
    assert f"BUILDKIT_CACHE_MOUNT_NS={scope.id}" in shared.argv
