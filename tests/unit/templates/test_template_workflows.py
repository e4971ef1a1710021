"""The workflows of the templates are pinned and read-only, and learners decide nothing in them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from harness import ROOT, run

ACT = str(Path(sys.executable).with_name("act"))
LEARNER = ROOT / "templates/learner/.github/workflows/check.yml"
GRADING = ROOT / "templates/grading/.github/workflows/grade.yml"
ACTION = ROOT / ".github/actions/grade/action.yml"
BOTH = pytest.mark.parametrize("file", [LEARNER, GRADING], ids=["learner", "grading"])
OURS = ".github/actions/grade@KIT-COMMIT # KIT-VERSION"
USES = re.compile(r"uses: (.+)")


def load(file) -> dict:
    # BaseLoader makes only strings; other loaders read the key `on` as true.
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506


def steps(file) -> list[dict]:
    (job,) = load(file)["jobs"].values()
    return job["steps"]


@BOTH
def test_a_workflow_follows_its_schema(file):
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file))
    run(ACT, "--validate", "--strict", "--workflows", str(file), cwd=ROOT)


def test_the_action_follows_its_schema():
    schema = "vendor.github-actions"
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(ACTION))


@BOTH
def test_each_action_has_the_pin_of_the_kit_or_is_the_kit(file):
    texts = [f.read_text(encoding="utf-8") for f in (ROOT / ".github/workflows").glob("*.yml")]
    pins = {pin for text in texts for pin in USES.findall(text)}
    used = USES.findall(file.read_text(encoding="utf-8"))
    ours = [use for use in used if use.endswith(OURS)]
    others = [use for use in used if use not in ours]
    assert len(ours) == 1
    assert ACTION.parent == ROOT / OURS.partition("@")[0]
    known = pins | {
        "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
    }
    assert set(others) <= known


@BOTH
def test_a_workflow_may_only_read_the_code(file):
    flow = load(file)
    assert flow["permissions"] == {"contents": "read"}
    assert [name for name, job in flow["jobs"].items() if "permissions" in job] == []
    checkouts = [step for step in steps(file) if "actions/checkout@" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"]


def test_learners_start_their_own_workflow_only():
    assert set(load(LEARNER)["on"]) == {"push", "workflow_dispatch"}
    assert set(load(GRADING)["on"]) <= {"schedule", "workflow_dispatch"}


def test_no_secret_is_in_a_repository_of_a_learner():
    assert "secrets" not in LEARNER.read_text(encoding="utf-8")


def test_only_the_step_that_collects_has_the_token():
    with_token = [step["name"] for step in steps(GRADING) if "secrets." in yaml.safe_dump(step)]
    assert with_token == ["Collect the repositories"]


@pytest.mark.parametrize("file", [LEARNER, GRADING, ACTION], ids=["learner", "grading", "action"])
def test_no_shell_step_contains_an_expression(file):
    found = load(file)["runs"]["steps"] if file == ACTION else steps(file)
    scripts = [step["run"] for step in found if "run" in step]
    assert [script for script in scripts if "${{" in script] == []
    for script in scripts:
        run("bash", "-n", "-c", script)


def test_no_step_runs_in_the_folder_of_a_learner():
    for step in [*steps(LEARNER), *steps(GRADING), *load(ACTION)["runs"]["steps"]]:
        assert "working-directory" not in step
        assert not re.search(r"\bcd\b", step.get("run", ""))
