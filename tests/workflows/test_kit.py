"""The shell steps of the kit's own workflows run here, in a copy of the checkout.

`make test`, `make course` and `make rubric` are what runs these tests, and are left out; so are
the steps that need GitHub's services or an account.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml
from harness import ROOT, run
from workflows.act import Runner, commit

from workshop.site.release_notes import UNRELEASED, sections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
NEWEST, NOTES = next(iter(sections(CHANGELOG).items()))
TAG = f"v{VERSION}-rc.1" if NEWEST == UNRELEASED else f"v{VERSION}"
GH = (
    '#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/arguments"\ncp "$RUNNER_TEMP/notes.md" "{folder}"\n'
)


@pytest.fixture
def repository(tmp_path) -> Path:
    """A copy of the files of this checkout that Git knows."""
    folder = tmp_path / "repository"
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def runner(tmp_path) -> Iterator[Runner]:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "gh").write_text(GH.format(folder=tmp_path), encoding="utf-8")
    (programs / "gh").chmod(0o755)
    yield Runner(tmp_path / "act", env={"PATH": f"{programs}:{os.environ['PATH']}"})
    shutil.rmtree(tmp_path / "act", ignore_errors=True)


def keep_job(repository: Path, workflow: str, job: str) -> None:
    """Leave only one job in a workflow: act would also run those that it needs."""
    file = repository / ".github/workflows" / workflow
    flow = yaml.safe_load(file.read_text(encoding="utf-8"))
    flow["on"] = flow.pop(True)  # YAML 1.1 reads the key `on` as true
    flow["jobs"] = {job: flow["jobs"][job]}
    flow["jobs"][job].pop("needs", None)
    file.write_text(yaml.safe_dump(flow), encoding="utf-8")


def pushing(folder: Path) -> tuple[str, ...]:
    """Return the options of act for the push of the tag."""
    event = folder / "event.json"
    event.write_text(f'{{"ref": "refs/tags/{TAG}"}}', encoding="utf-8")
    return ("--eventpath", str(event))


def test_the_site_is_built_and_stored_for_its_deployment(repository, runner):
    keep_job(repository, "site.yml", "build")
    commit(repository, "acme/workshop")
    done = runner.run(repository, "site.yml")
    assert done.code == 0, done.output
    site = done.uploaded / "github-pages/site"
    assert "<title>" in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "instructors/github/index.html").is_file()


def test_a_tag_is_linted_and_its_notes_are_checked(repository, runner, tmp_path):
    keep_job(repository, "python-lint-test-upload.yml", "lint")
    commit(repository, "acme/workshop", TAG)
    done = runner.run(repository, "python-lint-test-upload.yml", "push", *pushing(tmp_path))
    assert done.code == 0, done.output
    assert done.succeeded("Lint")
    assert done.succeeded("Check that the changelog has this version")


def test_a_release_is_created_with_the_notes_of_its_version(repository, runner, tmp_path):
    keep_job(repository, "python-lint-test-upload.yml", "release")
    commit(repository, "acme/workshop", TAG)
    options = (*pushing(tmp_path), "--secret", "GITHUB_TOKEN=made-up")
    done = runner.run(repository, "python-lint-test-upload.yml", "push", *options)
    assert done.code == 0, done.output
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8").splitlines()
    assert arguments[:3] == ["release", "create", TAG]
    assert ("--prerelease" in arguments) == ("-" in TAG)
    assert {"--verify-tag", "acme/workshop"} <= set(arguments)
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == NOTES + "\n"
