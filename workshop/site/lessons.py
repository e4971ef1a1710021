"""Reads the pages of docs/ and the blocks in them that tests run and compare.

CONTRIBUTING.md describes how to write a block. Any other block is a `UserError` that names the
page and the line, so that none is skipped silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.core.paths import ROOT
from workshop.site.blocks import (
    CONSOLE,
    CTRL_C,
    DIAGRAM,
    EDIT,
    FILE,
    NOT_RUN,
    OTHER_SHELL,
    SHOWN,
    TREE,
    Block,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
OTHER_SHELLS = ("powershell", "bat")
SHELLS = ("bash", "sh", "shell", "zsh", "doscon", "cmd", "pwsh", "shell-session")
CLASSES = ("fails", "keeps-running", "not-run", "other-shell", "tree")

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<info>[^`]*)$")
_CTRL_C = re.compile(r"^ *<!-- ctrl-c -->$")
_TITLE = re.compile(r'\btitle="([^"]*)"')
_INCLUDE = re.compile(r'^ *-+8<-+ "(?P<path>[^":]+)(?P<part>:[^"]*)?"$')


@dataclass(frozen=True)
class Page:
    """A page of docs/; its name is its path in docs/ without the suffix."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def runs(self) -> bool:
        """Whether the page has blocks for a learner to run or write."""
        return any(block.kind in {CONSOLE, FILE, EDIT, TREE} for block in self.blocks)

    def count(self, kind: str) -> int:
        """Return the number of blocks of a kind."""
        return sum(block.kind == kind for block in self.blocks)


def pages(docs: Path = DOCS, root: Path = ROOT) -> list[Page]:
    """Read every page except the generated ones, sorted by name."""
    names = (path.relative_to(docs).with_suffix("").as_posix() for path in docs.rglob("*.md"))
    return [
        read(name, (docs / f"{name}.md").read_text(encoding="utf-8"), root)
        for name in sorted(names)
        if not name.startswith("reference/") and not name.endswith("TEMPLATE")
    ]


def read(name: str, text: str, root: Path = ROOT) -> Page:
    """Read a page, with the included files from `root`."""
    return Page(name, tuple(_read_blocks(name, text.splitlines(), root)))


def page_error(page: str, line: int, found: str, fix: str) -> UserError:
    """Return an error about a line of a page."""
    return UserError(f"docs/{page}.md, line {line}", found, fix)


def _read_blocks(page: str, lines: list[str], root: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order; raise a `UserError` about an invalid one."""
    numbers = iter(enumerate(lines, 1))
    for number, line in numbers:
        if _CTRL_C.match(line):
            yield Block(number, CTRL_C, "", frozenset(), "", ())
        if _INCLUDE.match(line):
            _expand(page, number, [line], root)
        if not (fence := _FENCE.match(line)):
            continue
        end = re.compile(rf"^ *{fence['fence']}{fence['fence'][0]}* *$")
        body = []
        for _, inside in numbers:
            if end.match(inside):
                break
            body.append(inside.removeprefix(fence["indent"]))
        else:
            raise page_error(page, number, "the block never ends", f"End it with {fence['fence']}")
        yield _read_block(page, number, fence["info"].strip(), body, root)


def _read_block(page: str, line: int, info: str, body: list[str], root: Path) -> Block:
    """Read one block, and find out its kind."""
    found = _TITLE.search(info)
    title = found[1] if found else ""
    parts = _TITLE.sub("", info).strip("{} ").replace(".", " ." if "{" in info else ".").split()
    language, *classes = (part.removeprefix(".") for part in parts or [""])
    for name in classes:
        if name not in CLASSES:
            raise page_error(page, line, f"no class .{name}", f"Use one of: {', '.join(CLASSES)}")
    included = _included_paths(body)
    text = _expand(page, line, body, root) if included else body
    raw = Block(line, "", language, frozenset(classes), title, tuple(text), bool(included))
    kind = _find_kind(page, raw, included)
    block = replace(raw, kind=kind)
    _check_console(page, block)
    return block


def _find_kind(page: str, block: Block, included: set[str]) -> str:
    """Return the kind of a block."""
    if "not-run" in block.classes:
        if not block.title.startswith("Not run"):
            fix = 'Add the reason for readers: title="Not run by our tests: ..."'
            raise page_error(page, block.line, "it is not run, and gives no reason", fix)
        return NOT_RUN
    if block.language in OTHER_SHELLS or "other-shell" in block.classes:
        return OTHER_SHELL
    if block.language in SHELLS:
        fix = "Use console with `$ ` before commands, or powershell, or bat"
        raise page_error(page, block.line, f"no test runs a {block.language} block", fix)
    for kind, applies in (
        (DIAGRAM, block.language == "mermaid"),
        (CONSOLE, block.language == "console"),
        (TREE, "tree" in block.classes),
        (EDIT, block.language == "diff" and block.title),
        (SHOWN, included and (not block.title or block.title in included)),
        (FILE, block.title),
    ):
        if applies:
            return kind
    fix = 'Include a file, name the file (title="..."), or add .not-run and a reason'
    raise page_error(page, block.line, "no test can check it", fix)


def _check_console(page: str, block: Block) -> None:
    """Check that a console block begins with a command, and that a tree names its folder."""
    if block.kind == CONSOLE and not (block.body and block.body[0].startswith("$ ")):
        raise page_error(page, block.line, "it does not begin with a command", "Begin it with `$ `")
    if block.kind == TREE and not block.title:
        raise page_error(page, block.line, "the tree has no folder", 'Name it: title="..."')


def _included_paths(body: Iterable[str]) -> set[str]:
    """Return the paths of the files that a block includes."""
    return {found["path"] for line in body if (found := _INCLUDE.match(line))}


def _expand(page: str, line: int, body: list[str], root: Path) -> list[str]:
    """Insert the included files, with the extension that the site uses."""
    from pymdownx.snippets import (  # type: ignore[import-untyped]  # noqa: PLC0415
        SnippetMissingError,
    )

    try:
        lines: list[str] = _snippets(root).run(body)
    except SnippetMissingError as error:
        fix = "Name an existing section, or a file by its path from the root of the repository"
        raise page_error(page, line, str(error).rstrip("."), fix) from None
    return lines


@cache
def _snippets(root: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - pymdownx has no types
    """Return the preprocessor that includes files in the site."""
    from markdown import Markdown  # type: ignore[import-untyped]  # noqa: PLC0415

    options = {"base_path": [str(root)], "check_paths": True}
    markdown = Markdown(
        extensions=["pymdownx.snippets"], extension_configs={"pymdownx.snippets": options}
    )
    return markdown.preprocessors["snippet"]
