"""The archive of a pack: the same bytes each time, and every damage is found."""

from __future__ import annotations

import hashlib
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from workshop.classroom import archive
from workshop.classroom.manifest import File, Manifest
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

CONTENTS = {"kit.tar": b"kit", "packages/cowsay.whl": b"moo" * 1000, "site/index.html": b""}


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """The files of a pack, by digest."""
    folder = tmp_path / "sources"
    folder.mkdir()
    found = {}
    for data in CONTENTS.values():
        digest = hashlib.sha256(data).hexdigest()
        (folder / digest).write_bytes(data)
        found[digest] = folder / digest
    return found


@pytest.fixture
def manifest() -> Manifest:
    files = [
        File(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in sorted(CONTENTS.items())
    ]
    return Manifest(commit="c0ffee", architectures=("amd64",), images=(), files=tuple(files))


@pytest.fixture
def pack(manifest, sources, tmp_path) -> Path:
    archive.write(manifest, sources, tmp_path / "pack.tar")
    return tmp_path / "pack.tar"


def test_two_packs_of_the_same_files_have_the_same_bytes(manifest, sources, pack, tmp_path):
    for path in sources.values():
        os.utime(path, (1, 1))
        path.chmod(0o600)
    archive.write(manifest, sources, tmp_path / "again.tar")
    assert pack.read_bytes() == (tmp_path / "again.tar").read_bytes()


def test_tar_reads_a_pack_and_its_manifest_is_first(pack):
    with tarfile.open(pack) as tar:
        assert tar.getnames() == ["manifest.json", *CONTENTS]


def test_an_unpacked_pack_has_every_file(pack, manifest, tmp_path):
    seen: list[int] = []
    assert archive.unpack(pack, tmp_path / "out", seen.append) == manifest
    for path, data in CONTENTS.items():
        assert (tmp_path / "out" / path).read_bytes() == data
    assert sum(seen) == manifest.size


def test_any_changed_byte_is_found(pack, tmp_path):
    """One byte in each part: manifest, headers, contents, padding, end, seal."""
    whole = pack.read_bytes()
    damaged = tmp_path / "damaged.tar"
    for at in [*range(0, len(whole), 97), len(whole) - 1]:
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(UserError, match=r"damaged\.tar"):
            archive.check(damaged)


def test_a_changed_file_is_named(pack, tmp_path):
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(pack.read_bytes().replace(b"moomoo", b"moomOo", 1))
    with pytest.raises(UserError, match=r"packages/cowsay\.whl has changed.* make it again"):
        archive.check(damaged)


def test_a_pack_cut_short_is_found_wherever_it_ends(pack, tmp_path):
    whole = pack.read_bytes()
    short = tmp_path / "short.tar"
    for length in [*range(0, len(whole), 511), len(whole) - 1]:
        short.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"short\.tar"):
            archive.check(short)


def test_added_bytes_are_found(pack):
    pack.write_bytes(pack.read_bytes() + b"x")
    with pytest.raises(UserError, match="seal"):
        archive.check(pack)


def test_a_damaged_pack_leaves_no_folder(pack, tmp_path):
    pack.write_bytes(pack.read_bytes()[:-1])
    with pytest.raises(UserError):
        archive.unpack(pack, tmp_path / "out")
    assert not [*tmp_path.glob("out*")]


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a/../../b", "a//b", "./a", "a/.", ""])
def test_no_file_of_a_pack_is_outside_its_folder(path):
    with pytest.raises(ValueError, match="path"):
        File(path=path, size=0, sha256="0" * 64)


@pytest.mark.parametrize(("name", "content"), [("missing.tar", None), ("text.tar", b"hello" * 999)])
def test_what_is_no_pack_is_reported(name, content, tmp_path):
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        archive.read_manifest(tmp_path / name)


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full")
def test_a_full_disk_is_reported_with_the_size_and_leaves_no_file(manifest, sources, tmp_path):
    (tmp_path / "pack.tar.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"No space left.* Free .* MB"):
        archive.write(manifest, sources, tmp_path / "pack.tar")
    assert not [*tmp_path.glob("pack.tar*")]
