from __future__ import annotations

import pytest
from unit.cohort import classes

from workshop.cohort.exports import files


def names_of(*ids: str) -> dict[str, str]:
    return files.file_names(ids)


@pytest.mark.parametrize("id_", ["anna", "ada@school.test", "Jürgen_7", "a.b+c", "李"])
def test_a_safe_id_is_its_own_file_name(id_):
    assert names_of(id_) == {id_: id_}


@pytest.mark.parametrize("id_", classes.HOSTILE_NAMES)
def test_a_hostile_id_stays_inside_its_folder(id_, tmp_path):
    (name,) = names_of(id_).values()
    path = files.write_text(tmp_path / "feedback" / f"{name}.md", "text")
    assert path.resolve().parent == tmp_path / "feedback"
    assert path.read_text() == "text"
    assert not name.startswith((".", "-"))
    assert name.isprintable()


def test_no_two_learners_share_a_file():
    ids = (*classes.HOSTILE_NAMES, "anna", "Anna", "ANNA", "a/b", "a:b", "e\u0301", "\u00e9")
    names = names_of(*ids)
    assert len({name.casefold() for name in names.values()}) == len(set(ids))


def test_an_id_cannot_take_the_name_of_another():
    victim = names_of("a/b")["a/b"]
    names = names_of("a/b", victim)
    assert names["a/b"] == victim
    assert names[victim] != victim


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = files.write_text(tmp_path / "marks.csv", "old")

    def pieces():
        yield "new"
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - raised above
        files.write_pieces(path, pieces())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_only_the_files_of_the_format_are_removed(tmp_path):
    kept, gone = (files.write_text(tmp_path / name / "results.json", "") for name in ("a", "b"))
    own = files.write_text(tmp_path / "notes.txt", "")
    files.remove_others(tmp_path, "*/results.json", [kept])
    assert kept.exists()
    assert own.exists()
    assert not gone.parent.exists()
