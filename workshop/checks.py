"""Requirements that many tasks share: each takes a line to use.

A check judges what was built and what runs. Its `text`, where there is one, judges the same by
the Dockerfile's words, for whoever has no engine; it speaks up only where the words leave no doubt.
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from workshop.facts.speech import heard
from workshop.model import Check, Failed, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from workshop.facts.app import App, Ending, Run
    from workshop.facts.checkup import Checkup
    from workshop.facts.effective import Setting
    from workshop.facts.image import Image
    from workshop.facts.instructions import Instruction
    from workshop.facts.rebuild import Rebuild
    from workshop.facts.source import Source
    from workshop.facts.speech import Speech

SECONDS_TO_STOP = 3.0
TERMINATED = 128 + 15
KILLED = 128 + 9

# Programs that change the user themselves: then USER does not say who runs the server.
_SWITCHERS = ("gosu", "su-exec", "setpriv", "runuser", "su ", "setuid", "chroot")
_LOCALHOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?!\S*/)")
_CONSTRAINED = {"-c", "--constraint"}
_POETRY_SCRIPT = "install.python-poetry.org"
_SHELLS = ("sh", "bash", "dash", "ash", "zsh")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what a container's server has to listen on


# ---- source


def writes(*files: str, lesson: str) -> Check:
    """The files that the learner is to write are there."""

    @check(
        points=1,
        lesson=lesson,
        name="files-are-there",
        title=f"{' and '.join(files)} can be read",
        why="A task is graded from the files that it names, and Linux tells A from a in names.",
        hint="Save the file under exactly this name, as plain text.",
    )
    def files_are_there(source: Source) -> None:
        for file in files:
            source.read(file)

    return files_are_there


def based_on(
    repository: str, lesson: str, *, tag: str = "", kind: str = "", points: int = 1
) -> Check:
    """The final image builds on an official image; its tag fits the pattern `tag`."""

    @check(
        points=points,
        lesson=lesson,
        name="base-image",
        title=f"The image builds on the official {repository} image{kind and ', '}{kind}",
        why="A base image decides what is there already, how large it is, and who keeps it safe.",
        hint=f"Begin the last stage with FROM {repository}:TAG, with the tag written out.",
    )
    def base_image(source: Source) -> None:
        final = source.final()
        found = final.base
        name, _, version = found.partition("@")[0].removeprefix("docker.io/").partition(":")
        line = final.chain[0].line
        wanted = f"FROM {repository}:TAG{kind and ', '}{kind}"
        if name.removeprefix("library/") != repository or not re.search(tag, version):
            raise Failed(f"the last stage builds on {found or 'nothing'}", wanted, line=line)

    return base_image


def pins_poetry(lesson: str, points: int = 1) -> Check:
    """Nobody installs Poetry without saying in which version."""

    @check(
        points=points,
        lesson=lesson,
        why="Poetry 2 dropped options that Poetry 1 had: without a version, builds break one day.",
        hint="pip install poetry==2.5.1 (or another version; an ARG can hold the number).",
    )
    def pins_poetry(source: Source) -> None:
        """Where Poetry is installed, its version is written down."""
        steps = [step for stage in source.dockerfile().stages for step in stage.instructions]
        versioned = any("POETRY_VERSION" in step.text for step in steps)
        for step in steps:
            text = _script(step) if step.keyword == "RUN" else ""
            if command := _installs_any_poetry(text):
                raise Failed(command, "a version, as in poetry==2.5.1", line=step.line)
            if _POETRY_SCRIPT in text and "--version" not in text and not versioned:
                seen = f"{_POETRY_SCRIPT} without a version"
                raise Failed(seen, "a version in the variable POETRY_VERSION", line=step.line)

    return pins_poetry


def comes_from(file: str, lesson: str, *, why: str, hint: str) -> Check:
    """The build can see a file of the learner's folder: in any stage, copied or mounted."""

    @check(
        points=1,
        lesson=lesson,
        name=f"brings-{file.replace('.', '-')}",
        title=f"{file} gets into the build",
        why=why,
        hint=hint,
    )
    def brings(source: Source) -> None:
        wanted = f"COPY {file}"
        if source.ignores(file, source.recipe.context):
            raise Failed(f"{file} is ignored", "a .dockerignore without it", file=".dockerignore")
        steps = [step for stage in source.dockerfile().stages for step in stage.instructions]
        # What only the build itself can tell, a variable of it, is taken for the best.
        paths = [path.removeprefix("./").rstrip("/") for step in steps for path in _taken(step)]
        if not any(path in {"", "."} or "$" in path or fnmatch(file, path) for path in paths):
            raise Failed(f"no instruction brings {file} into the build", wanted)

    return brings


