"""One `docker build`: its arguments, and the reason why it failed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workshop.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workshop.core.process import ProcessResult

_RULE = "------"
_STEP_WIDTH = 60
_STEP_ERROR = re.compile(r"#(\d+) ERROR: ")
_TIME = re.compile(r"^\d+\.\d+ ")
_FAILED = "ERROR: failed to solve: "
_CHECKSUM = re.compile(
    r"^failed to compute cache key: (failed to calculate checksum of ref \S+: )?"
)
# What BuildKit prints if it cannot reach a registry. The Dockerfile is not to blame then.
_UNREACHABLE = ("no such host", "dial tcp", "i/o timeout", "TLS handshake", "failed to do request")


# What it prints if the engine lost the network that connects the containers of RUN.
_NO_NETWORK = re.compile(
    rf"^{_FAILED}process .* did not complete successfully: failed to create endpoint ", re.MULTILINE
)


class BuildError(UserError):
    """A build failed because of its Dockerfile or its build context.

    `line` is the first line of the instruction that failed, if BuildKit printed it, and `output`
    what its step printed.
    """

    line: int | None = None
    output: str = ""


@dataclass(frozen=True)
class Build:
    """The arguments of one `docker build`; `options` are further ones.

    `progress` is BuildKit's `plain` or `rawjson`.
    """

    image: str
    context: Path
    dockerfile: Path
    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    id_file: Path | None = None
    progress: str = "plain"
    options: tuple[str, ...] = ()

    def argv(self) -> list[str]:
        """Return the arguments after `docker`, as a user would type them."""
        argv = ["build", "--tag", self.image, "--file", str(self.dockerfile)]
        if self.target:
            argv += ["--target", self.target]
        for name, value in self.arguments.items():
            argv += ["--build-arg", f"{name}={value}"]
        for name, value in self.labels.items():
            argv += ["--label", f"{name}={value}"]
        if self.id_file:
            argv += ["--iidfile", str(self.id_file)]
        return [*argv, *self.options, str(self.context)]


def is_registry_failure(output: str) -> bool:
    """Whether a build failed because BuildKit could not reach a registry."""
    return "failed to resolve source metadata" in output and any(
        sign in output for sign in _UNREACHABLE
    )


def is_network_failure(output: str) -> bool:
    """Whether a build failed because the engine could not connect a RUN to its network."""
    return _NO_NETWORK.search(output) is not None


def failure_reason(done: ProcessResult) -> str:
    """Return the line that says why a docker command failed."""
    lines = [line.strip() for line in done.output.splitlines() if line.strip()]
    solved = next((line for line in reversed(lines) if line.startswith(_FAILED)), "")
    reason = _CHECKSUM.sub("", solved.removeprefix(_FAILED))
    if step := _failed_step(lines, reason):
        return step
    if "parse error" in reason:
        return reason.rstrip(".")
    for line in reversed(lines):
        for sign in ("ERROR: ", "Error response from daemon: ", "Error: "):
            if sign in line:
                return line.split(sign, 1)[1].strip().rstrip(".")
    return (done.last_line or f"exit code {done.code}").rstrip(".")


def failed_line(output: str) -> int | None:
    """Return the line of the Dockerfile that BuildKit blames for a failed build."""
    found = re.search(r"^[\w.-]+:(\d+)\n-{20}$|parse error on line (\d+)", output, re.MULTILINE)
    return int(found[1] or found[2]) if found else None


def failed_output(output: str) -> str:
    """Return what BuildKit printed about the step that failed, and then the reason.

    Its summary has only the last lines of the step, and shortens some of them. The first line
    names the step: `[2/3] RUN pip install flask`.
    """
    lines = [line.strip() for line in output.splitlines()]
    failed = next((found[1] for line in lines if (found := _STEP_ERROR.match(line))), "")
    prefix = f"#{failed} "
    step = [_TIME.sub("", line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]
    solved = [line for line in lines if _FAILED.removeprefix("ERROR: ") in line]
    return "\n".join([*(step if failed else ()), *solved])


def _failed_step(lines: list[str], reason: str) -> str:
    """Return the step that failed and its last error, from BuildKit's summary between two rules.

    A step that prints nothing, such as COPY, has BuildKit's own `reason`.
    """
    rules = [number for number, line in enumerate(lines) if line == _RULE]
    if len(rules) < 2 or not lines[rules[-2] + 1].startswith("> "):  # noqa: PLR2004 - a pair
        return ""
    head, *output = lines[rules[-2] + 1 : rules[-1]]
    messages = [_TIME.sub("", line) for line in output]
    errors = [line for line in messages if line.startswith(("ERROR", "E:", "error"))]
    last = (errors or messages or [reason])[-1]
    step = head.removeprefix("> ").rstrip(":")
    short = step if len(step) <= _STEP_WIDTH else step[:_STEP_WIDTH].rstrip() + "..."
    return f"step {short} failed: {last}".rstrip(": .")
