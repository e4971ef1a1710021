"""Runs workflows of GitHub Actions on this machine with act, without GitHub and its actions.

Each job runs in the shell of this machine, in a copy of a repository. act itself evaluates the
expressions, and checks out the repository. The other actions are replaced: those that set
something up do nothing, and those that upload copy the files into a folder.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from harness import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Mapping

ACT = str(Path(sys.executable).with_name("act"))
RUNNER = "ubuntu-24.04"
# The template's name for the repository of the kit.
KIT = "YOUR-ORGANISATION/workshop"
_USES = re.compile(r"uses: ([\w-]+/[\w-]+)[\w/.-]*@(\S+)")
_AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
_NOTHING = {
    "name": "Replacement",
    "description": "Does nothing",
    "runs": {"using": "composite", "steps": [{"shell": "bash", "run": "true"}]},
}
_COPY = {
    "name": "Replacement",
    "description": "Copies the files to the folder $UPLOADED",
    "inputs": {"path": {"required": True}, "name": {"default": "github-pages"}},
    "runs": {
        "using": "composite",
        "steps": [
            {
                "shell": "bash",
                "run": 'mkdir -p "$UPLOADED/$NAME"\n'
                'for path in $PATHS; do if [ -e "$path" ]; then cp -r --parents "$path" '
                '"$UPLOADED/$NAME"; fi; done\n',
                "env": {"PATHS": "${{ inputs.path }}", "NAME": "${{ inputs.name }}"},
            }
        ],
    },
}


@dataclass(frozen=True)
class Run:
    """What a run printed, its summary, and the folder of its uploaded files."""

    code: int
    output: str
    uploaded: Path

    @property
    def summary(self) -> str:
        """The text that the steps wrote to `$GITHUB_STEP_SUMMARY`."""
        (last,) = re.findall(r"Summary - (.*?)\n(?=\[)", self.output, re.DOTALL)[:1] or [""]
        return last

    def succeeded(self, step: str) -> bool:
        """Whether a step has run and succeeded."""
        return f"Success - Main {step} [" in self.output


@dataclass(frozen=True)
class Runner:
    """Runs the workflows of a Git repository in `folder`, which keeps what the runs need."""

    folder: Path
    kit: Path = ROOT
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, repository: Path, workflow: str, event: str = "push", *options: str) -> Run:
        """Run a workflow of the repository for an event; `options` are those of act."""
        uploaded = self.folder / "uploaded"
        shutil.rmtree(uploaded, ignore_errors=True)
        argv = [
            *(ACT, event, "--workflows", f".github/workflows/{workflow}"),
            *("--platform", f"{RUNNER}=-self-hosted", "--no-cache-server"),
            # Not the files of a learner's repository, which act reads without these options.
            *("--env-file", "", "--secret-file", "", "--var-file", "", "--input-file", ""),
            *("--use-new-action-cache", "--env", f"UPLOADED={uploaded}"),
            # act gives the steps a terminal, and GitHub does not.
            *("--env", "TERM=dumb"),
            *self._replacements(repository, workflow),
            *options,
        ]
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        env = {"HOME": str(home), "PATH": os.environ["PATH"], **self.env}
        done = run(*argv, cwd=repository, check=False, env=env, timeout=1800)
        return Run(done.returncode, done.stdout, uploaded)

    def _replacements(self, repository: Path, workflow: str) -> list[str]:
        """Return the options that replace each action of the workflow."""
        text = (repository / ".github/workflows" / workflow).read_text(encoding="utf-8")
        options = []
        for name, ref in dict.fromkeys(_USES.findall(text)):
            if name == "actions/checkout":
                continue  # act copies the repository
            action = self.kit if name == KIT else self._replace(name)
            options += ["--local-repository", f"https://github.com/{name}@{ref}={action}"]
        return options

    def _replace(self, name: str) -> Path:
        folder = self.folder / "actions" / name
        folder.mkdir(parents=True, exist_ok=True)
        action = _COPY if "/upload-" in name else _NOTHING
        (folder / "action.yml").write_text(yaml.safe_dump(action), encoding="utf-8")
        return folder


def commit(folder: Path, repository: str, *tags: str) -> None:
    """Make a folder a Git repository with one commit, which GitHub knows as `repository`."""
    run("git", "init", "--quiet", "--initial-branch=main", str(folder))
    run("git", "-C", str(folder), "remote", "add", "origin", f"https://github.com/{repository}")
    run("git", "-C", str(folder), "add", "--all", "--force")
    run("git", "-C", str(folder), *_AUTHOR, "commit", "--quiet", "--message", "Test")
    for tag in tags:
        run("git", "-C", str(folder), "tag", tag)
