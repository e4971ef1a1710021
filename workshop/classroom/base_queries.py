"""Asks a base image what a command would install in it, without installing anything.

apt and pip of the base image answer, so that the answer is the one of a learner's build.
"""

from __future__ import annotations

import json
import re
import secrets
import shlex
from typing import TYPE_CHECKING
from urllib.parse import unquote

from workshop.classroom.file_store import Download
from workshop.classroom.locks import Pin, normalise
from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workshop.engine import Engine

FOLDER = "debian"
_SECONDS = 300
_URI = re.compile(r"^'(\S+)' \S+ (\d+) SHA256:([0-9a-f]{64})$", re.MULTILINE)
_INSTALL = re.compile(r"\binstall\b")
_AGAIN = "Check the network, then run this again"
_CODENAME = '. /etc/os-release && echo "$VERSION_CODENAME"'
# The report itself has more lines than a runner keeps.
_READ_REPORT = """python3 -c '
import json
rows = json.load(open("/tmp/report"))["install"]
print(json.dumps([[row["metadata"]["name"], row["metadata"]["version"]] for row in rows]))
'"""
# Another architecture's packages: apt then takes the image's own packages for installed ones of
# that architecture. It prints MD5 sums unless a stronger digest is forced.
_APT_SETTINGS = """
sed '/^Architecture: all$/!s/^Architecture: .*/Architecture: {architecture}/' \
    /var/lib/dpkg/status > /tmp/status
cat > /tmp/apt.conf <<'END'
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
Dir::State::status "/tmp/status";
Acquire::ForceHash "SHA256";
END
export APT_CONFIG=/tmp/apt.conf
apt-get update -qq > /dev/null
"""


class BaseQueries:
    """Runs short commands in containers of one base image."""

    def __init__(self, engine: Engine, image: str) -> None:
        self._engine, self._image = engine, image

    def codename(self) -> str:
        """Return the name of the image's Debian or Ubuntu release, such as `bookworm`."""
        return self._run(_CODENAME).strip()

    def debian_packages(
        self, commands: Iterable[str], codename: str, architecture: str
    ) -> list[Download]:
        """Return the packages that `apt-get install` commands download, with dependencies."""
        asked = [_INSTALL.sub("install --print-uris -qq -y", each, count=1) for each in commands]
        if not asked:
            return []
        script = "\n".join([_APT_SETTINGS.format(architecture=architecture), *asked])
        return [
            Download(f"{FOLDER}/pool/{codename}/{_file_name(uri)}", uri, int(size), sha256)
            for uri, size, sha256 in _URI.findall(self._run(script))
        ]

    def python_packages(self, requirements: Iterable[str]) -> list[Pin]:
        """Return the packages that pip installs for `requirements`, with dependencies."""
        options = "--quiet --dry-run --ignore-installed --disable-pip-version-check"
        words = shlex.join(sorted(requirements))
        install = f"python3 -m pip install {options} --report /tmp/report {words}"
        output = self._run(f"{install}\n{_READ_REPORT}")
        try:
            return [Pin(normalise(name), version) for name, version in json.loads(output)]
        except ValueError:
            raise UserError(f"pip in {self._image}", "it printed no report", _AGAIN) from None

    def _run(self, script: str) -> str:
        name = f"workshop-pack-{secrets.token_hex(6)}"
        try:
            done = self._engine.run(
                name,
                self._image,
                ("--rm", "--pull=never"),
                ("sh", "-ec", script),
                timeout=_SECONDS,
            )
        finally:
            self._engine.remove(name)
        self._engine.check(f"base image {self._image}", done, _AGAIN)
        return done.stdout


def _file_name(uri: str) -> str:
    """Return the name of a package's file; an epoch's colon is escaped in a URI."""
    return unquote(uri.rpartition("/")[2])
