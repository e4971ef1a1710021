"""The Dockerfile parser, on short Dockerfiles."""

from __future__ import annotations

import pytest

from workshop.analysis.dockerfile.parser import Heredoc, Instruction, parse, split_reference


def instructions(text: str, **arguments: str) -> tuple[Instruction, ...]:
    """Return the instructions after `FROM scratch`, which is put before the text."""
    return parse(f"FROM scratch\n{text}", arguments).stages[-1].instructions


def single(text: str, **arguments: str) -> Instruction:
    (instruction,) = instructions(text, **arguments)
    return instruction


def problems(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.text) for problem in parse(text).problems]


# ---- lines


@pytest.mark.parametrize(
    "text", ["USER app", "user app", "  USER\tapp  ", "USER app\r\n", "\tUsEr app"]
)
def test_case_and_surrounding_space_are_ignored(text):
    read = single(text)
    assert (read.keyword, read.text, read.line, read.end) == ("USER", "app", 2, 2)


def test_a_byte_order_mark_is_removed():
    assert parse("\ufeffFROM a").stages[0].base == "a"
    assert parse(b"\xef\xbb\xbfFROM a").stages[0].base == "a"


def test_invalid_utf_8_is_replaced():
    assert parse(b"FROM a\nUSER \xff").stages[0].instructions[0].text == "\ufffd"


def test_a_continued_line_skips_comments_and_blank_lines():
    read = single("RUN a \\\n# USER root\n\n  b \\ \t\n\tc\nUSER app".partition("\nUSER")[0])
    assert (read.text, read.line, read.end) == ("a   b \tc", 2, 6)


def test_a_word_can_continue_on_the_next_line():
    assert single("USER ro\\\not").text == "root"


def test_a_doubled_escape_ends_the_line():
    assert [each.keyword for each in instructions("ENV A=b\\\\\nUSER app")] == ["ENV", "USER"]


def test_a_comment_is_not_continued():
    assert [each.keyword for each in instructions("# see \\\nUSER app")] == ["USER"]


def test_a_hash_within_a_line_is_not_a_comment():
    assert single("RUN echo # USER app").text == "echo # USER app"


def test_a_continued_line_ends_at_the_end_of_the_file():
    assert single("RUN a \\\n").text == "a"


# ---- directives


def test_the_escape_directive_can_set_a_backtick():
    read = parse("# escape=`\nFROM a\nRUN b `\n  c:\\\nUSER d")
    assert read.escape == "`"
    assert [each.text for each in read.stages[0].instructions] == ["b   c:\\", "d"]


@pytest.mark.parametrize(
    "top", ["#Escape = `", "  # escape=`", "# syntax=x\n# escape=`", "# check=skip=all\n# escape=`"]
)
def test_directives_are_read_in_any_case_and_order(top):
    assert parse(f"{top}\nFROM a").escape == "`"


@pytest.mark.parametrize(
    "top",
    ["# a comment\n# escape=`", "\n# escape=`", "FROM b\n# escape=`", "# other=1\n# escape=`"],
)
def test_a_directive_after_anything_else_is_a_comment(top):
    read = parse(f"{top}\nFROM a")
    assert (read.escape, read.problems) == ("\\", ())


def test_the_syntax_directive_is_read():
    assert parse("# syntax=docker/dockerfile:1\nFROM a").syntax == "docker/dockerfile:1"
    assert parse("FROM a\n# syntax=docker/dockerfile:1").syntax == ""


# ---- forms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('CMD ["a", "b c"]', ("a", "b c")),
        ('CMD\t[ "a" ]  ', ("a",)),
        ("CMD []", ()),
        ('RUN --network=none ["a"]', ("a",)),
        ('COPY ["a b", "/"]', ("a b", "/")),
        ('VOLUME ["/a"]', ("/a",)),
        ('HEALTHCHECK --retries=1 CMD\t["a", "b"]', ("a", "b")),
        ('CMD ["\\u00fc\\n"]', ("ü\n",)),
        ('CMD ["\\ud800"]', ("\ufffd",)),
        ("CMD a b", None),
        ("CMD ['a', 'b']", None),
        ('CMD ["a", ]', None),
        ('CMD ["a"', None),
        ("CMD [NaN]", None),
        ('CMD x ["a"]', None),
        ('USER ["a"]', None),
        ("HEALTHCHECK NONE", None),
        ("CMD " + "[" * 9999, None),
    ],
)
def test_only_a_json_list_is_exec_form(text, words):
    assert single(text).exec_form == words


