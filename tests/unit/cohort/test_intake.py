from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest
from tars import file, link, tar

from workshop.cohort import intake
from workshop.cohort.archive_entries import LEARNER
from workshop.cohort.intake import Intake
from workshop.cohort.submission import Learner, Refused, Submission
from workshop.core.errors import UserError
from workshop.tasks.course import TASKS

NONROOT = "Dockerfile-nonroot"


class Class:
    """A folder of submissions, and what is found in it."""

    def __init__(self, path: Path) -> None:
        self.top = path / "submissions"
        self.top.mkdir()
        self.workdir = path / "work"

    def write(self, *files: str, text: str = "FROM python:3.12") -> Class:
        for name in files:
            path = self.top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self

    def archive(self, name: str, *files: str) -> Class:
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w") as made:
            for path in files:
                made.writestr(path, "FROM python:3.12")
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(output.getvalue())
        return self

    def find(self, *tasks: str, roster: Path | None = None, top: Path | None = None) -> Intake:
        return intake.find(
            top or self.top, tasks or ("task-5",), roster=roster, workdir=self.workdir
        )

    def list(self, *tasks: str, **options: Path) -> list[str]:
        """Return the learner, the task and the origin of each submission found."""
        found = self.find(*tasks, **options)
        for submission in found.submissions:
            assert submission.folder.is_dir()
        return [f"{s.learner.id} {s.task} {self.short(s.origin)}" for s in found.submissions]

    def refused(self, *tasks: str, **options: Path) -> list[str]:
        """Return what is refused, in one line each."""
        found = self.find(*tasks, **options)
        return [f"{self.short(refused.origin)}: {refused.found}" for refused in found.refused]

    def short(self, origin: str) -> str:
        return origin.replace(f"{self.top}/", "").replace(f"{self.top.parent}/", "")

    def roster(self, text: str) -> Path:
        path = self.top.parent / "class.csv"
        path.write_text(text)
        return path


@pytest.fixture
def group(tmp_path: Path) -> Class:
    return Class(tmp_path)


# ---- shapes


def test_each_folder_and_each_archive_is_a_learner(group: Class):
    group.write(f"anna/{NONROOT}", "anna/app/main.py").archive("ben.zip", NONROOT)
    group.top.joinpath("cleo.tar.gz").write_bytes(tar(file(f"./{NONROOT}", b"FROM x")))
    assert group.list() == ["anna task-5 anna", "ben task-5 ben.zip", "cleo task-5 cleo.tar.gz"]
    assert group.refused() == []


@pytest.mark.parametrize(
    "inside",
    ["anna", "services/fastapi", "exercises/fastapi", "repo/services/fastapi", "my work"],
)
def test_a_submission_may_be_some_levels_deeper(group: Class, inside: str):
    group.write(f"anna/{inside}/{NONROOT}", "anna/README.md").archive(
        "b.zip", f"{inside}/{NONROOT}"
    )
    assert group.list() == [f"anna task-5 anna/{inside}", f"b task-5 b.zip/{inside}"]


def test_what_belongs_to_no_learner_is_ignored(group: Class):
    group.write(f"anna/{NONROOT}", "README.md", ".DS_Store", "__MACOSX/._anna", "desktop.ini")
    group.write("marks.csv", ".git/config", "marks/marks.sqlite", "Thumbs.db", "venv/x", "LICENSE")
    found = group.find()
    assert [submission.learner.id for submission in found.submissions] == ["anna"]
    assert found.refused == ()
    assert len(found.ignored) == 10


def test_the_folder_of_the_extracted_archives_is_no_learner(group: Class):
    group.archive("anna.zip", NONROOT)
    group.workdir = group.top / "out" / "work"
    assert group.list() == ["anna task-5 anna.zip"]
    assert group.list() == ["anna task-5 anna.zip"]
    assert group.find().ignored == ("out",)


