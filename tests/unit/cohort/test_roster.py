from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from workshop.cohort import roster
from workshop.cohort.submission import Learner
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.cohort.roster import Roster

ANNA = Learner("7", "Anna Smith", "anna@example.org")


def read(folder: Path, content: str | bytes) -> Roster:
    path = folder / "class.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return roster.read(path)


def refuse(folder: Path, content: str | bytes) -> str:
    """Return the error of a roster, without its folder."""
    with pytest.raises(UserError) as caught:
        read(folder, content)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    "text",
    [
        "id,name,email,path\n7,Anna Smith,anna@example.org,work/a\n",
        "Path;E-Mail;Name;ID\r\nwork\\a;anna@example.org;Anna Smith;7\r\n",
        "\ufeffID\tName\tE-mail address\tFolder\n7\tAnna Smith\tanna@example.org\twork/a",
        'sep=;\nid;full name;mail;file\n\n7;"Anna Smith";anna@example.org;work/a;;\n;;;\n',
        "First name,Surname,Email,SID,path,Section\nAnna,Smith,anna@example.org,7,work/a,1\n",
        "id|name|email|path\n 7 | Anna Smith |anna@example.org|work/a",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_columns_are_found_by_their_headers(tmp_path: Path, text: str, encoding: str):
    (entry,) = read(tmp_path, text.encode(encoding)).entries
    assert entry.learner == ANNA
    assert entry.path == "work/a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Moodle's grading worksheet
        (
            (
                "Identifier,Full name,ID number,Email address,Status\n"
                "Participant 7,Anna Smith,123,anna@example.org,Submitted\n"
            ),
            ANNA,
        ),
        # Canvas's gradebook
        (
            (
                "Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"
                '"Smith, Anna",7,s1,anna,A\n'
            ),
            Learner("7", "Smith, Anna"),
        ),
        # GitHub Classroom, Classroom 50
        (
            "identifier,github_username,github_id,name\nanna,asmith,99,Anna\n",
            Learner("anna", "Anna"),
        ),
        (
            "username,first_name,last_name,email,section,github_id,role\nasmith,Anna,Smith,,,9,student\n",
            Learner("asmith", "Anna Smith"),
        ),
        ("email\nanna@example.org\n", Learner("anna@example.org", "", "anna@example.org")),
        ("name,path\nAnna,work/a\n", Learner("work-a", "Anna")),
    ],
)
def test_the_lists_of_platforms_are_read_as_they_are(tmp_path: Path, text: str, expected: Learner):
    found = read(tmp_path, text)
    assert [entry.learner for entry in found.entries] == [expected]
    assert found.refused == ()


def test_a_list_of_a_spreadsheet_program_without_unicode_is_read(tmp_path: Path):
    (entry,) = read(tmp_path, "id,name\n1,Zoë\n".encode("cp1252")).entries
    assert entry.learner.name == "Zoë"


@pytest.mark.parametrize(
    ("learner", "line"),
    [
        (Learner("7"), 2),
        (Learner("ASmith"), 2),
        (Learner("x", "", "Anna@Example.org"), 2),
        (Learner("anna@example.org"), 2),
        (Learner("anna"), 2),
        (Learner("99", "Smith Anna"), 2),
        (Learner("99", "smithanna"), 2),
        (Learner("anna_smith"), 2),
        (Learner("ben"), 3),
        (Learner("99", "Zoe Nunez"), 4),
        (Learner("chris"), None),
        (Learner("99", "Kim Lee"), None),
        (Learner("", ""), None),
    ],
)
def test_a_learner_is_found_by_id_e_mail_or_name(
    tmp_path: Path, learner: Learner, line: int | None
):
    text = (
        "id,username,name,email\n7,asmith,Anna Smith,anna@example.org\n8,,ben,\n"
        "9,,Zoë Núñez,chris@a.org\n10,,Kim Lee,chris@b.org\n11,,Lee Kim,\n"
    )
    entry = read(tmp_path, text).match(learner)
    assert (entry.line if entry else None) == line


def test_a_repeated_row_counts_once(tmp_path: Path):
    found = read(tmp_path, "id,name\n7,Anna\n7,Anna\n")
    assert len(found.entries) == 1
    (refused,) = found.refused
    assert refused.origin.endswith("class.csv, line 3")
    assert refused.found == "the same as line 2"


def test_a_row_without_an_id_is_refused(tmp_path: Path):
    found = read(tmp_path, "id,name\n7,Anna\n,Ben\n")
    (refused,) = found.refused
    assert refused.origin.endswith("class.csv, line 3")
    assert refused.found == "no id and no e-mail address"


def test_the_line_is_counted_with_breaks_in_cells(tmp_path: Path):
    assert [e.line for e in read(tmp_path, 'id,note\n1,"a\nb"\n2,\n').entries] == [3, 4]


def test_two_learners_with_one_id_are_an_error(tmp_path: Path):
    assert refuse(tmp_path, "id,name\n7,Anna\n8,Ben\n7,Cleo\n") == (
        "class.csv, line 4: Anna in line 2 has the id 7, too: Cleo. Give each learner a separate id"
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "it is empty"),
        ("id,name\n", "it names nobody"),
        ("id,name\n,Anna\n", "it names nobody"),
        ("colour,size\nred,1\n", "no column for the id; it has colour, size"),
        (b"PK\3\4...", "it is not a text file"),
        (b"id\0name", "it is not a text file"),
        ('id,name\n7,"' + "x" * 200_000 + '"\n', "class.csv, line 2: field larger than"),
        ("sep=;", "it is empty"),
        ("\n\n", "it is empty"),
    ],
)
def test_a_roster_that_cannot_be_used_is_one_line(tmp_path: Path, content: str | bytes, found: str):
    message = refuse(tmp_path, content)
    assert found in message
    assert "\n" not in message


def test_a_roster_that_is_no_file_is_one_line(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    for name, found in (("none", "No such file"), (".", "not a file"), ("fifo", "not a file")):
        with pytest.raises(UserError, match=found):
            roster.read(tmp_path / name)


def test_control_characters_are_removed(tmp_path: Path):
    (entry,) = read(tmp_path, "id,name\n7,\x1b[31mAnna\u202e\n").entries
    assert entry.learner == Learner("7", "Anna")


@pytest.mark.parametrize(
    ("header", "value", "time"),
    [
        ("datetime", "2026-06-01T14:32:01Z", "2026-06-01T14:32:01Z"),
        (
            "Last modified (submission)",
            "Monday, 1 June 2026, 2:32 PM",
            "Monday, 1 June 2026, 2:32 PM",
        ),
        ("Submission Time", "2026-06-01 14:32:01 +0200", "2026-06-01 14:32:01 +0200"),
        ("Last modified (submission)", "-", ""),
    ],
)
def test_the_time_of_a_submission_is_passed_through(tmp_path, header, value, time):
    (entry,) = read(tmp_path, f'username,{header}\nada,"{value}"\n').entries
    assert entry.handed_in == time
