from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tars import file, hardlink, link, oci, tar

from workshop.analysis.image import store as stores
from workshop.analysis.image.docker_save import read
from workshop.analysis.image.store import Store

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image


@pytest.fixture
def image() -> Image:
    below = tar(
        file("etc/passwd", b"app:x:5:6::/:\n\xff"), file("a", 5), file("b", 7), hardlink("h", "a")
    )
    above = tar(file(".wh.b"), file("bad\udcff", 3), link("l", "a"), file("d/.wh..wh..opq"))
    steps = [{"created_by": "one"}, {"created_by": "two"}]
    return read(oci(below, above, config={"User": "app"}, history=steps))


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "facts")


def test_a_stored_image_equals_the_original(image, store, tmp_path):
    store.save(image)
    stored = Store(tmp_path / "facts").image(image.id)
    assert (stored.id, stored.config, stored.history) == (image.id, image.config, image.history)
    assert dict(stored.tree) == dict(image.tree)
    assert [stored.layer_of(path) for path in image.tree] == list(image.merged.origin.values())
    assert (stored.stored, stored.live, stored.waste) == (image.stored, image.live, image.waste)
    assert stored.wasted_by() == image.wasted_by()
    assert stored.identity() == image.identity() == (5, 6, {6})


def test_a_stored_layer_equals_the_original(image, store):
    store.save(image)
    for layer in image.layers:
        stored = store.layer(layer.diff_id)
        assert tuple(stored.entries) == layer.entries
        assert (stored.diff_id, stored.size, stored.texts) == (
            layer.diff_id,
            layer.size,
            layer.texts,
        )
        assert (stored.whiteouts, stored.opaques) == (layer.whiteouts, layer.opaques)
        assert len(stored.entries) == len(layer.entries)


def test_paths_are_decoded_on_first_use(image, store, monkeypatch):
    store.save(image)
    stored = store.image(image.id)
    monkeypatch.setattr(stores, "Entry", None)
    assert stored.waste == image.waste
    assert stored.identity() == image.identity()
    with pytest.raises(TypeError):
        len(stored.tree)


def test_an_image_is_found_by_the_name_it_was_stored_under(image, store):
    store.save(image, "sha256:manifest")
    assert store.image("sha256:manifest").id == image.id
    assert store.image(image.id) is None


def test_found_secrets_are_not_stored(store):
    store.save(found := read(oci(tar(file("a", b"canary"))), canaries=(b"canary",)))
    assert found.found
    assert store.image(found.id).found == ()


def test_an_unknown_image_and_a_missing_folder_are_a_miss(store):
    assert store.image("sha256:x") is None
    assert store.layer("../../x") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b"hardlink", b"hardlunk"),
        lambda _: b"[" * 100_000,
        lambda data: b"\xff\xff" + data,
    ],
)
def test_a_damaged_file_is_a_miss(image, store, tmp_path, damage):
    store.save(image)
    for path in (tmp_path / "facts").iterdir():
        path.write_bytes(damage(path.read_bytes()))
    assert store.image(image.id) is None
    assert store.layer(image.layers[0].diff_id) is None


def test_facts_of_another_version_are_a_miss(image, store, tmp_path, monkeypatch):
    store.save(image)
    monkeypatch.setattr(stores, "_SOURCES", ("store.py",))
    assert Store(tmp_path / "facts").image(image.id) is None


def test_damaged_layers_are_written_again(image, store, tmp_path):
    store.save(image)
    for path in (tmp_path / "facts").iterdir():
        path.write_bytes(b"")
    store.save(image)
    assert store.image(image.id)


def test_the_least_recently_used_files_are_removed_first(image, store, tmp_path, monkeypatch):
    store.save(image)
    for number, path in enumerate(sorted((tmp_path / "facts").iterdir())):
        os.utime(path, (number, number))
    store.image(image.id)
    other = read(oci(tar(file("other", 1))))
    store.save(other)
    total = sum(path.stat().st_size for path in (tmp_path / "facts").iterdir())
    for path in (tmp_path / "facts").iterdir():
        if path.name in {store._path(other.id).name, store._path(other.diff_ids[0]).name}:
            os.utime(path, (0, 0))
    monkeypatch.setattr(stores, "MAX_STORE", total - 1)
    store.save(image)
    assert store.image(image.id)
    assert store.image(other.id) is None


def test_without_write_access_nothing_is_stored(image, tmp_path):
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file")
    store.save(image)
    assert store.image(image.id) is None


def test_no_temporary_files_are_left(image, store, tmp_path):
    store.save(image)
    assert {path.suffix for path in (tmp_path / "facts").iterdir()} == {".json"}
