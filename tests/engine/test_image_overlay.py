"""The files of an image, compared one by one with what the kernel shows of its layers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import zstandard
from harness import built_from, docker, run
from tars import oci_layout

from workshop.analysis.image.docker_save import read
from workshop.analysis.image.files import list_files
from workshop.analysis.image.limits import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.analysis.image.image import Image
    from workshop.engine import Engine

pytestmark = pytest.mark.slow

# Whiteouts of files and folders, opaque folders, a folder in place of a file and the other way
# round, links in place of folders, hard links that a later layer breaks or removes, special files.
DIFFICULT = """
FROM debian:trixie-slim
RUN mkdir -p /a/b/c /o/p && echo 1 > /a/b/c/1 && echo 2 > /a/2 && echo 3 > /o/p/3 \\
    && head -c 3000000 /dev/urandom > /big && ln /big /twin && ln /big /a/third \\
    && mkfifo /fifo && mknod /null c 1 3 && touch /empty && chmod 4755 /a/2 \\
    && echo x > /was-file && mkdir /was-folder && echo y > /was-folder/y && ln -s /a /to-a
RUN rm -r /o && mkdir /o && echo new > /o/new && rm /was-file && mkdir /was-file \\
    && echo in > /was-file/in && rm -r /was-folder && echo file > /was-folder
RUN rm /big && echo changed >> /twin && chown 12:34 /a/b && rm -r /a/b/c && mkdir /a/b/c
RUN rm -r /a/b && rm /a/third && rm /to-a && mkdir /to-a && echo z > /to-a/z && rm /empty
RUN ln /twin /again && rm -rf /o && ln -s /nowhere /o && touch "/sp ace" /ümläut
"""


@contextmanager
def mounted(engine: Engine, name: str, folder: Path) -> Iterator[Path]:
    """Mount the layers of an image with overlayfs, read-only, until the block ends."""
    driver = json.loads(docker("image", "inspect", "--format", "{{json .GraphDriver}}", name))
    if driver["Name"] != "overlay2" or not engine.is_here or os.geteuid() != 0:
        pytest.skip("the engine's layers are not overlay2 folders of this machine, or not root's")
    data = driver["Data"]
    layers = [data["UpperDir"], *filter(None, data.get("LowerDir", "").split(":"))]
    root, empty = folder / "root", folder / "empty"
    root.mkdir()
    empty.mkdir()
    # One layer alone cannot be mounted.
    options = f"ro,lowerdir={':'.join([*layers, str(empty)])}"
    run("mount", "-t", "overlay", "overlay", "-o", options, str(root))
    try:
        yield root
    finally:
        run("umount", str(root))


def shown(root: Path) -> dict[str, tuple]:
    """Return the type, mode, owner, target and content of every path of a mount."""
    return {path: describe(root / path, info) for path, info in walk(root)}


def walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(parent, name)  # noqa: PTH118 - a Path would be slow
            yield os.path.relpath(path, root), os.lstat(path)


def describe(path: Path, info: os.stat_result) -> tuple:
    kinds = {stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFREG: "file", stat.S_IFIFO: "fifo"}
    kind = kinds.get(stat.S_IFMT(info.st_mode), "device")
    is_file = kind == "file"
    content = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else ""
    target = str(path.readlink()) if kind == "link" else ""
    owner = (info.st_uid, info.st_gid)
    return kind, stat.S_IMODE(info.st_mode), *owner, target, info.st_size * is_file, content


def found(image: Image) -> dict[str, tuple]:
    return {
        path: (
            entry.kind.replace("hardlink", "file"),
            entry.mode,
            entry.uid,
            entry.gid,
            entry.target if entry.kind == "link" else "",
            entry.size,
            entry.digest,
        )
        for path, entry in image.tree.items()
    }


def saved(name: str) -> bytes:
    return subprocess.run(["docker", "save", name], check=True, capture_output=True).stdout


def layers_of(archive: bytes) -> list[bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        (image,) = json.load(files.extractfile("manifest.json"))
        return [files.extractfile(layer).read() for layer in image["Layers"]]


def assert_same(actual: dict[str, tuple], expected: dict[str, tuple]) -> None:
    different = [
        (path, actual.get(path), expected.get(path))
        for path in sorted({*actual, *expected})
        if actual.get(path) != expected.get(path)
    ]
    assert different[:5] == []


def test_a_difficult_image_is_read_as_the_kernel_shows_it_from_every_kind_of_archive(
    engine, tmp_path
):
    with built_from(DIFFICULT) as name, mounted(engine, name, tmp_path) as root:
        expected = shown(root)
        inodes = {(i.st_dev, i.st_ino): i.st_size for _, i in walk(root) if stat.S_ISREG(i.st_mode)}
        archive = saved(name)
    image = read(io.BytesIO(archive), digest_size=MAX_BYTES)
    assert_same(found(image), expected)
    assert {"again", "twin", "o", "to-a/z", "was-file/in", "null", "fifo"} <= {*expected}
    assert not {"big", "a/third", "a/b", "o/new", "empty"} & {*expected}
    assert image.live == sum(inodes.values()) == sum(file.size for file in list_files(image))
    layers = layers_of(archive)
    for pack in (bytes, zstandard.compress):
        other = read(oci_layout(*layers, pack=pack), digest_size=MAX_BYTES)
        assert (other.tree, other.live, other.waste) == (image.tree, image.live, image.waste)
        assert other.diff_ids == image.diff_ids


@pytest.mark.parametrize("name", ["base-image-fastapi:dev", "todo-app:prod"])
def test_an_image_of_the_course_is_read_as_the_kernel_shows_it(built, engine, name, tmp_path):
    with mounted(engine, built(name), tmp_path) as root, engine.save(name) as stream:
        image = read(stream, digest_size=MAX_BYTES)
        assert_same(found(image), shown(root))
