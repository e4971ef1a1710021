"""The Debian packages of a pack as a repository that apt can read, one suite for each release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.classroom.base_queries import FOLDER
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.core.process import Runner

# The output goes to a file: a runner keeps only the last lines. `--arch` selects the packages of
# one architecture, and those for all.
_INDEX = """
cd "$1"
mkdir -p "dists/$2/main/binary-$3"
apt-ftparchive --arch "$3" packages "pool/$2" > "dists/$2/main/binary-$3/Packages"
gzip --keep --force --no-name "dists/$2/main/binary-$3/Packages"
"""
_RELEASE = """
cd "$1"
rm -f "dists/$2/Release"
apt-ftparchive -o "APT::FTPArchive::Release::Suite=$2" -o "APT::FTPArchive::Release::Codename=$2" \
    -o "APT::FTPArchive::Release::Components=main" \
    -o "APT::FTPArchive::Release::Architectures=$3" release "dists/$2" > .Release
mv .Release "dists/$2/Release"
"""


def write_indexes(run: Runner, files: Path, codenames: set[str], architectures: set[str]) -> None:
    """Write the indexes of the packages in `files`, with apt-ftparchive."""
    folder = files / FOLDER
    for codename in sorted(codenames):
        (folder / "pool" / codename).mkdir(parents=True, exist_ok=True)
        for architecture in sorted(architectures):
            _sh(run, _INDEX, str(folder), codename, architecture)
        _sh(run, _RELEASE, str(folder), codename, " ".join(sorted(architectures)))


def _sh(run: Runner, script: str, *arguments: str) -> None:
    done = run(["sh", "-ec", script, "sh", *arguments])
    if done.code:
        found = done.last_line or "apt-ftparchive failed"
        fix = "Install apt-utils, and check the free disk space"
        raise UserError("index of the Debian packages", found, fix)