def test_what_is_neither_a_folder_nor_an_archive_is_refused(group: Class):
    group.write(f"anna/{NONROOT}", "ben.rar", "cleo.docx", "dan\x1b[2J/x")
    os.mkfifo(group.top / "eve")
    (group.top / "fred").symlink_to("/etc")
    (group.top / "gus").symlink_to("anna")
    os.mkdir(os.fsencode(group.top) + b"/\xff")  # noqa: PTH102 - a name of any bytes
    assert group.list() == ["anna task-5 anna"]
    assert group.refused() == [
        "ben.rar: an archive that is neither .zip, .tar nor .tar.gz",
        "cleo.docx: neither a folder nor an archive",
        "dan\x1b[2J: its name contains control characters, or is not UTF-8",
        "eve: neither a folder nor a file",
        "fred: a link",
        "gus: a link",
        "\udcff: its name contains control characters, or is not UTF-8",
    ]


def test_a_broken_archive_is_one_line_and_the_others_are_graded(group: Class):
    group.archive("anna.zip", NONROOT).write("ben.zip", text="no archive").write(
        "cleo.zip", text=""
    )
    group.top.joinpath("dan.tgz").write_bytes(tar(file("x"), link("y", "/etc/passwd")))
    group.archive("eve.zip", "../../x")
    assert group.list() == ["anna task-5 anna.zip"]
    assert group.refused() == [
        "ben.zip: not a .zip, .tar or .tar.gz archive",
        "cleo.zip: an empty file",
        "dan.tgz: y is a link",
        "eve.zip: ../../x leads out of the folder",
    ]


def test_nothing_of_the_submissions_is_changed(group: Class):
    group.write(f"anna/{NONROOT}", "ben/x").archive("cleo.zip", NONROOT).archive("dan/a.zip", "x")
    before = sorted((path, path.stat().st_mtime_ns) for path in group.top.rglob("*"))
    group.find()
    assert sorted((path, path.stat().st_mtime_ns) for path in group.top.rglob("*")) == before


def test_the_archive_in_a_folder_is_extracted_if_the_folder_has_no_answer(group: Class):
    group.archive("anna/work.zip", f"work/{NONROOT}", "inner.zip")
    group.archive("ben/work.zip", "x").write(f"ben/{NONROOT}")
    group.write("cleo/work.7z", "dan/work.zip")
    assert group.list() == ["anna task-5 anna/work.zip/work", "ben task-5 ben"]
    assert group.refused() == [
        "cleo/work.7z: an archive that is neither .zip, .tar nor .tar.gz",
        "dan/work.zip: not a .zip, .tar or .tar.gz archive",
    ]


def test_a_folder_and_an_archive_of_one_learner_are_refused(group: Class):
    group.write(f"anna/{NONROOT}").archive("anna.zip", NONROOT)
    assert group.list() == []
    assert group.refused() == [
        f"anna: it has {NONROOT} for task-5, and so has {group.top}/anna.zip"
    ]


def test_an_archive_holds_the_whole_class(group: Class, tmp_path: Path):
    group.archive("../class.zip", f"anna/{NONROOT}", f"ben/x/{NONROOT}")
    archive = tmp_path / "class.zip"
    assert group.list(top=archive) == [
        "anna task-5 class.zip/anna",
        "ben task-5 class.zip/ben/x",
    ]


def test_a_download_may_be_wrapped_in_a_folder(group: Class):
    group.write(f"hw/Anna_1_assignsubmission_file_/{NONROOT}", "README.md")
    assert group.list() == ["1 task-5 hw/Anna_1_assignsubmission_file_"]
    shutil.rmtree(group.top / "hw")
    group.write(f"anna/services/fastapi/{NONROOT}")
    assert group.list() == ["anna task-5 anna/services/fastapi"]


def test_the_archive_of_a_class_may_wrap_its_folders(group: Class, tmp_path: Path):
    group.archive("../class.zip", f"hw/anna/{NONROOT}", f"hw/ben/{NONROOT}", "hw/README.md")
    found = group.list(top=tmp_path / "class.zip")
    assert found == ["anna task-5 class.zip/hw/anna", "ben task-5 class.zip/hw/ben"]
    group.archive("../one.zip", f"anna/exercises/fastapi/{NONROOT}", "anna/services/x")
    assert group.list(top=tmp_path / "one.zip") == ["anna task-5 one.zip/anna/exercises/fastapi"]


