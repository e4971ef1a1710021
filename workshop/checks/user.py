"""Who a container's processes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from workshop.analysis.container.app import App
    from workshop.analysis.image.image import Image
    from workshop.analysis.source import Source

# Programs that change the user themselves: then USER does not say who runs the server.
_SWITCHERS = ("gosu", "su-exec", "setpriv", "runuser", "su ", "setuid", "chroot")


def runs_as_non_root(lesson: str, uid: int | None = None, points: int = 2) -> Check:
    """No process of the container is root's; with `uid`, all are that user's."""
    expected = f"every process with uid {uid}" if uid else "every process with a uid other than 0"

    @check(
        points=points,
        lesson=lesson,
        title="The server does not run as root",
        text=_not_root_by_text,
        why="Whoever breaks into a server has the rights of its user, and root has all of them.",
        hint="Make a user with RUN useradd; name it with USER after the last step that needs root.",
    )
    def runs_as_non_root(app: App) -> None:
        for process in app.processes:
            if process.uid == 0:
                raise Failed(f"{process.command} runs with uid 0, which is root", expected)
            if uid and process.uid != uid:
                raise Failed(f"{process.command} runs with uid {process.uid}", expected)

    return runs_as_non_root


def becomes_non_root(lesson: str, points: int = 2) -> Check:
    """USER names somebody who is not root, and whom the image knows: for programs that end."""
    expected = "USER with a name or a number of /etc/passwd that is not root's"

    @check(
        points=points,
        lesson=lesson,
        name="runs-as-non-root",
        title="The program does not run as root",
        text=_not_root_by_text,
        blame=("USER",),
        why="A program can do what its user can do, and root can do everything.",
        hint="Make a user with RUN useradd; name it with USER after the last step that needs root.",
    )
    def runs_as_non_root(image: Image) -> None:
        who = image.identity()
        if who is None or who[0] == 0:
            user = f"USER {image.user}" if image.user else "no USER"
            actual = "nobody that the image knows" if who is None else "uid 0, which is root"
            raise Failed(f"{user}: it runs as {actual}", expected)

    return runs_as_non_root


def _not_root_by_text(source: Source) -> None:
    final = source.final()
    switches = any(word in step.text for step in final.instructions for word in _SWITCHERS)
    user = final.user.value.partition(":")[0] if final.user else "root"
    if not switches and user in {"", "0", "root"}:
        actual = "USER root" if final.user else "no USER in the last stage, so it is root"
        line = final.user.line if final.user else final.stage.line
        raise Failed(actual, "a user who is not root", line=line)
