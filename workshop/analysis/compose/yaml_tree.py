"""Parse untrusted YAML into a tree with line numbers, without creating objects, within size limits.

Scalars resolve as in Docker Compose (YAML 1.2, and the older octal 010): `yes` is a string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

MAX_BYTES = 1_000_000
MAX_SIZE = 50_000
MAX_HEIGHT = 40
TOO_DEEP = f"values are nested more than {MAX_HEIGHT} levels deep"
_CHARACTERS_A_NODE = 32

Value: TypeAlias = "str | int | float | bool | list[Node] | dict[str, Node] | None"

_INT = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    ".nan": float("nan"),
}
_MAX_DIGITS = 40
_TOO_WIDE = 2**64
_TAG = "tag:yaml.org,2002:"
# Docker Compose's tags for files that are merged: in a single file, `!override` changes nothing,
# and `!reset` removes the value. Source: the Compose file reference, "Merge".
_RESET, _OVERRIDE = "!reset", "!override"


class YamlError(ValueError):
    """Invalid YAML, or YAML that the kit does not read; `line` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        self.line, self.text = line, text
        super().__init__(f"line {line}: {text}")


@dataclass(frozen=True)
class Node:
    """A value, and the line of its key, or of the value itself in a list.

    `size` is its number of nodes, plus one for every 32 characters; `height` its nesting depth.
    The target of an alias counts each time. With `reset`, Docker Compose removes the value.
    """

    value: Value
    line: int
    size: int = 1
    height: int = 1
    reset: bool = False


@dataclass
class _OpenCollection:
    """A list or mapping being read; `merges` are the indexes of keys that are a plain `<<`."""

    line: int
    anchor: str | None
    mapping: bool
    reset: bool = False
    nodes: list[Node] = field(default_factory=list)
    merges: set[int] = field(default_factory=set)


def parse(data: str | bytes) -> Node | None:
    """Parse one YAML document; None if there is none. Raises `YamlError`."""
    import yaml  # noqa: PLC0415 - slow to import

    text = _decoded(data)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.handle(event)
    except YamlError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, error.problem or "invalid YAML") from None
    except (yaml.YAMLError, ValueError) as error:
        raise YamlError(1, (str(error).splitlines() or ["invalid YAML"])[0]) from None
    return builder.root


def _decoded(data: str | bytes) -> str:
    if len(data) > MAX_BYTES:
        raise YamlError(1, f"the file has {len(data):,} bytes, more than {MAX_BYTES:,}")
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise YamlError(line, "the file is not UTF-8 text") from None


