"""Generates the reference page of the causes of failures, with an example of each."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workshop.core.paths import ROOT
from workshop.grading import causes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLES = ROOT / "tests/causes"
INTRODUCTION = """`workshop check` looks for these failures in the output of the failed program, and
prints the cause, the line in your file and the fix. An unknown failure shows the program's last
lines. Each example is tested: on a real engine, the broken files fail for this cause alone, and the
fixed ones work, unless the page says otherwise."""
_STAGES = {
    "dockerfile": ("The Dockerfile cannot be read", "BuildKit stops before the first step."),
    "build": ("A step of the build fails", "The program in a RUN, or a COPY, fails."),
    "start": ("The container ends", "The image is built, and its program does not keep running."),
    "request": ("The server does not answer", "The program runs, and a request to it fails."),
    "stop": ("The container does not stop", "docker stop takes 10 seconds, and kills the server."),
    "compose": ("The compose file cannot be used", "docker compose stops, or starts no service."),
}
_LANGUAGES = {".py": "python", ".yml": "yaml", ".toml": "toml", ".sh": "bash", ".html": "html"}


def parts() -> Iterator[str]:
    """Yield the headings, texts and examples of every stage."""
    for stage in causes.STAGES:
        text = (EXAMPLES / f"{stage}.toml").read_text(encoding="utf-8")
        examples = {row["cause"]: row for row in tomllib.loads(text)["example"]}
        title, summary = _STAGES[stage]
        found = [cause for cause in causes.table() if cause.stage == stage]
        yield f"## {title}"
        yield f"{summary} {len(found)} causes:"
        for cause in found:
            yield from _cause(cause, examples[cause.id])


def _cause(cause: causes.Cause, example: Mapping[str, Any]) -> Iterator[str]:
    output = example["outputs"][0].strip("\n")
    message, fix = causes.describe(cause, output) or (cause.message, cause.fix)
    yield f"### {_escape(cause.title)} {{ #{cause.id} }}"
    yield f"```text\n{output}\n```"
    yield f"**Cause:** {_escape(message)}"
    yield f"**Fix:** {_escape(fix)}"
    yield _tab("Broken", example["broken"])
    yield _tab("Fixed", example["fixed"])
    host = urlsplit(cause.source).netloc
    untested = f" Not tested on an engine: {example['not_run']}." if "not_run" in example else ""
    yield f"Described at [{host}]({cause.source}).{untested}"


def _tab(title: str, files: Mapping[str, str]) -> str:
    """Return a tab with a code block for each file."""
    blocks = [f'=== "{title}"']
    for name, text in files.items():
        language = next((_LANGUAGES[end] for end in _LANGUAGES if name.endswith(end)), "text")
        language = "dockerfile" if name.startswith("Dockerfile") else language
        # A carriage return is not visible.
        shown = text.replace("\r\n", "^M\n").rstrip("\n") or "(an empty file)"
        lines = [f'``` {{ .{language} title="{name}" }}', *shown.split("\n"), "```"]
        blocks.append("\n".join(f"    {line}".rstrip() for line in lines))
    return "\n\n".join(blocks)


def _escape(text: str) -> str:
    """Escape the characters of a text that Markdown would interpret."""
    for character in "\\`*_<>[]$":
        text = text.replace(character, f"&#{ord(character)};")
    return text
