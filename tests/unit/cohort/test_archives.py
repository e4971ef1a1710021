"""Attack archives, each made by its test: all are refused in one line, and leave nothing behind."""

from __future__ import annotations

import errno
import gzip
import io
import os
import stat
import struct
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tars import Item, file, folder, hardlink, link, tar

from workshop.cohort import archive_entries, archives
from workshop.cohort.archive_entries import LEARNER, Limits, Refusal
from workshop.core.paths import MAX_PATH, is_local

SMALL = Limits(content=50_000, files=20, entries=40, read=100_000)


class Box:
    """An archive beside its target; whatever is outside both must stay away."""

    def __init__(self, path: Path) -> None:
        self.top = path
        self.target = path / "below" / "target"

    def extract(self, data: bytes, limits: Limits = LEARNER) -> str:
        """Return what was found, empty for success; nothing may be outside the target."""
        archive = self.top / "a.zip"
        archive.write_bytes(data)
        refused = archives.extract(archive, self.target, "a.zip", limits)
        outside = [path for path in self.top.rglob("*") if not path.is_relative_to(self.target)]
        assert {*outside} <= {archive, self.target.parent}
        if not refused:
            return ""
        assert refused.origin == "a.zip"
        assert refused.fix
        assert not self.target.exists()
        assert refused.found.isprintable()
        return refused.found

    @property
    def files(self) -> dict[str, str]:
        found = (path for path in self.target.rglob("*") if path.is_file())
        return {path.relative_to(self.target).as_posix(): path.read_text() for path in found}


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def pack_zip(*members: tuple[str | zipfile.ZipInfo, str | bytes], method: int = 8) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return output.getvalue()


def zip_info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def pack_both(name: str) -> list[bytes]:
    """Return a zip and a tar archive with one file of this name, whatever the writers think."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    return [pack_zip((info, "x")), tar(file(name, b"x"))]


def patch(data: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite a part of the first tar header, and correct its checksum."""
    block = bytearray(data)
    block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


# ---- what is accepted


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_tar_archive_is_extracted_with_the_executable_bit_only(box: Box, pack):
    items = (folder("./"), file("./Dockerfile", b"FROM x"), file("run.sh", b"#!", mode=0o4777))
    assert not box.extract(pack(tar(*items)))
    assert box.files == {"Dockerfile": "FROM x", "run.sh": "#!"}
    assert stat.S_IMODE((box.target / "Dockerfile").stat().st_mode) == 0o644
    assert stat.S_IMODE((box.target / "run.sh").stat().st_mode) == 0o755


def test_a_zip_file_is_extracted_with_the_executable_bit_only(box: Box):
    run = zip_info("app/run.sh", stat.S_IFREG | 0o6711)
    assert not box.extract(pack_zip((run, "#!"), ("app/", ""), ("app/main.py", "x" * 100_000)))
    assert box.files == {"app/run.sh": "#!", "app/main.py": "x" * 100_000}
    assert stat.S_IMODE((box.target / "app/run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((box.target / "app/main.py").stat().st_mode) == 0o644


def test_the_kind_is_read_from_the_content_not_from_the_name(box: Box):
    assert not box.extract(tar(file("Dockerfile", b"FROM x")))
    assert box.files == {"Dockerfile": "FROM x"}


def test_a_tar_archive_without_magic_is_read(box: Box):
    old = patch(tar(file("Dockerfile", b"FROM x"), format=tarfile.USTAR_FORMAT), 257, b"\0" * 8)
    assert not box.extract(old)
    assert box.files == {"Dockerfile": "FROM x"}


def test_what_a_machine_made_for_itself_is_skipped_before_it_is_judged(box: Box):
    skipped = (link(".venv/bin/python", "/usr/bin/python"), file("__MACOSX/._Dockerfile", b"x"))
    big = file("node_modules/big", 60_000)
    assert not box.extract(tar(file("Dockerfile", b"F"), *skipped, big), SMALL)
    assert box.files == {"Dockerfile": "F"}
    members = ((f"a/{name}/x", "y") for name in (".git", "__pycache__"))
    assert not box.extract(pack_zip(("a/Dockerfile", "F"), *members))
    assert box.files == {"a/Dockerfile": "F"}


def test_an_archive_inside_stays_a_file(box: Box):
    assert not box.extract(pack_zip(("inner.zip", pack_zip(("Dockerfile", "x")))))
    assert [path.name for path in box.target.iterdir()] == ["inner.zip"]


def test_backslashes_of_windows_separate_folders(box: Box):
    assert not box.extract(pack_both("app\\main.py")[0])
    assert box.files == {"app/main.py": "x"}


def test_names_in_other_scripts_are_kept(box: Box):
    name = "\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645/çà.txt"
    for data in pack_both(name):
        assert not box.extract(data)
        assert box.files == {name: "x"}


def test_a_second_extraction_replaces_the_first(box: Box):
    box.extract(pack_zip(("old", "x")))
    assert not box.extract(pack_zip(("new", "x")))
    assert box.files == {"new": "x"}


# ---- names that leave the folder, or cannot be trusted


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("/etc/passwd", "/etc/passwd is an absolute path"),
        ("\\\\host\\share\\x", "is an absolute path"),
        ("C:\\x", "is an absolute path"),
        ("c:x", "c:x is an absolute path"),
        ("../x", "../x leads out of the folder"),
        ("a/../../x", "a/../../x leads out of the folder"),
        ("a\\..\\..\\x", "leads out of the folder"),
        ("a/..", "a/.. leads out of the folder"),
        ("a\nb", "the name a\\nb contains control characters"),
        ("\x1b[2Jx", "contains control characters"),
        ("a\u202eb", "contains control characters"),
        ("a" * 256, "is too long"),
        ("/".join(["abc"] * 300), "is too long"),
        ("/".join(["é" * 100] * 6), "is too long"),
        ("/".join("a" * 101), "is nested too deeply"),
        (".", "a file named ."),
    ],
)
def test_a_name_that_leaves_the_folder_or_cannot_be_trusted_is_refused(
    box: Box, name: str, found: str
):
    for data in pack_both(name):
        assert found in box.extract(data)


