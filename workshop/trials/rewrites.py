"""Ways to make an image smaller: each takes a draft, and yields rewritten ones or nothing.

Whether a rewrite still builds, passes and saves bytes is not known here: `slim` tries it.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from workshop.analysis.dockerfile import ignore_file
from workshop.analysis.dockerfile.parser import split_reference
from workshop.trials.draft import is_plain_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from workshop.analysis.dockerfile.parser import Instruction
    from workshop.trials.draft import Draft

_PREFIX = "/install"
LISTS = "/var/lib/apt/lists"
# Packages that builds need and programs in containers rarely do.
BUILD_TOOLS = frozenset(
    {"build-essential", "cmake", "curl", "g++", "gcc", "git", "gnupg", "less", "libpq-dev"}
    | {"make", "man-db", "nano", "pkg-config", "python3-dev", "unzip", "vim", "wget", "zip"}
)
# Files at the top of a folder that a running program does not need.
UNNEEDED = (
    *("Dockerfile*", "*.Dockerfile", "docker-compose*", "compose*.yml", "compose*.yaml"),
    *(".dockerignore", ".git", ".github", ".gitignore", ".vscode", ".idea", "Makefile", "makefile"),
    *("*.md", "*.log", "docs", "tests", ".pytest_cache", ".ruff_cache", ".mypy_cache", "htmlcov"),
    *(".coverage", "node_modules", "*.tar", "*.zip", "*.tar.gz"),
)

_APT = re.compile(r"\bapt(?:-get)?\b")
_APT_INSTALL = re.compile(r"\bapt(?:-get)?\b(?:[ \t]+-[-\w=:.]+)*[ \t]+install\b[^&|;]*")
_PIP_INSTALL = re.compile(r"\bpip[\d.]*[ \t]+install\b[^&|;]*")
_POETRY_INSTALL = re.compile(r"\bpoetry[ \t]+(?:install|sync)\b")
_REMOVES = re.compile(r"\brm\s|\bapt(?:-get)?\b[^&|;]*\b(?:clean|purge|remove|autoremove)\b")
_CHOWN = re.compile(r"chown\s+(?:-R|--recursive)\s+(?P<owner>[\w.:${}-]+)\s+(?P<paths>[^&|;<>]+)")


class Rewrite(NamedTuple):
    """A rewritten draft, and what was done in a sentence without a full stop."""

    title: str
    draft: Draft


def skip_recommended_packages(draft: Draft) -> Iterator[Rewrite]:
    """Add --no-install-recommends to every apt-get install."""

    def add(found: re.Match[str]) -> str:
        if "--no-install-recommends" in found[0]:
            return found[0]
        return re.sub(r"\binstall\b", "install --no-install-recommends", found[0], count=1)

    yield from _substitute(draft, "Install no recommended packages", _APT_INSTALL, add)


def remove_apt_lists(draft: Draft) -> Iterator[Rewrite]:
    """Remove the package lists in the RUN that fetches them; RUNs of apt in a row become one."""
    for group in _groups(draft):
        runs = _trim(group, lambda run: bool(_APT.search(run.text)))
        if runs and not any(LISTS in run.text or _caches(run, "/var/") for run in runs):
            changed = draft.merge(runs, f"rm -rf {LISTS}/*")
            yield Rewrite("Remove the package lists in the RUN that fetches them", changed)


def keep_no_pip_cache(draft: Draft) -> Iterator[Rewrite]:
    """Add --no-cache-dir to every pip install without a cache mount."""
    if draft.final and "PIP_NO_CACHE_DIR" in draft.final.env:
        return

    def add(found: re.Match[str]) -> str:
        if "--no-cache-dir" in found[0]:
            return found[0]
        return re.sub(r"\binstall\b", "install --no-cache-dir", found[0], count=1)

    yield from _substitute(draft, "Keep no cache of pip", _PIP_INSTALL, add, "/root/.cache")


def keep_no_poetry_cache(draft: Draft) -> Iterator[Rewrite]:
    """Remove Poetry's cache in the RUN that fills it."""
    for run in draft.runs:
        if _POETRY_INSTALL.search(run.text) and ".cache" not in f"{run.text}{run.flags}":
            changed = draft.merge([run], "rm -rf /root/.cache/pypoetry")
            yield Rewrite("Keep no cache of Poetry", changed)


def write_no_bytecode(draft: Draft) -> Iterator[Rewrite]:
    """Set PYTHONDONTWRITEBYTECODE, so that Python stores no .pyc files while the image is built."""
    final = draft.final
    if final and "PYTHONDONTWRITEBYTECODE" not in final.env:
        end = draft.from_end(final.chain[0].line)
        changed = draft.insert(end, "ENV PYTHONDONTWRITEBYTECODE=1")
        yield Rewrite("Write no bytecode", changed)