def test_text_after_a_json_list_is_ignored():
    assert single('CMD ["a"] b').exec_form == ("a",)


@pytest.mark.parametrize(
    ("text", "flags", "rest"),
    [
        ("COPY --from=b --link a /", (("from", "b"), ("link", "")), "a /"),
        (
            "RUN --mount=type=cache,target=/c pip x --user",
            (("mount", "type=cache,target=/c"),),
            "pip x --user",
        ),
        ("COPY --chown='a:b' a /", (("chown", "a:b"),), "a /"),
        ("RUN -- --x", (), "--x"),
        ("RUN echo --from=b", (), "echo --from=b"),
    ],
)
def test_flags_come_before_the_arguments(text, flags, rest):
    read = single(text)
    assert (read.flags, read.text) == (flags, rest)


def test_flags_are_found_by_name():
    assert single("COPY --from=b a /").flag("from") == "b"
    assert single("COPY --link a /").flag("link") == ""
    assert single("COPY a /").flag("from") is None


# ---- heredocs


def test_lines_of_a_heredoc_are_not_instructions():
    run, cmd = instructions("RUN <<EOF\nUSER app\nFROM x\n# c\nEOF\nCMD a")
    assert run.heredocs == (Heredoc("EOF", "USER app\nFROM x\n# c\n", expand=True, strip=False),)
    assert (run.line, run.end, cmd.line) == (2, 6, 7)


def test_a_heredoc_can_be_quoted_with_tabs_stripped():
    (heredoc,) = single("COPY <<-'EOF' /a\n\ta\n\t\tb\n\tEOF").heredocs
    assert heredoc == Heredoc("EOF", "a\nb\n", expand=False, strip=True)


def test_an_instruction_can_have_several_heredocs():
    read = instructions('COPY <<A <<"B" /d/\na\nA\nb\nB\nUSER c')
    assert [(each.name, each.body) for each in read[0].heredocs] == [("A", "a\n"), ("B", "b\n")]
    assert read[1].text == "c"


def test_a_heredoc_ends_at_a_line_with_only_its_delimiter():
    assert single("RUN <<EOF\n EOF\nEOF2\nEOF \nEOF").heredocs[0].body == " EOF\nEOF2\nEOF \n"
    assert single("RUN <<EOF\r\na\r\nEOF\r\n").heredocs[0].body == "a\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "ENV A=<<EOF",
        "CMD cat <<EOF",
        'RUN ["cat", "<<EOF"]',
        "RUN cat <<<EOF",
        "RUN echo '<<EOF'",
        "RUN echo $((1 << 2))",
        "RUN echo it's <<EOF",
        "RUN echo \\<<EOF",
    ],
)
def test_text_that_does_not_open_a_heredoc(text):
    read = instructions(f"{text}\nUSER app")
    assert [each.keyword for each in read][1:] == ["USER"]
    assert read[0].heredocs == ()


def test_onbuild_can_contain_a_heredoc():
    read = instructions("ONBUILD RUN <<EOF\nUSER app\nEOF\nCMD a")
    assert [each.keyword for each in read] == ["ONBUILD", "CMD"]


# ---- variables


@pytest.mark.parametrize(
    ("word", "expanded"),
    [
        ("$A", "1"),
        ("${A}b", "1b"),
        ("$Ab", ""),
        ("\\$A", "$A"),
        ("'$A'", "$A"),
        ('"$A b"', "1 b"),
        ('"\\$A \\x"', "$A \\x"),
        ("a\\ b", "a b"),
        ("${A:-x}", "1"),
        ("${N:-x}", "x"),
        ("${E:-x}", "x"),
        ("${E-x}", ""),
        ("${N:-$A}", "1"),
        ("${N:-${M:-z}}", "z"),
        ("${A:+x}", "x"),
        ("${E:+x}", ""),
        ("${E+x}", "x"),
        ("${A:?no}", "1"),
        ("${P#*/}", "b/c.d.e"),
        ("${P##*/}", "c.d.e"),
        ("${P%.*}", "a/b/c.d"),
        ("${P%%.*}", "a/b/c"),
        ("${P/b/x}", "a/x/c.d.e"),
        ("${P//./-}", "a/b/c-d-e"),
        ("$", "$"),
        ("$1", ""),
    ],
)
def test_words_expand_as_buildkit_expands_them(word, expanded):
    read = instructions(f"ENV A=1 E= P=a/b/c.d.e\nUSER {word}")
    assert read[1].expanded == expanded