@pytest.mark.parametrize("identity", ["../x", "a/b", "..", "i" * 201])
def test_an_id_that_cannot_name_a_file_is_refused(group: Class, identity: str):
    group.write(f"anna/{NONROOT}", f"ben/{NONROOT}")
    roster = group.roster(f"id,path\n{identity},anna\nben,ben\n")
    assert group.list(roster=roster) == ["ben task-5 ben"]
    (refused,) = group.refused(roster=roster)
    assert refused == f"anna: the id {identity[:200]} cannot be the name of a file"


# ---- platforms


def test_a_download_of_moodle_is_read(group: Class):
    prefix = "Smith Anna_1_assignsubmission"
    group.write(f"{prefix}_file_/{NONROOT}", f"{prefix}_onlinetext_/onlinetext.html")
    group.archive("Ben_2_assignsubmission_file_/work.zip", f"work/{NONROOT}")
    group.archive("Cleo_3_assignsubmission_file_my_work.zip", NONROOT)
    group.write(f"Dan_4_assignsubmission_file_{NONROOT}")
    group.write("Eve_5_assignsubmission_onlinetext_/onlinetext.html")
    found = group.find()
    assert [(s.learner, s.origin.count("/")) for s in found.submissions] == [
        (Learner("1", "Smith Anna"), str(group.top).count("/") + 1),
        (Learner("2", "Ben"), str(group.top).count("/") + 3),
        (Learner("3", "Cleo"), str(group.top).count("/") + 1),
        (Learner("4", "Dan"), str(group.top).count("/") + 1),
    ]
    assert group.refused() == ["Eve_5_assignsubmission_onlinetext_: text typed into the platform"]


def test_a_download_of_canvas_is_read(group: Class):
    group.archive("smithanna_1_11_work.zip", NONROOT)
    group.write(f"ben_LATE_2_12_{NONROOT}-1", "ben_LATE_2_13_main.py", "cleo_3_text.html")
    found = group.find()
    assert [(s.learner, s.handed_in) for s in found.submissions] == [
        (Learner("1", "smithanna"), ""),
        (Learner("2", "ben"), "late"),
    ]
    assert {path.name for path in found.submissions[1].folder.iterdir()} == {NONROOT, "main.py"}
    assert group.refused() == ["cleo_3_text.html: text typed into the platform"]


def test_files_that_were_handed_in_one_by_one_are_kept_apart(group: Class):
    group.write("ben_2_12_Dockerfile-task-1", "ben_2_13_Dockerfile-task-1-1", text="x")
    group.write("ben_2_14_..", "ben_2_15_a.rar")
    with (group.top / "ben_2_16_big").open("wb") as big:
        big.truncate(LEARNER.content + 1)
    assert group.list("task-1") == ["2 task-1 ben_2_12_Dockerfile-task-1"]
    assert group.refused("task-1") == [
        "ben_2_15_a.rar: an archive that is neither .zip, .tar nor .tar.gz",
        "ben_2_13_Dockerfile-task-1-1: a second Dockerfile-task-1",
        "ben_2_14_..: a name that is none of a file",
        "ben_2_16_big: more than 50 MB",
    ]


METADATA = """\
submission_1:
  :submitters:
  - :name: Anna
    :sid: 7
    :email: a@x.org
  - :name: Ben
    :sid: 8
  :created_at: 2026-09-01 12:00:00 Z
submission_2:
  :submitters:
  - :name: Cleo
    :sid: 9
  - :name: Dan
    :sid: 10
"""