def merge_removals(draft: Draft) -> Iterator[Rewrite]:
    """Join RUNs in a row if a later one removes files, which are stored all the same."""
    for group in _groups(draft):
        last = max((n for n, run in enumerate(group) if _removes_others(run)), default=0)
        if last:
            changed = draft.merge(group[_first_use(group[: last + 1]) : last + 1])
            yield Rewrite("Remove files in the RUN that creates them", changed)


def copy_with_owner(draft: Draft) -> Iterator[Rewrite]:
    """Copy files with their owner, instead of storing them again with RUN chown."""
    for run in draft.runs:
        if not (found := _CHOWN.fullmatch(run.text.strip())):
            continue
        copies = [
            step
            for step in draft.steps
            if step.keyword in {"COPY", "ADD"} and step.line < run.line and not step.flag("chown")
        ]
        # Those to the folder that gets the owner; any, if the paths do not tell.
        paths = tuple(path.rstrip("/") for path in found["paths"].split())
        below = [step for step in copies if step.values and step.values[-1].startswith(paths)]
        changes: dict[Instruction, str | None] = {
            step: re.sub(
                r"(?i)^(\s*(?:COPY|ADD))\b", rf"\1 --chown={found['owner']}", draft.raw(step)
            )
            for step in below or copies
        }
        if changes:
            changed = draft.replace({**changes, run: None})
            yield Rewrite("Copy with --chown instead of RUN chown", changed)


def leave_out_build_tools(draft: Draft) -> Iterator[Rewrite]:
    """Leave out one package that only builds need."""
    for run in draft.runs:
        for found in _APT_INSTALL.finditer(draft.raw(run)):
            for package in [word for word in found[0].split() if word in BUILD_TOOLS]:
                kept = _without(found[0], package)
                raw = draft.raw(run)
                text = f"{raw[: found.start()]}{kept}{raw[found.end() :]}"
                yield Rewrite(f"Leave out {package}", draft.replace({run: text}))


def build_in_another_stage(draft: Draft) -> Iterator[Rewrite]:
    """Install with pip in a stage that has the build tools, and copy the packages from there."""
    final = draft.final
    if final is None or len(final.chain) > 1 or split_reference(final.base)[0] != "python":
        return
    pips = [run for run in draft.runs if _PIP_INSTALL.search(run.text)]
    tools = [
        run
        for run in draft.runs
        if BUILD_TOOLS & {*run.text.split()} and _APT_INSTALL.search(run.text) and run not in pips
    ]
    if not pips or not tools or tools[-1].line > pips[-1].line:
        return
    start, end = final.stage.line, draft.from_end(final.stage.line)
    lines = draft.text.split("\n")
    head, tail = lines[end : pips[-1].end], lines[pips[-1].end :]
    origin = "\n".join(lines[start - 1 : end])
    alone = re.sub(r"(?i)[\s\\`]+AS\s+\S+\s*$", "", origin)
    installed = [_install_to_prefix(draft.raw(run)) for run in pips]
    builder = _replace_lines(head, end, dict(zip(pips, installed, strict=True)))
    copied = {**dict.fromkeys([*tools, *pips]), pips[-1]: f"COPY --from=build {_PREFIX} /usr/local"}
    rest = _replace_lines(head, end, copied)
    first = [*lines[: start - 1], f"{alone} AS build", *builder, "", origin]
    changed = draft._replace(text="\n".join([*first, *rest, *tail]))
    yield Rewrite("Move the build tools to another stage", changed)


def use_slim_base(draft: Draft, bases: Sequence[str]) -> Iterator[Rewrite]:
    """Use the slim variant of the base image, if it is one of `bases`."""
    final = draft.final
    # The digest would be that of the other image.
    if final is None or "@" in final.base:
        return
    repository, tag = split_reference(final.base)
    for base in bases:
        other, slim = split_reference(base)
        if other == repository and slim != tag and slim.replace("slim-", "") == tag:
            changed = _replace_base(draft, tag, slim)
            if changed:
                yield Rewrite(f"Use the base image {base}", changed)


def ignore_unneeded_files(draft: Draft) -> Iterator[Rewrite]:
    """List files that a running program does not need in the ignore file."""
    ignored = ignore_file.parse(draft.ignore, draft.ignore_path)
    wanted = [
        pattern
        for pattern in UNNEEDED
        if any(
            not ignored.excludes(name)
            for name in draft.entries
            if ignore_file.parse(pattern, draft.ignore_path).excludes(name)
        )
    ]
    start = f"{draft.ignore.rstrip()}\n" if draft.ignore.strip() else ""
    if wanted:
        changed = draft._replace(ignore=start + "\n".join([*wanted, ""]))
        yield Rewrite("Leave unneeded files out of the build context", changed)
    # A package may need its README.
    others = [pattern for pattern in wanted if pattern != "*.md"]
    if others and others != wanted:
        changed = draft._replace(ignore=start + "\n".join([*others, ""]))
        yield Rewrite("Leave unneeded files but *.md out of the build context", changed)