def test_a_name_that_is_not_unicode_is_refused(box: Box):
    data = tar(file("abc", b"x"), format=tarfile.GNU_FORMAT)
    assert box.extract(patch(data, 1, b"\xff")) == (
        "the name a\\udcffc contains control characters"
    )


def test_a_name_with_a_nul_is_refused(box: Box):
    data = pack_zip(("Dockerfile+", "x")).replace(b"Dockerfile+", b"Docker\0file")
    assert box.extract(data) == "the name Docker\\x00file contains control characters"


@pytest.mark.parametrize(
    "names",
    [
        ("Dockerfile", "dockerfile"),
        ("App/a", "app/b"),
        ("straße", "STRASSE"),
        (unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")),
    ],
)
def test_names_that_are_one_on_some_systems_are_refused(box: Box, names: tuple[str, str]):
    assert "clash on some systems" in box.extract(pack_zip(*((name, "x") for name in names)))
    assert "clash on some systems" in box.extract(tar(*(file(name, b"x") for name in names)))


def test_a_path_that_is_a_file_and_a_folder_is_refused(box: Box):
    assert box.extract(tar(file("a", b"x"), file("a/b", b"x"))) == "a is both a file and a folder"
    assert box.extract(tar(file("a/b", b"x"), file("a", b"x"))) == "a is both a file and a folder"


def test_a_file_that_is_in_it_twice_is_refused(box: Box):
    assert box.extract(tar(file("a", b"x"), file("./a", b"y"))) == "a is in it twice"
    assert not box.extract(tar(folder("a"), folder("a/"), file("a/b")))


# ---- links, devices


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "Dockerfile"])
@pytest.mark.parametrize("make", [link, hardlink])
def test_every_link_of_a_tar_archive_is_refused(box: Box, make, target: str):
    data = tar(file("Dockerfile", b"x"), make("b", target), file("b/c", b"x"))
    assert box.extract(data) == "b is a link"


def test_a_link_of_a_zip_file_is_refused(box: Box):
    info = zip_info("b", stat.S_IFLNK | 0o777)
    assert box.extract(pack_zip((info, "/etc"), ("b/c", "x"))) == "b is a link"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (tarfile.CHRTYPE, "x is a device"),
        (tarfile.BLKTYPE, "x is a device"),
        (tarfile.FIFOTYPE, "x is a FIFO"),
        (b"Q", "x is of an unknown kind"),
    ],
)
def test_a_device_or_fifo_of_a_tar_archive_is_refused(box: Box, kind: bytes, found: str):
    assert box.extract(tar(file("Dockerfile", b"x"), Item("x", kind))) == found


@pytest.mark.parametrize(
    ("mode", "found"),
    [(stat.S_IFIFO, "x is a FIFO"), (stat.S_IFCHR, "x is a device"), (stat.S_IFSOCK, "x is")],
)
def test_a_device_or_fifo_of_a_zip_file_is_refused(box: Box, mode: int, found: str):
    assert found in box.extract(pack_zip((zip_info("x", mode | 0o644), "x")))


