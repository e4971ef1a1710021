"""Check that no text of the project uses a retired word or phrase. Run by `make lint`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What a plain technical text says in their place stands on the right.
RETIRED = {
    r"mend(s|ed|ing)?": "fix",
    r"anew": "again, or rebuild",
    r"whoever": "anyone who, or the person's role",
    r"(is|are|was|were) told": "prints, names or passes",
    r"(stand|stands|stood) in": "is in, or replaces",
    r"of (its|their|his|her|your|our) own": "its own, or separate",
    r"the words of": "the commands of, or the text of",
    r"(is|are|was|were) asked for": "is required",
    r"the day before": "in advance",
    r"at last": "finally",
    r"by the name of": "named",
    r"put right": "fix",
    r"speaks? of": "name, or is about",
    r"makes? anew|made anew": "rebuild",
    r"comes? to be": "become",
    r"no more": "only, or no longer",
}
PATTERN = re.compile(rf"\b({'|'.join(RETIRED)})\b", re.IGNORECASE)
# Generated, locked, or other people's words.
EXCLUDED = re.compile(
    r"(^|/)(poetry\.lock|package-lock\.json|requirements[\w-]*\.txt|error\.txt|mutants\.json)$"
    r"|^benchmarks/originals/|^tests/retired_words\.py$|\.(png|svg|ico)$"
)


def main() -> int:
    """Print each use with its place and its replacement; return 1 if there is one."""
    listed = subprocess.run(
        ("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = 0
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if EXCLUDED.search(name) or not path.is_file():
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            if match := PATTERN.search(line):
                found += 1
                sys.stderr.write(f"{name}:{number}: '{match[0]}': write {replacement(match[0])}\n")
    return int(found > 0)


def replacement(phrase: str) -> str:
    """What to write in place of a retired phrase."""
    return next(new for old, new in RETIRED.items() if re.fullmatch(old, phrase, re.IGNORECASE))


if __name__ == "__main__":
    sys.exit(main())
