"""Workflows are pinned, have minimal permissions, run the kit's commands, publish only tags."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from harness import ROOT, run

from workshop.stack.images import IMAGES

GITHUB = ROOT / ".github"
WORKFLOW = GITHUB / "workflows" / "python-lint-test-upload.yml"
WEEKLY = GITHUB / "workflows" / "weekly.yml"
SITE = GITHUB / "workflows" / "site.yml"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TEXT = WORKFLOW.read_text(encoding="utf-8")
ACT = str(Path(sys.executable).with_name("act"))
ALL_TEXT = "\n".join(file.read_text(encoding="utf-8") for file in WORKFLOWS)
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


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
@pytest.mark.parametrize(
    "schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"]
)
def test_a_workflow_follows_its_schema(schema, file):
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file))


def test_the_configuration_of_dependabot_follows_its_schema():
    file = str(GITHUB / "dependabot.yml")
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.dependabot", file)


def test_github_accepts_every_expression():
    """The validator of act also reads expressions, and knows which context is where."""
    for file in WORKFLOWS:
        run(ACT, "--validate", "--strict", "--workflows", str(file), cwd=ROOT)


def test_a_wrong_expression_is_found(tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text(TEXT.replace("github.ref", "githbu.ref"), encoding="utf-8")
    argv = (ACT, "--validate", "--strict", "--workflows", str(broken))
    assert run(*argv, cwd=ROOT, check=False).returncode != 0


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_job_needs_jobs_that_exist_and_reads_steps_that_exist(file):
    jobs = load(file.read_text(encoding="utf-8"))["jobs"]
    for job in jobs.values():
        needs = job.get("needs", [])
        assert ({needs} if isinstance(needs, str) else set(needs)) <= set(jobs)
        ids = {step["id"] for step in job.get("steps", ()) if "id" in step}
        assert set(re.findall(r"\bsteps\.(\w+)", yaml.safe_dump(job))) <= ids


def test_the_weekly_workflow_is_read_only():
    flow = load(WEEKLY.read_text(encoding="utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    assert [name for name, job in flow["jobs"].items() if "permissions" in job] == []
    assert set(flow["on"]) == {"schedule", "workflow_dispatch"}


def test_the_weekly_workflow_rebuilds_everything_on_the_newest_base_images():
    jobs = load(WEEKLY.read_text(encoding="utf-8"))["jobs"]
    scripts = {
        name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()
    }
    assert scripts == {
        "long": ["make build", "make course", "make rubric"],
        "bases": ["make pull", "make test"],
    }


def test_only_the_deployment_of_the_site_may_write_pages():
    flow = load(SITE.read_text(encoding="utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    own = {n: job["permissions"] for n, job in flow["jobs"].items() if "permissions" in job}
    assert own == {"deploy": {"pages": "write", "id-token": "write"}}
    deploy = flow["jobs"]["deploy"]
    assert deploy["if"] == "github.ref == 'refs/heads/main'"
    # A job that may write runs no code of the repository.
    assert [step["uses"].partition("@")[0] for step in deploy["steps"]] == ["actions/deploy-pages"]


def test_the_site_is_deployed_from_the_folder_that_make_docs_writes():
    steps = load(SITE.read_text(encoding="utf-8"))["jobs"]["build"]["steps"]
    (upload,) = [step for step in steps if "upload-pages" in step.get("uses", "")]
    site = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    assert upload["with"]["path"] == site["site_dir"]
    assert upload["if"] == "github.ref == 'refs/heads/main'"


def test_no_workflow_runs_code_of_a_fork_with_write_access():
    assert "pull_request_target" not in re.sub(r"#.*", "", ALL_TEXT)
    assert "workflow_run" not in ALL_TEXT


def test_no_shell_step_contains_an_expression():
    """A tag or a branch is text from outside: the shell gets it in a variable."""
    for file in WORKFLOWS:
        jobs = load(file.read_text(encoding="utf-8"))["jobs"].values()
        scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
        assert [script for script in scripts if "${{" in script] == []


def test_every_action_is_pinned_by_commit_with_its_version_in_a_comment():
    lines = [line.strip() for line in ALL_TEXT.splitlines() if re.match(r"\s*(- )?uses:", line)]
    assert len(lines) > len(WORKFLOWS)
    assert [line for line in lines if not PINNED.fullmatch(line)] == []


def test_an_action_has_the_same_pin_everywhere():
    pins: dict[str, set[str]] = {}
    for match in PINNED.finditer(ALL_TEXT):
        pins.setdefault(match["action"], set()).add(match[0].removeprefix("- "))
    assert pins
    assert [action for action, found in pins.items() if len(found) != 1] == []


def test_an_image_of_an_action_is_pinned_by_digest():
    images = [step["with"]["image"] for step in STEPS if "image" in step.get("with", {})]
    assert [image for image in images if not re.search(r":.+@sha256:[0-9a-f]{64}$", image)] == []


def test_dependabot_updates_the_pins():
    config = load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))
    assert {"github-actions"} == {entry["package-ecosystem"] for entry in config["updates"]}


def test_only_publish_may_write_packages_and_only_release_the_repository():
    assert FLOW["permissions"] == {"contents": "read"}
    own = {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job}
    assert own == {
        "publish": {"contents": "read", "packages": "write"},
        "release": {"contents": "write"},
    }


def test_pull_requests_run_without_secrets():
    assert set(FLOW["on"]) == {"push", "pull_request"}
    for name, job in JOBS.items():
        used = re.findall(r"secrets\.\w+|github\.token", yaml.safe_dump(job))
        assert used == (["secrets.GITHUB_TOKEN"] if name in {"publish", "release"} else []), name


def test_no_checkout_keeps_its_token():
    checkouts = steps_of("actions/checkout")
    assert len(checkouts) == len(JOBS)
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"] * len(JOBS)


def commands() -> list[str]:
    """Return the shell steps of all workflows, without the one that creates the release."""
    jobs = [job for file in WORKFLOWS for job in load(file.read_text("utf-8"))["jobs"].values()]
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    (release,) = [script for script in scripts if "gh release create" in script]
    return sorted({script for script in scripts if script != release})


@pytest.mark.parametrize("script", commands())
def test_every_shell_step_is_a_command_of_the_kit(script):
    run("bash", "-n", "-c", script)
    program, command, *_variables = shlex.split(script)
    assert program == "make"
    assert command in load((ROOT / "Taskfile.yaml").read_text(encoding="utf-8"))["tasks"]
    # A dry run prints the command and runs nothing.
    output = run("make", "--dry-run", "--no-print-directory", command, cwd=ROOT).stdout
    assert output.splitlines()[-1].split()[-1] == command


def scripts_of(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_the_jobs_run_lint_and_test_and_require_an_engine():
    assert scripts_of("lint")[0] == "make lint"
    assert scripts_of("test") == ["make test"]
    (test,) = [step for step in JOBS["test"]["steps"] if "run" in step]
    assert test["env"]["REQUIRE_ENGINE"] == "1"


def test_the_notes_of_a_release_are_checked_before_anything_is_published():
    (notes,) = [step for step in JOBS["lint"]["steps"] if "release-notes" in step.get("run", "")]
    assert notes["if"] == "startsWith(github.ref, 'refs/tags/v')"
    assert "lint" in PUBLISH["needs"]
    assert JOBS["release"]["needs"] == "publish"
    assert JOBS["release"]["if"] == PUBLISH["if"]


def test_the_kit_supports_the_python_version():
    kit = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floor = tuple(map(int, re.search(r">=(\d+)\.(\d+)", kit["requires-python"]).groups()))
    setups = [step["with"] for step in steps_of("actions/setup-python")]
    assert len(setups) == len(JOBS) - 1
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
    name = name.replace("${{ matrix.image }}", "deathstar")
    assert name == "ghcr.io/Owner/course/deathstar"


def test_the_image_name_is_in_lower_case():
    # The metadata action converts names to lower case, so every name must come from it.
    build = the_step("docker/build-push-action")["with"]
    meta = the_step("docker/metadata-action")["id"]
    assert build["tags"] == f"${{{{ steps.{meta}.outputs.tags }}}}"
    assert build["labels"] == f"${{{{ steps.{meta}.outputs.labels }}}}"
    assert TEXT.count("ghcr.io/") == 1


def test_each_published_image_is_a_service_of_the_kit():
    # The final stage of each is the one that users run.
    folders = {image.folder for image in IMAGES if image.dockerfile == "Dockerfile"}
    rows = {row["image"]: row["context"] for row in PUBLISH["strategy"]["matrix"]["include"]}
    assert "deathstar" in rows
    assert len(set(rows.values())) == len(rows)
    assert set(rows.values()) <= folders
    build = the_step("docker/build-push-action")["with"]
    assert build["context"] == "${{ matrix.context }}"


def test_an_image_is_built_for_both_platforms_with_its_provenance_and_its_packages():
    build = the_step("docker/build-push-action")["with"]
    assert build["push"] == "true"
    assert set(build["platforms"].split(",")) == {"linux/amd64", "linux/arm64"}
    assert build["provenance"] == "mode=max"
    assert build["sbom"] == "true"
