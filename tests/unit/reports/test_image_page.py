"""The page about an image: its numbers, its escaping, and its map."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from tars import file, folder, hardlink, oci, tar

from workshop.analysis.dockerfile import effective, parser
from workshop.analysis.image.difference import compare
from workshop.analysis.image.docker_save import read
from workshop.analysis.image.files import list_files
from workshop.core.errors import UserError
from workshop.reports import difference as report
from workshop.reports.dockerfile_lines import measure_lines
from workshop.reports.file_tree import MAX_DEPTH, build_tree
from workshop.reports.image_page import format_page

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

MB = 10**6
DOCKERFILE = """FROM debian
WORKDIR /app

RUN make-it
COPY x .
USER app
"""
STEPS = [
    {"created_by": "ADD root.tar /"},
    {"created_by": "WORKDIR /app"},
    {"created_by": "RUN /bin/sh -c make-it # buildkit"},
    {"created_by": "COPY x . # buildkit"},
    {"created_by": "USER app", "empty_layer": True},
]
ATTACK = "<script>alert(1)</script>"


@pytest.fixture
def image() -> Image:
    return read(
        oci(
            tar(folder("usr"), file("usr/base", 12 * MB), file("old", MB)),
            tar(folder("app")),
            tar(file("usr/big", 3 * MB), hardlink("usr/twin", "usr/big"), file("keep", 200_000)),
            tar(file(".wh.old"), file("app/x", b"1")),
            history=STEPS,
        )
    )


def final(text: str = DOCKERFILE) -> effective.Effective:
    found = effective.effective(parser.parse(text))
    assert found
    return found


def tree_of(page: str) -> list:
    return json.loads(re.search(r'id="tree">(.*?)</script>', page, re.DOTALL)[1])


def test_each_line_has_its_bytes(image):
    found = [
        (one.line, one.text, one.stored, one.wasted) for one in measure_lines(image, final=final())
    ]
    assert found == [
        (1, "FROM debian", 13 * MB, MB),
        (2, "WORKDIR /app", 0, 0),
        (4, "RUN make-it", 3_200_000, 0),
        (5, "COPY x .", 1, 0),
        (6, "USER app", 0, 0),
    ]
    assert sum(one[2] for one in found) == image.stored


def test_without_a_dockerfile_each_layer_above_the_base_has_a_row(image):
    found = measure_lines(image, image.diff_ids[:1], "debian:x")
    assert [(one.text, one.layers) for one in found] == [
        ("FROM debian:x", (0,)),
        ("WORKDIR /app", (1,)),
        ("RUN make-it", (2,)),
        ("COPY x .", (3,)),
    ]


def test_another_dockerfile_is_refused(image):
    with pytest.raises(UserError, match="the image was not built from it"):
        measure_lines(image, final=final(DOCKERFILE.replace("make-it", "make-that")))


def test_the_map_has_every_live_byte_once(image):
    files = list(list_files(image))
    assert sum(one.size for one in files) == image.live
    assert "usr/twin" not in {one.path for one in files}
    root = build_tree(files, {0: 0, 2: 5})
    assert root[:3] == ["/", image.live, 0]
    assert [node[:3] for node in root[3]] == [
        ["usr", 15 * MB, 0],
        ["keep", 200_000, 5],
        ["smaller files", 1, 0],
    ]
    assert [node[:3] for node in root[3][0][3]] == [["base", 12 * MB, 0], ["big", 3 * MB, 5]]


def test_a_hard_link_whose_first_name_was_deleted_keeps_its_bytes():
    found = read(
        oci(tar(file("a", MB), hardlink("b", "a"), hardlink("c", "a")), tar(file(".wh.a")))
    )
    assert sum(one.size for one in list_files(found)) == found.live == MB


def test_a_deep_folder_is_one_box_from_some_depth_on():
    path = "/".join("d" * 50) + "/x"
    node, depth = build_tree([*list_files(read(oci(tar(file(path, MB)))))], {}), 0
    while node[3]:
        assert node[1] == MB
        node, depth = node[3][0], depth + 1
    assert depth == MAX_DEPTH


def test_an_empty_image_has_a_page():
    page = format_page("empty", read(oci()), [])
    assert tree_of(page) == ["/", 0, 0, []]
    assert "The image has no files." in page


class Elements(HTMLParser):
    """Counts the elements of a page, and collects their text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.text += " "
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data):
        self.text += data


def test_nothing_of_an_image_becomes_an_element():
    name = f"a/{ATTACK}\u202e\x1b[31m\n--><!--"
    hostile = read(
        oci(
            tar(file(name, 2 * MB), file(b"\xff".decode("utf-8", "surrogateescape"), MB)),
            history=[{"created_by": f"RUN {ATTACK}"}],
        )
    )
    other = read(oci(tar(file("z", MB))))
    page = format_page(ATTACK, hostile, measure_lines(hostile), compare(other, hostile), ATTACK)
    elements = Elements(page)
    assert elements.names.count("script") == 2
    assert elements.names.count("h1") == 1
    assert page.count(ATTACK) == 0
    assert elements.text.count(ATTACK) >= 4
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "alert(1)" in str(tree_of(page))


def test_the_page_needs_no_other_host(image):
    page = format_page("x", image, measure_lines(image))
    assert "default-src 'none'" in html.unescape(page)
    assert re.findall(r"(?:https?:)?//[a-z]", re.sub(r"<style>.*?</style>", "", page)) == []


def test_a_difference_is_a_section_of_the_page(image):
    base = read(oci(tar(folder("usr"), file("usr/base", 12 * MB), file("old", MB))))
    page = format_page("new", image, measure_lines(image), compare(base, image), "before")
    text = " ".join(Elements(page).text.split())
    assert (
        "Difference from before 1 shared layer +3.2 MB added (5 paths) -1.0 MB removed (1 path)"
        in text
    )
    assert "+3.0 added usr/big" in text


def test_the_text_of_a_difference_fits_80_columns(image):
    names = [f"{n:03}" + "x" * 90 for n in range(30)]
    other = read(oci(tar(*(file(name, MB + n) for n, name in enumerate(names)))))
    text = report.format_difference(compare(image, other), ("one", "two"))
    assert max(map(len, text.splitlines())) <= 80
    assert "-      16 MB stored in 4 layers: one\n" in text
    assert "+      30 MB stored in 1 layer: two\n" in text
    assert "added" in text
    assert "more: --format json lists them all" in text
    document = report.document(compare(image, other), ("one", "two"))
    assert len(document["files"]) == len(set(image.tree) | set(names))
    assert sum(one["bytes"] for one in document["files"]) == 30 * MB + 435 - image.live


def test_images_without_a_difference_say_so(image):
    text = report.format_difference(compare(image, image), ("one", "one"))
    assert text.endswith("\n\nNo file differs.\n")