# ---- image


def builds(lesson: str, of: str = "") -> Check:
    """The image can be built."""

    def has_a_stage(source: Source) -> None:
        source.final(source.task.recipe(of))

    @check(
        points=1,
        lesson=lesson,
        text=has_a_stage,
        why="Nothing can run that cannot be built.",
        hint="Read the last lines of the step that failed: they name the command and its error.",
    )
    def builds(image: Image) -> None:
        """The image can be built."""

    return builds


def environment(name: str, lesson: str, value: str = "") -> Check:
    """Every container has this variable; with this value, or with any but an empty one."""
    wanted = f"{name}={value or 'any value but an empty one'}"

    def fits(found: str | None) -> bool:
        return bool(found) and (not value or found == value)

    def said(source: Source) -> None:
        setting = source.final().env.get(name)
        # Without a line of its own, the base image may have set it.
        if setting and not fits(setting.value):
            raise Failed(f"{name}={setting.value}", wanted, line=setting.line)

    @check(
        points=1,
        lesson=lesson,
        name=f"sets-{name.lower().replace('_', '-')}",
        title=f"Every container has {wanted} in its environment",
        text=said,
        why="ENV sets a variable for the build and for every container; ARG for the build alone.",
        hint=f"Write ENV {name}={value or 'VALUE'} in the last stage.",
    )
    def sets(image: Image) -> None:
        if not fits(image.env.get(name)):
            found = image.env.get(name)
            raise Failed(f"{name} is not set" if found is None else f"{name}={found}", wanted)

    return sets


def no_environment(name: str, lesson: str) -> Check:
    """No container inherits this variable."""

    def said(source: Source) -> None:
        if setting := source.final().env.get(name):
            seen = f"ENV {name} in the image"
            raise Failed(seen, f"{name} known to the build alone", line=setting.line)

    @check(
        points=1,
        lesson=lesson,
        name=f"no-{name.lower().replace('_', '-')}",
        title=f"{name} is for the build alone",
        text=said,
        why="What ENV sets stays for every container, and for every image built on this one.",
        hint=f"Write ARG {name}=VALUE in place of ENV.",
    )
    def not_set(image: Image) -> None:
        if name in image.env:
            raise Failed(f"{name}={image.env[name]} in every container", "no such variable")

    return not_set


def workdir(folder: str, lesson: str) -> Check:
    """Containers start in this folder."""

    def said(source: Source) -> None:
        setting = source.final().workdir
        if setting is None or setting.value.rstrip("/") != folder:
            seen = f"WORKDIR {setting.value}" if setting else "no WORKDIR"
            raise Failed(seen, f"WORKDIR {folder}", line=setting.line if setting else None)

    @check(
        points=1,
        lesson=lesson,
        name="working-folder",
        title=f"Containers start in {folder}",
        blame=("WORKDIR",),
        text=said,
        why="Paths in COPY, RUN and CMD are taken from the working folder.",
        hint=f"Write WORKDIR {folder} before the COPY: it makes the folder too.",
    )
    def working_folder(image: Image) -> None:
        if image.workdir.rstrip("/") != folder:
            raise Failed(f"they start in {image.workdir}", folder)

    return working_folder


def contains(*paths: str, lesson: str, what: str = "The application is in the image") -> Check:
    """These files are in the image."""

    @check(
        points=1,
        lesson=lesson,
        name="contains-the-application",
        title=what,
        why="A container sees what was copied into its image, and nothing of your folder.",
        hint="COPY the folder after WORKDIR, and look whether .dockerignore leaves too much out.",
    )
    def contains_the_application(image: Image) -> None:
        for path in paths:
            if path.lstrip("/") not in image.tree:
                raise Failed(f"{path} is not in the image", f"{path} in the image")

    return contains_the_application