def test_an_export_of_gradescope_is_read_and_a_team_is_graded_alike(group: Class):
    group.write("submission_metadata.yml", text=METADATA)
    group.write(f"submission_1/{NONROOT}", f"submission_3/{NONROOT}")
    found = group.find()
    assert [(s.learner, s.handed_in) for s in found.submissions] == [
        (Learner("7", "Anna", "a@x.org"), "2026-09-01T12:00:00+00:00"),
        (Learner("8", "Ben"), "2026-09-01T12:00:00+00:00"),
        (Learner("submission_3"), ""),
    ]
    assert found.submissions[0].digest == found.submissions[1].digest
    assert found.submissions[0].folder == found.submissions[1].folder


def test_a_team_with_a_broken_archive_is_refused_in_one_line(group: Class):
    group.write("submission_metadata.yml", text=METADATA)
    group.write("submission_2/a.zip", "submission_2/b.rar", text="broken")
    assert group.list() == []
    assert group.refused() == [
        "submission_2/a.zip: not a .zip, .tar or .tar.gz archive",
        "submission_2/b.rar: an archive that is neither .zip, .tar nor .tar.gz",
    ]


def test_checkouts_of_a_classroom_are_read_by_username(group: Class):
    for name in ("hw-5-anna", "hw-5-ben-x"):
        group.write(f"{name}/{NONROOT}", f"{name}/.git/config")
    group.write("scores.csv")
    assert group.list() == ["anna task-5 hw-5-anna", "ben-x task-5 hw-5-ben-x"]


# ---- tasks


def test_one_folder_holds_several_tasks(group: Class):
    group.write(*(f"anna/exercises/fastapi/Dockerfile-{name}" for name in ("task-1", "nonroot")))
    group.write("anna/exercises/deathstar/Dockerfile", "ben/Dockerfile", "cleo/notes.md")
    assert group.list("all") == [
        "anna deathstar anna/exercises/deathstar",
        "anna task-1 anna/exercises/fastapi",
        "anna task-5 anna/exercises/fastapi",
    ]
    assert group.list("task-5", "task-1", "task-5") == [
        "anna task-5 anna/exercises/fastapi",
        "anna task-1 anna/exercises/fastapi",
    ]
    assert group.refused("all") == [
        "ben: it has Dockerfile, which fits baby-steps, basic-python, greeter and 3 more",
        "cleo: no answer to any of the 14 tasks",
    ]
    assert len(TASKS) == 14


def test_a_dockerfile_is_the_answer_to_the_only_task(group: Class):
    group.write("anna/Dockerfile", "ben/greeter/Dockerfile", "ben/deathstar/Dockerfile")
    assert group.list("greeter") == ["anna greeter anna", "ben greeter ben/greeter"]


def test_a_learner_without_the_answer_is_graded_and_the_dry_run_says_so(group: Class):
    group.write("anna/notes.txt", "ben/x/Dockerfile-nonroot.txt", "ben/notes.txt", "cleo/.git/x")
    (group.top / "dan").mkdir()
    assert group.list() == ["anna task-5 anna", "ben task-5 ben/x"]
    assert group.refused() == ["cleo: no files", "dan: no files"]
    lines = list(intake.describe(group.find()))
    assert f"      no {NONROOT}: task-5 will fail" in lines


def test_a_folder_with_the_name_of_a_task_is_its_answer_although_the_file_is_missing(group: Class):
    group.write("anna/exercises/greeter/dockerfile", "anna/x/greeter/notes.md", f"anna/{NONROOT}")
    group.write("anna/degrees-api/Dockerfile", "ben/services/deathstar/readme", "ben/versions.toml")
    group.write("ben/workshop/cli.py", f"ben/{NONROOT}")
    assert group.list("greeter", "degrees-api", "deathstar", "task-5") == [
        "anna greeter anna/exercises/greeter",
        "anna degrees-api anna/degrees-api",
        "anna task-5 anna",
        "ben task-5 ben",
    ]
    lines = list(intake.describe(group.find("greeter", "task-5")))
    assert "      no Dockerfile: greeter will fail" in lines