# ---- bombs


@pytest.mark.parametrize("pack", [lambda data: pack_zip(("zeros", data)), None])
def test_content_over_the_limit_is_refused(box: Box, pack):
    data = os.urandom(60_000)
    packed = pack(data) if pack else gzip.compress(tar(file("zeros", data)))
    assert box.extract(packed, SMALL) == "more than 0 MB of content"


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_content_far_larger_than_the_archive_is_refused(box: Box, kind: str):
    zeros = bytes(20_000_000)
    packed = pack_zip(("a", zeros)) if kind == "zip" else gzip.compress(tar(file("a", zeros)))
    assert "a bomb" in box.extract(packed)


def test_a_zip_file_whose_entries_lie_about_their_size_is_refused(box: Box):
    data = pack_zip(("zeros", bytes(90_000)))
    lying = data.replace(struct.pack("<L", 90_000), struct.pack("<L", 10))
    assert lying != data
    assert box.extract(lying, SMALL) == "it cannot be read as an archive"


def test_entries_over_the_limit_are_refused(box: Box):
    names = [f"f{number}" for number in range(21)]
    found = "more than 20 files and folders"
    assert box.extract(pack_zip(*((name, "") for name in names)), SMALL) == found
    assert box.extract(tar(*(file(name) for name in names)), SMALL) == found
    assert box.extract(tar(*(folder(name) for name in names)), SMALL) == found


def test_folders_that_no_entry_names_count_too(box: Box):
    data = tar(file("/".join("abcdefghijklmnopqrstu"[:20]) + "/x", b"x"))
    assert box.extract(data, SMALL) == "more than 20 files and folders"


def test_skipped_entries_have_a_limit_too(box: Box):
    names = [f".git/{number}" for number in range(41)]
    assert box.extract(pack_zip(*((name, "") for name in names)), SMALL) == "more than 40 entries"
    assert box.extract(tar(*(file(name) for name in names)), SMALL) == "more than 40 entries"


def test_a_list_of_entries_that_would_fill_the_memory_is_refused_before_it_is_read(box: Box):
    limits = SMALL._replace(directory=70_000)
    data = pack_zip(*((f"{number:0200}", "") for number in range(400)), method=0)
    assert box.extract(data, limits) == "too many entries: its index is too large"


def test_a_header_that_would_fill_the_memory_is_refused(box: Box):
    data = tar(file("x", b"", extra={"comment": "0" * 10_000}))
    assert box.extract(data) == "the header of an entry is too long"
    data = tar(file("a" * 10_000), format=tarfile.GNU_FORMAT)
    assert box.extract(data) == "the header of an entry is too long"


def test_headers_without_an_end_are_refused(box: Box):
    header = tar(file("x", b"", extra={"comment": "0"}))[:1024]
    assert box.extract(header * 2_000) == "the header of an entry is too long"


def test_headers_that_would_take_minutes_are_refused(box: Box, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive_entries, "_MAX_HEADER_COST", 3_000_000)
    items = [file(f"f{number}", extra={"comment": "1" * 980}) for number in range(4)]
    assert not box.extract(tar(*items[:3]))
    assert box.extract(tar(*items)) == "the headers of its entries are too long"


@pytest.mark.parametrize("extra", [{"size": "-1024"}, {"size": "9" * 18}])
@pytest.mark.parametrize("name", ["x", ".git/x"])
def test_a_size_that_leads_nowhere_is_refused(box: Box, name: str, extra: dict[str, str]):
    assert box.extract(tar(file(name, b"x", extra=extra), file("y", b"y")))


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\x80" + b"\x00" * 3 + b"\x7f" * 8])
def test_a_binary_size_that_leads_nowhere_is_refused(box: Box, size: bytes):
    assert box.extract(patch(tar(file(".git/x", b"x"), file("y", b"y")), 124, size))


def test_a_sparse_file_is_refused(box: Box):
    extra = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": "1" + "0" * 12,
    }
    content = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
    assert box.extract(tar(file("x", content, extra=extra)))
    old = patch(tar(file("x", b"x"), format=tarfile.GNU_FORMAT), 156, b"S")
    assert box.extract(old) == "x is a sparse file"


# ---- what cannot be read


