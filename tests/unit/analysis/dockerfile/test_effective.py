"""The effective configuration of the final stage, and the line that sets each value."""

from __future__ import annotations

import pytest

from workshop.analysis.dockerfile.effective import Command, Effective, Setting, effective
from workshop.analysis.dockerfile.parser import parse


def final(text: str, target: str = "") -> Effective:
    found = effective(parse(text), target)
    assert found is not None
    return found


def test_a_file_without_stages_has_no_configuration():
    assert effective(parse("")) is None
    assert effective(parse("ARG A")) is None


def test_a_target_is_a_stage_by_name_or_index():
    text = "FROM a AS One\nUSER x\nFROM b\nUSER y"
    assert [final(text, name).user.value for name in ("one", "ONE", "0", "1", "")] == [*"xxxyy"]
    assert effective(parse(text), "two") is None


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN <<EOF\nUSER app\nEOF",
        "FROM a\n# USER app",
        "FROM a\nRUN x \\\n# USER app\n  y",
        "FROM a\nRUN x \\\nUSER app",
        "FROM a AS b\nUSER app\nFROM a",
        "FROM a AS b\nUSER app\nFROM a\nCOPY --from=b x /",
        "FROM a\nONBUILD USER app",
    ],
)
def test_a_user_that_does_not_apply_to_the_image_is_ignored(text):
    assert final(text).user is None


@pytest.mark.parametrize(
    ("text", "user", "line"),
    [
        ("FROM a\nUSER app", "app", 2),
        ("FROM a\nUSER app\nUSER root", "root", 3),
        ("FROM a\nARG U=root\nUSER $U", "root", 3),
        ("FROM a AS b\nUSER app\nFROM b", "app", 2),
        ("FROM a AS b\nUSER app\nFROM b AS c\nFROM c\nUSER root", "root", 5),
        ("FROM a AS b\nONBUILD USER app\nFROM b", "app", 2),
        ("FROM a AS b\nONBUILD USER $U\nFROM b\nUSER root", "root", 4),
    ],
)
def test_the_last_user_in_the_chain_applies(text, user, line):
    assert final(text).user == Setting(user, line)


def test_a_trigger_runs_only_in_the_next_stage():
    assert final("FROM a AS b\nONBUILD USER x\nFROM b AS c\nUSER y\nFROM c").user.value == "y"


def test_the_base_is_the_image_of_the_first_stage_in_the_chain():
    found = final("ARG T=1\nFROM a:$T AS b\nUSER x\nFROM z AS y\nFROM b\nCMD c")
    assert found.base == "a:1"
    assert [stage.number for stage in found.chain] == [0, 2]
    assert [each.keyword for each in found.instructions] == ["USER", "CMD"]


@pytest.mark.parametrize(
    ("lines", "workdir"),
    [
        ("WORKDIR /a", "/a"),
        ("WORKDIR a", "/a"),
        ("WORKDIR /a\nWORKDIR b", "/a/b"),
        ("WORKDIR /a\nWORKDIR ../b/./c/", "/b/c"),
        ("WORKDIR ../..", "/"),
        ("WORKDIR //a", "/a"),
        ("ENV D=/x\nWORKDIR $D/y", "/x/y"),
        ("WORKDIR /a\nFROM s\nWORKDIR b", "/a/b"),
    ],
)
def test_relative_working_directories_are_joined(lines, workdir):
    assert final(f"FROM i AS s\n{lines}").workdir.value == workdir


def test_variables_are_inherited_and_overridden():
    found = final("FROM a AS b\nENV A=1 B=1\nFROM b\nENV B=$A$B C='x y'")
    assert {name: setting.value for name, setting in found.env.items()} == {
        "A": "1",
        "B": "11",
        "C": "x y",
    }
    assert found.env["A"].line == 2
    assert found.env["B"].line == 4


def test_path_can_be_extended():
    assert final("FROM a\nENV PATH=/x:$PATH").env["PATH"].value.startswith("/x:/usr/local/sbin:")


def test_arguments_are_not_in_the_environment():
    assert final("FROM a\nARG A=1").env == {}


def test_commands_have_a_form_and_an_argv():
    found = final('FROM a\nENTRYPOINT ["x", "$y"]\nCMD a  b')
    assert found.entrypoint == Command(("x", "$y"), shell=False, line=2, text='["x", "$y"]')
    shell = Command(("/bin/sh", "-c", "a  b"), True, 3, "a  b")  # noqa: FBT003
    assert found.cmd == shell


def test_shell_form_uses_the_shell_instruction():
    found = final('FROM a\nSHELL ["bash", "-ec"]\nCMD x')
    assert found.cmd.argv == ("bash", "-ec", "x")
    assert found.shell == ("bash", "-ec")


@pytest.mark.parametrize(
    ("text", "cmd"),
    [
        ("FROM a\nCMD x\nENTRYPOINT y", "x"),
        ("FROM a\nENTRYPOINT y\nCMD x", "x"),
        ("FROM a AS b\nCMD x\nFROM b\nENTRYPOINT y", None),
        ("FROM a AS b\nCMD x\nFROM b\nENTRYPOINT y\nCMD z", "z"),
        ("FROM a AS b\nENTRYPOINT y\nCMD x\nFROM b\nUSER u", "x"),
        ("FROM a AS b\nCMD x\nONBUILD ENTRYPOINT y\nFROM b", None),
        ("FROM a\nCMD x\nCMD []", None),
    ],
)
def test_an_entrypoint_resets_an_inherited_cmd(text, cmd):
    found = final(text).cmd
    assert (found.text if found else None) == cmd


def test_ports_have_a_protocol():
    found = final("FROM a\nENV P='1 2'\nEXPOSE 8000 53/UDP 9-11/tcp $P 5:6 oops")
    assert list(found.ports) == [
        *("8000/tcp", "53/udp", "9/tcp", "10/tcp", "11/tcp", "1/tcp", "2/tcp", "6/tcp")
    ]
    assert found.ports["10/tcp"].line == 3


def test_volumes_labels_and_the_stop_signal_are_read():
    found = final('FROM a\nVOLUME /a /b\nVOLUME ["/c d"]\nLABEL x=1 "y z"=2\nSTOPSIGNAL SIGINT')
    assert list(found.volumes) == ["/a", "/b", "/c d"]
    assert {name: label.value for name, label in found.labels.items()} == {"x": "1", "y z": "2"}
    assert found.stopsignal == Setting("SIGINT", 5)


@pytest.mark.parametrize(
    ("lines", "argv"),
    [
        ("HEALTHCHECK CMD a b", ("/bin/sh", "-c", "a b")),
        ('HEALTHCHECK --interval=5s cmd ["a", "b"]', ("a", "b")),
        ("HEALTHCHECK CMD a\nHEALTHCHECK NONE", None),
        ("HEALTHCHECK NONE", None),
        ("HEALTHCHECK", None),
        ("HEALTHCHECK CMD", None),
        ("CMD a", None),
    ],
)
def test_a_health_check_is_read_unless_disabled(lines, argv):
    found = final(f"FROM a\n{lines}").healthcheck
    assert (found.argv if found else None) == argv
