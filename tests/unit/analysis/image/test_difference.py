"""The difference of two images, by layer and by file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tars import file, folder, hardlink, link, oci, tar

from workshop.analysis.image.difference import Kind, compare
from workshop.analysis.image.docker_save import read

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

MB = 10**6
BASE = tar(folder("etc"), file("etc/a", b"1"), file("etc/b", b"2"), link("l", "etc/a"))


def image(*layers: bytes) -> Image:
    return read(oci(*layers), digest_size=10 * MB)


def changes(before: Image, after: Image) -> dict[str, tuple]:
    found = compare(before, after).changes
    assert [change.path for change in found] == sorted(change.path for change in found)
    assert sum(change.bytes for change in found) == after.live - before.live
    return {change.path: (str(change.kind), change.bytes, change.aspects) for change in found}


def test_an_image_does_not_differ_from_itself():
    found = compare(image(BASE, tar(file("x"))), image(BASE, tar(file("x"))))
    assert (found.shared, found.changes) == (2, ())


def test_layers_are_shared_up_to_the_first_that_differs():
    one, other = tar(file("x", b"1")), tar(file("x", b"2"))
    assert compare(image(BASE, one, BASE), image(BASE, other, BASE)).shared == 1
    assert compare(image(BASE), image(BASE, other)).shared == 1
    assert compare(image(one), image(other)).shared == 0


def test_the_same_files_in_other_layers_are_no_change():
    one = image(tar(file("x", b"1"), file("y", b"2"), folder("d")))
    other = image(tar(file("x", b"9"), folder("d")), tar(file("y", b"2"), file("x", b"1")))
    assert compare(one, other).shared == 0
    assert changes(one, other) == {}


def test_added_removed_and_changed_files_have_their_bytes():
    after = image(
        BASE, tar(file("etc/.wh.a"), file("etc/b", b"333"), file("new", 7), link("l", "etc/b"))
    )
    assert changes(image(BASE), after) == {
        "etc/a": ("removed", -1, ()),
        "etc/b": ("changed", 2, ("content",)),
        "l": ("changed", 0, ("target",)),
        "new": ("added", 7, ()),
    }
    found = compare(image(BASE), after)
    assert [change.path for change in found.of_kind(Kind.ADDED)] == ["new"]


def test_each_aspect_of_a_change_is_named():
    before = image(tar(file("a", b"1"), file("b", b"1"), file("c", b"1"), folder("d")))
    after = image(
        tar(
            file("a", b"2", mode=0o600),
            file("b", b"1", uid=5),
            link("c", "a"),
            folder("d", 0o700, gid=6),
        )
    )
    assert {path: change[2] for path, change in changes(before, after).items()} == {
        "a": ("content", "mode"),
        "b": ("owner",),
        "c": ("type", "mode"),
        "d": ("mode", "owner"),
    }


def test_a_copy_differs_from_a_hard_link_by_its_bytes():
    one, other = tar(file("a", b"1"), hardlink("b", "a")), tar(file("a", b"1"), file("b", b"1"))
    assert changes(image(one), image(other)) == {"b": ("changed", 1, ("hard link",))}
    assert changes(image(one), image(one, tar())) == {}


def test_large_files_are_compared_by_their_content():
    one, other = b"1" * 2 * MB, b"1" * 2 * MB + b"2"
    before, after = image(tar(file("big", one))), image(tar(file("big", other[1:])))
    assert changes(before, after) == {"big": ("changed", 0, ("content",))}
    assert changes(before, image(tar(file("big", one)), tar())) == {}


@pytest.mark.parametrize(("later", "is_changed"), [("x", False), ("big", True)])
def test_a_file_without_a_digest_is_equal_only_in_the_same_layer(later, is_changed):
    big = tar(file("big", 2 * MB))
    one, other = read(oci(big)), read(oci(big, tar(file(later, 2 * MB), file("y"))))
    assert ("big" in changes(one, other)) == is_changed


def test_a_removed_folder_lists_everything_below_it():
    before = image(tar(folder("d"), file("d/x", b"1"), folder("d/e"), file("d/e/y", b"22")))
    after = image(tar(file("z")))
    assert sum(change.bytes for change in compare(before, after).changes) == -3
    assert set(changes(before, after)) == {"d", "d/x", "d/e", "d/e/y", "z"}


def test_of_hard_links_to_one_file_only_one_has_bytes():
    after = image(BASE, tar(file("m", 9), hardlink("n", "m"), hardlink("o", "m")))
    assert changes(image(BASE), after) == {
        "m": ("added", 9, ()),
        "n": ("added", 0, ()),
        "o": ("added", 0, ()),
    }
