from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.core import paths

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_cache_folder_is_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.cache_folder() == tmp_path / "workshop"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert paths.cache_folder().parts[-2:] == (".cache", "workshop")
