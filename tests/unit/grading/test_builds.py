"""The builder refuses what must not reach the engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from workshop.grading.builds import Builder
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
