"""pip and Poetry install the same versions."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]


def locked() -> set[str]:
    """``name==version`` of every package that poetry.lock gives the application."""
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    packages = tomllib.loads((FOLDER / "poetry.lock").read_text())["package"]
    return {f"{item['name']}=={item['version']}" for item in packages if "main" in item["groups"]}


def test_the_constraints_are_what_the_lock_file_says() -> None:
    """constraints.txt, which tasks 1 and 2 use, names the lock's packages and no others."""
    lines = (FOLDER / "constraints.txt").read_text().splitlines()

    assert {line.split(" ;")[0] for line in lines} == locked()
