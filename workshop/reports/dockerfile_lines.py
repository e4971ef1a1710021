"""Which line of a Dockerfile adds how many bytes to its image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workshop.core.errors import UserError
from workshop.core.sanitise import plain
from workshop.reports.layers import WIDTH, document, format_megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from workshop.analysis.dockerfile.effective import Effective
    from workshop.analysis.dockerfile.instructions import Instruction
    from workshop.analysis.image.image import Image

# The instructions whose text in an image's history is as in the Dockerfile, variables apart.
COMPARED = frozenset({"RUN", "COPY", "ADD"})


class Line(NamedTuple):
    """An instruction: its line, None if unknown, its text, and the numbers of its layers.

    `stored` are the bytes of these layers, and `wasted` those of them that a later layer deletes
    or replaces.
    """

    line: int | None
    text: str
    layers: tuple[int, ...]
    stored: int
    wasted: int


def measure_lines(
    image: Image, base: Sequence[str] = (), base_name: str = "", final: Effective | None = None
) -> list[Line]:
    """Return the bytes of each instruction; those of the base image are the first.

    `base` has the base image's diff IDs. `final` is the stage that the image was built from: it
    gives the lines, also of instructions without a layer. Raises `UserError` if it is another.
    """
    report = document(image, base, base_name)
    if final is None:
        return list(_measure_layers(report))
    lines = match_lines(report["history"], final.instructions)
    if lines is None:
        fix = "Name the Dockerfile that it was built from, or build the image again"
        raise UserError("the Dockerfile", "the image was not built from it", fix)
    layers = {line: number for number, line in lines.items()}
    inherited = tuple(n for n in range(len(image.layers)) if n not in lines)
    head = _measure(report, inherited, final.chain[0].line, f"FROM {final.base}")
    return [head, *(_measure_instruction(report, one, layers) for one in final.instructions)]


def format_lines(lines: Sequence[Line]) -> str:
    """Return a table of the lines, `WIDTH` columns wide; sizes are in decimal megabytes."""
    rows = [f"{'line':>5}  {'MB':>9}  {'wasted':>9}  instruction"]
    for line in lines:
        size, lost = (format_megabytes(n) if n else "" for n in (line.stored, line.wasted))
        text = " ".join(plain(line.text).split())
        row = f"{line.line or '':>5}  {size:>9}  {lost:>9}  {text}".rstrip()
        rows.append(row if len(row) <= WIDTH else f"{row[: WIDTH - 3].rstrip()}...")
    return "\n".join([*rows, ""])


def _measure_layers(report: dict[str, Any]) -> Iterator[Line]:
    if shared := report["shared"]:
        name = report["base"] or "the base image"
        yield _measure(report, tuple(range(shared)), None, f"FROM {name}")
    for layer in report["layers"][shared:]:
        yield _measure(report, (layer["number"],), None, layer["made_by"])


def _measure_instruction(
    report: dict[str, Any], instruction: Instruction, layers: dict[int, int]
) -> Line:
    own = () if (number := layers.get(instruction.line)) is None else (number,)
    return _measure(report, own, instruction.line, f"{instruction.keyword} {instruction.text}")


def _measure(report: dict[str, Any], layers: tuple[int, ...], line: int | None, text: str) -> Line:
    own = [report["layers"][number] for number in layers]
    stored, wasted = (sum(layer[key] for layer in own) for key in ("size", "wasted"))
    return Line(line, text, layers, stored, wasted)


def match_lines(
    history: Sequence[dict[str, Any]], instructions: Sequence[Instruction]
) -> dict[int, int] | None:
    """Return the line of the instruction that created each layer, by the layer's number.

    An image's history ends with one step for each instruction of the last stage. Returns None if
    a step is not of its instruction: then the Dockerfile has changed since the build.
    """
    steps = history[len(history) - len(instructions) :]
    if len(history) < len(instructions):
        return None
    pairs = list(zip(steps, instructions, strict=True))
    if not all(_is_made_by(step["made_by"], instruction) for step, instruction in pairs):
        return None
    return {step["layer"]: one.line for step, one in pairs if step["layer"] is not None}


def _is_made_by(made_by: str, instruction: Instruction) -> bool:
    """Whether a step of the history can come from an instruction."""
    keyword, _, text = made_by.partition(" ")
    if keyword != instruction.keyword:
        return False
    if keyword not in COMPARED or instruction.heredocs or instruction.exec_form is not None:
        return True
    written = instruction.text if keyword == "RUN" else instruction.expanded
    words = text.split()
    while words and words[0].startswith("--"):
        del words[0]
    return words == written.split()
