"""`workshop grade` grades a class, says what it did, and ends with 0 or 2."""

from __future__ import annotations

import pytest
from classroom import document
from fakes import INFO, NO_ENGINE, Script

from workshop.cohort import local_engine, rubric, run
from workshop.cohort.run import Graded
from workshop.cohort.store import Store
from workshop.commands import cohort
from workshop.core.errors import UserError
from workshop.grading import enforcement, isolation
from workshop.tasks import course


class Grader:
    """Grades by the text of the Dockerfile; records whom it graded."""

    def __init__(self) -> None:
        self.graded: list[str] = []

    def __call__(self, submission):
        self.graded.append(submission.learner.id)
        text = (submission.folder / "Dockerfile").read_text()
        return Graded(document(0, note=text) if text == "odd" else document(int(text)))


@pytest.fixture
def grader(monkeypatch):
    found = Grader()
    monkeypatch.setattr(local_engine, "Grader", lambda *_arguments: found)
    hold(monkeypatch, memory=True)
    return found


def hold(monkeypatch, **limits: bool) -> None:
    """Let the attempts to exceed the limits say which of them hold."""
    monkeypatch.setattr(enforcement, "probe", lambda _engine, _cache: limits)


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for learner, text in (("anna", "13"), ("ben", "5"), ("carl", "5")):
        hand_in(tmp_path, learner, text)
    return cohort.Options(tmp_path / "submissions", ("baby-steps",), tmp_path / "marks")


def hand_in(tmp_path, learner, text, name="submissions"):
    folder = tmp_path / name / learner
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(text)


def grade(options, info=INFO):
    answers = {"docker image inspect": "", "docker network inspect": "an instance"}
    script = Script({"docker info": info, **answers})
    return cohort.grade(options, lambda: script)


def marks(options):
    with Store(options.out) as store:
        return {row.learner.id: row.score for row in store.rows()}


def table(options):
    lines = (options.out / "marks.csv").read_text(encoding="utf-8").splitlines()
    return [line.split(",")[0] + " " + line.split(",")[3] for line in lines[1:]]


def test_a_class_is_graded_and_its_table_written(options, grader, capsys):
    assert grade(options) == 0
    assert sorted(grader.graded) == ["anna", "ben"]
    assert table(options) == ["anna 13", "ben 5", "carl 5"]
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == [
        "3 submissions: 0 already graded, 2 to grade, 1 identical to one of these",
        "Submissions are contained: 1 of 1 limits hold",
        "3 submissions: 1 passed, 2 failed, 0 ungradable",
    ]
    assert str(options.out / "marks.csv") in out[3:]


@pytest.mark.usefixtures("grader")
def test_a_limit_that_does_not_hold_is_said(options, monkeypatch, capsys):
    hold(monkeypatch, memory=True, disk=False)
    assert grade(options) == 0
    expected = "Submissions are not fully contained. The Docker engine: it does not enforce"
    assert f"{expected} these limits: disk" in " ".join(capsys.readouterr().err.split())
    assert isolation.read(options.out) == {"memory": True, "disk": False}


def test_with_required_isolation_nothing_is_graded_without_a_limit(options, grader, monkeypatch):
    hold(monkeypatch, disk=False)
    with pytest.raises(UserError, match="does not enforce these limits: disk"):
        grade(options._replace(isolated=True))
    assert grader.graded == []
    hold(monkeypatch, disk=True)
    assert grade(options._replace(isolated=True)) == 0


def test_the_same_command_again_grades_only_what_has_changed(options, grader, tmp_path):
    grade(options)
    before = (options.out / "marks.csv").read_bytes()
    grader.graded.clear()
    assert grade(options) == 0
    assert grader.graded == []
    assert (options.out / "marks.csv").read_bytes() == before
    hand_in(tmp_path, "ben", "6")
    grade(options)
    assert grader.graded == ["ben"]


def test_fresh_grades_everything_again(options, grader):
    grade(options)
    grader.graded.clear()
    grade(options._replace(fresh=True))
    assert sorted(grader.graded) == ["anna", "ben"]


def test_changed_points_need_no_build(options, grader, monkeypatch, capsys):
    grade(options)
    grader.graded.clear()
    monkeypatch.setattr(rubric, "full_digest", lambda _task: "other points")
    monkeypatch.setattr(run, "judge", lambda found: {**found, "max_score": 20})
    assert grade(options) == 0
    assert grader.graded == []
    assert "2 judged again with the changed points, without a build" in capsys.readouterr().out
    assert "ben,,baby-steps,5,20,25" in (options.out / "marks.csv").read_text()
    monkeypatch.setattr(rubric, "full_digest", lambda _task: "other checks")
    monkeypatch.setattr(rubric, "facts_digest", lambda _task: "other checks")
    grade(options)
    assert sorted(grader.graded) == ["anna", "ben"]


def test_fresh_builds_again_even_if_only_points_have_changed(options, grader, monkeypatch):
    grade(options)
    grader.graded.clear()
    monkeypatch.setattr(rubric, "full_digest", lambda _task: "other points")
    grade(options._replace(fresh=True))
    assert sorted(grader.graded) == ["anna", "ben"]


def test_only_grades_one_learner_and_keeps_the_others(options, grader, tmp_path):
    grade(options)
    grader.graded.clear()
    hand_in(tmp_path, "anna", "1")
    hand_in(tmp_path, "ben", "2")
    assert grade(options._replace(only="anna")) == 0
    assert grader.graded == ["anna"]
    assert marks(options) == {"anna": 1, "ben": 5, "carl": 5}
    assert "ben,,baby-steps,5,13,38,failed,out of date," in (options.out / "marks.csv").read_text()


