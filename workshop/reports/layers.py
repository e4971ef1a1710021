"""Formats the layers of an image for `workshop image`: their sizes and wasted bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from workshop.analysis.image.image import Image

WIDTH = 80
WORTH_A_SENTENCE = 100_000  # bytes
MOST_SENTENCES = 10

_TEXT = WIDTH - len(f"{0:>5}  {0:>9}  {0:>9}  ")


def format_layers(image: Image, base: Sequence[str] = (), base_name: str = "") -> str:
    """Return the table of layers, the totals, and a sentence for each waste of 0.1 MB or more.

    The layers in `base`, the diff IDs of the base image, share one row. The text is `WIDTH`
    columns wide; sizes are in decimal megabytes.
    """
    shared = image.shared(base)
    return "\n".join(
        [
            f"{'layer':>5}  {'MB':>9}  {'wasted':>9}  made by",
            *_rows(image, shared, base_name or "the base image"),
            "",
            *_totals(image, shared),
            *_waste_lines(image, shared),
            "",
        ]
    )


def document(image: Image, base: Sequence[str] = (), base_name: str = "") -> dict[str, Any]:
    """Return the layers and the history of an image as a dict, with sizes in bytes.

    The first `shared` layers are also those of the base image, given by its diff IDs.
    """
    wasted = _wasted(image)
    makers = find_makers(image)
    return {
        "base": base_name,
        "shared": image.shared(base),
        "stored": image.stored,
        "live": image.live,
        "layers": [
            {
                "number": number,
                "size": layer.size,
                "wasted": wasted[number],
                "made_by": format_instruction(makers.get(number, "")),
            }
            for number, layer in enumerate(image.layers)
        ],
        "history": [
            {"layer": step.layer, "made_by": format_instruction(step.created_by)}
            for step in image.history
        ],
    }


def format_megabytes(size: int) -> str:
    """Format `size` bytes in decimal megabytes, as `84` or, below ten, `0.3`."""
    value = size / 10**6
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"  # noqa: PLR2004 - see the docstring


def _rows(image: Image, shared: int, base_name: str) -> Iterator[str]:
    wasted = _wasted(image)
    if shared:
        size = sum(layer.size for layer in image.layers[:shared])
        numbers = "0" if shared == 1 else f"0-{shared - 1}"
        yield _row(numbers, size, sum(wasted[:shared]), base_name)
    makers = find_makers(image)
    for number in range(shared, len(image.layers)):
        made_by = format_instruction(makers.get(number, ""))
        yield _row(str(number), image.layers[number].size, wasted[number], made_by)


def _wasted(image: Image) -> list[int]:
    """Return the bytes of each layer that a later layer deletes or replaces."""
    wasted = [0] * len(image.layers)
    for waste in image.wasted_by():
        wasted[waste.stored_by] += waste.bytes
    return wasted


def find_makers(image: Image) -> dict[int, str]:
    """Return the history's text for the instruction that created each layer, by number."""
    return {step.layer: step.created_by for step in image.history if step.layer is not None}


def _row(number: str, size: int, wasted: int, made_by: str) -> str:
    short = made_by if len(made_by) <= _TEXT else f"{made_by[: _TEXT - 3].rstrip()}..."
    lost = format_megabytes(wasted) if wasted else ""
    return f"{number:>5}  {format_megabytes(size):>9}  {lost:>9}  {short}".rstrip()


def format_instruction(created_by: str) -> str:
    """Return a step of the history as a Dockerfile instruction: one printable line."""
    text = " ".join("".join(c if c.isprintable() else " " for c in created_by).split())
    text = re.sub(r" # buildkit$", "", text)
    text = re.sub(r"^/bin/sh -c #\(nop\) ", "", text)
    return re.sub(r"^(RUN )?(\|\d+ .*?)?/bin/sh -c ", "RUN ", text) or "(unknown)"


def _totals(image: Image, shared: int) -> Iterator[str]:
    own = image.layers[shared:]
    yield f"stored {format_megabytes(image.stored):>9} MB in {_count(len(image.layers))}"
    if shared:
        size = format_megabytes(sum(layer.size for layer in own))
        yield f"own    {size:>9} MB in {_count(len(own))} above the base"
    yield f"live   {format_megabytes(image.live):>9} MB visible in a container"
    yield f"wasted {format_megabytes(image.waste):>9} MB stored but not visible in a container"


def _count(number: int) -> str:
    return f"{number} layer{'s' * (number != 1)}"


def _waste_lines(image: Image, shared: int) -> Iterator[str]:
    if sentences := [*describe_waste(image, shared)]:
        yield ""
        yield from sentences


def describe_waste(image: Image, shared: int) -> Iterator[str]:
    """Yield a sentence for each large waste, except for waste within the base image.

    The first `shared` layers are the base image's.
    """
    ours = [
        waste
        for waste in image.wasted_by()
        if waste.killed_by >= shared and waste.bytes >= WORTH_A_SENTENCE
    ]
    for waste in sorted(ours, key=lambda waste: -waste.bytes)[:MOST_SENTENCES]:
        stored, size = waste.stored_by, format_megabytes(waste.bytes)
        if stored == waste.killed_by:
            yield f"Layer {stored} stores {size} MB twice."
        else:
            layer = "The base image" if stored < shared else f"Layer {stored}"
            yield f"{layer} stores {size} MB that layer {waste.killed_by} deletes or replaces."