def test_a_folder_that_no_build_context_could_hold_is_refused(group: Class):
    group.write(f"anna/{NONROOT}", f"ben/{NONROOT}")
    with (group.top / "ben" / "sparse").open("wb") as big:
        big.truncate(8_000_000_000)
    assert group.list() == ["anna task-5 anna"]
    assert group.refused() == ["ben: more than 50 MB or 5,000 files"]


def test_a_fifo_named_dockerfile_does_not_stop_the_others(group: Class):
    group.write("ben/Dockerfile", "anna/x")
    os.mkfifo(group.top / "anna" / "Dockerfile")
    assert group.list("deathstar") == ["anna deathstar anna", "ben deathstar ben"]


def test_links_are_not_followed(group: Class):
    group.write(f"anna/{NONROOT}", "ben/x")
    (group.top / "ben" / "more").symlink_to(group.top / "anna")
    (group.top / "ben" / "all").symlink_to("/")
    assert group.list() == ["anna task-5 anna", "ben task-5 ben"]


# ---- digests


def test_the_digest_is_the_same_in_every_run_and_shape(group: Class):
    group.write(f"anna/{NONROOT}").archive("ben.zip", NONROOT).archive("cleo.zip", f"c/{NONROOT}")
    group.write(f"dan/{NONROOT}", text="FROM other")
    first, second = group.find(), group.find()
    assert first == second
    digests = [submission.digest for submission in first.submissions]
    assert digests[0] == digests[1] == digests[2] != digests[3]


# ---- the roster


def test_the_roster_names_the_learners(group: Class):
    group.write(f"anna/{NONROOT}", f"x/deep/{NONROOT}", f"cleo/{NONROOT}", f"y/{NONROOT}")
    roster = group.roster(
        "id,username,name,email,path\n7,anna,Anna Smith,a@x.org,\n8,,Ben,,x/deep\n"
        "9,,Dan,,\n10,,Eve,,../y\n11,,Fred,,/y\n12,,Gus,,none\n"
    )
    found = group.find(roster=roster)
    assert [(s.learner, group.short(s.origin)) for s in found.submissions] == [
        (Learner("7", "Anna Smith", "a@x.org"), "anna"),
        (Learner("8", "Ben"), "x/deep"),
    ]
    assert group.refused(roster=roster) == [
        "class.csv, line 5: the path ../y leaves the folder",
        "class.csv, line 6: the path /y leaves the folder",
        "class.csv, line 7: none: no such file or folder",
        f"cleo: cleo is not in {roster}",
        f"y: y is not in {roster}",
        "class.csv, line 4: no submission of Dan (9)",
    ]


def test_a_path_of_the_roster_names_archives_and_teams(group: Class):
    group.archive("a.zip", NONROOT).archive("late/b_LATE_2_3_c.zip", NONROOT).write("d.txt", "e")
    (group.top / "f").symlink_to("late")
    roster = group.roster(
        "id,path\n1,a.zip\n2,./a.zip\n3,late/b_LATE_2_3_c.zip\n4,d.txt\n5,f/b_LATE_2_3_c.zip\n"
    )
    found = group.find(roster=roster)
    assert [(s.learner.id, s.handed_in) for s in found.submissions] == [
        ("1", ""),
        ("2", ""),
        ("3", "late"),
    ]
    refused = [line for line in group.refused(roster=roster) if line.startswith("class.csv")]
    assert refused == [
        "class.csv, line 5: d.txt is neither a folder nor an archive",
        "class.csv, line 6: f/b_LATE_2_3_c.zip leads through a link",
    ]


def test_a_submission_whose_row_names_another_path_is_refused(group: Class):
    group.write(f"anna/{NONROOT}", f"work/{NONROOT}")
    roster = group.roster("id,path\nanna,work\n")
    assert group.list(roster=roster) == ["anna task-5 work"]
    assert group.refused(roster=roster) == [
        f"anna: the path of anna in {roster}, line 2 is another"
    ]


