"""The summary of a run on GitHub has the feedback of a learner, or the marks of a class."""

from __future__ import annotations

import json

import pytest
from unit.templates.programs import load

summary = load(".github/actions/grade/summary.py")
ANNA = {"id": "anna", "name": "Anna", "email": ""}


def mark(outcome="passed", points=22, learner="anna") -> dict:
    of = {**ANNA, "id": learner}
    return {"learner": of, "task": "task-5", "points": points, "max_points": 22, "outcome": outcome}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Summarise marks; return the exit code and the summary."""
    written = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(written))
    folder = tmp_path / "marks"
    (folder / "feedback").mkdir(parents=True)

    def summarise(*marks: dict, options=(), feedback: str = "# anna\n") -> tuple[int, str]:
        (folder / "marks.json").write_text(json.dumps({"marks": marks}), encoding="utf-8")
        (folder / "feedback/anna.md").write_text(feedback, encoding="utf-8")
        code = summary.main([str(folder), *options])
        return code, written.read_text(encoding="utf-8")

    summarise.folder = folder
    return summarise


def test_the_summary_of_a_class_is_a_table_of_the_marks(run):
    code, text = run(mark(), mark("failed", 3, "ben"), mark("ungradable", None, "cem"))
    assert code == 0
    plain = text.replace("&#45;", "-").replace("&#32;", " ")
    assert plain.splitlines() == [
        "| learner | task | points | outcome |",
        "|---|---|--:|---|",
        "| anna | task-5 | 22 of 22 | passed |",
        "| ben | task-5 | 3 of 22 | failed |",
        "| cem | task-5 |  | ungradable |",
    ]


def test_the_name_of_a_learner_is_no_markdown(run):
    _, text = run(mark(learner="a|b <img src=x> [c](d)"))
    assert "&#124;" in text
    assert not set(text.splitlines()[2]) & set("<>[]()*`")


@pytest.mark.parametrize(
    ("marks", "code"),
    [([mark()], 0), ([mark("failed", 3)], 1), ([mark(), mark("ungradable", None)], 1)],
)
def test_with_feedback_the_step_fails_unless_everything_passed(run, marks, code):
    assert run(*marks, options=["--feedback"]) == (code, "# anna\n")


def test_a_summary_that_github_would_drop_is_cut(run):
    _, text = run(mark(), options=["--feedback"], feedback="ä" * 600_000)
    assert len(text.encode()) <= 1024**2
    assert text.endswith("*The rest is in the artifact with the marks.*\n")
    assert text.startswith("ää")


def test_a_single_result_for_classroom_50_is_copied(run):
    folder = run.folder / "classroom50/task-5/anna"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("one", encoding="utf-8")
    run(mark())
    assert (run.folder / "result.json").read_text(encoding="utf-8") == "one"


def test_of_several_results_none_is_the_result(run):
    for task in ("task-4", "task-5"):
        (run.folder / f"classroom50/{task}/anna").mkdir(parents=True)
        (run.folder / f"classroom50/{task}/anna/result.json").touch()
    run(mark())
    assert not (run.folder / "result.json").exists()


def test_without_marks_the_step_fails(tmp_path, capsys):
    assert summary.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith(
        "marks.json: nothing was graded. Read the output of the step before this one\n"
    )