# In the order in which they are tried.
REWRITES: tuple[Callable[[Draft], Iterator[Rewrite]], ...] = (
    skip_recommended_packages,
    remove_apt_lists,
    keep_no_pip_cache,
    keep_no_poetry_cache,
    merge_removals,
    copy_with_owner,
    write_no_bytecode,
    ignore_unneeded_files,
    leave_out_build_tools,
    build_in_another_stage,
)


def _substitute(
    draft: Draft,
    title: str,
    pattern: re.Pattern[str],
    change: Callable[[re.Match[str]], str],
    cache: str = "",
) -> Iterator[Rewrite]:
    """Yield the draft with `pattern` changed in its RUNs, if that changes anything.

    RUNs that mount a cache on a path below `cache` stay as they are.
    """
    changes: dict[Instruction, str | None] = {}
    for run in draft.runs:
        raw = draft.raw(run)
        text = pattern.sub(change, raw)
        if text != raw and not (cache and _caches(run, cache)):
            changes[run] = text
    if changes:
        yield Rewrite(title, draft.replace(changes))


def _caches(run: Instruction, path: str) -> bool:
    """Whether a RUN mounts a cache on a path that begins like this."""
    return any(
        mount.get("type") == "cache" and mount.get("target", "").startswith(path)
        for mount in run.mounts
    )


def _groups(draft: Draft) -> Iterator[list[Instruction]]:
    """Yield the RUNs in a row that could be one: in one stage, and with the same flags."""
    stages = draft.final.chain if draft.final else ()
    for stage in stages:
        for (is_run, _), steps in groupby(
            stage.instructions, lambda step: (is_plain_run(step), step.flags)
        ):
            if is_run:
                yield list(steps)


def _removes_others(run: Instruction) -> bool:
    """Whether a RUN removes files, other than those that it has named before."""
    found = _REMOVES.search(run.text)
    before = run.text[: found.start()] if found else ""
    is_own = any(path in before for path in _removed_paths(run))
    return found is not None and not is_own and not (LISTS in run.text and _APT.search(before))


def _removed_paths(run: Instruction) -> list[str]:
    """Return the paths that a RUN removes with rm, as written."""
    words = " ".join(re.findall(r"\brm\s([^&|;]*)", run.text)).split()
    paths = [word.rstrip("/*") for word in words if not word.startswith("-")]
    return [path for path in paths if path]


def _first_use(runs: Sequence[Instruction]) -> int:
    """Return the index of the first RUN that names a path which the last one removes; else 0.

    The RUNs before it stay as they are, and in the cache.
    """
    paths = _removed_paths(runs[-1])
    uses = (any(path in run.text for path in paths) for run in runs[:-1])
    return next((index for index, is_used in enumerate(uses) if is_used), 0)


def _trim(
    runs: Sequence[Instruction], is_wanted: Callable[[Instruction], bool]
) -> list[Instruction]:
    """Return the RUNs from the first that is wanted to the last."""
    wanted = [number for number, run in enumerate(runs) if is_wanted(run)]
    return list(runs[wanted[0] : wanted[-1] + 1]) if wanted else []


def _without(command: str, package: str) -> str:
    """Return an apt-get install as written, without one package."""
    return re.sub(rf"[ \t]+{re.escape(package)}(?=\s|$)", "", command, count=1)


def _install_to_prefix(command: str) -> str:
    return re.sub(r"(\bpip[\d.]*[ \t]+install)\b", rf"\1 --prefix={_PREFIX}", command)


def _replace_lines(
    lines: Sequence[str], before: int, changes: Mapping[Instruction, str | None]
) -> list[str]:
    """Return lines of a file, of which `before` were left out, with some instructions replaced."""
    new: list[str | None] = list(lines)
    for step, text in changes.items():
        first = step.line - 1 - before
        new[first : step.end - before] = [text, *[None] * (step.end - step.line)]
    return [line for line in new if line is not None]


def _replace_base(draft: Draft, tag: str, slim: str) -> Draft | None:
    """Return the draft with another tag of the base: in an ARG that its end comes from, or FROM."""
    final = draft.final
    assert final is not None  # noqa: S101 - the caller has looked
    wanted = final.base.replace(f":{tag}", f":{slim}")
    texts = [draft.text.replace(final.base, wanted)]
    for name, value in draft.dockerfile.arguments.items():
        start = tag.removesuffix(value)
        if value and start != tag and slim.startswith(start):
            argument = rf"(?m)^(\s*ARG\s+{re.escape(name)}=){re.escape(value)}(?=\s*$)"
            texts.append(re.sub(argument, rf"\g<1>{slim.removeprefix(start)}", draft.text))
    drafts = [draft._replace(text=text) for text in texts]
    return next((new for new in drafts if new.final and new.final.base == wanted), None)
