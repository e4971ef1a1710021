from __future__ import annotations

import re

from unit.cohort import classes

from workshop.cohort.exports import feedback


def only(rows, folder):
    (path,) = feedback.write(rows, folder)
    return path.read_text(encoding="utf-8")


def test_a_learner_reads_what_failed_and_what_to_try(tmp_path):
    row = classes.row("anna", name="Anna", comment="Nearly there.", flags=("identical to ben",))
    text = only([row], tmp_path)
    for part in (
        "# Anna\n",
        "## task-5\n",
        "**2 of 4 points (50 %), failed**",
        "> Nearly there.",
        "### Requirement 2\n",
        "```text\nit listens on 127.0.0.1\n```",
        "Expected: it listens on 0.0.0.0",
        "Where: Dockerfile, line 3",
        "Why: A container has its own loopback.",
        "Hint: Add --host 0.0.0.0.",
    ):
        assert part in text
    assert "Requirement 1" not in text
    assert "ben" not in text


def test_all_tasks_of_a_learner_are_in_one_file(tmp_path):
    rows = [classes.row("anna", classes.check(1)), classes.row("anna", task="task-1")]
    text = only(rows, tmp_path)
    assert "Every check passed." in text
    assert text.index("## task-5") < text.index("## task-1")


def test_an_ungradable_submission_names_the_reason(tmp_path):
    text = only([classes.ungradable()], tmp_path)
    assert "**not graded: the engine stopped**" in text
    assert "passed" not in text


def test_a_check_that_could_not_run_is_counted(tmp_path):
    row = classes.row("anna", classes.check(1, "failed"), classes.check(2, "skipped"))
    assert "1 check could not run because of these failures." in only([row], tmp_path)


def test_hostile_text_is_inert(tmp_path):
    for path in feedback.write(classes.hostile(), tmp_path):
        text = path.read_text(encoding="utf-8")
        # Outside a fenced block, nothing begins a tag, a link or a heading.
        outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
        assert not re.search(r"(?<!\\)[<>`](?! )", outside.replace("\n> ", "\n"))
        assert not re.search(r"(?<!\\)\]\(", outside)
        headings = [line for line in outside.splitlines() if line.startswith("#")]
        assert len(headings) == 3
