"""Read one service of a compose file."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from workshop.analysis.compose.command import CommandSyntaxError, split
from workshop.analysis.compose.keys import (
    BUILD,
    DEPENDS,
    DEVELOP,
    ENV_FILE,
    HEALTHCHECK,
    SERVICE,
    WATCH,
)
from workshop.analysis.compose.model import BuildSpec, EnvFile, Healthcheck, Service, Watch
from workshop.analysis.compose.mounts import read_mounts, read_tmpfs
from workshop.analysis.compose.ports import read_ports
from workshop.analysis.compose.reader import OUTSIDE, relative_path

if TYPE_CHECKING:
    from workshop.analysis.compose.reader import Reader
    from workshop.analysis.compose.yaml_tree import Node

_CONDITIONS = ("service_started", "service_healthy", "service_completed_successfully")


def read_service(reader: Reader, name: str, node: Node) -> Service:
    """Read the service `name`; the reader collects its problems and refusals."""
    where = f"services.{name}"
    fields = reader.fields(where, node, SERVICE)
    get = fields.get

    def at(key: str) -> tuple[str, Node | None]:
        return f"{where}.{key}", get(key)

    image = reader.text(*at("image"))
    if not image and "build" not in fields and isinstance(node.value, dict):
        reader.problem(node, f"{where} needs an image or a build")
    return Service(
        name=name,
        image=image,
        build=_build(reader, *at("build")),
        command=_command(reader, *at("command")),
        entrypoint=_command(reader, *at("entrypoint")),
        environment=reader.variables(*at("environment")),
        env_files=_env_files(reader, *at("env_file")),
        ports=read_ports(reader, *at("ports")),
        mounts=read_mounts(reader, *at("volumes")) + read_tmpfs(reader, *at("tmpfs")),
        profiles=reader.texts(*at("profiles")),
        init=reader.flag(*at("init")),
        user=reader.text(*at("user")),
        working_dir=reader.text(*at("working_dir")),
        depends_on=_depends_on(reader, *at("depends_on")),
        tty=reader.flag(*at("tty")),
        stdin_open=reader.flag(*at("stdin_open")),
        read_only=reader.flag(*at("read_only")),
        cap_drop=reader.texts(*at("cap_drop")),
        restart=reader.text(*at("restart")),
        healthcheck=_healthcheck(reader, *at("healthcheck")),
        develop_watch=_watch(reader, *at("develop")),
        line=node.line,
    )


def _build(reader: Reader, where: str, node: Node | None) -> BuildSpec | None:
    if node is None:
        return None
    fields = {"context": node} if isinstance(node.value, str) else reader.fields(where, node, BUILD)
    path = where if isinstance(node.value, str) else f"{where}.context"
    written = reader.text(path, fields.get("context")) or "."
    context = reader.path_inside(path, fields.get("context", node), written)
    dockerfile = reader.text(f"{where}.dockerfile", fields.get("dockerfile")) or "Dockerfile"
    if context is None:
        return None
    if dockerfile.startswith("/") or relative_path(posixpath.join(context, dockerfile)) is None:
        reader.refuse(f"{where}.dockerfile", fields["dockerfile"], OUTSIDE)
        return None
    return BuildSpec(
        context,
        dockerfile,
        reader.text(f"{where}.target", fields.get("target")),
        reader.variables(f"{where}.args", fields.get("args")),
        node.line,
    )


def _command(reader: Reader, where: str, node: Node | None) -> tuple[str, ...] | None:
    """Read a command as arguments; None if absent, which keeps the image's command."""
    if node is None or node.value is None:
        return None
    if isinstance(node.value, list):
        return reader.texts(where, node)
    try:
        return split(reader.text(where, node))
    except CommandSyntaxError as error:
        reader.problem(node, f"{where}: {error}")
        return None


def _env_files(reader: Reader, where: str, node: Node | None) -> tuple[EnvFile, ...]:
    if node is None:
        return ()
    if isinstance(node.value, dict):
        reader.problem(node, f"{where} must be a string or a list")
        return ()
    entries = reader.items(where, node) if isinstance(node.value, list) else [(where, node)]
    found = [_env_file(reader, path, entry) for path, entry in entries]
    return tuple(file for file in found if file)


def _env_file(reader: Reader, where: str, node: Node) -> EnvFile | None:
    fields = {"path": node}
    if isinstance(node.value, dict):
        fields = reader.fields(where, node, ENV_FILE)
    path = reader.text(f"{where}.path", fields.get("path"))
    inside = reader.path_inside(where, node, path)
    required = reader.flag(f"{where}.required", fields.get("required"), default=True)
    return EnvFile(inside, required) if inside else None


def _depends_on(reader: Reader, where: str, node: Node | None) -> dict[str, str]:
    """Read the services that this one depends on, and the condition for each."""
    if node is None or isinstance(node.value, list):
        names = reader.texts(where, node)
        if node and len(set(names)) < len(names):
            reader.problem(node, f"{where} names a service twice")
        return dict.fromkeys(names, "service_started")
    found = {}
    for name, entry in reader.mapping(where, node).items():
        fields = reader.fields(f"{where}.{name}", entry, DEPENDS)
        found[name] = reader.text(f"{where}.{name}.condition", fields.get("condition"))
        if found[name] not in _CONDITIONS:
            reader.problem(entry, f"{where}.{name} needs a condition: {', '.join(_CONDITIONS)}")
    return found


def _healthcheck(reader: Reader, where: str, node: Node | None) -> Healthcheck | None:
    if node is None:
        return None
    fields = reader.fields(where, node, HEALTHCHECK)
    texts = {
        key: reader.text(f"{where}.{key}", fields.get(key), numbers=key == "retries")
        for key in ("interval", "timeout", "start_period", "start_interval", "retries")
    }
    return Healthcheck(
        test=_test(reader, f"{where}.test", fields.get("test")),
        disable=reader.flag(f"{where}.disable", fields.get("disable")),
        **texts,
    )


def _test(reader: Reader, where: str, node: Node | None) -> tuple[str, ...]:
    """Read the health check's command; a string is run by a shell."""
    if node is None:
        return ()
    if isinstance(node.value, str):
        return ("CMD-SHELL", reader.text(where, node))
    arguments = reader.texts(where, node)
    if arguments and arguments[:1] not in (("CMD",), ("CMD-SHELL",), ("NONE",)):
        reader.problem(node, f"{where} must start with CMD, CMD-SHELL or NONE")
    return arguments


def _watch(reader: Reader, where: str, node: Node | None) -> tuple[Watch, ...]:
    if node is None:
        return ()
    found = []
    for path, entry in reader.items(
        f"{where}.watch", reader.fields(where, node, DEVELOP).get("watch")
    ):
        fields = reader.fields(path, entry, WATCH)
        arguments = [
            reader.text(f"{path}.{key}", fields.get(key)) for key in ("action", "path", "target")
        ]
        found.append(Watch(*arguments))
    return tuple(found)