def exposes(port: int, lesson: str) -> Check:
    """EXPOSE names the port."""

    def said(source: Source) -> None:
        ports = source.final().ports
        if f"{port}/tcp" not in ports:
            seen = f"EXPOSE of {', '.join(ports)}" if ports else "no EXPOSE"
            raise Failed(seen, f"EXPOSE {port}", line=_first_line(ports.values()))

    @check(
        points=1,
        lesson=lesson,
        name=f"exposes-{port}",
        title=f"EXPOSE names port {port}",
        text=said,
        why="EXPOSE publishes nothing: it tells people and tools where the server listens.",
        hint=f"Add EXPOSE {port} to the last stage.",
    )
    def exposes_port(image: Image) -> None:
        if f"{port}/tcp" not in image.ports:
            raise Failed(f"it names {', '.join(sorted(image.ports)) or 'nothing'}", f"{port}/tcp")

    return exposes_port


def keeps_secrets_out(lesson: str, points: int = 2) -> Check:
    """What .dockerignore has to hold back is in no layer."""
    local = ".env"

    def said(source: Source) -> None:
        copies_all = any(
            step.keyword in {"COPY", "ADD"}
            and not any(name == "from" for name, _ in step.flags)
            and any(
                value.rstrip("/") in {".", "./", "*"} or value == "." for value in step.values[:-1]
            )
            for step in source.final().instructions
        )
        if copies_all and not source.ignores(local, source.recipe.context):
            raise Failed(f"the whole folder is copied, {local} with it", f"{local} ignored")

    @check(
        points=points,
        lesson=lesson,
        text=said,
        why="Whoever gets the image can read every file of every layer, deleted ones too.",
        hint="List .env, .git and .venv in .dockerignore (lower case); copy only what is needed.",
    )
    def keeps_secrets_out(image: Image) -> None:
        """No secret or local file (.env, .git, .venv) gets into the image."""
        if image.found:
            places = sorted({_place(found.where, found.path) for found in image.found})
            raise Failed(
                f"what was in .env, .git and .venv is in the image: {'; '.join(places[:3])}",
                "those files kept out by .dockerignore",
            )

    return keeps_secrets_out


def leaves_nothing(  # noqa: PLR0913 - the parts of a check, and a pattern
    name: str, title: str, pattern: str, lesson: str, hint: str, *, points: int = 1
) -> Check:
    """No layer of the learner's own holds a file whose path matches `pattern`."""
    matches = re.compile(pattern).search

    @check(
        points=points,
        lesson=lesson,
        name=name,
        title=title,
        why="A layer keeps what it was made with: what a later layer deletes is only hidden.",
        hint=hint,
    )
    def leaves(image: Image) -> None:
        for number in image.own:
            kept = [e for e in image.layers[number].entries if e.kind == "file" and matches(e.path)]
            if size := sum(entry.size for entry in kept):
                raise Failed(
                    f"{size / 1e6:.1f} MB in {len(kept)} files such as /{kept[0].path}, stored by "
                    f"{_instruction(image, number)}",
                    "no such file in any layer",
                    layer=number,
                )

    return leaves


def installs(packages: Mapping[str, str], lesson: str, points: int = 1) -> Check:
    """These Python packages are installed, in these versions (empty: in any)."""
    listed = ", ".join(f"{name} {version}".strip() for name, version in packages.items())

    @check(
        points=points,
        lesson=lesson,
        name="installs-packages",
        title=f"Installed: {listed}",
        why="A version that is not written down is another one next month.",
        hint="Name each package with its version (PACKAGE==VERSION), or install what is locked.",
    )
    def installs_packages(image: Image) -> None:
        found = image.packages()
        for name, version in packages.items():
            versions = {item[1] for item in found.get(name.lower(), ())}
            if not versions or (version and version not in versions):
                seen = f"{name} {' and '.join(sorted(versions)) or 'is not installed'}"
                raise Failed(seen, f"{name} {version}".strip())

    return installs_packages


