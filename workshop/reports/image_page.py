"""The page of `workshop image --html`: bytes of each line, a map of the files, and a difference.

Everything that comes from an image passes the sanitiser and Jinja's escaping.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.image.difference import Kind
from workshop.analysis.image.files import list_files
from workshop.core.sanitise import plain
from workshop.reports import difference as report
from workshop.reports.file_tree import build_tree
from workshop.reports.layers import describe_waste, format_megabytes
from workshop.reports.page import TEMPLATES, create_environment, policy, read_source, read_style

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workshop.analysis.image.difference import Difference
    from workshop.analysis.image.image import Image
    from workshop.reports.dockerfile_lines import Line
    from workshop.reports.file_tree import Node

MOST_FILES = 50
MOST_CHANGES = 300

# Colour 0 is that of the base image; the others repeat.
_COLOURS = 8


class Row(NamedTuple):
    """A line with what the table shows of it; `share` and `lost` are percentages of all bytes."""

    label: str
    text: str
    layers: tuple[int, ...]
    stored: int
    wasted: int
    share: float
    lost: float
    colour: int


class ShownFile(NamedTuple):
    """One of the largest files, with the line that stores it."""

    path: str
    size: int
    row: Row


def format_page(
    name: str,
    image: Image,
    lines: Sequence[Line],
    difference: Difference | None = None,
    other: str = "",
) -> str:
    """Return the page as HTML; it needs no other file and no network.

    `difference` is that from the image `other` to this one.
    """
    style = read_style(TEMPLATES / "image.css")
    script = read_source(TEMPLATES / "image.js")
    rows = _rows(lines, image.stored)
    owners = {number: row for row in rows for number in row.layers}
    files = list(list_files(image))
    largest = sorted(files, key=lambda file: (-file.size, file.path))[:MOST_FILES]
    tree = build_tree(files, {number: row.colour for number, row in owners.items()})
    environment = create_environment(TEMPLATES)
    environment.filters.update(mb=format_megabytes, signed=report.format_change)
    page = environment.get_template("image.html").render(
        policy=policy(style, script),
        style=style,
        script=script,
        name=plain(name),
        other=plain(other),
        image=image,
        rows=rows,
        has_lines=any(line.line for line in lines),
        sentences=list(describe_waste(image, len(lines[0].layers) if lines else 0)),
        tree=_embed(tree),
        files=[ShownFile(plain(f.path), f.size, owners[f.layer]) for f in largest],
        difference=difference,
        describe=report.describe,
        **(_describe_difference(difference, other, name) if difference else {}),
    )
    # A path that is not UTF-8 has no letters that a page can hold.
    return page.encode("utf-8", "replace").decode("utf-8")


def _rows(lines: Sequence[Line], total: int) -> list[Row]:
    rows = []
    colour = 0
    for index, line in enumerate(lines):
        if index and line.layers:
            colour = colour % _COLOURS + 1
        label = str(line.line) if line.line else _range(line.layers)
        share, lost = (round(100 * size / (total or 1), 2) for size in (line.stored, line.wasted))
        numbers = (line.layers, line.stored, line.wasted, share, lost)
        rows.append(Row(label, plain(line.text), *numbers, colour))
    return rows


def _range(layers: Sequence[int]) -> str:
    return f"{layers[0]}-{layers[-1]}" if len(layers) > 1 else "".join(map(str, layers))


def _describe_difference(found: Difference, other: str, name: str) -> Mapping[str, object]:
    changes = report.largest(found, MOST_CHANGES)
    return {
        "kinds": [
            (kind, len(of_kind), sum(change.bytes for change in of_kind))
            for kind in Kind
            if (of_kind := found.of_kind(kind))
        ],
        "layers": list(_list_layers(found, (plain(other), plain(name)))),
        "changes": changes,
        "omitted": len(found.changes) - len(changes),
    }


def _list_layers(found: Difference, names: tuple[str, str]) -> Iterator[tuple[object, ...]]:
    for name, image in zip(names, (found.before, found.after), strict=True):
        for layer in report.own_layers(image, found.shared):
            yield name, *layer


def _embed(tree: Node) -> str:
    """Return JSON for an element `script`, which no text in it can end."""
    from markupsafe import Markup  # noqa: PLC0415 - slow

    text = json.dumps(tree, ensure_ascii=True, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704 - nothing in it has a meaning in HTML
