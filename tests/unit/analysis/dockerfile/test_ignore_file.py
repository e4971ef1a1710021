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


# The tables of https://github.com/moby/patternmatcher/blob/main/patternmatcher_test.go: patterns,
# paths that they exclude, and paths that they do not.
MOBY = [
    ("**", ["file", "dir/file"], []),
    ("**/", ["file", "dir/file"], []),
    ("**/**", ["dir/file"], []),
    ("dir/**", ["dir/file", "dir/dir2/file"], ["dir"]),
    ("**/dir", ["dir", "dir/file"], []),
    ("**/dir2/*", ["dir/dir2/file"], ["dir/dir2"]),
    ("**/dir2/**", ["dir/dir2/dir3/file"], []),
    ("**file", ["file", "dir/file", "dir/dir/file"], []),
    ("**/file", ["dir/file", "dir/dir/file"], []),
    ("**/file*", ["dir/dir/file", "dir/dir/file.txt"], []),
    ("**/file*txt", ["dir/dir/file.txt"], []),
    ("**/file*.txt", ["dir/dir/file.txt"], []),
    ("**/file*.txt*", ["dir/dir/file.txt"], []),
    ("**/**/*.txt", ["dir/dir/file.txt", "file.txt"], []),
    ("**/**/*.txt2", [], ["dir/dir/file.txt"]),
    ("**/*.txt", ["file.txt"], []),
    ("a**/*.txt", ["a/file.txt", "a/dir/file.txt", "a/dir/dir/file.txt"], []),
    ("a/*.txt", ["a/file.txt"], ["a/dir/file.txt"]),
    ("a/*.txt**", ["a/file.txt"], []),
    ("a[b-d]e", ["ace"], ["ae", "aae"]),
    ("a[^b-d]e", ["aze"], []),
    (".*", [".foo"], ["foo"]),
    ("abc.def", ["abc.def"], ["abcdef", "abcZdef"]),
    ("abc?def", ["abcZdef"], ["abcdef"]),
    ("**/foo/bar", ["foo/bar", "dir/foo/bar", "dir/dir2/foo/bar"], []),
    ("abc/**", ["abc/def", "abc/def/ghi"], ["abc"]),
    ("**/.foo", [".foo"], ["bar.foo"]),
    ("a(b)c/def", ["a(b)c/def"], ["a(b)c/xyz"]),
    ("a.|)$(}+{bc", ["a.|)$(}+{bc"], []),
    ("dist/x-2.4.0rc3+g08ac-py3.whl", ["dist/x-2.4.0rc3+g08ac-py3.whl"], []),
    ("dist/*.whl", ["dist/x-2.4.0rc3+g08ac-py3.whl"], []),
    ("**\n!util/docker/web", [], ["util/docker/web/foo"]),
    ("**\n!util/docker/web\nutil/docker/web/foo", ["util/docker/web/foo"], []),
    ("**\n!dist/x-2.4.0rc3+g08ac-py3.whl", [], ["dist/x-2.4.0rc3+g08ac-py3.whl"]),
    ("**\n!dist/*.whl", [], ["dist/x-2.4.0rc3+g08ac-py3.whl"]),
    ("a\\\\", ["a\\"], []),
    ("a\\*b", ["a*b"], ["ab"]),
    ("*", ["fileutils.go", "abc"], []),
    ("*.go", ["fileutils.go"], []),
    ("!fileutils.go\n*.go", ["fileutils.go"], []),
    ("*.go\n!fileutils.go", [], ["fileutils.go"]),
    ("docs\n!docs/README.md", [], ["docs/README.md"]),
    ("docs\n  !docs/README.md", [], ["docs/README.md"]),
    ("docs\n!docs/README.md  ", [], ["docs/README.md"]),
    ("docs/\n!docs/README.md", [], ["docs/README.md"]),
    ("docs/*\n!docs/README.md", [], ["docs/README.md"]),
    ("", [], ["any/path/there"]),
    ("abc", ["abc"], []),
    ("*c", ["abc"], []),
    ("a*", ["a", "abc", "ab/c"], []),
    ("a*/b", ["abc/b"], ["a/c/b"]),
    ("a*b*c*d*e*/f", ["axbxcxdxe/f", "axbxcxdxexxx/f"], ["axbxcxdxe/xxx/f", "axbxcxdxexxx/fff"]),
    ("a*b?c*x", ["abxbbxdbxebxczzx"], ["abxbbxdbxebxczzy"]),
    ("ab[c]", ["abc"], []),
    ("ab[b-d]", ["abc"], []),
    ("ab[e-g]", [], ["abc"]),
    ("ab[^c]", [], ["abc"]),
    ("ab[^b-d]", [], ["abc"]),
    ("ab[^e-g]", ["abc"], []),
    ("a?b", ["a☺b"], ["a/b"]),
    ("a[^a]b", ["a☺b"], []),
    ("a???b", [], ["a☺b"]),
    ("a[^a][^a][^a]b", [], ["a☺b"]),
    ("[a-ζ]*", ["\u03b1"], []),
    ("*[a-ζ]", [], ["A"]),
    ("a*b", [], ["a/b"]),
    ("[\\]a]", ["]"], []),
    ("[\\-]", ["-"], []),
    ("[x\\-]", ["x", "-"], ["z"]),
    ("[\\-x]", ["x", "-"], ["a"]),
    ("*x", ["xxx"], []),
    # The reader, of ignorefile/ignorefile_test.go in the same repository.
    ("test1\n/test2\n/a/file/here\n\nlastfile\n# c", ["test1", "test2", "a/file/here"], ["# c"]),
    ("test1\n/test2\n\nlastfile", ["lastfile"], ["a"]),
    ("*\n! /inverted/abs/path", ["inverted/abs"], ["inverted/abs/path"]),
]
MOBY_INVALID = [
    *("[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "[^bc", "a[", "!", "! "),
    "[Local-Only]/",
]


@pytest.mark.parametrize(("patterns", "excluded", "sent"), MOBY)
def test_the_tables_of_moby(patterns: str, excluded: list[str], sent: list[str]):
    parsed = ignore_file.parse(patterns)
    assert [parsed.excludes(path) for path in excluded] == [True] * len(excluded)
    assert [parsed.excludes(path) for path in sent] == [False] * len(sent)


@pytest.mark.parametrize("pattern", MOBY_INVALID)
def test_the_invalid_patterns_of_moby(pattern: str):
    with pytest.raises(Failed, match="is invalid"):
        ignore_file.parse(pattern).excludes("x")


@pytest.mark.parametrize(
    ("patterns", "path", "excluded"),
    [
        ("*\n/!a", "a", False),
        ("*\n./!a", "a", False),
        ("*\nx/../!a", "a", False),
        ("*\n!!a", "!a", False),
        ("*\n!/ a", " a", False),
        ("*\n!/ a", "a", True),
        ("/ /a", "a", False),
        ("a|zz*", "a/b", True),
        ("a|zz*", "ab", True),
        ("a|zz*", "xzz", True),
        ("a|zz", "a", False),
        ("a{2}*", "aab", True),
        ("a{2}*", "ab", False),
        ("a{2}", "a{2}", True),
        ("a{,2}*", "a{,2}", True),
        ("a{01}*", "a{01}", True),
        ("*{", "a{", True),
        ("{2}*", "a", True),
        ("a^*", "a", False),
        ("\\pL", "é", True),
        ("\\p{Lu}", "a", False),
        ("[\\p{^Lu}]", "a", True),
        ("\\PL", "1", True),
        ("\\p{Any}", "1", True),
        ("\\x61", "a", True),
        ("\\x{1F600}", "😀", True),
        ("\\141", "a", True),
        ("\\d*", "1a", True),
        ("[^\\D]", "1", True),
        ("\\s", "\v", False),
        ("[^\\d\\D]", "a", False),
        ("\\Aa\\z", "a", True),
        ("\\Qa*", "a[^/]*$", True),
        ("\\Qa.\\Eb", "a\\.b", True),
        ("[[:alpha:]]", "a", True),
        ("[[:alpha:]]", ":", False),
        ("[[:^alpha:]]", "1", True),
        ("[**]", ":", False),
        ("[**]", "?", True),
        ("[*]", "^]", True),
        ("[A-\\]]", "B", True),
        ("a*", "a\nb", True),
        ("**/b*", "a\nb/b", False),
        ("\n\ufeffa*", "a", True),
        ("\n\ufeffa", "a", False),
        ("\n\ufeff**", "a", False),
        ("*\n[z-a]", "a", True),
        ("a\n![z-a]", "b", False),
        ("*\n!zz|app/*", "app/a", True),
        ("*\n![z]z|app/*", "app/a", False),
        ("a\x1c\né", "a\x1c", True),
        ("*\na*[", "b", True),
        ("*\n.*b*[", "b", True),
        ("*\n*b*[", "b", True),
        ("*\n[^.]*[", "b", True),
        ("*\n[.]b*[", "b", True),
        ("*\na*\\", "b", True),
        ("a*\\", "a$", True),
    ],
)
def test_a_pattern_is_a_regular_expression_of_go(patterns: str, path: str, *, excluded: bool):
    assert ignore_file.parse(patterns).excludes(path) is excluded


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "[",
            "[]a]",
            "[^]",
            "[^]a]",
            "[^-a]",
            "[a-",
            "a\\",
            "!",
            "!/",
            "/!",
            "[-a]",
            "[a-\\]",
            "[a-\\]]",
        ),
        *(".*[", "?*[", "\\.*[", "[.]*[", "[!-/]*[", "[^a]*[", "[--/]*", "*.*\\", "[!-9]*[-a]"),
        *("a\x1c", "a\tb", "a\x7f", "a\rb"),
        *("[z-a]", "**/[z-a]", "[a-*]", "[a-\\d]", "[\\b]", "[[:foo:]]", "[[:perl space:]]"),
        *("*{2}", "a{2}{3}*", "|{2}*", "?{2,1}", "?{1001}", "?{99999999999}", "**{2}*"),
        *(
            "\\q",
            "\\1",
            "\\é",
            "\\C*",
            "\\x",
            "\\x6",
            "\\x{}",
            "\\x{110000}",
            "\\px",
            "\\p{",
            "\\p^",
        ),
    ],
)
def test_an_invalid_pattern_is_reported_with_its_line(pattern: str):
    with pytest.raises(Failed, match="is invalid") as failed:
        ignore_file.parse(f"# comment\n{pattern}\n").excludes("x")
    assert (failed.value.line, failed.value.file) == (2, ".dockerignore")


def test_a_pattern_with_many_stars_is_matched_without_backtracking():
    parsed = ignore_file.parse("*?" * 30 + "*\\B" * 30 + "/" + "**/*a" * 30 + "[^/]")
    assert not parsed.excludes("/".join(["a" * 40] * 30))


@pytest.mark.parametrize("pattern", ["\\p{Greek}", "\\Q\\E{2}"])
def test_a_pattern_that_only_go_understands_is_not_judged(pattern: str):
    with pytest.raises(Failed, match="cannot tell what the pattern") as failed:
        ignore_file.parse(pattern).excludes("x")
    assert (failed.value.line, failed.value.file) == (1, ".dockerignore")


def test_a_line_is_as_long_as_moby_reads():
    parsed = ignore_file.parse("a" * 65535)
    assert not parsed.excludes("a")
    with pytest.raises(Failed, match="more than 65535 bytes") as failed:
        ignore_file.parse("b\n" + "é" * 32768)
    assert failed.value.line == 2