def test_a_variable_applies_from_the_next_instruction_on():
    read = instructions("ENV A=1\nENV A=2 B=$A\nUSER $A$B")
    assert read[1].values == ("A=2", "B=1")
    assert read[2].expanded == "21"


@pytest.mark.parametrize("keyword", ["RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK CMD"])
def test_commands_are_not_expanded(keyword):
    read = instructions(f"ENV A=1\n{keyword} echo $A")[1]
    assert read.expanded == read.text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ENV a=b c=d", ("a=b", "c=d")),
        ("ENV a=\"b c\" d='e f'", ("a=b c", "d=e f")),
        ("ENV a=b\\ c", ("a=b c",)),
        ("ENV a  b  c", ("a=b  c",)),
        ("ENV a b=c", ("a=b=c",)),
        ('LABEL "a b"="c"', ("a b=c",)),
        ("ENV a=", ("a=",)),
        ("ARG a b=c", ("a", "b=c")),
        ("EXPOSE 80 81/udp", ("80", "81/udp")),
        ("COPY a b /c/", ("a", "b", "/c/")),
        ('VOLUME ["/a b"]', ("/a b",)),
        ("WORKDIR /a b", ("/a b",)),
    ],
)
def test_arguments_are_split_into_values(text, values):
    assert single(text).values == values


# ---- arguments of a build


def test_arguments_in_user_are_expanded():
    assert instructions("ARG U=root\nUSER $U")[1].expanded == "root"
    assert instructions("ARG U=root\nUSER $U", U="app")[1].expanded == "app"
    assert instructions("ARG U\nUSER ${U:-root}")[1].expanded == "root"


def test_a_global_argument_applies_to_from_and_to_stages_that_declare_it():
    read = parse("ARG V=1\nFROM a:$V\nUSER $V\nARG V\nUSER $V")
    assert read.stages[0].base == "a:1"
    assert [each.expanded for each in read.stages[0].instructions] == ["", "V=1", "1"]
    assert read.arguments == {"V": "1"}


def test_a_stage_can_override_the_default_of_an_argument():
    assert instructions("ARG V=2\nUSER $V", V="3")[1].expanded == "3"
    assert parse("ARG V=1\nFROM a\nARG V=2\nUSER $V").stages[0].instructions[1].expanded == "2"


def test_the_later_of_arg_and_env_applies_unless_arg_has_no_default():
    assert instructions("ENV A=1\nARG A=2\nUSER $A")[2].expanded == "2"
    assert instructions("ARG A=2\nENV A=1\nUSER $A")[2].expanded == "1"
    assert instructions("ENV A=1\nARG A\nUSER $A")[2].expanded == "1"


def test_platform_arguments_are_set_once_declared():
    assert parse("FROM --platform=$BUILDPLATFORM a:$TARGETARCH").stages[0].base == "a:amd64"
    assert parse("FROM --platform=$BUILDPLATFORM a").stages[0].platform == "linux/amd64"
    assert instructions("USER $TARGETARCH\nARG TARGETARCH\nUSER $TARGETARCH")[0].expanded == ""
    assert instructions("ARG TARGETARCH\nUSER $TARGETARCH")[1].expanded == "amd64"


def test_an_undeclared_proxy_argument_is_empty():
    assert single("USER x$HTTP_PROXY", HTTP_PROXY="http://p").expanded == "x"


# ---- stages


def test_stages_have_a_number_a_name_and_a_line():
    read = parse("FROM a AS One\nUSER x\nFROM b\n")
    assert [(each.number, each.name, each.base, each.line) for each in read.stages] == [
        (0, "one", "a", 1),
        (1, "", "b", 3),
    ]


def test_stages_are_found_by_name_in_any_case_or_by_index():
    read = parse("FROM a AS One\nFROM b")
    assert read.find("ONE") is read.find("0") is read.stages[0]
    assert read.find("2") is read.find("x") is read.find("") is None


def test_a_stage_knows_its_parent():
    read = parse("FROM a AS one\nFROM one\nFROM two AS two")
    assert [each.parent for each in read.stages] == [None, 0, None]


