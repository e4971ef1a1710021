"""Facts of real images, compared with Docker's."""

from __future__ import annotations

import io
import json
import random
import secrets
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from harness import built_from, docker
from tars import file, folder, hardlink, legacy, link, tar

from workshop.analysis.image import assembly
from workshop.analysis.image.docker_save import read

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

MB = 10**6
TRIXIE = "debian:trixie-slim"
pytestmark = pytest.mark.usefixtures("engine")

# Paths that Docker adds to every container, or mounts over.
DOCKERS_OWN = {
    ".dockerenv",
    "dev",
    "etc",
    "proc",
    "sys",
    "dev/console",
    "dev/pts",
    "dev/shm",
    "etc/hosts",
    "etc/hostname",
    "etc/mtab",
    "etc/resolv.conf",
}


def facts(image: str, **options) -> Image:
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        found = read(saving.stdout, **options)
        saving.stdout.read()
    return found


def exported(image: str) -> list[tarfile.TarInfo]:
    """Return the files of a container that never runs, from `docker export`."""
    name = docker("create", image, "true")
    try:
        with (
            subprocess.Popen(["docker", "export", name], stdout=subprocess.PIPE) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as archive,
        ):
            return [info for info in archive if info.name.strip("/") not in DOCKERS_OWN]
    finally:
        docker("rm", name)


def listed(files: list[tarfile.TarInfo]) -> dict[str, tuple]:
    return {
        info.name.strip("/"): (info.isdir(), info.issym(), info.mode, info.uid, info.gid)
        for info in files
    }


def sizes(files: list[tarfile.TarInfo]) -> dict[str, int]:
    return {info.name: info.size for info in files if info.isreg() and info.size}


def tree(image: Image) -> dict[str, tuple]:
    return {
        path: (entry.kind == "dir", entry.kind == "link", entry.mode, entry.uid, entry.gid)
        for path, entry in image.tree.items()
        if path not in DOCKERS_OWN
    }


def replaced_by_docker(image: Image) -> int:
    """Return the bytes of files that Docker replaces in a container."""
    return sum(image.tree[path].size for path in DOCKERS_OWN & set(image.tree))


WASTEFUL = """
FROM debian:trixie-slim
RUN head -c 3000000 /dev/zero > /big && mkdir -p /d/e && echo hi > /d/e/f && ln /big /twin
RUN rm -r /d && mkdir /d && echo new > /d/g && chmod 600 /etc/issue
RUN rm /big
RUN rm /twin && chown -R 1000:1001 /d && ln -s /etc/issue /d/link && useradd --uid 1234 ada
USER ada
"""


@pytest.mark.slow
def test_an_image_with_deletions_and_changes_matches_docker():
    base = json.loads(docker("image", "inspect", "-f", "{{json .RootFS.Layers}}", TRIXIE))
    with built_from(WASTEFUL) as name:
        image, actual = facts(name), listed(exported(name))
        assert image.id == docker("image", "inspect", "--format", "{{.Id}}", name)
    assert tree(image) == actual
    first, _, _, last = range(image.shared(base), len(image.layers))
    assert [w.bytes for w in image.wasted_by() if w.stored_by == first and w.bytes >= MB] == [
        3 * MB
    ]
    assert (first, last) in {(w.stored_by, w.killed_by) for w in image.wasted_by()}
    assert sum(waste.bytes for waste in image.wasted_by()) == image.waste > 3 * MB
    assert image.identity() == (1234, 1234, {1234})
    assert image.writable("d/g", 1000)
    assert not image.writable("d/link", 1000)


@pytest.mark.slow
def test_a_squashed_image_has_no_waste():
    with built_from(WASTEFUL) as name:
        squashed = f"{name}-squashed"
        container = docker("create", name, "true")
        try:
            export = subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE)
            argv = ["docker", "import", "-", squashed]
            subprocess.run(argv, stdin=export.stdout, check=True, capture_output=True)
            export.stdout.close()
            assert export.wait() == 0
            image, before = facts(squashed), facts(name)
        finally:
            docker("rm", container)
            docker("image", "rm", squashed, check=False)
    assert image.waste == 0
    assert image.live == image.stored
    assert image.live - replaced_by_docker(image) == before.live - replaced_by_docker(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["todo-app:prod", "base-image-fastapi:dev"])
