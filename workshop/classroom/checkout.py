"""The kit itself as a file of a pack: the committed files of a checkout."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from workshop.core.process import Runner

KIT = "kit.tar"
# One commit, with the date of the packed one, so that every classroom has the same.
_IDENTITY = {
    "GIT_AUTHOR_NAME": "workshop",
    "GIT_AUTHOR_EMAIL": "workshop@localhost",
    "GIT_COMMITTER_NAME": "workshop",
    "GIT_COMMITTER_EMAIL": "workshop@localhost",
}


def commit(run: Runner, root: Path) -> tuple[str, int]:
    """Return the checkout's commit, and its time in seconds since 1970.

    Changes that are not committed are a `UserError`: they would not be in the pack.
    """
    status = run(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])
    if status.code:
        fix = "Pack from a git checkout of the kit"
        raise UserError(f"checkout {root}", status.last_line or "git failed", fix)
    if status.stdout.strip():
        changed = status.stdout.split()[1]
        found = f"{changed} has changes that are not committed"
        raise UserError(f"checkout {root}", found, "Commit or stash them, then run this again")
    done = run(["git", "-C", str(root), "log", "-1", "--format=%H %ct"])
    name, _, seconds = done.stdout.strip().partition(" ")
    return name, int(seconds)


def archive(run: Runner, root: Path, commit: str, target: Path) -> None:
    """Write the files of a commit to a tar file; the same commit gives the same bytes."""
    argv = ["git", "-C", str(root), "archive", "--format=tar", f"--output={target}", commit]
    if run(argv).code:
        raise UserError(f"checkout {root}", "git archive failed", "Run: git fsck")


def publish(run: Runner, kit: Path, repository: Path) -> None:
    """Make a bare repository from the kit's tar file, which a plain web server can serve."""
    with tempfile.TemporaryDirectory(dir=repository.parent) as folder:
        tree, made = Path(folder, "tree"), Path(folder, "made.git")
        tree.mkdir()
        git = ["git", "--git-dir", str(made), "--work-tree", str(tree)]
        for argv in (
            ["tar", "-xf", str(kit), "-C", str(tree)],
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(made)],
            [*git, "add", "--all", "--force"],
            [*git, "commit", "--quiet", "--message", "The course"],
            ["git", "--git-dir", str(made), "update-server-info"],
        ):
            done = run(argv, env=_IDENTITY)
            if done.code:
                found = done.last_line or f"{argv[0]} failed"
                raise UserError("kit of the pack", found, "Install git, and run this again")
        made.rename(repository)
