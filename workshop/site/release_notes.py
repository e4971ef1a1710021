"""Writes the notes of a release: a section of CHANGELOG.md.

A release takes the section of its version, a pre-release such as `v1.2.3-rc.1` the section
`Unreleased`. The version must be that of pyproject.toml.
"""

from __future__ import annotations

import re
import sys
import tomllib
from argparse import ArgumentParser
from pathlib import Path

from workshop.core.errors import UserError
from workshop.core.paths import ROOT

CHANGELOG = "CHANGELOG.md"
UNRELEASED = "Unreleased"
_TAG = re.compile(r"v(?P<version>\d+\.\d+\.\d+)(?P<pre>-[0-9A-Za-z.-]+)?")
# `## 1.2.0 (2026-12-01)`, and everything up to the next heading of its level.
_SECTION = re.compile(
    r"^## (?P<title>\S+)[^\n]*\n(?P<text>.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE
)


def release_notes(changelog: str, tag: str, version: str) -> str:
    """Return the notes for `tag`, if it is a tag of the kit's `version`.

    Raises a `UserError` for a tag of another form or version, and for a section that is missing
    or empty.
    """
    found = _TAG.fullmatch(tag)
    if not found:
        raise UserError(f"tag {tag}", "it is not a version", "Name it like v1.2.3 or v1.2.3-rc.1")
    if found["version"] != version:
        fix = "Change the version there, or name the tag after it"
        raise UserError(f"tag {tag}", f"the version in pyproject.toml is {version}", fix)
    wanted = UNRELEASED if found["pre"] else version
    text = sections(changelog).get(wanted, "")
    if not text:
        found_titles = ", ".join(sections(changelog)) or "no sections"
        fix = f"Describe for users what has changed, under '## {wanted}'"
        raise UserError(CHANGELOG, f"nothing under '## {wanted}', only {found_titles}", fix)
    return text + "\n"


def sections(changelog: str) -> dict[str, str]:
    """Return the text of each section that is not empty, by its version, the newest first."""
    found = {match["title"]: match["text"].strip() for match in _SECTION.finditer(changelog)}
    return {title: text for title, text in found.items() if text}


def main(arguments: list[str] | None = None) -> int:
    """Print or write the notes; return 0, or 2 if there are none."""
    parser = ArgumentParser(prog="release_notes", description=__doc__, allow_abbrev=False)
    parser.add_argument("tag", help="The tag of the release, for example v1.2.3.")
    parser.add_argument("--out", help="Write the notes to this file.")
    parsed = parser.parse_args(arguments)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / CHANGELOG).read_text(encoding="utf-8")
    try:
        notes = release_notes(changelog, parsed.tag, project["version"])
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if parsed.out:
        Path(parsed.out).write_text(notes, encoding="utf-8")
    else:
        sys.stdout.write(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
