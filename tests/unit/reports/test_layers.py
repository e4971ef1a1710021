from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tars import file, oci, tar

from workshop.analysis.image.docker_save import read
from workshop.reports.layers import (
    WIDTH,
    document,
    format_instruction,
    format_layers,
    format_megabytes,
)

if TYPE_CHECKING:
    from workshop.analysis.image.image import Image

MB = 10**6
STEPS = [
    {"created_by": "ADD root.tar /"},
    {"created_by": "RUN /bin/sh -c make-it # buildkit"},
    {"created_by": "USER app", "empty_layer": True},
    {"created_by": "RUN |1 A=b c /bin/sh -c rm -rf " + "x" * 90},
]


@pytest.fixture
def image() -> Image:
    return read(
        oci(
            tar(file("base", 12 * MB), file("old", MB)),
            tar(file("big", 3 * MB), file("keep", 200_000), file("tiny", 50_000)),
            tar(file(".wh.big"), file("old", MB), file(".wh.tiny")),
            history=STEPS,
        )
    )


REPORT = f"""\
layer         MB     wasted  made by
    0         13        1.0  debian
    1        3.2        3.0  RUN make-it
    2        1.0             RUN rm -rf {"x" * 37}...

stored        17 MB in 3 layers
own          4.2 MB in 2 layers above the base
live          13 MB visible in a container
wasted       4.0 MB stored but not visible in a container

Layer 1 stores 3.0 MB that layer 2 deletes or replaces.
The base image stores 1.0 MB that layer 2 deletes or replaces.
"""


def test_the_report_lists_each_layer_with_its_instruction_and_waste(image):
    assert format_layers(image, image.diff_ids[:1], "debian") == REPORT


def test_without_a_base_every_layer_has_a_row(image):
    report = format_layers(image)
    assert "    0         13        1.0  ADD root.tar /\n" in report
    assert "own" not in report
    assert "Layer 0 stores 1.0 MB that layer 2 deletes or replaces." in report


def test_the_layers_of_the_base_share_one_row(image):
    assert "  0-1         16        4.0  the base image\n" in format_layers(
        image, image.diff_ids[:2]
    )


def test_waste_within_the_base_has_no_sentence(image):
    assert "deletes" not in format_layers(image, image.diff_ids)


def test_an_image_without_waste_has_no_sentences():
    report = format_layers(read(oci(tar(file("a", MB)))))
    assert "    0        1.0             (unknown)\n" in report
    assert report.endswith("not visible in a container\n")


def test_a_file_that_a_layer_stores_twice_has_a_sentence():
    report = format_layers(read(oci(tar(file("a", MB), file("a", MB)))))
    assert "Layer 0 stores 1.0 MB twice." in report


def test_the_document_has_the_same_layers_in_bytes(image):
    found = document(image, image.diff_ids[:1], "debian")
    assert (found["base"], found["shared"]) == ("debian", 1)
    assert [layer["size"] for layer in found["layers"]] == [13 * MB, 3_250_000, MB]
    assert [layer["wasted"] for layer in found["layers"]] == [MB, 3_050_000, 0]
    assert found["layers"][1]["made_by"] == "RUN make-it"
    assert [step["layer"] for step in found["history"]] == [0, 1, None, 2]


def test_no_line_is_wider_than_the_report(image):
    assert max(map(len, format_layers(image, image.diff_ids[:1], "x" * 99).splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("created_by", "expected"),
    [
        ("COPY . . # buildkit", "COPY . ."),
        ("/bin/sh -c #(nop)  CMD [x]", "CMD [x]"),
        ("/bin/sh -c apt-get  update", "RUN apt-get update"),
        ("|1 A=b /bin/sh -c pip install", "RUN pip install"),
        ("RUN |2 A=b C=d e /bin/sh -c x # buildkit", "RUN x"),
        ("RUN a\n\x1b[31mb\u202ec", "RUN a [31mb c"),
        ("", "(unknown)"),
    ],
)
def test_an_instruction_looks_as_in_a_dockerfile(created_by, expected):
    assert format_instruction(created_by) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0.0"), (49_999, "0.0"), (9_940_000, "9.9"), (84_400_000, "84"), (1234 * MB, "1,234")],
)
def test_sizes_are_decimal_megabytes(size, expected):
    assert format_megabytes(size) == expected