def leaves_out(*packages: str, lesson: str, points: int = 1) -> Check:
    """None of these Python packages can be imported."""

    @check(
        points=points,
        lesson=lesson,
        name="main-packages-only",
        title="Packages for development are not installed",
        why="They make the image larger, and every one is one more thing that can be attacked.",
        hint="Install with --only main (poetry), --no-dev (uv), or from a list without them.",
    )
    def main_packages_only(image: Image) -> None:
        found = image.packages()
        if extra := [name for name in packages if name in found]:
            raise Failed(
                f"{', '.join(extra)} can be imported", "the packages of the application alone"
            )

    return main_packages_only


# ---- rebuild


def reuses_dependencies(lesson: str, points: int = 2) -> Check:
    """An edited line of the source leaves every layer with installed packages as it was."""

    @check(
        points=points,
        lesson=lesson,
        why="Docker makes a layer anew when a file it copies, or any layer before it, has changed.",
        hint="Copy the list of packages first, install them, and copy the source after that.",
    )
    def reuses_dependencies(rebuild: Rebuild) -> None:
        """After an edit of the source, installed packages come from the cache."""
        image, own = rebuild.image, set()
        for key, versions in image.packages().items():
            for name, _, path in versions:
                layer = image.layer_of(path) or 0
                if layer not in image.own or name == rebuild.project:
                    continue
                own.add(key)
                # What is copied from an earlier stage was not installed here.
                copied = _instruction(image, layer).startswith(("COPY ", "ADD "))
                if not copied and not rebuild.reuses(layer):
                    raise Failed(
                        f"after one changed line in {rebuild.edited}, {name} was installed anew by "
                        f"{_instruction(image, layer)}",
                        "the layers with packages reused, and only the source copied anew",
                        layer=layer,
                    )
        for key in sorted(own & rebuild.installed.keys()):
            raise Failed(
                f"after one changed line in {rebuild.edited}, {key} was installed anew by "
                f"{_short(rebuild.installed[key])}",
                "no package installed again, and only the source copied anew",
            )

    return reuses_dependencies


# ---- run: a program that says something and ends


def says(
    judge: Callable[[Run], object], lesson: str, *, title: str, hint: str, points: int = 3
) -> Check:
    """The program prints what it should."""

    @check(
        points=points,
        lesson=lesson,
        name="says-it",
        title=title,
        why="CMD is what a container does when nothing else is asked of it.",
        hint=hint,
    )
    def says_it(run: Run) -> None:
        ended_well(run)
        judge(run)

    return says_it


def ended_well(run: Run) -> None:
    """Raise where the program ended with any exit code but 0."""
    if run.code:
        last = "\n".join(run.output.splitlines()[-20:])
        raise Failed(f"it ended with exit code {run.code}, and printed:\n{last}", "exit code 0")


def spoken(run: Run) -> Speech:
    """What cowsay's animal says, which has to be something."""
    ended_well(run)
    speech = heard(run.output)
    if speech is None or not speech.animal.strip():
        raise Failed(f"it printed: {run.output[:200] or 'nothing'}", "a speech bubble of cowsay")
    if not speech.words:
        raise Failed("the speech bubble is empty", "words in it")
    return speech


# ---- app: a server


def starts(port: int, lesson: str, points: int = 2) -> Check:
    """The server comes up."""

    @check(
        points=points,
        lesson=lesson,
        title=f"The container starts a server on port {port}",
        blame=("CMD", "ENTRYPOINT"),
        why="A container lives as long as its first process: that has to be the server.",
        hint="Run the image by hand, without -d, and read what it prints.",
    )
    def starts(app: App) -> None:
        pass

    return starts


def reachable(port: int, lesson: str, points: int = 2) -> Check:
    """The server listens on all of the container's addresses."""

    def said(source: Source) -> None:
        final = source.final()
        for command in (final.cmd, final.entrypoint):
            if command and re.search(
                r"(?:127\.0\.0\.1|localhost)(?!\S*/)", " ".join(command.words)
            ):
                raise Failed(
                    f"{command.text} listens on the container's own localhost",
                    wanted,
                    line=command.line,
                )

    wanted = f"a server that listens on 0.0.0.0:{port}"

    @check(
        points=points,
        lesson=lesson,
        title=f"Port {port} can be reached from outside the container",
        blame=("CMD", "ENTRYPOINT"),
        text=said,
        why="Inside a container, 127.0.0.1 is the container itself: nobody else gets there.",
        hint="Tell the server to listen on all addresses: --host 0.0.0.0 (gunicorn: --bind).",
    )
    def reachable(app: App) -> None:
        found = [address for address, listening in app.listening if listening == port]
        if not set(found) & set(_EVERYWHERE):
            raise Failed(f"it listens on {' and '.join(found) or 'nothing'} only", wanted)

    return reachable


