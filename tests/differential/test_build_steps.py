"""The kit's parser agrees with real builds on the steps, the history and the image's configuration.

`DIFFERENTIAL_BUILDS` sets the number of Dockerfiles to build (default: 40).
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import secrets
from functools import cache

import pytest
from differential.buildable import buildable
from differential.oddities import ODDITIES
from harness import docker, run

from workshop.analysis.dockerfile.effective import Command, Effective, effective
from workshop.analysis.dockerfile.parser import Dockerfile, Instruction, Stage, parse

BUILDS = int(os.environ.get("DIFFERENTIAL_BUILDS", "40"))
BATCH = 10
LAYERS = {"ADD", "COPY", "RUN", "WORKDIR"}
STEP = re.compile(r"^#\d+ \[(?:(\S+) )?(\d+)/\d+\] (.+)$", re.MULTILINE)


@pytest.fixture
def build(engine, tmp_path):  # noqa: ARG001 - starts the engine
    """Build a text; return the image's name and the output. Images are removed at the end."""
    (tmp_path / "a").write_text("x")
    repository = f"workshop-test-{secrets.token_hex(4)}"
    built = []

    def build(text: str) -> tuple[str, str]:
        (tmp_path / "Dockerfile").write_bytes(text.encode())
        name = f"{repository}:{len(built)}"
        built.append(name)
        env = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "NO_COLOR": "1"}
        done = run("docker", "build", "--progress=plain", "--tag", name, str(tmp_path), env=env)
        return name, done.stdout

    yield build
    docker("image", "rm", "--force", *built, check=False)


def needed_stages(read: Dockerfile, stage: Stage) -> set[int]:
    """Return the numbers of the stages that a build of `stage` needs."""
    found = {stage.number}
    if stage.parent is not None:
        found |= needed_stages(read, read.stages[stage.parent])
    for instruction in stage.instructions:
        source = read.find(instruction.flag("from") or "")
        if source:
            found |= needed_stages(read, source)
    return found


def normalised(text: str) -> list[str]:
    """Normalise a step: BuildKit's output changes quotes and case and adds the start of scripts."""
    return re.sub(r"['\"\[\],]", "", re.sub(r" \(:.*", "", text)).casefold().split()


def step_of(instruction: Instruction) -> list[str]:
    """Return one step as BuildKit prints it, normalised."""
    flags = (f"--{name}={value}" for name, value in instruction.flags)
    return normalised(" ".join([instruction.keyword, *flags, instruction.expanded]))


def steps(read: Dockerfile) -> dict[tuple[str, int], list[str]]:
    """Return the expected steps by stage and number; a single stage has an empty name."""
    found = {}
    for index in needed_stages(read, read.stages[-1]):
        stage = read.stages[index]
        name = (stage.name or f"stage-{index}") if len(read.stages) > 1 else ""
        first = 2 if stage.parent is None and stage.base != "scratch" else 1
        for number, instruction in enumerate(layers(read, stage), first):
            found[name, number] = step_of(instruction)
    return found


def layers(read: Dockerfile, stage: Stage) -> list[Instruction]:
    """Return the instructions of a stage that are steps; `WORKDIR /` is not a step."""
    own = {instruction.line for instruction in stage.instructions}
    folder, found = "/", []
    for instruction in effective(read, str(stage.number)).instructions:
        if instruction.keyword == "WORKDIR":
            folder = posixpath.normpath(posixpath.join(folder, instruction.expanded))
        if (
            instruction.line in own
            and instruction.keyword in LAYERS
            and (instruction.keyword, folder) != ("WORKDIR", "/")
        ):
            found.append(instruction)
    return found


def printed(read: Dockerfile, output: str) -> dict[tuple[str, int], list[str]]:
    """Return the steps that a build printed."""
    return {
        (name if len(read.stages) > 1 else "", int(number)): normalised(text)
        for name, number, text in STEP.findall(output)
        if not text.startswith("FROM ")
    }


