"""The full digest changes with everything; the facts digest only with what changes outcomes."""

from __future__ import annotations

import pytest

from workshop.cohort import rubric

CHECK = '''\
"""The users."""

# Which programs change the user.
@check(
    points=2,
    why="An attacker has its rights.",
    hint="Add USER.",
    lesson="x",
    title="A user",
    blame=("USER",),
)
def user(image: Image) -> None:
    if image.user == "root":
        raise Failed("root", "another user", hint="Add USER app.")


TASK = Task(title="x", already_met=("builds",), checks=(user._replace(points=1),))
'''
FILES = {
    "workshop/model.py": "x = 1",
    "workshop/checks/user.py": CHECK,
    "workshop/analysis/words.toml": "x = 1",
    "services/fastapi/app.py": "# The app.",
}


@pytest.fixture
def digests(tmp_path, monkeypatch):
    """Return whether both digests change when a text of a file is replaced."""
    for name in ("workshop/grading", "workshop/tasks"):
        (tmp_path / name).mkdir(parents=True)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(rubric, "ROOT", tmp_path)
    monkeypatch.setattr("workshop.analysis.starter.ROOT", tmp_path)

    def read():
        rubric._code_digest.cache_clear()
        functions = (rubric.full_digest, rubric.facts_digest)
        return [function.__wrapped__("task-5") for function in functions]

    def replace(name, old, new):
        before = read()
        assert read() == before
        text = (tmp_path / name).read_text()
        assert old in text
        (tmp_path / name).write_text(text.replace(old, new))
        return tuple(one != other for one, other in zip(before, read(), strict=True))

    yield replace
    rubric._code_digest.cache_clear()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("points=2", "points=3"),
        ("points=1", "points=3"),
        ("An attacker", "An intruder"),
        ('hint="Add USER."', 'hint="Add a USER."'),
        ('lesson="x"', 'lesson="y"'),
        ('title="A user"', 'title="The user"'),
        ('"builds",', '"builds", "user"'),
        ("# Which", "# Those"),
        ("\n\n\n", "\n\n"),
    ],
)
def test_points_texts_and_comments_change_no_outcome(digests, old, new):
    assert digests("workshop/checks/user.py", old, new) == (True, False)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("workshop/checks/user.py", '"root"', '"admin"'),
        ("workshop/checks/user.py", "USER app", "USER me"),
        ("workshop/checks/user.py", 'blame=("USER",)', 'blame=("RUN",)'),
        ("workshop/checks/user.py", "checks=(", "checks=(builds, "),
        ("workshop/model.py", "1", "2"),
        ("workshop/analysis/words.toml", "1", "2"),
        ("services/fastapi/app.py", "app", "program"),
    ],
)
def test_everything_else_changes_both(digests, name, old, new):
    assert digests(name, old, new) == (True, True)


def test_the_kits_own_digests_differ_between_tasks():
    for digest in (rubric.full_digest, rubric.facts_digest):
        assert digest("task-5") == digest("task-5") != digest("baby-steps")