def answers(port: int, path: str, expected: str, lesson: str, points: int = 2) -> Check:
    """A page has this text."""

    @check(
        points=points,
        lesson=lesson,
        title=f"{path} answers {expected}",
        why="That the process runs does not mean that the application works.",
        hint=f"Ask it: docker run -p {port}:{port} IMAGE, then curl localhost:{port}{path}",
    )
    def answers(app: App) -> None:
        answer = app.get(port, path)
        if answer.error:
            raise Failed(f"no answer: {answer.error}", f"status 200 with {expected}")
        if answer.status != 200 or expected not in answer.body:  # noqa: PLR2004 - HTTP's "OK"
            seen = f"status {answer.status}: {answer.body[:100]}"
            raise Failed(seen, f"status 200 with {expected}")

    return answers


def ordinary_user(lesson: str, uid: int | None = None, points: int = 2) -> Check:
    """No process of the container is root's; with `uid`, all are that user's."""
    wanted = f"every process with uid {uid}" if uid else "every process with a uid other than 0"

    @check(
        points=points,
        lesson=lesson,
        title="The server does not run as root",
        text=_not_root_by_text,
        why="Whoever breaks into a server has the rights of its user, and root has all of them.",
        hint="Make a user with RUN useradd; name it with USER after the last step that needs root.",
    )
    def ordinary_user(app: App) -> None:
        for process in app.processes:
            if process.uid == 0:
                raise Failed(f"{process.command} runs with uid 0, which is root", wanted)
            if uid and process.uid != uid:
                raise Failed(f"{process.command} runs with uid {process.uid}", wanted)

    return ordinary_user


def becomes_ordinary_user(lesson: str, points: int = 2) -> Check:
    """USER names somebody who is not root, and whom the image knows: for programs that end."""
    wanted = "USER with a name or a number of /etc/passwd that is not root's"

    @check(
        points=points,
        lesson=lesson,
        name="ordinary-user",
        title="The program does not run as root",
        text=_not_root_by_text,
        blame=("USER",),
        why="A program can do what its user can do, and root can do everything.",
        hint="Make a user with RUN useradd; name it with USER after the last step that needs root.",
    )
    def ordinary_user(image: Image) -> None:
        who = image.identity()
        if who is None or who[0] == 0:
            user = f"USER {image.user}" if image.user else "no USER"
            seen = "nobody that the image knows" if who is None else "uid 0, which is root"
            raise Failed(f"{user}: it runs as {seen}", wanted)

    return ordinary_user


def _not_root_by_text(source: Source) -> None:
    final = source.final()
    switches = any(word in step.text for step in final.instructions for word in _SWITCHERS)
    user = final.user.value.partition(":")[0] if final.user else "root"
    if not switches and user in {"", "0", "root"}:
        seen = "USER root" if final.user else "no USER in the last stage, so it is root"
        line = final.user.line if final.user else final.stage.line
        raise Failed(seen, "a user who is not root", line=line)


def first_process(lesson: str, points: int = 1) -> Check:
    """Process 1 is the server, or hands signals on to it: no shell that waits for it."""

    @check(
        points=points,
        lesson=lesson,
        title="Process 1 is the server and no shell around it",
        blame=("CMD", "ENTRYPOINT"),
        why="docker stop speaks to process 1 alone, and a shell does not pass it on.",
        hint='Write CMD as a list: CMD ["program", "argument"]; end a script with exec "$@".',
    )
    def first_process(app: App) -> None:
        for process in app.processes:
            program = process.command.split(" ", 1)[0].rsplit("/", 1)[-1].lstrip("-")
            if process.first and program in _SHELLS:
                raise Failed(f"process 1 is {process.command}", "process 1 is the server itself")

    return first_process