def test_repositories_of_several_tasks_belong_to_one_learner_of_the_roster(group: Class):
    group.write("c-one-anna-b/Dockerfile-task-1", f"c-five-anna-b/{NONROOT}")
    group.write("c-one-anna-b/.git/x", "c-five-anna-b/.git/x")
    roster = group.roster("username,first_name,last_name\nanna-b,Anna,B\n")
    assert group.list("all", roster=roster) == [
        "anna-b task-1 c-one-anna-b",
        "anna-b task-5 c-five-anna-b",
    ]


def test_a_roster_in_the_folder_is_no_learner(group: Class):
    group.write(f"anna/{NONROOT}")
    roster = group.top / "class.data"
    roster.write_text("id\nanna\n")
    assert group.list(roster=roster) == ["anna task-5 anna"]
    assert group.find(roster=roster).ignored == ("class.data",)


def test_a_roster_that_names_nobody_is_one_line(group: Class):
    group.write(f"anna/{NONROOT}", f"ben/{NONROOT}")
    with pytest.raises(UserError, match="it names none of the 2 submissions, such as anna, ben"):
        group.find(roster=group.roster("id\n1\n2\n"))


# ---- bad input


def test_bad_input_is_one_line(group: Class, tmp_path: Path):
    with pytest.raises(UserError, match="no submissions in it"):
        group.find()
    with pytest.raises(UserError, match="No such file"):
        group.find(top=tmp_path / "none")
    group.write("README.md", f"anna/{NONROOT}")
    with pytest.raises(UserError, match="neither a folder nor an archive"):
        group.find(top=group.top / "README.md")
    with pytest.raises(UserError, match="the submission of one learner"):
        group.find(top=group.top / "anna")
    with pytest.raises(UserError, match="no such task"):
        group.find("task-9")
    with pytest.raises(UserError, match="none is named"):
        intake.find(group.top, (), workdir=group.workdir)
    broken = tmp_path / "class.zip"
    broken.write_text("x")
    with pytest.raises(UserError, match=r"not a \.zip, \.tar"):
        group.find(top=broken)


def test_a_full_disk_is_one_line(group: Class, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    group.archive("anna.zip", NONROOT)
    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(UserError, match="No space left on device"):
        group.find()


# ---- the dry run


def test_the_dry_run_shows_what_was_recognised_and_what_not():
    folder = Path("submissions/anna")
    at = "2026-09-01T12:00:00+00:00"
    submissions = (
        Submission(Learner("7", "Anna"), "task-1", folder, "d", "submissions/anna", at),
        Submission(Learner("7", "Anna"), "task-5", folder, "d", "submissions/anna", at),
        Submission(Learner("ben"), "task-1", folder, "d", "submissions/ben.zip", "late"),
    )
    refused = Refused("submissions/\x1b[2Jx.rar", "an archive " * 9 + "x", "Unpack it")
    found = Intake(submissions, (refused,), ("README.md", ".DS_Store"))
    lines = list(intake.describe(found))
    assert lines == [
        "3 submissions of 2 learners for 2 tasks",
        "  7 (Anna): task-1, task-5 in submissions/anna, handed in",
        "      2026-09-01T12:00:00+00:00",
        "      no Dockerfile-task-1: task-1 will fail",
        "      no Dockerfile-nonroot: task-5 will fail",
        "  ben: task-1 in submissions/ben.zip, handed in late",
        "      no Dockerfile-task-1: task-1 will fail",
        "",
        "Not recognised: 1",
        "  submissions/x.rar: an archive an archive an archive an archive an archive an",
        "      archive an archive an archive an archive x. Unpack it.",
        "",
        "Ignored: README.md, .DS_Store",
    ]


def test_no_line_of_the_dry_run_is_wider_than_a_terminal(group: Class):
    group.write(f"{'a' * 200}/{'b' * 100} c/{NONROOT}", f"{'d' * 99}.rar", f"{'e ' * 99}.md")
    lines = list(intake.describe(group.find()))
    assert len(lines) > 9
    assert max(map(len, lines)) <= 80
    assert stat.S_ISDIR(group.top.stat().st_mode)
