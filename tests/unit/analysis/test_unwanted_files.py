"""Clutter in a build context, and whether an image holds it."""

import hashlib
from pathlib import Path

from workshop.analysis import unwanted_files
from workshop.analysis.image.image import Image
from workshop.analysis.image.layers import Entry, Layer


def planted(folder: Path, path: str) -> str:
    """Plant one file; returns its digest."""
    unwanted_files.plant(folder, [path])
    return hashlib.sha256((folder / path).read_bytes()).hexdigest()


def test_clutter_is_found_wherever_it_was_copied(tmp_path: Path):
    """The content tells, not the path; a layer of the base image does not count."""
    entry = Entry("srv/else.txt", "file", 1, digest=planted(tmp_path, ".pytest_cache/TAG"))
    image = Image("id", layers=(Layer("a", entries=(entry,)), Layer("b", entries=(entry,))), base=1)
    assert unwanted_files.kept(image, [".pytest_cache/TAG", "README.md"]) == {
        ".pytest_cache/TAG": 1
    }


def test_a_learners_own_file_gives_way(tmp_path: Path):
    """What is planted is what is looked for."""
    (tmp_path / "README.md").write_text("mine")
    fresh = planted(tmp_path / "other", "README.md")
    assert planted(tmp_path, "README.md") == fresh


def test_a_folder_in_the_way_stays(tmp_path: Path):
    """Then there is nothing to plant, and nothing to find."""
    (tmp_path / "README.md").mkdir()
    unwanted_files.plant(tmp_path, ["README.md"])
    assert (tmp_path / "README.md").is_dir()
