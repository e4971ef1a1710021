"""The environment can be created with any Python, and an error is one line."""

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


def test_it_requires_the_python_of_pyproject():
    kit = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floor = re.search(r">=(\d+)\.(\d+)", kit["requires-python"]).groups()
    assert tuple(map(int, floor)) == bootstrap.NEEDED


def test_it_imports_only_the_standard_library():
    tree = ast.parse((ROOT / "workshop/machine/bootstrap.py").read_text(encoding="utf-8"))
    names = {n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def exit_error(capsys, call, *arguments) -> str:
    """Return the error line of a call that exits with code 2."""
    with pytest.raises(SystemExit) as caught:
        call(*arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_an_old_python_is_an_error(capsys, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    error = exit_error(capsys, bootstrap.main)
    assert error.startswith("Python: found 3.9.2, 3.11 or later is needed.")


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Create a fake pip from a shell script."""

    def make(script: str) -> None:
        path = programs(tmp_path / "bin", python=script)
        monkeypatch.setattr(bootstrap, "PYTHON", f"{path}/python")

    yield make
    gc.collect()


# The pipe to pip stays open until the program ends.
open_pipe = pytest.mark.filterwarnings("ignore::ResourceWarning")


@open_pipe
def test_a_failure_of_pip_has_its_first_error(pip, capsys):
    pip("echo Collecting a; echo 'ERROR: No route to host.'; echo 'ERROR: Gave up'; exit 1")
    assert exit_error(capsys, bootstrap.install, ["a"], 1) == (
        "pip install: ERROR: No route to host. Check the network, then run this again\n"
    )


@open_pipe
def test_a_failure_of_pip_without_output_is_an_error(pip, capsys):
    pip("exit 1")
    assert exit_error(capsys, bootstrap.install, ["a"], 1).startswith("pip install: pip failed. ")


@open_pipe
def test_without_a_terminal_pip_runs_silently(pip, capsys, tmp_path):
    pip(f'echo Collecting a; echo "$@" > {tmp_path}/arguments')
    bootstrap.install(["--requirement", "x"], 1)
    assert capsys.readouterr() == ("", "")
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8")
    assert arguments.startswith("-m pip install ")
    assert arguments.endswith(" --requirement x\n")


def test_a_terminal_shows_a_progress_bar_and_removes_it(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    bootstrap.show(1, 2)
    assert capsys.readouterr().out.strip() == f"[{'#' * 15}{' ' * 15}] 1 of 2 packages"
    bootstrap.show(0, 0)
    assert capsys.readouterr().out.strip() == ""
