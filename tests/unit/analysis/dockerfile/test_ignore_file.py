"""Which paths a `.dockerignore` excludes; tests/differential compares it with real builds."""

from __future__ import annotations

import pytest

from workshop.analysis.dockerfile import ignore_file
from workshop.model import Failed


@pytest.mark.parametrize(
    ("patterns", "path", "excluded"),
    [
        ("**", "a/b", True),
        ("**/", "a", True),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("a**", "abc/d", True),
        ("**b", "ab", True),
        ("**/b", "b", True),
        ("**/b", "ab", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("**/*.md", "docs/sub/a.md", True),
        ("*/a", "a", False),
        ("*/a", "dir/a/b", True),
        ("?", "ab", False),
        ("[^a]", "b", True),
        ("[^a]", "a", False),
        ("[a-c]x", "bx", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("\\a", "a", False),
        ("\\[a]", "[a]", True),
        ("a^b", "a^b", True),
        ("x+(y)", "x+(y)", True),
        ("a/../b", "b", True),
        ("//a//b/", "a/b", True),
        (".", "a", False),
        ("/", "a", False),
        ("  a  ", "a", True),
        ("#a", "#a", False),
        ("a/ /", "a", True),
        ("/ /", "a", False),
        (" #a", "#a", True),
        ("\ufeffa", "a", True),
        ("a\r", "a", True),
        ("*\n!app", "app/sub/a", False),
        ("*\n!app/sub", "app/sub/a", False),
        ("*\n!app/sub", "app/a", True),
        ("app\n!**/a", "app/a", False),
        ("*\n! /app", "app/a", False),
        ("!a\n*", "a", True),
        ("dir\n!dir/b\ndir/b/c", "dir/b/c", True),
        ("dir\n!dir/b\ndir/b/c", "dir/b/d", False),
        ("", "a", False),
        (".env", ".env", True),
        (".env", "sub/.env", False),
        ("**/.env", "sub/deep/.env", True),
        ("**/.env", ".env", True),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("docs", "docs/README.md", True),
        ("/docs/", "docs/README.md", True),
        ("./docs", "docs/a", True),
        ("*\n!app", "app/main.py", False),
        ("*\n!app", "tests/a.py", True),
        ("*\n!app\napp/secret", "app/secret", True),
        ("# .env", ".env", False),
        (".ENV", ".env", False),
        ("Dockerfile?", "Dockerfile2", True),
        ("[ab].txt", "a.txt", True),
        ("**", "any/thing", True),
        (".venv", ".venv/lib/x.py", True),
        ("\n#\n", ".env", False),
    ],
)
def test_a_path_is_excluded_as_in_a_build(patterns: str, path: str, *, excluded: bool):
    assert ignore_file.parse(patterns).excludes(path) is excluded


@pytest.mark.parametrize(
    "pattern", ["[", "[]a]", "[a-", "a\\", "!", "!/", "[-a]", "[z-a]", "**/[z-a]", "[a-*]"]
)
def test_an_invalid_pattern_is_reported_with_its_line(pattern: str):
    with pytest.raises(Failed, match="is invalid") as failed:
        ignore_file.parse(f"# comment\n{pattern}\n")
    assert (failed.value.line, failed.value.file) == (2, ".dockerignore")
