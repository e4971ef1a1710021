from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.image.image import Image
from workshop.analysis.image.secret_search import Found
from workshop.grading.cache import Cache

if TYPE_CHECKING:
    from pathlib import Path


def test_the_canary_is_the_same_from_run_to_run(tmp_path: Path):
    canary = Cache(tmp_path).canary
    assert canary == Cache(tmp_path).canary
    assert len(canary) > 32


def test_another_folder_has_another_canary(tmp_path: Path):
    assert Cache(tmp_path / "a").canary != Cache(tmp_path / "b").canary


@pytest.mark.parametrize("content", ["", "x", "\n" * 100])
def test_a_damaged_canary_is_made_anew(tmp_path: Path, content: str):
    (tmp_path / "canary").write_text(content)
    assert Cache(tmp_path).canary.startswith("canary-")


def test_what_is_remembered_is_recalled_by_all_of_its_key(tmp_path: Path):
    Cache(tmp_path).put_value(["a", 1], "rebuild", "x")
    assert Cache(tmp_path).get_value("rebuild", "x") == ["a", 1]
    assert Cache(tmp_path).get_value("rebuild", "y") is None
    assert Cache(tmp_path).get_value("rebuildx") is None


def test_a_damaged_note_is_none(tmp_path: Path):
    Cache(tmp_path).put_value(1, "key")
    next((tmp_path / "notes").iterdir()).write_text("{")
    assert Cache(tmp_path).get_value("key") is None


def test_where_nothing_can_be_written_nothing_is_known(tmp_path: Path):
    (tmp_path / "file").touch()
    nowhere = Cache(tmp_path / "file")
    nowhere.put_value(1, "key")
    nowhere.keep("sha256:1", Image("sha256:1"))
    assert nowhere.get_value("key") is None
    assert nowhere.image("sha256:1") is None
    assert nowhere.canary == nowhere.canary


def test_an_image_is_kept_under_the_engines_id_where_no_secret_was_found(tmp_path: Path):
    Cache(tmp_path).keep("sha256:1", Image("sha256:config"))
    found = Cache(tmp_path).image("sha256:1")
    assert found is not None
    assert found.id == "sha256:config"


def test_an_image_with_a_secret_is_looked_at_anew(tmp_path: Path):
    spoilt = Image("sha256:1", found=(Found(b"canary", 1, "app/.env"),))
    Cache(tmp_path).keep("sha256:1", spoilt)
    assert Cache(tmp_path).image("sha256:1") is None
