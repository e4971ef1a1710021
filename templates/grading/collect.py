"""Clone the repository of each learner into a folder with the learner's id.

A repository is data: nothing in it is run, no submodule or large file is fetched for it, and the
token is sent only to GitHub and stored nowhere.
"""

from __future__ import annotations

import base64
import csv
import os
import re
import subprocess
import sys
from pathlib import Path

ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+")
VARIABLE = "READ_TOKEN"  # holds a token, or is empty
SECONDS = 300  # for one repository
PASSED, FAILED, WRONG_LIST = 0, 1, 2


class ListError(Exception):
    """A list of the class that cannot be used."""


def main(arguments: list[str]) -> int:
    """Clone every repository; return 1 if one could not be cloned, or 2 for a wrong list."""
    if len(arguments) != 2:  # noqa: PLR2004 - the list and the folder
        sys.stderr.write("usage: collect.py CLASS.csv FOLDER\n")
        return WRONG_LIST
    file, folder = Path(arguments[0]), Path(arguments[1])
    try:
        learners = read(file)
    except (ListError, OSError) as error:
        sys.stderr.write(f"{file}: {error}\n")
        return WRONG_LIST
    folder.mkdir(parents=True, exist_ok=True)
    server, token = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get(VARIABLE, "")
    server = server or "https://github.com"
    failed = 0
    for learner, repository in learners.items():
        reason = clone(f"{server}/{repository}", folder / learner, token)
        failed += bool(reason)
        sys.stdout.write(f"{learner}: {reason or 'collected'}\n")
    sys.stdout.write(f"{len(learners) - failed} of {len(learners)} repositories were collected\n")
    return FAILED if failed else PASSED


def read(file: Path) -> dict[str, str]:
    """Return the repository of each learner's id; raise `ListError` for a row that is wrong."""
    learners: dict[str, str] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        missing = {"id", "repository"} - set(rows.fieldnames or ())
        if missing:
            raise ListError(f"no column {' or '.join(sorted(missing))}. Add it to the first line")
        for row in rows:
            learner, repository = (row["id"] or "").strip(), (row["repository"] or "").strip()
            where = f"line {rows.line_num}"
            if not ID.fullmatch(learner):
                raise ListError(
                    f"{where}: the id {learner!r} must have only letters, digits and _.-"
                )
            if not REPOSITORY.fullmatch(repository):
                raise ListError(f"{where}: the repository {repository!r} is not like OWNER/NAME")
            if learner in learners:
                raise ListError(f"{where}: the id {learner!r} is there twice")
            learners[learner] = repository
    if not learners:
        raise ListError("no learners. Add a line for each")
    return learners


def clone(address: str, target: Path, token: str) -> str:
    """Clone the newest commit, and return the reason if that fails, or an empty text."""
    argv = ("git", "clone", "--quiet", "--depth=1", "--no-tags", "--", address, str(target))
    inherited = {name: text for name, text in os.environ.items() if name != VARIABLE}
    try:
        done = subprocess.run(
            argv,
            env={**inherited, **git_environment(address, token)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"git took more than {SECONDS} s"
    errors = [line for line in done.stderr.splitlines() if line.startswith("fatal: ")]
    return (errors or ["git failed"])[0] if done.returncode else ""


def git_environment(address: str, token: str) -> dict[str, str]:
    """Return the settings of git; a token is sent to this repository only, and not to a disk."""
    settings = {
        "protocol.allow": "never",
        f"protocol.{address.partition(':')[0]}.allow": "always",
        # A redirect would take the token to another server.
        "http.followRedirects": "false",
        "core.hooksPath": os.devnull,
    }
    if token:
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        settings[f"http.{address}.extraHeader"] = f"Authorization: Basic {basic}"
    numbered = enumerate(settings.items())
    return {
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **{
            f"GIT_CONFIG_{part}_{number}": text
            for number, pair in numbered
            for part, text in zip(("KEY", "VALUE"), pair, strict=True)
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
