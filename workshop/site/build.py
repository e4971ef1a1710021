"""Builds the course's site from docs/, and serves it on this machine."""

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
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from workshop.core.process import Runner

DOCS, SITE = "docs", "site"
SETTINGS = "mkdocs.yml"
# The sources of the site, which is rebuilt if one of them is newer.
SOURCES = (DOCS, "services", "museum", "versions.toml", SETTINGS)
MERMAID = "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
MERMAID_TARGET = "assets/mermaid.js"
HOST = "127.0.0.1"


def build(run: Runner, root: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """Build the site in strict mode into site/, and return a warning, or an empty string.

    `env` is added to the environment of MkDocs.

    A broken link or a missing included file is a `UserError` with its page and line.
    """
    from workshop.site import lessons  # noqa: PLC0415 - not needed to serve a built site

    lessons.pages(root / DOCS, root)
    # Not --quiet: MkDocs would then ignore warnings.
    argv = (sys.executable, "-m", "mkdocs", "build", "--strict")
    settings = ("--config-file", str(root / SETTINGS))
    done = run((*argv, *settings), env={"NO_MKDOCS_2_WARNING": "1", **(env or {})})
    if done.code:
        skipped = ("INFO", "Aborted")
        lines = [line for line in done.output.splitlines() if not line.startswith(skipped)]
        found = "\n".join(_add_line_number(line, root / DOCS) for line in lines).strip()
        raise UserError("docs", found, "Fix that, and build again")
    return _add_mermaid(run, root)


def _add_line_number(warning: str, docs: Path) -> str:
    """Add the line number of the link to a warning of MkDocs about it."""
    found = re.match(r"WARNING +- +Doc file '([^']+)' contains [^']* '([^']+)'", warning)
    if not found:
        return warning
    page, link = found.groups()
    lines = (docs / page).read_text(encoding="utf-8").splitlines()
    at = next((number for number, line in enumerate(lines, 1) if f"({link}" in line), 1)
    return warning.replace(found[0], f"docs/{page}, line {at}: it contains a link '{link}'", 1)


def _add_mermaid(run: Runner, root: Path) -> str:
    """Copy Mermaid into the site; without npm, return the warning that diagrams stay text."""
    source = root / "web" / MERMAID
    if not source.exists():
        argv = ("npm", "ci", "--prefix", str(root / "web"), "--no-audit", "--no-fund")
        done = run((*argv, "--omit=dev", "--ignore-scripts"))
        if done.code:
            return f"Diagrams are shown as text: npm could not fetch Mermaid ({done.last_line})"
    shutil.copyfile(source, root / SITE / MERMAID_TARGET)
    return ""


def is_stale(root: Path = ROOT) -> bool:
    """Whether site/ is missing, or older than its sources."""
    built = root / SITE / "index.html"
    if not built.exists():
        return True
    since = built.stat().st_mtime
    files = (file for name in SOURCES for file in (root / name, *(root / name).rglob("*")))
    return any(file.stat().st_mtime > since for file in files if file.exists())


def main() -> int:
    """Build the site, as `make docs`; the exit code is 2 if that fails."""
    from workshop.core.process import SubprocessRunner  # noqa: PLC0415 - only used here

    try:
        _print(build(SubprocessRunner()))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _print(f"The site is in {SITE}/. To read it, run: workshop serve")
    return 0


def run_server(port: int, run: Runner, root: Path = ROOT) -> None:
    """Serve the site until Ctrl-C, after building it if it is stale."""
    # Open the port first: if that fails, the build would be a waste of time.
    with serve(root / SITE, port) as server:
        if is_stale(root):
            _print("Building the site ...")
            _print(build(run, root))
        _print(f"The course is at http://{HOST}:{server.server_port}/ (press Ctrl-C to quit)")
        server.serve_forever()


@contextmanager
def serve(folder: Path, port: int) -> Iterator[ThreadingHTTPServer]:
    """Serve `folder` on the loopback interface; port 0 picks a free port."""
    try:
        server = ThreadingHTTPServer((HOST, port), partial(_QuietHandler, directory=str(folder)))
    except OverflowError:
        fix = "Use a port from 1 to 65535"
        raise UserError(f"port {port}", "there is no such port", fix) from None
    except OSError as error:
        fix = f"Use another: workshop serve --port {port + 1}"
        raise UserError(f"port {port}", error.strerror or "it is in use", fix) from None
    with server:
        yield server


class _QuietHandler(SimpleHTTPRequestHandler):
    """A request handler that logs nothing."""

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


def _print(line: str) -> None:
    if line:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
