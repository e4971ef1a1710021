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
# One build copies this number of named contexts; each has its own ignore file.
BATCH = 60
TREE = (
    *("a", "b", "a.txt", "b.txt", ".env", ".env.local", "ab", "a-b", "README.md", "x+y", "x(y)"),
    *("app/a", "app/b", "app/a.txt", "app/.env", "app/sub/a", "app/sub/b.txt", "app/sub/.env"),
    *("app/sub/deep/a", "app/sub/deep/.env", "app/sub/deep/ab", "dir/a", "dir/b/a", "dir/b/c"),
    *("dir/b/c.txt", "dir/.git/config", ".git/config", ".git/sub/a", "docs/a.md", "docs/b.md"),
    *("docs/sub/a.md", "docs/sub/README.md", "[a]", "a^b", "a b", "*", "!a", " a", "aa", "zz"),
    *(
        "a{2}",
        "|",
        "}",
        "1",
        "a:b",
        "é",
        "app/ü",
        "B",
        "Z_1",
        "\\",
        "x/!a",
        "x/ a",
        "c\nd",
        "x\ny/b",
    ),
)
NAMES = ("a", "b", "app", "sub", "deep", "dir", "docs", ".env", ".git", "a.txt", "README.md", "ab")
WILD = ("*", "**", "?", "*.md", "*.txt", ".*", "a*", "*b", "[ab]", "[^a]", "[a-c]", "**b", "a**")
ODD = ("", ".", "..", "\\a", "x+y", "x(y)", "[[]a]", "a^b", " ", "[!a]", "\\*", "$a", "a.b")
# Regular expressions that moby passes on to Go.
REGEXP = (
    *(
        "a|zz*",
        "zz|a",
        "|",
        "a{2}",
        "a{2}*",
        "a{1,2}*",
        "?{2}",
        "*{2}",
        "a{2}{3}*",
        "{2}*",
        "a{0}?",
    ),
    *("a{,2}*", "a{01}*", "?{1001}", "?{2,1}", "*{", "}*", "^a*", "a^*", "\\^a", "\\q", "\\1"),
    *("\\12", "\\141", "\\é", "\\C*", "\\Qa*", "\\Qa.\\E", "\\x61", "\\x{61}b", "\\x6", "\\x{}"),
    *("\\pL", "\\PL*", "\\p{Lu}", "\\p{^Ll}", "\\pX", "\\d", "\\D", "\\w*", "\\W*", "\\s*", "\\S"),
    *("\\ba", "\\B*", "\\A*", "*\\z", "\\Z", "\\n", "\\_", "\\-", "\\|", "\\{", "\\\\", "\\ "),
    *("[\\b]", "[\\q]", "[\\d]", "[\\D]", "[^\\w]", "[\\pL]", "[\\x41-\\x5a]", "[a-\\d]", "[\\-]"),
    *("[[:alpha:]]", "[[:^alpha:]]", "[^[:alpha:]]", "[[:foo:]]", "[[:punct:]1]", "[[:digit:]"),
    *("[**]", "[*]", "[?]", "[.]", "[a*b]", "[z-a]", "[A-*]", "[^]a]", "[^]", "[a|b]", "[{}]"),
    *("é", "[à-ü]", "?é", "*ü", "[^a-z]", "[^é]", "[[]", "]", "]*", "[\\]]", "[^^]", "[^-a]"),
)
SPACE = ("\x1c", "\xa0", "\u2003", "\t", "\x7f", "\x85", "\v", "\u200b", "\x00", "\ufeff")
BEFORE = ("", "", "", "", "/", "./", "!", "!", "! ", "!/", "#", " ", "**/", "!**/", "//")
MARKS = ("/!", "./!", "x/../!", "!/ ", "!!", "!./", "! !", "/ /", "!*/", "!a|")
AFTER = ("", "", "", "", "/", "/**", "/*", "/.", " ", "\t", "\r", "//")
LETTERS = "aabbz/**?[]{}|^!\\-:.,$()+12 éQEpLxdw"
SPECIAL = (
    *("*\n!app", "*\n!app/sub", "*\n!*/a", "app\n!app/sub/a", "app\n!app/**/a", "**\n!**/.env"),
    *("*\n!**/a.txt\napp", "app/*\n!app/sub", "app/**\n!app/sub/deep", "*/*\n!*/sub", "!app\n*"),
    *("**/.env*\n!.env.local", "**/sub\n!**/sub/a", "dir\n!dir/b\ndir/b/c", "*.md\n!README.md"),
    *("\ufeffa", "#a\n#b", " #a", "[", "[]a]", "[a-", "a\\", "!", "!/", "/", ".", "**/", "/**", ""),
    *("a.txt/ /", "!a.txt/ /.\n*", "*\n!a.txt/ /.", ".git/ /.", "a / b", "/ /", "!/ /", "/ /a"),
    *("*\n[z-a]", "*\n*{2}", "*\n/!a", "*\n./!a", "*\n!/ a", "*\n!!a", "a\x1c", "a\x1c\né", "/!"),
    *("*\n!zz|app/*", "app\nap\n!app/sub\nap*", "\na\n\ufeffa*", "\n\ufeff**", "a" * 65535),
    *("a" * 65536, "[a*b", "[[:*:]]", "a\rb", "*\n![z-a]", "app\n!docs|app/sub/*"),
)


