"""The kit's own environment is made with any Python, and what goes wrong is one line."""

from __future__ import annotations

import ast
import gc
import re
import sys
import tomllib

import pytest
from fakes import programs
from harness import ROOT

from workshop.machine import bootstrap


def test_it_needs_the_python_that_pyproject_asks_for():
    kit = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floor = re.search(r">=(\d+)\.(\d+)", kit["requires-python"]).groups()
    assert tuple(map(int, floor)) == bootstrap.NEEDED


def test_it_imports_nothing_but_the_standard_library():
    tree = ast.parse((ROOT / "workshop/machine/bootstrap.py").read_text(encoding="utf-8"))
    names = {n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def ended(capsys, call, *words) -> str:
    """What a call complains of that ends the program with 2."""
    with pytest.raises(SystemExit) as caught:
        call(*words)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_an_old_python_is_told_what_is_needed(capsys, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert ended(capsys, bootstrap.main).startswith("Python: it is 3.9.2, 3.11 or later is needed.")


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Makes a pip that does as told."""

    def make(script: str) -> None:
        path = programs(tmp_path / "bin", python=script)
        monkeypatch.setattr(bootstrap, "PYTHON", f"{path}/python")

    yield make
    gc.collect()


# The pipe to pip is left open until the program ends.
open_pipe = pytest.mark.filterwarnings("ignore::ResourceWarning")


@open_pipe
def test_a_pip_that_fails_is_told_with_its_first_error(pip, capsys):
    pip("echo Collecting a; echo 'ERROR: No route to host.'; echo 'ERROR: Gave up'; exit 1")
    assert ended(capsys, bootstrap.install, ["a"], 1) == (
        "pip install: ERROR: No route to host. Check the network, then run this again\n"
    )


@open_pipe
def test_a_pip_that_dies_without_a_word_has_failed_too(pip, capsys):
    pip("exit 1")
    assert ended(capsys, bootstrap.install, ["a"], 1).startswith("pip install: pip failed. ")


@open_pipe
def test_pip_is_handed_its_words_and_elsewhere_than_on_a_terminal_nothing_is_shown(
    pip, capsys, tmp_path
):
    pip(f'echo Collecting a; echo "$@" > {tmp_path}/asked')
    bootstrap.install(["--requirement", "x"], 1)
    assert capsys.readouterr() == ("", "")
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert asked.startswith("-m pip install ")
    assert asked.endswith(" --requirement x\n")


def test_a_terminal_shows_how_far_it_is_and_wipes_it_away(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    bootstrap.show(1, 2)
    assert capsys.readouterr().out.strip() == f"[{'#' * 15}{' ' * 15}] 1 of 2 packages"
    bootstrap.show(0, 0)
    assert capsys.readouterr().out.strip() == ""
