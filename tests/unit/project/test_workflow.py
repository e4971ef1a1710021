"""The workflow is pinned, has minimal permissions, runs the kit's commands, publishes only tags."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib

import pytest
import yaml
from harness import ROOT, run

GITHUB = ROOT / ".github"
WORKFLOW = GITHUB / "workflows" / "python-lint-test-upload.yml"
WEEKLY = GITHUB / "workflows" / "weekly.yml"
TEXT = WORKFLOW.read_text(encoding="utf-8")
PINNED = re.compile(r"(?:- )?uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # v\d+\.\d+\.\d+")


def load(text: str) -> dict:
    # BaseLoader makes only strings; other loaders read the key `on` as true.
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506


FLOW = load(TEXT)
JOBS = FLOW["jobs"]
PUBLISH = JOBS["publish"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
SCRIPTS = [step["run"] for step in STEPS if "run" in step]


def steps_of(action: str) -> list[dict]:
    return [step for step in STEPS if step.get("uses", "").startswith(f"{action}@")]


def the_step(action: str) -> dict:
    (step,) = steps_of(action)
    return step


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-workflows", WORKFLOW),
        ("custom.github-workflows-require-timeout", WORKFLOW),
        ("vendor.github-workflows", WEEKLY),
        ("custom.github-workflows-require-timeout", WEEKLY),
        ("vendor.dependabot", GITHUB / "dependabot.yml"),
    ],
)
def test_files_follow_their_schema(schema, file):
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file))


def test_the_weekly_workflow_has_the_same_pins_and_is_read_only():
    text = WEEKLY.read_text(encoding="utf-8")
    flow = load(text)
    pins = {match[0].removeprefix("- ") for match in PINNED.finditer(TEXT)}
    used = {line.strip().removeprefix("- ") for line in text.splitlines() if " uses: " in line}
    assert used
    assert used <= pins
    assert flow["permissions"] == {"contents": "read"}
    assert "secrets" not in text
    scripts = [step["run"] for step in flow["jobs"]["long"]["steps"] if "run" in step]
    assert scripts == ["make build", "make course", "make rubric"]


def test_every_action_is_pinned_by_commit_with_its_version_in_a_comment():
    lines = [line.strip() for line in TEXT.splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert len(lines) == sum("uses" in step for step in STEPS) > 0
    assert [line for line in lines if not PINNED.fullmatch(line)] == []


def test_an_action_has_the_same_pin_everywhere():
    pins = {match["action"]: set() for match in PINNED.finditer(TEXT)}
    for match in PINNED.finditer(TEXT):
        pins[match["action"]].add(match[0].removeprefix("- "))
    assert [action for action, found in pins.items() if len(found) != 1] == []


def test_an_image_of_an_action_is_pinned_by_digest():
    images = [step["with"]["image"] for step in STEPS if "image" in step.get("with", {})]
    assert [image for image in images if not re.search(r":.+@sha256:[0-9a-f]{64}$", image)] == []


def test_dependabot_updates_the_pins():
    config = load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))
    assert {"github-actions"} == {entry["package-ecosystem"] for entry in config["updates"]}


def test_only_publish_may_write_packages():
    assert FLOW["permissions"] == {"contents": "read"}
    own = {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job}
    assert own == {"publish": {"contents": "read", "packages": "write"}}


def test_pull_requests_run_without_secrets():
    assert set(FLOW["on"]) == {"push", "pull_request"}
    publish = yaml.safe_dump(PUBLISH)
    assert re.findall(r"secrets\.\w+|github\.token", TEXT) == ["secrets.GITHUB_TOKEN"]
    assert "secrets.GITHUB_TOKEN" in publish


def test_no_checkout_keeps_its_token():
    checkouts = steps_of("actions/checkout")
    assert len(checkouts) == len(JOBS)
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"] * len(JOBS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_shell_step_is_a_command_of_the_kit(script):
    run("bash", "-n", "-c", script)
    program, command = shlex.split(script)
    assert program == "make"
    assert command in load((ROOT / "Taskfile.yaml").read_text(encoding="utf-8"))["tasks"]
    # A dry run prints the command and runs nothing.
    output = run("make", "--dry-run", "--no-print-directory", command, cwd=ROOT).stdout
    assert output.splitlines()[-1].split()[-1] == command


def test_the_jobs_run_lint_and_test_and_require_an_engine():
    (lint,) = [step for step in JOBS["lint"]["steps"] if "run" in step]
    (test,) = [step for step in JOBS["test"]["steps"] if "run" in step]
    assert (lint["run"], test["run"]) == ("make lint", "make test")
    assert test["env"]["REQUIRE_ENGINE"] == "1"


def test_the_kit_supports_the_python_version():
    kit = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floor = tuple(map(int, re.search(r">=(\d+)\.(\d+)", kit["requires-python"]).groups()))
    setups = [step["with"] for step in steps_of("actions/setup-python")]
    assert len(setups) == 2
    for setup in setups:
        assert tuple(map(int, setup["python-version"].split("."))) >= floor
        assert (ROOT / setup["cache-dependency-path"]).is_file()


def test_publish_needs_lint_and_test_and_a_version_tag():
    assert set(PUBLISH["needs"]) == {"lint", "test"}
    assert FLOW["on"]["push"] == {"branches": ["main"], "tags": ["v*"]}
    conditions = set(PUBLISH["if"].split(" && "))
    assert conditions == {"github.event_name == 'push'", "startsWith(github.ref, 'refs/tags/v')"}


def test_only_publish_pushes():
    for action in ("docker/login-action", "docker/build-push-action"):
        assert the_step(action) in PUBLISH["steps"]
    assert [script for script in SCRIPTS if "push" in script or "upload" in script] == []


def test_a_publishing_run_is_never_cancelled():
    assert "github.ref" in FLOW["concurrency"]["group"]
    cancel = FLOW["concurrency"]["cancel-in-progress"]
    assert cancel == "${{ github.event_name == 'pull_request' }}"


def test_the_image_name_has_its_owner_once():
    name = the_step("docker/metadata-action")["with"]["images"]
    name = name.replace("${{ github.repository }}", "Owner/course")
    name = name.replace("${{ github.repository_owner }}", "Owner")
    assert re.fullmatch(r"ghcr\.io/Owner/(course/)?deathstar", name)


def test_the_image_name_is_in_lower_case():
    # The metadata action converts names to lower case, so every name must come from it.
    build = the_step("docker/build-push-action")["with"]
    meta = the_step("docker/metadata-action")["id"]
    assert build["tags"] == f"${{{{ steps.{meta}.outputs.tags }}}}"
    assert build["labels"] == f"${{{{ steps.{meta}.outputs.labels }}}}"
    assert TEXT.count("ghcr.io/") == 1


def test_the_image_is_built_from_the_service_for_both_platforms():
    build = the_step("docker/build-push-action")["with"]
    assert (ROOT / build["context"] / "Dockerfile").is_file()
    assert build["context"] == "services/deathstar"
    assert build["push"] == "true"
    assert set(build["platforms"].split(",")) == {"linux/amd64", "linux/arm64"}
