from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workshop.analysis.image.image import Image
from workshop.analysis.image.secret_search import Found
from workshop.grading.cache import Cache

if TYPE_CHECKING:
    from pathlib import Path


def test_the_canary_is_the_same_in_every_run(tmp_path: Path):
    canary = Cache(tmp_path).canary
    assert canary == Cache(tmp_path).canary
    assert len(canary) > 32


def test_each_folder_has_its_own_canary(tmp_path: Path):
    assert Cache(tmp_path / "a").canary != Cache(tmp_path / "b").canary


@pytest.mark.parametrize("content", ["", "x", "\n" * 100])
def test_a_damaged_canary_is_replaced(tmp_path: Path, content: str):
    (tmp_path / "canary").write_text(content)
    assert Cache(tmp_path).canary.startswith("canary-")


def test_a_value_is_returned_only_for_its_whole_key(tmp_path: Path):
    Cache(tmp_path).put_value(["a", 1], "rebuild", "x")
    assert Cache(tmp_path).get_value("rebuild", "x") == ["a", 1]
    assert Cache(tmp_path).get_value("rebuild", "y") is None
    assert Cache(tmp_path).get_value("rebuildx") is None


def test_a_damaged_value_is_a_miss(tmp_path: Path):
    Cache(tmp_path).put_value(1, "key")
    next((tmp_path / "values").iterdir()).write_text("{")
    assert Cache(tmp_path).get_value("key") is None


def test_without_write_access_nothing_is_cached(tmp_path: Path):
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file")
    cache.put_value(1, "key")
    cache.save_image("sha256:1", Image("sha256:1"))
    assert cache.get_value("key") is None
    assert cache.image("sha256:1") is None
    assert cache.canary == cache.canary


def test_an_image_without_a_secret_is_cached_under_its_engine_id(tmp_path: Path):
    Cache(tmp_path).save_image("sha256:1", Image("sha256:config"))
    found = Cache(tmp_path).image("sha256:1")
    assert found is not None
    assert found.id == "sha256:config"


def test_an_image_with_a_secret_is_not_cached(tmp_path: Path):
    leaky = Image("sha256:1", found=(Found(b"canary", 1, "app/.env"),))
    Cache(tmp_path).save_image("sha256:1", leaky)
    assert Cache(tmp_path).image("sha256:1") is None
