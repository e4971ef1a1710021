"""The course's site: built from docs/, and served to a browser on this machine."""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from workshop.core.errors import UserError
from workshop.core.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workshop.core.process import Runner

DOCS, SITE = "docs", "site"
SETTINGS = "mkdocs.yml"
# What the site is made from: it is built anew when one of these is newer.
SOURCES = (DOCS, "services", "museum", "versions.toml", SETTINGS)
MERMAID = "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
DRAWS = "assets/mermaid.js"
HOST = "127.0.0.1"


def build(run: Runner, root: Path = ROOT) -> str:
    """Build the site, strictly, into site/; says what is missing from it, if anything is.

    A page that includes what is not there, or that links nowhere, is a `UserError` with its line.
    """
    from workshop.site import lessons  # noqa: PLC0415 - who is served a site that is there needs none

    lessons.pages(root / DOCS, root)
    # Not --quiet: MkDocs would then count no warning.
    argv = (sys.executable, "-m", "mkdocs", "build", "--strict")
    settings = ("--config-file", str(root / SETTINGS))
    done = run((*argv, *settings), env={"NO_MKDOCS_2_WARNING": "1"})
    if done.code:
        skipped = ("INFO", "Aborted")
        lines = [line for line in done.output.splitlines() if not line.startswith(skipped)]
        said = [_placed(line, root / DOCS) for line in lines]
        raise UserError("docs", "\n".join(said).strip(), "Mend that, and build again")
    return _add_mermaid(run, root)


def _placed(said: str, docs: Path) -> str:
    """What MkDocs says of a link, with the line that the link is in."""
    found = re.match(r"WARNING +- +Doc file '([^']+)' contains [^']* '([^']+)'", said)
    if not found:
        return said
    page, link = found.groups()
    lines = (docs / page).read_text(encoding="utf-8").splitlines()
    at = next((number for number, line in enumerate(lines, 1) if f"({link}" in line), 1)
    return said.replace(found[0], f"docs/{page}, line {at}: it contains a link '{link}'", 1)


def _add_mermaid(run: Runner, root: Path) -> str:
    """Put Mermaid beside the script that loads it; without npm, the diagrams stay text."""
    found = root / "web" / MERMAID
    if not found.exists():
        words = ("npm", "ci", "--prefix", str(root / "web"), "--no-audit", "--no-fund")
        done = run((*words, "--omit=dev", "--ignore-scripts"))
        if done.code:
            return f"The diagrams are shown as text: npm did not fetch Mermaid ({done.last_line})"
    shutil.copyfile(found, root / SITE / DRAWS)
    return ""


def is_stale(root: Path = ROOT) -> bool:
    """Whether site/ is missing, or older than what it is made from."""
    built = root / SITE / "index.html"
    if not built.exists():
        return True
    since = built.stat().st_mtime
    files = (file for name in SOURCES for file in (root / name, *(root / name).rglob("*")))
    return any(file.stat().st_mtime > since for file in files if file.exists())


def main() -> int:
    """Build the site, as `make docs`; what is wrong with it is told, and the exit code is 2."""
    from workshop.core.process import SubprocessRunner  # noqa: PLC0415 - who serves the site has one already

    try:
        _say(build(SubprocessRunner()))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _say(f"The site is in {SITE}/; to look at it: workshop serve")
    return 0


def show(port: int, run: Runner, root: Path = ROOT) -> None:
    """Serve the site until this is interrupted; build it first where that is needed."""
    # The port first: nobody wants to wait for a site that cannot be shown.
    with serve(root / SITE, port) as server:
        if is_stale(root):
            _say("Building the site ...")
            _say(build(run, root))
        _say(f"The course is at http://{HOST}:{server.server_port}/ (Ctrl-C ends this)")
        server.serve_forever()


@contextmanager
def serve(folder: Path, port: int) -> Iterator[ThreadingHTTPServer]:
    """A server of `folder` on this machine alone; port 0 is any that is free."""
    try:
        server = ThreadingHTTPServer((HOST, port), partial(_Quiet, directory=str(folder)))
    except OverflowError:
        raise UserError(
            f"port {port}", "there is no such port", "Name one from 1 to 65535"
        ) from None
    except OSError as error:
        fix = f"Name another: workshop serve --port {port + 1}"
        raise UserError(f"port {port}", error.strerror or "it is in use", fix) from None
    with server:
        yield server


class _Quiet(SimpleHTTPRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *_said: object) -> None:
        """A request is no news."""


def _say(line: str) -> None:
    if line:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
