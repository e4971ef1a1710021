"""Formats the difference of two images for `workshop image`: layers, files and their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.analysis.image.difference import Kind
from workshop.core.sanitise import plain
from workshop.reports.layers import WIDTH, find_makers, format_instruction, format_megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from workshop.analysis.image.difference import Change, Difference
    from workshop.analysis.image.image import Image

MOST_CHANGES = 20

_PATH = WIDTH - len("+1,234.5  changed  ")


def format_difference(found: Difference, names: tuple[str, str]) -> str:
    """Return the layers and the largest changes of files; `names` are those of the images.

    The text is `WIDTH` columns wide; sizes are in decimal megabytes.
    """
    lines = [*_totals(found, names), "", *_layers(found), *_files(found)]
    return "\n".join([*lines, ""])


def document(found: Difference, names: tuple[str, str]) -> dict[str, Any]:
    """Return the difference as a dict, with sizes in bytes and every changed path."""
    return {
        "images": [
            {"name": name, "id": image.id, "stored": image.stored, "live": image.live}
            for name, image in zip(names, (found.before, found.after), strict=True)
        ],
        "shared": found.shared,
        "layers": [
            {"image": index, "number": number, "size": size, "made_by": made_by}
            for index, image in enumerate((found.before, found.after))
            for number, size, made_by in own_layers(image, found.shared)
        ],
        "files": [
            {
                "path": change.path,
                "kind": str(change.kind),
                "bytes": change.bytes,
                "aspects": list(change.aspects),
            }
            for change in found.changes
        ],
    }


def own_layers(image: Image, shared: int) -> Iterator[tuple[int, int, str]]:
    """Yield the number, the size in bytes and the instruction of each layer above `shared`."""
    makers = find_makers(image)
    for number in range(shared, len(image.layers)):
        made_by = format_instruction(makers.get(number, ""))
        yield number, image.layers[number].size, made_by


def largest(found: Difference, most: int = MOST_CHANGES) -> list[Change]:
    """Return the changes with the most bytes, added or removed; then the others, by path."""
    return sorted(found.changes, key=lambda change: (-abs(change.bytes), change.path))[:most]


def format_change(size: int) -> str:
    """Format a number of bytes in megabytes, with its sign."""
    return f"{'-' if size < 0 else '+'}{format_megabytes(abs(size))}"


def describe(change: Change) -> str:
    """Return a path, made safe, and what about it changed."""
    aspects = f" ({', '.join(change.aspects)})" if change.aspects else ""
    return f"{plain(change.path) or '/'}{aspects}"


def _totals(found: Difference, names: tuple[str, str]) -> Iterator[str]:
    for sign, name, image in zip("-+", names, (found.before, found.after), strict=True):
        size = format_megabytes(image.stored)
        yield f"{sign} {size:>7} MB stored in {_count(len(image.layers), 'layer')}: {plain(name)}"
    size = format_megabytes(sum(layer.size for layer in found.before.layers[: found.shared]))
    yield f"  {size:>7} MB in {_count(found.shared, 'layer')} that both have"


def _layers(found: Difference) -> Iterator[str]:
    own = [
        (sign, *layer)
        for sign, image in (("-", found.before), ("+", found.after))
        for layer in own_layers(image, found.shared)
    ]
    if not own:
        return
    yield f"  {'layer':>5}  {'MB':>9}  made by"
    for sign, number, size, made_by in own:
        yield _shorten(f"{sign} {number:>5}  {format_megabytes(size):>9}  {made_by}")
    yield ""


def _files(found: Difference) -> Iterator[str]:
    if not found.changes:
        yield "No file differs."
        return
    for kind in Kind:
        changes = found.of_kind(kind)
        size = format_change(sum(change.bytes for change in changes))
        yield f"{kind:<8} {_count(len(changes), 'path'):>14} {size:>9} MB"
    yield ""
    yield f"{'MB':>8}  the largest changes"
    for change in largest(found):
        path = describe(change)
        shown = path if len(path) <= _PATH else f"...{path[3 - _PATH :]}"
        yield f"{format_change(change.bytes):>8}  {change.kind:<7}  {shown}"
    if (more := len(found.changes) - MOST_CHANGES) > 0:
        yield f"{'':>8}  and {more:,} more: --format json lists them all"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _shorten(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3].rstrip()}..."
