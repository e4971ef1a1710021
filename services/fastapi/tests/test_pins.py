"""Test that pip and Poetry install the same versions."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]


def locked() -> set[str]:
    """Return ``name==version`` of every package in poetry.lock that the application uses."""
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    packages = tomllib.loads((FOLDER / "poetry.lock").read_text())["package"]
    return {f"{item['name']}=={item['version']}" for item in packages if "main" in item["groups"]}


def test_the_constraints_match_the_lock_file() -> None:
    """constraints.txt (tasks 1 and 2) lists the same packages and versions as poetry.lock."""
    lines = (FOLDER / "constraints.txt").read_text().splitlines()

    assert {line.split(" ;")[0] for line in lines} == locked()