def generate(seed: int) -> str:
    """Return one of the special files, or random lines."""
    if seed < len(SPECIAL):
        return SPECIAL[seed]
    rng = random.Random(seed)  # noqa: S311 - not a secret
    pools, weights = (NAMES, WILD, ODD, REGEXP), (6, 4, 1, rng.choice((0, 0, 1, 4)))

    def part() -> str:
        return rng.choice(rng.choices(pools, weights)[0])

    def line() -> str:
        if weights[-1] and rng.random() < 0.2:
            return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 8)))
        path = "/".join(part() for _ in range(rng.choice((1, 1, 1, 2, 2, 3))))
        before = rng.choice(MARKS if rng.random() < 0.1 else BEFORE)
        inside = rng.choice(SPACE) if rng.random() < 0.03 else ""
        return before + inside + path + rng.choice(AFTER)

    return "\n".join(line() for _ in range(rng.randint(1, 5)))


@pytest.fixture(scope="module")
def contexts(tmp_path_factory) -> list[Path]:
    """Build contexts with the files of `TREE`, without ignore files."""
    folders = [tmp_path_factory.mktemp("context") for _ in range(BATCH)]
    for folder in folders:
        for name in TREE:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
    return folders


def build(folder: Path, arguments: list[str]) -> bytes | None:
    """Return the files of an image as a tar archive; None if BuildKit refuses an ignore file."""
    argv = ["docker", "build", "--quiet", "--output=type=tar,dest=-", *arguments, str(folder)]
    for _ in range(3):
        done = subprocess.run(argv, capture_output=True, check=False)
        # Seen once in 300 builds, two at a time: the engine cancels the transfer of the context.
        if b"context canceled" not in done.stderr:
            break
    if done.returncode:
        assert b"pattern" in done.stderr or b"token too long" in done.stderr, done.stderr
        return None
    return done.stdout


def sent_by_docker(contexts: list[Path], texts: list[str]) -> list[set[str] | None]:
    """Return the files of `TREE` that a real build receives; None if no build starts."""
    instructions, arguments = ["FROM scratch"], []
    for index, (context, text) in enumerate(zip(contexts, texts, strict=False)):
        (context / ".dockerignore").write_bytes(text.encode())
        instructions.append(f"COPY --from=c{index} . /{index}/")
        arguments += ["--build-context", f"c{index}={context}"]
    folder = contexts[0].parent / "build"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text("\n".join(instructions))
    output = build(folder, arguments)
    if output is None:
        if len(texts) == 1:
            return [None]
        half = len(texts) // 2
        return sent_by_docker(contexts, texts[:half]) + sent_by_docker(contexts, texts[half:])
    with tarfile.open(fileobj=io.BytesIO(output)) as archive:
        found = {entry.name for entry in archive if entry.isfile()}
    return [{path for path in TREE if f"{index}/{path}" in found} for index in range(len(texts))]


def sent_by_the_kit(text: str) -> set[str] | None:
    try:
        parsed = ignore_file.parse(text)
        sent = {path for path in (*TREE, ".dockerignore") if not parsed.excludes(path)}
    except Failed as failed:
        if "cannot tell" in failed.actual:
            pytest.fail(f"a generated pattern is beyond the kit: {failed}")
        return None
    return sent - {".dockerignore"}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, FILES, BATCH))
def test_a_build_receives_the_same_files(start, engine, contexts):  # noqa: ARG001 - starts it
    texts = [generate(seed) for seed in range(start, min(start + BATCH, FILES))]
    found = [sent_by_the_kit(text) for text in texts]
    accepted = [text for text, paths in zip(texts, found, strict=True) if paths is not None]
    refused = [text for text, paths in zip(texts, found, strict=True) if paths is None]
    expected = dict(zip(accepted, sent_by_docker(contexts, accepted), strict=True))
    for text in refused:  # one by one: a batch fails as soon as one of them is refused
        expected |= dict(zip([text], sent_by_docker(contexts, [text]), strict=True))
    different = [
        (text, "the build lacks:", paths and paths - (expected[text] or set()), expected[text])
        for text, paths in zip(texts, found, strict=True)
        if expected[text] != paths
    ]
    assert different == []


@pytest.mark.slow
def test_the_main_context_is_filtered_like_a_named_context(engine, contexts):  # noqa: ARG001
    texts = ["*\n!app/sub\n", "**/a\n!dir", "a|zz*", "/!a\n* \n!/ a"]
    expected = sent_by_docker(contexts, texts)
    for context, paths in zip(contexts, expected, strict=False):
        dockerfile = context.parent / "build" / "Dockerfile"
        dockerfile.write_text("FROM scratch\nCOPY . /\n")
        output = build(context, ["--file", str(dockerfile)])
        assert output is not None
        with tarfile.open(fileobj=io.BytesIO(output)) as archive:
            assert {entry.name for entry in archive if entry.isfile()} & {*TREE} == paths
