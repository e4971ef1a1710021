"""Unwanted files in a build context, and whether an image contains them."""

import hashlib
from pathlib import Path

from workshop.analysis import unwanted_files
from workshop.analysis.image.image import Image
from workshop.analysis.image.layers import Entry, Layer


def planted(folder: Path, path: str) -> str:
    """Plant one file; return its digest."""
    unwanted_files.plant(folder, [path])
    return hashlib.sha256((folder / path).read_bytes()).hexdigest()


def test_an_unwanted_file_is_found_at_any_path(tmp_path: Path):
    """Files are found by content, and only above the base image."""
    entry = Entry("srv/else.txt", "file", 1, digest=planted(tmp_path, ".pytest_cache/TAG"))
    image = Image("id", layers=(Layer("a", entries=(entry,)), Layer("b", entries=(entry,))), base=1)
    assert unwanted_files.find(image, [".pytest_cache/TAG", "README.md"]) == {
        ".pytest_cache/TAG": 1
    }


def test_a_learners_own_file_is_replaced(tmp_path: Path):
    """Only the planted content can be found later."""
    (tmp_path / "README.md").write_text("mine")
    fresh = planted(tmp_path / "other", "README.md")
    assert planted(tmp_path, "README.md") == fresh


def test_a_folder_at_the_path_is_kept(tmp_path: Path):
    """In this case, no file is planted."""
    (tmp_path / "README.md").mkdir()
    unwanted_files.plant(tmp_path, ["README.md"])
    assert (tmp_path / "README.md").is_dir()
