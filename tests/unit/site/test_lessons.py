"""The blocks of a page are recognised, read and compared, and an invalid one is an error."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from workshop.core.errors import UserError
from workshop.site import lessons, output

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.site.lessons import Block


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one file that has a section."""
    text = 'FROM x\n# --8<-- [start:end]\nCMD ["y"]\n# --8<-- [end:end]\n'
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    return tmp_path


def blocks(text: str, root: Path | None = None) -> list[Block]:
    return list(lessons.read("made-up", dedent(text), *([root] if root else [])).blocks)


def block(info: str, *body: str, root: Path | None = None) -> Block:
    (found,) = blocks("\n".join([f"```{info}", *body, "```"]), root)
    return found


INCLUDE = '--8<-- "Dockerfile"'


@pytest.mark.parametrize(
    ("info", "body", "kind"),
    [
        ("console", "$ ls", "console"),
        ("{ .console .fails }", "$ ls", "console"),
        ("{ .console .keeps-running }", "$ ls", "console"),
        ('{ .console .not-run title="Not run by our tests: it costs money" }', "$ ls", "not run"),
        ("powershell", "dir", "other shell"),
        ("bat", "dir", "other shell"),
        ("{ .console .other-shell }", "$ brew install x", "other shell"),
        ('dockerfile title="a/Dockerfile"', "FROM x", "file"),
        ('dockerfile title="a/Dockerfile"', INCLUDE, "file"),
        ('diff title="a/Dockerfile"', "-FROM x", "edit"),
        ('{ .text .tree title="a" }', "a/", "tree"),
        ("dockerfile", INCLUDE, "shown"),
        ('dockerfile title="Dockerfile"', INCLUDE, "shown"),
        ("mermaid", "flowchart TD", "diagram"),
    ],
)
def test_the_kind_of_a_block(info, body, kind, root):
    assert block(info, body, root=root).kind == kind


def test_a_file_or_a_section_is_included(root):
    assert block("dockerfile", INCLUDE, root=root).body[0] == "FROM x"
    section = block("dockerfile", '--8<-- "Dockerfile:end"', root=root)
    assert (section.body, section.included) == (('CMD ["y"]',), True)


def test_blocks_are_found_in_lists_tabs_and_admonitions():
    text = """\
        1. Type

            ```console
            $ ls
              a
            ```

        === "Windows"

            ````powershell
            ```
            dir
            ````
        """
    console, other = blocks(text)
    assert console.line == 3
    assert console.commands[0].shown == ("  a",)
    assert other.body == ("```", "dir")


def test_a_command_has_the_output_below_it():
    first, second = block("console", "$ one", "a", "", "b  ", "", "$ two").commands
    assert (first.line, first.text, first.shown) == (2, "one", ("a", "", "b"))
    assert (second.line, second.text, second.shown) == (7, "two", ())


def test_a_command_continues_after_a_second_prompt():
    first, second = block(
        "console", "$ one \\", "> more", "> output", "$ cat <<E", "> a", "> E"
    ).commands
    assert (first.text, first.shown) == ("one \\\nmore", ("> output",))
    assert second.text == "cat <<E\na\nE"


def test_a_line_typed_into_a_program_has_its_own_prompt():
    lines = (
        "$ docker run -it x bash",
        "hello",
        "root@0f1e:/srv# ls",
        "a",
        "root@0f1e:/# exit",
        "exit",
    )
    (command,) = block("console", *lines).commands
    assert command.shown == ("hello",)
    assert [(s.line, s.prompt, s.text, s.shown) for s in command.inner] == [
        (4, "root@0f1e:/srv#", "ls", ("a",)),
        (6, "root@0f1e:/#", "exit", ("exit",)),
    ]


def test_ctrl_c_is_a_comment():
    assert [b.kind for b in blocks("Press Ctrl-C.\n\n<!-- ctrl-c -->\n")] == ["ctrl-c"]


@pytest.mark.parametrize(
    ("shown", "compared"), [((), False), (("...",), False), (("a",), True), (("a", "..."), True)]
)
def test_a_console_is_compared_if_it_shows_output(shown, compared):
    assert block("console", "$ ls", *shown).compared is compared


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("```console\n$ ls\n", "docs/made-up.md, line 1: the block never ends"),
        ("\n```console\nls\n```", "docs/made-up.md, line 2: it does not begin with a command"),
        ("```console\n```", "it does not begin with a command"),
        ("```bash\nls\n```", "no test runs a bash block"),
        ("```python\n1\n```", "no test can check it"),
        ("```\nout\n```", "no test can check it"),
        ("```{ .console .notrun }\n$ ls\n```", "no class .notrun"),
        ("```{ .console .not-run }\n$ ls\n```", "it is not run, and gives no reason"),
        ("```{ .text .tree }\na/\n```", "the tree has no folder"),
        (
            '```python\n--8<-- "none.py"\n```',
            "line 1: Snippet at path 'none.py' could not be found",
        ),
        ('```python\n--8<-- "Dockerfile:no"\n```', "'no' could not be located"),
    ],
)
def test_an_invalid_block_is_an_error_with_its_line(text, fault, root):
    with pytest.raises(UserError, match=re.escape(fault)):
        blocks(text, root)


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("a", "a"),
        ("a", "a  \n\n"),
        ("", ""),
        ("...", ""),
        ("...", "a\nb"),
        ("a\n...", "a"),
        ("a\n...\nd", "a\nb\nc\nd"),
        ("...\nb\n...", "b\nb\nb"),
        ("a ... c", "a b c"),
        ("v1.2.3 (...)", "v1.2.3 (x)"),
        ("a  b   c", "a      b  c"),
        ("  a", "  a"),
    ],
)
def test_shown_output_matches_actual_output(shown, actual):
    assert output.matches(shown.splitlines(), actual.splitlines())


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("a", "b"),
        ("a", ""),
        ("", "a"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("a\n...\nd", "a\nb\nc"),
        ("a ... c", "a b\nc"),
        ("v1.2", "v1x2"),
        ("a b", "a  b"),
        ("a  b", "a b"),
        (" a", "  a"),
    ],
)
def test_shown_output_does_not_match_actual_output(shown, actual):
    assert not output.matches(shown.splitlines(), actual.splitlines())


def test_many_wildcards_are_matched_quickly():
    assert not output.matches(["...", "a"] * 100, ["a"] * 2000 + ["b"])


def test_a_tree_sorts_folders_and_files_together(tmp_path):
    for path in ("src/greeter/cli.py", "src/greeter/__init__.py", "Dockerfile", "src/.venv/x"):
        (tmp_path / "kit" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "kit" / path).touch()
    assert output.draw_tree(tmp_path / "kit") == [
        "kit/",
        "├── Dockerfile",
        "└── src/",
        "    └── greeter/",
        "        ├── __init__.py",
        "        └── cli.py",
    ]


def test_an_edit_replaces_lines_at_their_only_place():
    assert output.apply_edit("a\nb\nc\n", [" a", "-b", "+x", "+y"]) == "a\nx\ny\nc\n"


@pytest.mark.parametrize("change", [["-z"], ["-a"], [" a", "-c"]])
def test_an_edit_without_a_unique_place_is_an_error(change):
    with pytest.raises(ValueError, match="times"):
        output.apply_edit("a\nb\na\n", change)
