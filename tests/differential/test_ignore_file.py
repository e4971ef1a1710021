"""The kit agrees with real builds on what a `.dockerignore` excludes, path by path.

`DIFFERENTIAL_IGNORES` sets the number of generated ignore files (default: 60).
"""

from __future__ import annotations

import io
import os
import random
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from workshop.analysis.dockerfile import ignore_file
from workshop.model import Failed

if TYPE_CHECKING:
    from pathlib import Path

FILES = int(os.environ.get("DIFFERENTIAL_IGNORES", "60"))
BATCH = 20
TREE = (
    *("a", "b", "a.txt", "b.txt", ".env", ".env.local", "ab", "a-b", "README.md", "x+y", "x(y)"),
    *("app/a", "app/b", "app/a.txt", "app/.env", "app/sub/a", "app/sub/b.txt", "app/sub/.env"),
    *("app/sub/deep/a", "app/sub/deep/.env", "app/sub/deep/ab", "dir/a", "dir/b/a", "dir/b/c"),
    *("dir/b/c.txt", "dir/.git/config", ".git/config", ".git/sub/a", "docs/a.md", "docs/b.md"),
    *("docs/sub/a.md", "docs/sub/README.md", "[a]", "a^b", "a b", "*"),
)
NAMES = ("a", "b", "app", "sub", "deep", "dir", "docs", ".env", ".git", "a.txt", "README.md", "ab")
WILD = ("*", "**", "?", "*.md", "*.txt", ".*", "a*", "*b", "[ab]", "[^a]", "[a-c]", "**b", "a**")
ODD = ("", ".", "..", "\\a", "x+y", "x(y)", "[[]a]", "a^b", " ", "[!a]", "\\*", "$a", "a.b")
BEFORE = ("", "", "", "", "/", "./", "!", "!", "! ", "!/", "#", " ", "**/", "!**/", "//")
AFTER = ("", "", "", "", "/", "/**", "/*", "/.", " ", "\t", "\r", "//")
SPECIAL = (
    *("*\n!app", "*\n!app/sub", "*\n!*/a", "app\n!app/sub/a", "app\n!app/**/a", "**\n!**/.env"),
    *("*\n!**/a.txt\napp", "app/*\n!app/sub", "app/**\n!app/sub/deep", "*/*\n!*/sub", "!app\n*"),
    *("**/.env*\n!.env.local", "**/sub\n!**/sub/a", "dir\n!dir/b\ndir/b/c", "*.md\n!README.md"),
    *("\ufeffa", "#a\n#b", " #a", "[", "[]a]", "[a-", "a\\", "!", "!/", "/", ".", "**/", "/**", ""),
    *("a.txt/ /", "!a.txt/ /.\n*", "*\n!a.txt/ /.", ".git/ /.", "a / b", "/ /", "!/ /"),
)


def generate(seed: int) -> str:
    """Return one of the special files, or random lines."""
    if seed < len(SPECIAL):
        return SPECIAL[seed]
    rng = random.Random(seed)  # noqa: S311 - not a secret

    def part() -> str:
        return rng.choice(rng.choices((NAMES, WILD, ODD), (6, 4, 1))[0])

    def line() -> str:
        path = "/".join(part() for _ in range(rng.choice((1, 1, 1, 2, 2, 3))))
        return rng.choice(BEFORE) + path + rng.choice(AFTER)

    return "\n".join(line() for _ in range(rng.randint(1, 5)))


def sent_by_docker(context: Path, text: str) -> set[str] | None:
    """Return the files of `TREE` that a real build receives; None if no build starts."""
    (context / ".dockerignore").write_bytes(text.encode())
    dockerfile = context.parent / "Dockerfile"
    dockerfile.write_text("FROM scratch\nCOPY . /\n")
    argv = ["docker", "build", "--quiet", "--output=type=tar,dest=-", "--file", str(dockerfile)]
    for _ in range(3):
        done = subprocess.run([*argv, str(context)], capture_output=True, check=False)
        # Seen once in 300 builds, two at a time: the engine cancels the transfer of the context.
        if b"context canceled" not in done.stderr:
            break
    if done.returncode:
        assert b"pattern" in done.stderr, done.stderr
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return {entry.name for entry in archive if entry.isfile()} & {*TREE}


def sent_by_the_kit(text: str) -> set[str] | None:
    try:
        parsed = ignore_file.parse(text)
    except Failed:
        return None
    return {path for path in TREE if not parsed.excludes(path)}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, FILES, BATCH))
def test_a_build_receives_the_same_files(start, engine, tmp_path):  # noqa: ARG001 - starts it
    context = tmp_path / "context"
    for name in TREE:
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(name)
    different = []
    for seed in range(start, min(start + BATCH, FILES)):
        text = generate(seed)
        expected, found = sent_by_docker(context, text), sent_by_the_kit(text)
        if expected != found:
            different.append((seed, text, expected, found))
    assert different == []
