"""The threats: each `.toml` file beside this module describes one; its keys are those of `Threat`.

The first word of a file's name is the threat's group. `workshop/site/scorecard.py` turns the files
into a page for instructors.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workshop.grading.limits import CLASS

HERE = Path(__file__).parent
ANYWHERE, ROOT_ONLY = "anywhere", "Linux as root"
GRADED, REFUSED = ("passed", "failed", "ungradable"), "refused"


@dataclass(frozen=True)
class Threat:
    """What a submission tries, and what has to become of it.

    `outcome` is that of its verdict, or `refused` if `workshop grade` accepts no such submission.
    Its report matches the pattern `says`, and nothing that is written about it matches `never`.
    `contained` says for instructors what happens, and `holds` where: `anywhere` or `Linux as root`.

    One of these makes the submission: `dockerfile`, `server` (Python, see `SERVER`), `files` (a
    function in `submissions.py`), `compose` (a compose file), or `archive` (its entries). `learner`
    is the name of the learner's folder. `before` is the Dockerfile of another learner, graded
    first. With `unreached`, no connection reaches the listening port of this machine. `seconds` is
    the time of a build. Texts may have the placeholders of the fixture `fill`.
    """

    threat: str
    outcome: str
    says: str
    contained: str = ""
    holds: str = ANYWHERE
    never: str = ""
    dockerfile: str = ""
    server: str = ""
    files: str = ""
    compose: str = ""
    archive: tuple[dict[str, Any], ...] = ()
    kind: str = "zip"
    learner: str = ""
    before: str = ""
    unreached: bool = False
    seconds: float = CLASS.seconds

    @property
    def in_class(self) -> bool:
        """Whether it is graded with a whole class, by `workshop grade`.

        So are the threats that cost next to nothing, because nothing of them is built, and those
        that are about what is written of a class.
        """
        return bool(self.archive or self.compose or self.learner)


THREATS = {
    path.stem: Threat(**tomllib.loads(path.read_text(encoding="utf-8")))
    for path in sorted(HERE.glob("*.toml"))
}
# The services of a compose file: `dockerfile` is that of one of them.
STACK = {name: threat for name, threat in THREATS.items() if name.startswith("stack-")}
ALONE = {
    name: threat for name, threat in THREATS.items() if not threat.in_class and name not in STACK
}
IN_CLASS = {name: threat for name, threat in THREATS.items() if threat.in_class}
