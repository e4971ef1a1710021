"""The command image on archives, which needs no engine: its output, files and exit codes."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from tars import file, folder, oci, oci_layout, tar

from workshop import cli
from workshop.commands.image_report import is_archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MB = 10**6
STEPS = [{"created_by": "ADD root.tar /"}, {"created_by": "RUN /bin/sh -c make-it # buildkit"}]
BASE = tar(folder("etc"), file("etc/x", 2 * MB))


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command in a folder with two archives."""
    monkeypatch.chdir(tmp_path)
    saved = oci(BASE, tar(file("big", 3 * MB), file("etc/x", b"1")), history=STEPS)
    (tmp_path / "one.tar").write_bytes(saved.getvalue())
    other = oci_layout(BASE, tar(file("big", b"1" * 3 * MB)), history=STEPS)
    (tmp_path / "other.tar.gz").write_bytes(gzip.compress(other.getvalue(), 1))
    (tmp_path / "Dockerfile").write_text("FROM debian\nENV A=1\nRUN make-it\n")

    def run_command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["workshop", "image", *arguments])
        # The handlers of signals stay those of the tests.
        monkeypatch.setattr(cli, "_handle_signals", lambda *_: None)
        return cli.main(), *capsys.readouterr()

    return run_command


def test_an_archive_is_described_without_an_engine(run):
    code, out, err = run("one.tar")
    assert (code, err) == (0, "")
    assert "    1        3.0             RUN make-it\n" in out
    assert "Layer 0 stores 2.0 MB that layer 1 deletes or replaces.\n" in out


def test_two_archives_are_compared_in_both_layouts(run):
    code, out, err = run("one.tar", "other.tar.gz")
    assert (code, err) == (0, "")
    assert "      2.0 MB in 1 layer that both have\n" in " " + out
    assert "changed         2 paths      +2.0 MB\n" in out
    assert "    +2.0  changed  etc/x (content)\n" in out
    # Equally large, and larger than the files that have a digest otherwise.
    assert "changed  big (content)\n" in out


def test_json_has_every_difference_or_every_layer(run):
    document = json.loads(run("other.tar.gz", "one.tar", "--format", "json")[1])
    assert [one["path"] for one in document["files"]] == ["big", "etc/x"]
    assert [one["name"] for one in document["images"]] == ["other.tar.gz", "one.tar"]
    document = json.loads(run("./one.tar", "--format", "json")[1])
    assert [layer["size"] for layer in document["layers"]] == [2 * MB, 3 * MB + 1]


def test_the_page_is_written_to_the_file(run, tmp_path):
    code, out, err = run("one.tar", "other.tar.gz", "--html", "page.html")
    assert (code, out, err) == (0, "page.html: open it in a browser\n", "")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>other.tar.gz</h1>" in page
    assert "Difference from one.tar" in page


def test_a_dockerfile_adds_the_lines(run, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN make-it\n")
    _, out, _ = run("one.tar", "--dockerfile", "Dockerfile")
    assert out == (
        " line         MB     wasted  instruction\n"
        "    1        2.0        2.0  FROM debian\n"
        "    2        3.0             RUN make-it\n"
    )
    document = json.loads(run("one.tar", "--dockerfile", "Dockerfile", "--format", "json")[1])
    assert [line["line"] for line in document["lines"]] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("./no.tar",), "./no.tar: No such file or directory. Name an archive that `docker save`"),
        (("./Dockerfile",), "image: its archive is unreadable: not a tar"),
        (("one.tar", "--html", "no/x.html"), "no/x.html: No such file or directory. Name a file"),
        (("one.tar", "--dockerfile", "no"), "no: No such file or directory. Name the Dockerfile"),
        (("one.tar", "--dockerfile", "Dockerfile"), "the Dockerfile: the image was not built from"),
        (
            ("one.tar", "--dockerfile", "Dockerfile", "--target", "x"),
            "Dockerfile: no stage named x. Name the Dockerfile and the stage",
        ),
    ],
)
def test_an_error_names_the_thing_and_the_fix(arguments, error, run):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(error)
    assert err.count("\n") == 1


def test_only_a_path_or_a_file_that_exists_is_an_archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.tar").touch()
    names = ("there.tar", "./app", "/x/app.tar", "missing.tar", "app:dev", "team/app")
    assert [name for name in names if is_archive(name)] == list(names[:3])
