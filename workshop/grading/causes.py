"""Hints for failures that beginners often meet, found in the output of the program that failed."""

from __future__ import annotations

import re
from typing import NamedTuple


class Cause(NamedTuple):
    """A pattern of a program's output, and a hint that may use the pattern's groups."""

    pattern: str
    hint: str


# The first match counts, so special causes come before general ones.
CAUSES = (
    Cause(
        r"unknown instruction: (?P<word>\S+)",
        "Correct {word}, or end the line before it with a backslash if it is part of a command.",
    ),
    Cause(
        r"set: Illegal option -|\\r': No such file|\$'\\r': command not found",
        "Save the file with Unix line endings (LF): your editor uses Windows line endings (CRLF).",
    ),
    Cause(
        r"\"/(?P<file>[^\"]+)\": not found",
        "COPY and ADD take files of the build context only: check the name {file}, and that "
        ".dockerignore does not exclude it.",
    ),
    Cause(
        r"Unable to locate package (?P<package>\S+)",
        "Run apt-get update in the same RUN before apt-get install, and check the name {package}.",
    ),
    Cause(
        r"\bE: Version '(?P<version>[^']+)' for '(?P<package>[^']+)' was not found",
        "The release of the base image has another version of {package}: remove ={version}.",
    ),
    Cause(r"Do you want to continue\? \[Y/n\] Abort|^.*\bAbort\.$", "Add -y to apt-get install."),
    Cause(
        r"externally-managed-environment",
        "The system's Python belongs to apt: use a python base image, or a virtual environment.",
    ),
    Cause(
        r"No matching distribution found for (?P<package>[^\s(]+)",
        "No release {package} exists for this Python: check its name and its version.",
    ),
    Cause(
        r"pyproject\.toml changed significantly since poetry\.lock",
        "Run poetry lock in your folder, and build again: poetry.lock is out of date.",
    ),
    Cause(
        r"The option \"--(?P<option>no-dev|no-ansi-output|remove-untracked)\" does not exist",
        "Poetry 2 has no --{option}: write poetry install --only main.",
    ),
    Cause(
        r"current project could not be installed|No file/folder found for package",
        "Add --no-root to poetry install: the source is not copied yet at this step.",
    ),
    Cause(
        r"Readme path .* does not exist",
        "Copy the README that pyproject.toml names before this step, or add --no-root.",
    ),
    Cause(
        r"(?:^|[ :])(?P<program>pip3?|poetry|python3?|curl|git|gcc|uv|flask|uvicorn|gunicorn)"
        r": (?:command )?not found",
        "Install {program} in an earlier step of this stage, or start from an image that has it.",
    ),
    Cause(
        r"exec: \"(?P<program>[^\"]+)\": (?:executable file not found|stat .*no such file)",
        "The image has no program {program}: install it in the last stage, or correct the command. "
        "A shell's syntax needs the shell form.",
    ),
    Cause(
        r"exec: \"(?P<program>[^\"]+)\": permission denied",
        "Make {program} executable: RUN chmod +x, or COPY --chmod=755.",
    ),
    Cause(
        r"\bexec (?P<program>\S+): no such file or directory",
        "The first line of {program} names a program that the image does not have, or the file has "
        "Windows line endings (CRLF).",
    ),
    Cause(
        r"exec format error",
        "Begin the script with #!/bin/sh, and build for this machine's processor.",
    ),
    Cause(
        r"unable to find user (?P<user>[^\s:]+)",
        "Create the user {user} with RUN useradd before USER, in the stage that runs.",
    ),
    Cause(
        r"can't open file '(?P<file>[^']+)'",
        "The image has no file {file}: compare WORKDIR, the target of COPY and the command.",
    ),
    Cause(
        r"Error loading ASGI app\. (?P<reason>[^\n]+)",
        "The command must name MODULE:VARIABLE, seen from WORKDIR. {reason}",
    ),
    Cause(
        r"ModuleNotFoundError: No module named '(?P<module>[^']+)'",
        "Install {module} in the last stage, or copy it there: the server's Python does not find "
        "it.",
    ),
    Cause(
        r"\[(?P<word>'?\w+'?),?: not found",
        "Use double quotes in a list: CMD and ENTRYPOINT take JSON.",
    ),
    Cause(
        r"Address already in use|address already in use",
        "Start the server only once: two processes use the same port.",
    ),
    Cause(
        r"can't start new thread|Cannot fork|fork: |Resource temporarily unavailable",
        "Start fewer processes and threads: a container of a check may have 256.",
    ),
    Cause(
        r"File too large",
        "Write less to the disk: one file exceeds the limit of the check.",
    ),
    Cause(
        r"Temporary failure in name resolution|Could not resolve host",
        "The build has no network, or the host's name is wrong: connect, and check again.",
    ),
    Cause(
        r"PermissionError: \[Errno 13\][^\n]*'(?P<path>[^']+)'",
        "The server's user cannot use {path}: give it that folder with chown, or write elsewhere.",
    ),
)


def find_hint(output: str) -> str:
    """Return the hint of the first cause whose words are in the output; empty if none is."""
    for cause in CAUSES:
        if found := re.search(cause.pattern, output, re.MULTILINE):
            return cause.hint.format(**found.groupdict())
    return ""