def test_child_stages_inherit_variables_and_arguments():
    read = parse("FROM a AS one\nENV A=1\nARG B=2\nFROM one\nUSER $A$B\nFROM a\nUSER x$A$B")
    assert read.stages[1].instructions[0].expanded == "12"
    assert read.stages[2].instructions[0].expanded == "x"


# ---- problems


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file has no FROM instruction"),
        ("# only a comment", 1, "the file has no FROM instruction"),
        ("USER a\nFROM b", 1, "USER appears before the first FROM"),
        ("FROM a\nUSR app", 2, "unknown instruction: USR"),
        ("FROM a\nRUN <<EOF\nx", 2, "the heredoc EOF is not closed"),
        ("# escape=x\nFROM a", 1, "the escape directive must be \\ or `, not x"),
        ("# escape=`\n# escape=`\nFROM a", 2, "duplicate directive: escape"),
        ("FROM a b", 1, "FROM needs an image, or IMAGE AS NAME"),
        ("FROM", 1, "FROM has no image"),
        ("FROM $X", 1, "FROM has no image"),
        ("FROM a AS 1b", 1, "invalid stage name: 1b"),
        ("FROM a AS b\nFROM B", 2, "write FROM b, not FROM B"),
        ("FROM a\nUSER", 2, "USER needs an argument"),
        ("FROM a\nENV b", 2, "ENV b has no value"),
        ("FROM a\nENV b=c d", 2, "ENV needs name=value, not d"),
        ("FROM a\nENV =b", 2, "ENV needs name=value, not =b"),
        ("FROM a\nARG =b", 2, "ARG needs a name"),
        ('FROM a\nENV b="c', 2, '"c: a double quote is not closed'),
        ("FROM a\nUSER 'b", 2, "'b: a single quote is not closed"),
        ("FROM a\nUSER ${", 2, "${: bad substitution"),
        ("FROM a\nUSER ${b", 2, "${b: bad substitution"),
        ("FROM a\nUSER ${b:-", 2, "${b:-: } is missing"),
        ("FROM a\nUSER ${b:?no}", 2, "${b:?no}: b: no"),
        ("FROM a\nEXPOSE '1", 2, "'1: a single quote is not closed"),
        ("FROM a\nCMD [1]", 2, "CMD: a JSON array must hold strings only"),
        ("FROM a\nONBUILD FROM b", 2, "ONBUILD cannot trigger FROM"),
        ("FROM a\nONBUILD CMD [1]", 2, "ONBUILD CMD: a JSON array must hold strings only"),
        ("FROM a\nRUN " + "b" * 65536, 2, "the line is longer than 65535 bytes"),
    ],
)
def test_errors_are_reported_with_their_line(text, line, message):
    assert problems(text) == [(line, message)]


def test_unlimited_expansion_is_reported_once():
    text = "FROM a\nENV A=aaaaaaaaaaaaaaaa\n" + "ENV A=$A$A\n" * 14 + "LABEL x=$A\n" * 200
    ((_, message),) = problems(text)
    assert "more text than the kit reads" in message


def test_unlimited_expansion_of_one_word_is_reported():
    text = "FROM a\nENV A=aaaaaaaaaaaaaaaa\n" + "ENV A=$A$A\n" * 14 + f"LABEL x={'$A' * 9}\n"
    ((_, message),) = problems(text)
    assert message.endswith("variables expand to more text than the kit reads")


def test_a_slow_pattern_is_reported():
    ((_, message),) = problems("FROM a\nENV A=b\nUSER ${A#*a*b}")
    assert message.endswith("a pattern is too complex for the kit to match")


def test_deeply_nested_substitutions_are_reported():
    ((_, message),) = problems("FROM a\nUSER " + "${A:-" * 60 + "}" * 60)
    assert message.endswith("substitutions are nested more than 50 deep")


@pytest.mark.parametrize(
    ("reference", "repository", "tag"),
    [
        ("python", "python", ""),
        ("python:3.13", "python", "3.13"),
        ("docker.io/library/python:3.13", "python", "3.13"),
        ("library/python", "python", ""),
        ("python:3.13@sha256:00", "python", "3.13"),
        ("localhost:5001/ada/x", "localhost:5001/ada/x", ""),
        ("localhost:5001/ada/x:1", "localhost:5001/ada/x", "1"),
    ],
)
def test_the_name_of_an_image_has_a_repository_and_a_tag(reference: str, repository: str, tag: str):
    assert split_reference(reference) == (repository, tag)