def history(image: str, base: str) -> list[str]:
    """Return the keywords in the image's history, without its base's entries."""
    form = "{{json .CreatedBy}}"
    lines = docker("history", "--no-trunc", "--format", form, image).splitlines()
    own = lines[: len(lines) - history_length(base)]
    return [json.loads(line).split()[0] for line in reversed(own)]


@cache
def history_length(base: str) -> int:
    return 0 if base == "scratch" else len(docker("history", "-q", base).splitlines())


def argv(command: Command | None) -> list[str] | None:
    return list(command.argv) if command else None


def health(command: Command | None) -> list[str] | None:
    """In shell form, the image's configuration has CMD-SHELL and no shell."""
    if command is None:
        return None
    return ["CMD-SHELL", command.text] if command.shell else ["CMD", *command.argv]


def settings(found: Effective) -> dict:
    """Return the image's configuration that the parser predicts."""
    return {
        "User": found.user.value if found.user else "",
        "WorkingDir": found.workdir.value if found.workdir else "/",
        "Env": {name: setting.value for name, setting in found.env.items()},
        "Cmd": argv(found.cmd),
        "Entrypoint": argv(found.entrypoint),
        "ExposedPorts": set(found.ports),
        "Volumes": set(found.volumes),
        "StopSignal": found.stopsignal.value if found.stopsignal else "",
        "Labels": {name: setting.value for name, setting in found.labels.items()},
        "Healthcheck": health(found.healthcheck),
    }


def configured(image: str, base: str) -> dict:
    """Return the image's configuration from the engine, without the settings of its base."""
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image))
    known = base_of(base)
    env = dict(pair.split("=", 1) for pair in config.get("Env") or ())
    labels = config.get("Labels") or {}
    test = (config.get("Healthcheck") or {}).get("Test")
    return {
        "User": config.get("User", ""),
        # The engine keeps an absolute path unchanged, including a trailing slash.
        "WorkingDir": posixpath.normpath(config["WorkingDir"]),
        "Env": {name: value for name, value in env.items() if known["Env"].get(name) != value},
        "Cmd": config.get("Cmd") if config.get("Cmd") != known["Cmd"] else None,
        "Entrypoint": config.get("Entrypoint"),
        "ExposedPorts": set(config.get("ExposedPorts") or ()),
        "Volumes": set(config.get("Volumes") or ()),
        "StopSignal": config.get("StopSignal", ""),
        "Labels": {n: value for n, value in labels.items() if known["Labels"].get(n) != value},
        "Healthcheck": None if test == ["NONE"] else test,
    }


@cache
def base_of(base: str) -> dict:
    """Return the settings of a base image; BuildKit sets PATH for scratch."""
    path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    if base == "scratch":
        return {"Env": path, "Labels": {}, "Cmd": None}
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", base))
    env = dict(pair.split("=", 1) for pair in config.get("Env") or ())
    labels = config.get("Labels") or {}
    return {"Env": {**path, **env}, "Labels": labels, "Cmd": config.get("Cmd")}


@pytest.mark.parametrize("start", range(0, BUILDS, BATCH))
def test_the_parser_predicts_a_real_build(build, start):
    for seed in range(start, start + BATCH):
        text = buildable(seed)
        image, output = build(text)
        read = parse(text)
        found = effective(read)
        context = f"seed {seed}:\n{text}\n{output}"
        assert read.problems == (), context
        assert steps(read) == printed(read, output), context
        # ONBUILD adds no entry to the history.
        ours = [step.keyword for step in found.instructions if step.keyword != "ONBUILD"]
        assert ours == history(image, found.base), context
        assert settings(found) == configured(image, found.base), context


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda oddity: oddity.reason)
def test_the_engine_agrees_with_the_parser_where_dockerfile_ast_differs(build, oddity):
    image, _ = build(oddity.proof)
    assert configured(image, "scratch")[oddity.setting] == oddity.value
    assert settings(effective(parse(oddity.proof)))[oddity.setting] == oddity.value
