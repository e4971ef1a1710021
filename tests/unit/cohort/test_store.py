"""The store keeps every verdict, and refuses what it cannot keep in one line."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from classroom import FOLDER, TASK, document, run, submission, submissions

from workshop.cohort import store as module
from workshop.cohort.answer import AnswerFile
from workshop.cohort.store import Store
from workshop.cohort.submission import Learner
from workshop.core.errors import UserError


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "marks") as opened:
        yield opened


def flags(store: Store) -> dict[str, tuple[str, ...]]:
    return {row.learner.id: row.flags for row in store.rows()}


def test_a_verdict_can_be_read_by_its_key(store):
    assert store.get("key") is None
    store.put("key", submission("anna"), document(5))
    assert store.get("key") == document(5)
    assert store.outcome("key") == "failed"


def test_a_row_has_what_was_handed_in_and_the_verdict(store):
    anna = submission("anna")._replace(
        learner=Learner("anna", "Anna B.", "a@x.org"), origin="anna.zip", handed_in="2026-01-02"
    )
    store.put("key", anna, document(5))
    (row,) = store.rows()
    assert row.learner == anna.learner
    assert (row.task, row.outcome, row.score, row.max_score) == (TASK, "failed", 5, 13)
    assert (row.flags, row.handed_in, row.origin) == ((), "2026-01-02", "anna.zip")
    assert (row.digest, row.document) == (anna.digest, document(5))
    assert (row.override, row.comment) == (None, "")


def test_rows_are_in_the_order_of_learners_and_then_of_tasks(store):
    for learner, task in [("ben", "task-5"), ("ben", "baby-steps"), ("anna", "task-5")]:
        found = submission(learner, task=task)
        store.put(f"{learner} {task}", found, document())
    found = [(row.learner.id, row.task) for row in store.rows()]
    assert found == [("anna", "task-5"), ("ben", "baby-steps"), ("ben", "task-5")]
    assert [row.task for row in store.rows()[1:]] == ["baby-steps", "task-5"]


def test_a_submission_without_a_verdict_has_no_row(store):
    store.enrol(FOLDER, {submission("anna"): "key"}, [TASK])
    assert len(store.rows()) == 0


def test_identical_submissions_share_a_verdict_and_are_flagged(store):
    found = [submission("anna", "x"), submission("ben", "x"), submission("carl", "y")]
    run(store, [*found, submission("dora", "x")])
    assert flags(store) == {
        "anna": ("identical to ben",),
        "ben": ("identical to anna",),
        "carl": (),
        "dora": ("identical to anna",),
    }


def test_a_changed_submission_keeps_its_mark_with_a_flag_until_the_next_verdict(store):
    run(store, [submission("anna", "old")])
    changed = submission("anna", "new")
    store.enrol(FOLDER, {changed: "new"}, [TASK])
    assert flags(store) == {"anna": ("out of date",)}
    store.put("new", changed, document(7))
    assert [(row.score, row.flags) for row in store.rows()] == [(7, ())]


def test_a_submission_that_is_taken_back_keeps_its_mark_with_a_flag(store):
    run(store, [submission("anna"), submission("ben")])
    run(store, [submission("ben")])
    assert flags(store) == {"anna": ("not in the last submissions",), "ben": ()}


def test_a_discarded_verdict_stays_until_the_next(store):
    store.put("key", submission("anna"), document(5))
    store.discard([("key", "facts")])
    assert store.outcome("key") == ""
    assert [row.score for row in store.rows()] == [5]
    store.put("key", submission("anna"), document(6))
    assert store.outcome("key") == "failed"


def test_a_verdict_is_found_by_its_facts_unless_it_is_ungradable_or_discarded(store):
    assert store.find("facts") is None
    store.put("key", submission("anna"), document(5), "facts")
    store.put("odd", submission("ben"), document(note="odd"), "other")
    assert store.find("facts") == document(5)
    assert store.find("other") is None
    store.discard([("new key", "facts")])
    assert store.find("facts") is None


def files_of(store: Store) -> dict[str, tuple[AnswerFile, ...]]:
    return {row.learner.id: row.files for row in store.rows()}


def test_a_row_has_the_files_that_were_graded_even_if_the_submission_has_changed(store):
    old = (AnswerFile("Dockerfile", "FROM old"),)
    store.put("old", submission("anna", "old"), document(5), files=old)
    store.put("old", submission("ben", "old"), document(5))
    store.enrol(FOLDER, {submission("anna", "new"): "new"}, [TASK])
    assert files_of(store) == {"anna": old, "ben": old}
    new = (AnswerFile("Dockerfile", "FROM new"),)
    store.put("new", submission("anna", "new"), document(5), files=new)
    assert files_of(store) == {"anna": new, "ben": old}


def test_a_database_of_an_older_kit_has_no_files_until_it_is_graded_again(tmp_path):
    with Store(tmp_path) as store:
        store.put("key", submission("anna"), document(5))
        store._connection.executescript("DROP TABLE answer; PRAGMA user_version = 1")
    with Store(tmp_path) as store:
        assert files_of(store) == {"anna": ()}
        store.put("key", submission("anna"), document(5), files=(AnswerFile("a", "b"),))
        assert files_of(store) == {"anna": (AnswerFile("a", "b"),)}


def test_a_manual_mark_survives_a_new_verdict(store, tmp_path):
    text = f'[anna.{TASK}]\npoints = 2\ncomment = "By hand."'
    (tmp_path / "marks/overrides.toml").write_text(text, encoding="utf-8")
    for score in (5, 6):
        store.put("key", submission("anna"), document(score))
        (row,) = store.rows()
        assert (row.score, row.points, row.comment) == (score, 2, "By hand.")
        assert row.flags == ("manual mark",)


def test_names_that_are_not_utf_8_and_hostile_texts_are_stored(store):
    hostile = submission("x'); DROP TABLE verdict; --")._replace(origin="\udcff.zip")
    store.put("key", hostile, document(note="\udcff\0"))
    (row,) = store.rows()
    assert (row.learner.id, row.origin) == (hostile.learner.id, "\\udcff.zip")
    assert row.document["note"] == "\udcff\0"


def test_the_store_is_there_after_it_was_closed(tmp_path):
    with Store(tmp_path) as store:
        store.put("key", submission("anna"), document(5))
    with Store(tmp_path) as store:
        assert store.get("key") == document(5)
        assert store._pragma("user_version") == module.VERSION
        mode = store._connection.execute("PRAGMA journal_mode").fetchone()
        assert mode == ("wal",)


def test_a_second_grader_is_refused_until_the_first_ends(tmp_path):
    with Store(tmp_path), pytest.raises(UserError, match="another grader"), Store(tmp_path):
        pass
    with Store(tmp_path):
        pass


def refuse(folder: Path) -> str:
    with pytest.raises(UserError) as error, Store(folder):
        pass
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_database_of_a_newer_kit_is_left_alone(tmp_path):
    with Store(tmp_path) as store:
        store._connection.execute(f"PRAGMA user_version = {module.VERSION + 1}")
    before = (tmp_path / module.NAME).read_bytes()
    assert f"newer kit wrote it (format {module.VERSION + 1}" in refuse(tmp_path)
    assert (tmp_path / module.NAME).read_bytes() == before


def test_a_database_of_another_program_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / module.NAME) as other:
        other.execute("CREATE TABLE other (x)")
    other.close()
    assert "another program" in refuse(tmp_path)


def test_a_damaged_database_is_one_line(tmp_path):
    (tmp_path / module.NAME).write_bytes(b"no database" * 1000)
    assert "it is damaged" in refuse(tmp_path)


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "marks").write_text("x")
    assert "it is a file" in refuse(tmp_path / "marks")
    assert "Not a directory" in refuse(tmp_path / "marks/below")


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    with Store(tmp_path) as store:
        run(store, submissions(5))
        pages = store._pragma("page_count")
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(UserError, match="the disk is full"):
            store.put("big", submission("anna"), document(padding="x" * 100_000))
        assert len(store.rows()) == 5
    with Store(tmp_path) as store:
        assert len(store.rows()) == 5
        store.put("big", submission("anna"), document(padding="x" * 100_000))
        assert len(store.rows()) == 6


@pytest.mark.parametrize(
    ("path", "learners", "same"),
    [
        ("/submissions", ["anna", "ben", "carl"], True),
        ("/submissions", ["xaver", "yves"], True),
        ("/other", ["anna", "xaver"], True),
        ("/other", ["ben"], True),
        ("/other", ["xaver"], False),
        ("/other", ["anna", "xaver", "yves", "zoe"], False),
    ],
)
def test_another_class_is_refused(store, path, learners, same):
    run(store, [submission("anna"), submission("ben"), submission("carl")])
    if same:
        store.check_class(Path(path), learners)
    else:
        with pytest.raises(UserError, match="another class"):
            store.check_class(Path(path), learners)


def test_a_new_folder_takes_any_class(store):
    store.check_class(FOLDER, ["anna"])
