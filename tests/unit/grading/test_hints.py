"""A hint must not break the file that it is given for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.container.shutdown import KILLED, Shutdown
from workshop.analysis.source import Source
from workshop.checks.config import builds, exposes, working_directory
from workshop.checks.program import require_exit_code_0
from workshop.checks.server import stops_on_sigterm
from workshop.checks.user import runs_as_non_root
from workshop.grading import grade
from workshop.model import Failed, Outcome, Recipe, Task, check

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.analysis.container.app import Run
    from workshop.model import Check, Result

FLASK = "/usr/bin/python3 /usr/local/bin/flask run"


@check(points=1, why="It must end.", hint="Run the image by hand.", blame=("CMD",))
def ends(run: Run) -> None:
    """It ends."""
    require_exit_code_0(run)


class Evaluation:
    """One fact of one check."""

    standin_bases = False
    cache = SimpleNamespace(canary="canary")

    def __init__(self, source: Source, fact: object) -> None:
        self.source, self.task, self._fact = source, source.task, fact

    def prepare(self, needs: str, of: str) -> None:
        pass

    def fact(self, _needs: str, _of: str) -> object:
        if isinstance(self._fact, Exception):
            raise self._fact
        return self._fact


def submit(folder: Path, check: Check, dockerfile: str) -> Source:
    (folder / "Dockerfile").write_text(dockerfile)
    recipes = (Recipe(port=8000),)
    task = Task("t", "", "", "tests/causes", ("Dockerfile",), recipes, (check,), withheld=("*",))
    return Source(task, folder)


def failure(source: Source, fact: object) -> Result:
    (result,) = grade.full(Evaluation(source, fact)).results
    assert result.outcome is Outcome.FAILED
    return result


@pytest.mark.parametrize(
    ("dockerfile", "command", "hint"),
    [
        ("CMD flask run --port $PORT", "/bin/sh -c flask run --port $PORT", "CMD exec PROGRAM $"),
        ("CMD flask run \\\n  --port $PORT", "/bin/sh -c flask run --port $PORT", "CMD exec"),
        ("CMD flask run; true", "/bin/sh -c flask run; true", "as a list"),
        ('CMD ["sh", "-c", "flask run; true"]', "sh -c flask run; true", "exec before the server"),
        ('CMD ["flask", "run"]', FLASK, "gunicorn, which stops on SIGTERM, or add STOPSIGNAL"),
        ("CMD flask run", FLASK, "gunicorn"),
        ('ENTRYPOINT ["flask"]\nCMD ["run"]', FLASK, "STOPSIGNAL SIGINT"),
        ('CMD ["/start.sh"]', "/bin/sh /start.sh", "exec before the server"),
        ('CMD ["python", "app.py"]', "python app.py", "STOPSIGNAL SIGINT"),
        ("CMD flask run $A\nFROM b\n" + 'CMD ["python", "a.py"]', "python a.py", "STOPSIGNAL"),
    ],
)
def test_a_server_that_is_killed(tmp_path: Path, dockerfile: str, command: str, hint: str):
    source = submit(tmp_path, stops_on_sigterm, f"FROM a\n{dockerfile}\n")
    result = failure(source, Shutdown(KILLED, 10.2, command))
    assert hint in result.hint
    assert ("as a list" in result.hint) == (hint == "as a list")
    lines = (tmp_path / "Dockerfile").read_text().splitlines()
    assert result.line
    assert lines[result.line - 1].startswith(("CMD", "ENTRYPOINT"))


def test_a_list_with_single_quotes_needs_double_quotes(tmp_path: Path):
    source = submit(tmp_path, ends, "FROM a\nCMD ['python', 'app.py']\n")
    output = "exit code 127, after this output:\n/bin/sh: 1: [python,: not found"
    result = failure(source, Failed(output, "exit code 0"))
    assert 'CMD ["python", "app.py"]' in result.hint
    assert result.line == 2


@pytest.mark.parametrize(
    ("check", "instruction"),
    [
        (working_directory("/app"), "WORKDIR $VALUE"),
        (exposes(8000), "EXPOSE $VALUE"),
        (runs_as_non_root(), "USER ${VALUE}"),
    ],
    ids=["working-directory", "exposes", "user"],
)
def test_an_argument_above_from_has_to_be_repeated(tmp_path: Path, check: Check, instruction: str):
    source = submit(tmp_path, check, f"ARG VALUE=x\nFROM a\n{instruction}\n")
    (result,) = grade.static(source).results
    assert result.cause == "arg-above-from"
    assert "Repeat ARG VALUE" in result.hint
    assert result.line == 3


def test_a_heredoc_shows_the_first_error(tmp_path: Path):
    dockerfile = "FROM a\nRUN <<EOF\npip install flask==99\npython -c 'import flask'\nEOF\n"
    output = (
        "[2/2] RUN <<EOF (pip install flask==99...)\n"
        "ERROR: No matching distribution found for flask==99\n"
        "Traceback (most recent call last):\n"
        "ModuleNotFoundError: No module named 'flask'\n"
    )
    actual = "step [2/2] RUN <<EOF failed: ModuleNotFoundError: No module named 'flask'"
    source = submit(tmp_path, builds, dockerfile)
    result = failure(source, Failed(actual, "a build", line=2, output=output))
    assert "No matching distribution found for flask==99" in result.why
    assert "set -e" in result.hint


def test_a_heredoc_with_set_e_shows_its_own_error(tmp_path: Path):
    dockerfile = "FROM a\nRUN <<EOF\nset -eu\npip install flask==99\npython -V\nEOF\n"
    output = "[2/2] RUN <<EOF (set -eu...)\nERROR: No matching distribution found for flask==99\n"
    source = submit(tmp_path, builds, dockerfile)
    result = failure(source, Failed("step failed", "a build", line=2, output=output))
    assert result.cause == "pip-no-such-version"