class _Builder:
    """Builds a tree from the parser's events, without recursion."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._anchors: dict[str, Node] = {}
        self._open: list[_OpenCollection] = []
        self._documents = 0
        self._size = 0

    def handle(self, event: Any) -> None:  # noqa: ANN401 - the library has no types for it
        """Handle the next event."""
        line = event.start_mark.line + 1
        match type(event).__name__:
            case "DocumentStartEvent":
                self._document(line)
            case "ScalarEvent":
                self._scalar(event, line)
            case "AliasEvent":
                self._alias(event.anchor, line)
            case "SequenceStartEvent":
                self._start(event, line, mapping=False)
            case "MappingStartEvent":
                self._start(event, line, mapping=True)
            case "SequenceEndEvent" | "MappingEndEvent":
                self._end()

    def _document(self, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            raise YamlError(line, "a second document starts here; only one is allowed")

    def _scalar(self, event: Any, line: int) -> None:  # noqa: ANN401
        plain = event.implicit[0]
        if plain and event.value == "<<" and self._open:
            self._open[-1].merges.add(len(self._open[-1].nodes))
        reset = event.tag == _RESET
        own_tag = reset or event.tag == _OVERRIDE
        # A scalar with such a tag is plain if it has no quotes.
        plain = plain or (own_tag and event.style is None)
        value = _resolved(event.value, None if own_tag else event.tag, line, plain=plain)
        size = 1 + len(event.value) // _CHARACTERS_A_NODE
        self._add(Node(value, line, size, reset=reset), event.anchor)

    def _alias(self, anchor: str, line: int) -> None:
        if any(part.anchor == anchor for part in self._open):
            raise YamlError(line, f"*{anchor} is inside its own anchor &{anchor}")
        if anchor not in self._anchors:
            raise YamlError(line, f"*{anchor} has no anchor &{anchor} before it")
        node = replace(self._anchors[anchor], line=line)
        # Code that walks the tree visits the alias's target again.
        self._size += node.size - 1
        self._add(node, None)

    def _start(self, event: Any, line: int, *, mapping: bool) -> None:  # noqa: ANN401
        standard = (None, "!", _TAG + ("map" if mapping else "seq"))
        if event.tag not in (*standard, _RESET, _OVERRIDE):
            raise YamlError(line, f"the tag {event.tag} is not supported")
        if len(self._open) >= MAX_HEIGHT:
            raise YamlError(line, TOO_DEEP)
        self._open.append(_OpenCollection(line, event.anchor, mapping, event.tag == _RESET))

    def _end(self) -> None:
        done = self._open.pop()
        kept = [node for node in done.nodes if not node.reset]
        value: Value = _mapping(done) if done.mapping else kept
        inside = list(value.values()) if isinstance(value, dict) else done.nodes
        size = 1 + sum(node.size for node in inside)
        height = 1 + max((node.height for node in inside), default=0)
        self._add(Node(value, done.line, size, height, done.reset), done.anchor)

    def _add(self, node: Node, anchor: str | None) -> None:
        own = node.size if not isinstance(node.value, list | dict) else 1
        self._size += own
        if max(self._size, node.size) > MAX_SIZE:
            raise YamlError(node.line, "the file is too large with its aliases expanded")
        if node.height > MAX_HEIGHT:
            raise YamlError(node.line, TOO_DEEP)
        if anchor:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].nodes.append(node)
        else:
            self.root = node


def _mapping(done: _OpenCollection) -> dict[str, Node]:
    """Build a mapping; its own keys override merged keys, earlier merges override later ones."""
    own: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    for at in range(0, len(done.nodes), 2):
        key, node = done.nodes[at], done.nodes[at + 1]
        if at in done.merges:
            for other in _sources(node):
                merged = {**other, **merged}
            continue
        if not isinstance(key.value, str):
            raise YamlError(key.line, "a key is not a string: put it in quotes")
        if key.value in own:
            first = own[key.value].line
            raise YamlError(
                key.line, f"the key {key.value[:60]} is already defined on line {first}"
            )
        own[key.value] = replace(node, line=key.line)
    return {name: node for name, node in {**merged, **own}.items() if not node.reset}


def _sources(node: Node) -> list[dict[str, Node]]:
    """Return the mappings that a `<<` merges."""
    nodes = node.value if isinstance(node.value, list) else [node]
    found = [each.value for each in nodes if isinstance(each.value, dict)]
    if len(found) != len(nodes):
        raise YamlError(node.line, "<< must merge a mapping")
    return found


def _resolved(text: str, tag: str | None, line: int, *, plain: bool) -> Value:
    """Resolve a scalar: unless quoted, it may be a number, a boolean or null."""
    if tag in (_TAG + "str", "!") or (tag is None and not plain):
        return text
    kinds = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}
    value = _plain(text)
    if tag is None or type(value) in kinds.get(tag.removeprefix(_TAG), ()):
        return value
    raise YamlError(line, f"the tag {tag} is not supported")


def _plain(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _MAX_DIGITS or text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    if _INT.fullmatch(digits):
        old_octal = re.fullmatch(r"([-+]?)0([0-7]+)", digits)
        value = int(f"{old_octal[1]}0o{old_octal[2]}" if old_octal else digits, 0)
        return value if abs(value) < _TOO_WIDE else float(value)
    return float(digits) if _FLOAT.fullmatch(digits) else text