def test_an_encrypted_zip_file_is_refused(box: Box):
    data = bytearray(pack_zip(("Dockerfile", "x"), method=0))
    for start, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(start) + offset] |= 1
    assert box.extract(bytes(data)) == "it is encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_whose_memory_has_no_limit_is_refused(box: Box, method: int):
    found = f"Dockerfile is compressed with method {method}"
    assert box.extract(pack_zip(("Dockerfile", "x"), method=method)) == found


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty file"),
        (b"Rar!\x1a\x07\x00", "not a .zip, .tar or .tar.gz archive"),
        (b"<html>" + b" " * 1000, "not a .zip, .tar or .tar.gz archive"),
        (b"PK\3\4", "it cannot be read as an archive"),
        (gzip.compress(b"text", mtime=0), "the archive is cut off or damaged"),
        (gzip.compress(b"", mtime=0), "the archive is cut off or damaged"),
    ],
)
def test_what_is_no_archive_is_refused(box: Box, data: bytes, found: str):
    assert box.extract(data) == found


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_that_is_cut_off_anywhere_is_refused(box: Box, kind: str):
    content = os.urandom(3_000)
    data = {
        "zip": pack_zip(("a", content), ("b", content)),
        "tar": tar(file("a", content), file("b", content)).rstrip(b"\0"),
        "tar.gz": gzip.compress(tar(file("a", content), file("b", content))),
    }[kind]
    for length in range(1, len(data) - 1, 97):
        assert box.extract(data[:length]), length


def test_content_that_does_not_match_its_checksum_is_refused(box: Box):
    data = pack_zip(("Dockerfile", "FROM python"), method=0).replace(b"FROM", b"FROG", 1)
    assert box.extract(data) == "it cannot be read as an archive"


def test_a_fifo_in_place_of_an_archive_is_refused_unread(tmp_path: Path):
    os.mkfifo(tmp_path / "a.zip")
    refused = archives.extract(tmp_path / "a.zip", tmp_path / "target", "a.zip")
    assert refused
    assert refused.found == "not a regular file"


def test_a_full_disk_is_not_the_fault_of_the_archive(box: Box, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fchmod", refuse)
    (box.top / "a.zip").write_bytes(pack_zip(("Dockerfile", "x")))
    with pytest.raises(OSError, match="No space left on device"):
        archives.extract(box.top / "a.zip", box.target, "a.zip")
    monkeypatch.undo()
    assert not box.target.exists()


# ---- any name, any bytes

NAMES = st.text(
    st.sampled_from("ab./\\:~\0\n\u202eéE\u0301\ud800C ") | st.characters(), max_size=20
)


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(name=NAMES)
def test_any_name_stays_below_the_target_or_is_refused(tmp_path: Path, name: str):
    try:
        parts = archives.split_path(name)
    except Refusal:
        return
    path = tmp_path.joinpath(*parts)
    assert Path(os.path.normpath(path)) == path
    assert path.is_relative_to(tmp_path)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(names=st.lists(NAMES.filter(bool), min_size=1, max_size=3))
def test_an_archive_with_any_names_writes_below_the_target_only(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
):
    box = Box(tmp_path_factory.mktemp("any"))
    try:
        data = tar(*(file(name, b"x") for name in names))
    except UnicodeEncodeError:
        return
    found = box.extract(data)
    assert found or box.files or any(is_local(part) for part in "/".join(names).split("/"))


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_archive_never_raises(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    whole = data.draw(
        st.sampled_from(
            [
                pack_zip(("a/b", "x" * 100), (zip_info("c", stat.S_IFREG | 0o755), "y")),
                tar(file("a/b", b"x" * 100, extra={"path": "d"}), folder("e")),
                tar(file("a" * 120, b"x"), format=tarfile.GNU_FORMAT),
                gzip.compress(tar(file("a/b", b"x" * 100)), mtime=0),
            ]
        )
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    Box(tmp_path_factory.mktemp("damaged")).extract(bytes(damaged))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("anna.zip", "anna"), ("anna.TAR.GZ", "anna"), ("a.b.tgz", "a.b"), ("anna.rar", "anna.rar")],
)
def test_the_suffix_of_an_archive_is_no_part_of_its_name(name: str, expected: str):
    assert archives.stem(name) == expected


def test_archives_that_are_not_read_are_known():
    assert archives.is_archive("a.tar.gz")
    assert not archives.is_other_archive("a.tar.gz")
    assert archives.is_other_archive("a.7z")
    assert not archives.is_other_archive("README.md")


def test_the_limits_are_those_of_the_build_context():
    from workshop.grading import build_context  # noqa: PLC0415 - compared only here

    assert LEARNER.content == build_context.MAX_BYTES
    assert LEARNER.files == build_context.MAX_FILES
    assert MAX_PATH < 4096
