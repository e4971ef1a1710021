"""Both lock files have the same pins, and no file names a host or path of one machine."""

from __future__ import annotations

import re
import shutil
import tomllib
from urllib.parse import urlsplit

import pytest
from harness import ROOT, run
from pip._internal.models.index import PyPI

LINE = re.compile(r"(?P<name>[\w.-]+)(\[[\w,-]+\])?==(?P<version>\S+)")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[tuple[str, str], set[str]]:
    """Return the hashes of each package and version in a poetry.lock."""
    return {
        (normal(package["name"]), package["version"]): {f["hash"] for f in package["files"]}
        for package in tomllib.loads(text)["package"]
    }


def required(text: str) -> dict[tuple[str, str], set[str]]:
    """Return the hashes of each package and version in a requirements.txt; check every line."""
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            pin = LINE.match(line)
            assert pin, f"no pinned package: {line[:60]}"
            key = normal(pin["name"]), pin["version"]
            found.setdefault(key, set()).update(re.findall(r"--hash=(\S+)", line))
    return found


def test_requirements_txt_has_the_packages_and_hashes_of_poetry_lock():
    lock = locked((ROOT / "poetry.lock").read_text(encoding="utf-8"))
    requirements = required((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert requirements == lock
    assert all(lock.values())


LOCK = """
[[package]]
name = "Some_Name"
version = "1.0"
files = [{file = "a", hash = "sha256:1"}, {file = "b", hash = "sha256:2"}]
"""
GOOD = "some-name==1.0 ; python_version > '3' \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"


def test_the_two_forms_of_a_pin_are_equal():
    assert required(GOOD) == locked(LOCK)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        GOOD.replace("1.0", "1.1"),
        GOOD.replace("some-name", "other"),
        GOOD.replace(" \\\n    --hash=sha256:2", ""),
        GOOD.replace("sha256:2", "sha256:3"),
        GOOD + "more==1 --hash=sha256:4\n",
    ],
)
def test_a_difference_is_found(bad):
    assert required(bad) != locked(LOCK)


def files() -> list[str]:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is not a git checkout")
    return [name for name in run("git", "ls-files", "-z", cwd=ROOT).stdout.split("\0") if name]


def search(texts: tuple[str, ...], names: list[str]) -> list[str]:
    """Return the files that contain one of the texts."""
    return [
        f"{name}: {text}"
        for name in names
        if (ROOT / name).is_file()
        for text in texts
        if text.encode() in (ROOT / name).read_bytes()
    ]


def test_no_file_names_the_host_of_a_package_registry():
    hosts = (urlsplit(PyPI.simple_url).hostname, PyPI.file_storage_domain)
    assert all(hosts)
    assert search(hosts, files()) == []


def test_no_file_names_the_path_of_this_checkout():
    if len(ROOT.parts) <= 2:
        pytest.skip(f"{ROOT} is also a path in the course's containers")
    assert search((str(ROOT),), files()) == []


def test_a_text_in_a_file_is_found():
    assert search(("[tool.poetry]",), ["pyproject.toml"]) == ["pyproject.toml: [tool.poetry]"]