def test_an_image_of_the_course_matches_docker(built, name):
    image, files = facts(built(name)), exported(name)
    assert tree(image) == listed(files)
    actual = sizes(files)
    assert {path: image.tree[path].size for path in actual} == actual
    assert sum(actual.values()) == image.live - replaced_by_docker(image)
    assert image.stored - image.live == image.waste >= 0
    assert "flask" in image.packages() or "fastapi" in image.packages()


@pytest.mark.slow
def test_a_deleted_secret_and_a_build_argument_are_found():
    canary = f"canary-{secrets.token_hex(8)}"
    lines = f"""
FROM {TRIXIE}
ARG TOKEN={canary}
RUN head -c 2000000 /dev/zero > /f; printf %s "$TOKEN" >> /f
RUN rm /f
"""
    with built_from(lines) as name:
        image = facts(name, canaries=(canary.encode(),))
        clean = facts(name, canaries=(b"no-" + canary.encode(),))
    places = {(found.where, found.path) for found in image.found}
    assert (len(image.layers) - 2, "f") in places
    assert any(where == "history" for where, _ in places)
    assert clean.found == ()


PATHS = ("a", "b", "a/c", "a/d", "b/e", "a/c/f", "b/e/g", "h", "h/i")


def random_layer(chance: random.Random, below: set[str]) -> bytes:
    """Return a layer with some whiteouts of lower paths, and some entries at other paths.

    Docker loads no layer with a duplicate path, or with a hard link to another layer.
    """
    gone = {path for path in sorted(below) if chance.random() < 0.2}
    items = {path: file(whiteout(path)) for path in sorted(gone)}
    leaves = set(gone)
    for path in PATHS:
        head = path.rpartition("/")[0]
        if head in leaves or path in gone or chance.random() < 0.4:
            leaves.add(path)
            continue
        number = chance.randrange(2000)
        items[path] = chance.choice(
            [
                folder(path, 0o1777, uid=number),
                file(path, number, mode=chance.choice((0o644, 0o4755, 0o600)), gid=number),
                link(path, "a/c"),
                hardlink(path, "a") if "a" in items and items["a"].data else folder(path),
            ]
        )
        if items[path].type != tarfile.DIRTYPE:
            leaves.add(path)
    above = {path.rpartition("/")[0] for path in gone}
    return tar(*(item for path, item in items.items() if path in gone or path not in above))


def whiteout(path: str) -> str:
    head, _, name = path.rpartition("/")
    return f"{head}/.wh.{name}".lstrip("/")


@pytest.mark.parametrize("seed", range(6))
def test_random_layers_stack_as_in_docker(seed):
    chance = random.Random(seed)  # noqa: S311 - the same layers each time
    tag = f"workshop-test-{secrets.token_hex(4)}:x"
    layers: list[bytes] = []
    below: set[str] = set()
    for _ in range(4):
        layers.append(random_layer(chance, below))
        below = set(read(legacy(*layers)).tree)
    saved = legacy(*layers, tag=tag).getvalue()
    loading = subprocess.run(["docker", "load"], input=saved, check=False, capture_output=True)
    assert loading.returncode == 0, loading.stderr
    try:
        image, files = facts(tag), exported(tag)
    finally:
        docker("image", "rm", tag)
    assert tree(image) == listed(files)
    linked = {info.name for info in files if info.islnk()}
    files_with_size = {path: entry.size for path, entry in image.tree.items() if entry.size}
    assert {path: size for path, size in files_with_size.items() if path not in linked} == sizes(
        files
    )
    assert image.tree == read(io.BytesIO(saved)).tree
    assert sum(waste.bytes for waste in image.wasted_by()) == image.waste


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nonroot-image-fastapi:dev", "todo-app:prod", "deathstar:latest"])
def test_an_assembled_image_equals_the_saved_one(built, engine, name):
    identity = engine.inspect(built(name), "{{.Id}}")
    with engine.save(identity) as stream:
        saved = read(stream)
    inspected = json.loads(engine.inspect(identity, "{{json .}}"))
    known = {layer.diff_id: layer for layer in saved.layers}
    found = assembly.assemble(inspected, engine.history(identity), known.get, "canary")
    assert found is not None
    assert (found.id, found.history, found.tree) == (saved.id, saved.history, saved.tree)
    config = {key: value for key, value in saved.config.items() if value}
    assert {key: found.config.get(key) for key in config} == config