def tells_its_health(lesson: str, points: int = 1, *, asked: bool = True) -> Check:
    """HEALTHCHECK tells a server that answers from one that does not.

    Unless `asked` for, there need not be one.
    """

    def said(source: Source) -> None:
        if asked and source.final().healthcheck is None:
            raise Failed("no HEALTHCHECK", wanted)

    title = "HEALTHCHECK tells a server that answers from none"
    wanted = "exit code 0 beside the running server, and another one where no server runs"

    @check(
        points=points,
        lesson=lesson,
        title=title if asked else f"{title}, if there is one",
        blame=("HEALTHCHECK",),
        text=said,
        why="Docker believes the health check: one that always says yes hides a dead server.",
        hint="Let Python ask the server, since slim images have no curl: "
        "HEALTHCHECK CMD with python -c and urllib.request.urlopen.",
    )
    def tells_its_health(checkup: Checkup) -> None:
        if asked and checkup.beside is None:
            raise Failed("no HEALTHCHECK", wanted)
        if checkup.beside:
            seen = f"beside the running server it ends with exit code {checkup.beside}"
            raise Failed(seen, wanted)
        if checkup.alone == 0:
            raise Failed("it ends with exit code 0 where no server runs, too", wanted)

    return tells_its_health


def stops(lesson: str, points: int = 1) -> Check:
    """docker stop is obeyed."""

    @check(
        points=points,
        lesson=lesson,
        title=f"docker stop ends it within {SECONDS_TO_STOP:.0f} seconds",
        blame=("CMD", "ENTRYPOINT"),
        why="What does not end when asked is killed ten seconds later, in the middle of its work.",
        hint='Write CMD as a list, so that the server is process 1: CMD ["program", "argument"].',
    )
    def stops(ending: Ending) -> None:
        wanted = f"an end of its own within {SECONDS_TO_STOP:.0f} seconds"
        if ending.code == KILLED:
            raise Failed(f"it had to be killed after {ending.seconds:.0f} seconds", wanted)
        if ending.seconds > SECONDS_TO_STOP:
            raise Failed(f"it took {ending.seconds:.1f} seconds", wanted)
        if ending.code not in {0, TERMINATED}:
            raise Failed(f"it ended with exit code {ending.code}", f"exit code 0 or {TERMINATED}")

    return stops


# ---- words


def _first_line(settings: Iterable[Setting]) -> int | None:
    return next((setting.line for setting in settings), None)


def _taken(step: Instruction) -> Iterable[str]:
    """The paths that an instruction takes from the folder, as they are written."""
    if step.keyword in {"COPY", "ADD"} and step.flag("from") is None:
        yield from (path for path in step.values[:-1] if not path.startswith("<<"))
    for name, value in step.flags:
        mount = dict(part.partition("=")[::2] for part in value.split(","))
        if name == "mount" and mount.get("type", "bind") == "bind" and "from" not in mount:
            yield mount.get("source") or mount.get("src") or "."


def _script(step: Instruction) -> str:
    """All that a RUN executes, without a shell's comments."""
    text = " ".join(step.words) if step.words else step.text
    lines = "\n".join([text, *(heredoc.body for heredoc in step.heredocs)]).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def _installs_any_poetry(script: str) -> str:
    """The first command that lets pip, pipx or uv install whichever Poetry is newest, or empty."""
    for command in re.split(r"&&|\|\||[|;\n]", script):
        words = [word.strip("'\"") for word in command.split()]
        tools, _, rest = " ".join(words).partition(" install ")
        free = any(re.fullmatch(r"poetry(\[.*\])?", word) for word in rest.split())
        if free and re.search(r"\b(pip[\d.]*|pipx|uv)\b", tools) and not _CONSTRAINED & {*words}:
            return command.strip()
    return ""


def _place(where: object, path: str) -> str:
    return f"/{path} in layer {where}" if isinstance(where, int) else f"the image's {where}"


def _instruction(image: Image, layer: int) -> str:
    """The instruction that made a layer, cut short."""
    said = next((step.created_by for step in image.history if step.layer == layer), "")
    text = re.sub(r"\s+", " ", said.removesuffix("# buildkit")).strip()
    return _short(re.sub(r"^RUN (?:\|\d+ (?:\S+=\S* )*)?/bin/sh -c ", "RUN ", text))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - the width of a line