def test_an_unknown_learner_is_one_line(options, grader):
    with pytest.raises(UserError, match="Did you mean anna"):
        grade(options._replace(only="ana"))
    assert grader.graded == []


def test_an_ungradable_submission_ends_with_2_and_is_tried_again(options, grader, tmp_path):
    hand_in(tmp_path, "ben", "odd")
    assert grade(options) == 2
    assert grade(options) == 2
    assert grader.graded.count("ben") == 2


def test_a_manual_mark_survives_regrading(options, grader):
    options.out.mkdir()
    text = "[ben.baby-steps]\npoints = 9\n"
    (options.out / "overrides.toml").write_text(text)
    for fresh in (False, True):
        grade(options._replace(fresh=fresh))
        assert table(options) == ["anna 13", "ben 9", "carl 5"]
    assert len(grader.graded) == 4


def test_a_manual_mark_of_nobody_is_mentioned(options, grader, capsys):
    options.out.mkdir()
    (options.out / "overrides.toml").write_text("[bert.baby-steps]\npoints = 9\n")
    assert grade(options) == 0
    assert grader.graded
    assert "overrides.toml: [bert.baby-steps]: no such learner" in capsys.readouterr().out


def test_a_wrong_manual_mark_is_refused_before_anything_is_graded(options, grader):
    options.out.mkdir()
    (options.out / "overrides.toml").write_text("[ben.baby-steps]\npoints = 99\n")
    with pytest.raises(UserError, match=r"overrides\.toml"):
        grade(options)
    assert grader.graded == []


def test_without_an_engine_nothing_is_lost(options, grader):
    grade(options)
    with pytest.raises(UserError, match="no Docker engine answers"):
        grade(options._replace(fresh=True), info=NO_ENGINE)
    grader.graded.clear()
    grade(options)
    assert grader.graded == []


def test_a_stopped_run_says_how_to_go_on(options, grader, monkeypatch, capsys):
    def stop(*_arguments, **_options):
        raise UserError("the Docker engine", "it failed", "See workshop doctor")

    monkeypatch.setattr(cohort, "grade_all", stop)
    for fresh, how in ((False, ""), (True, " without --fresh")):
        with pytest.raises(UserError):
            grade(options._replace(fresh=fresh))
        expected = f"Stopped: 2 of 2 are left. Run the same command{how} to go on."
        assert expected in capsys.readouterr().out
    assert grader.graded == []


def test_a_table_that_cannot_be_written_is_one_line_and_the_verdicts_stay(options, grader):
    (options.out / "marks.csv").mkdir(parents=True)
    with pytest.raises(UserError, match="the verdicts are stored"):
        grade(options)
    assert marks(options) == {"anna": 13, "ben": 5, "carl": 5}
    assert grader.graded


def test_a_refused_submission_is_a_line_and_2(options, grader, capsys):
    (options.folder / "dora").symlink_to(options.folder / "anna")
    assert grade(options) == 2
    assert "dora: a link" in " ".join(capsys.readouterr().err.split())
    assert len(grader.graded) == 2


def test_a_readme_beside_the_submissions_is_ignored(options, grader, capsys):
    (options.folder / "README.md").write_text("x")
    assert grade(options) == 0
    assert capsys.readouterr().err.count("\n") == len(grader.graded) == 2


def test_many_files_are_one_line(options, grader, monkeypatch, capsys):
    def write(_rows, folder, _limits):
        return [folder / "a/b.md", folder / "a/c/d.md", folder / "e.json"]

    monkeypatch.setattr(cohort, "write_all", write)
    assert grade(options) == 0
    assert grader.graded
    *_, file, folder = capsys.readouterr().out.splitlines()
    assert (file, folder) == (f"{options.out}/e.json", f"{options.out}/a (2 files)")


@pytest.mark.parametrize("out", ["submissions", "submissions/marks"])
def test_the_marks_are_not_among_the_submissions(options, tmp_path, out):
    with pytest.raises(UserError, match="inside the folder of submissions"):
        grade(options._replace(out=tmp_path / out))
    assert not (tmp_path / "submissions/marks").exists()


def test_a_folder_that_does_not_exist_or_is_empty_is_one_line(options, tmp_path):
    with pytest.raises(UserError, match="there is no such folder"):
        grade(options._replace(folder=tmp_path / "x"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no submissions"):
        grade(options._replace(folder=tmp_path / "empty"))


def test_another_class_is_refused(options, grader, tmp_path):
    grade(options)
    hand_in(tmp_path, "xaver", "13", "other")
    with pytest.raises(UserError, match="another class"):
        grade(options._replace(folder=tmp_path / "other"))
    assert marks(options) == {"anna": 13, "ben": 5, "carl": 5}
    assert grader.graded


def test_a_dry_run_grades_and_writes_nothing(options, grader, capsys):
    assert cohort.dry_run(options) == 0
    assert "anna" in capsys.readouterr().out
    assert grader.graded == []
    assert not options.out.exists()


def test_tasks_are_named_one_by_one_or_all_at_once():
    assert cohort.parse_tasks(["task-5", "baby-steps"]) == ("baby-steps", "task-5")
    assert cohort.parse_tasks(["task-5, baby-steps"]) == ("baby-steps", "task-5")
    assert cohort.parse_tasks(["all"]) == tuple(course.TASKS)
    with pytest.raises(UserError, match="Did you mean"):
        cohort.parse_tasks(["all", "task-55"])
