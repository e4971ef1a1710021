"""The users that a container's processes run as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

# These programs change the user: with them, USER does not tell who runs the server.
_SWITCHERS = ("gosu", "su-exec", "setpriv", "runuser", "su ", "setuid", "chroot")
_TITLE = "Runs as a non-root user"
_HINT = "Create a user with RUN useradd, and name it with USER after the last step that needs root."


def _root_by_text(source: Source) -> None:
    final = source.final()
    switches = any(word in step.text for step in final.instructions for word in _SWITCHERS)
    user = final.user.value.partition(":")[0] if final.user else "root"
    if not switches and user in {"", "0", "root"}:
        actual = "USER root" if final.user else "no USER in the last stage, so the user is root"
        line = final.user.line if final.user else final.stage.line
        raise Failed(actual, "a user other than root", line=line)


def runs_as_non_root(uid: int | None = None) -> Check:
    """Require that no process runs as root; with `uid`, that all run as this user."""
    expected = f"every process with uid {uid}" if uid else "every process with a uid other than 0"

    @check(
        points=2,
        title=_TITLE,
        text=_root_by_text,
        why="An attacker who takes over the server gets its user's permissions, "
        "and root can do anything.",
        hint=_HINT,
    )
    def runs_as_non_root(app: App) -> None:
        for process in app.processes:
            if process.uid == 0:
                raise Failed(f"{process.command} runs as root (uid 0)", expected)
            if uid and process.uid != uid:
                raise Failed(f"{process.command} runs with uid {process.uid}", expected)

    return runs_as_non_root


@check(
    points=2,
    name="runs-as-non-root",
    title=_TITLE,
    text=_root_by_text,
    blame=("USER",),
    why="A program has its user's permissions, and root can do anything.",
    hint=_HINT,
)
def user_is_non_root(image: Image) -> None:
    """USER is a user of the image other than root, for programs that end."""
    identity = image.identity()
    if identity is None or identity[0] == 0:
        user = f"USER {image.user}" if image.user else "no USER"
        actual = "which /etc/passwd does not list" if identity is None else "so uid 0, root"
        expected = "USER with a name or number from /etc/passwd that is not root's"
        raise Failed(f"{user}, {actual}", expected)
