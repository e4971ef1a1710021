"""Write the compose file that the grader runs, from the permitted parts of a learner's file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from workshop.analysis.compose.model import Refusal
from workshop.analysis.compose.paths import (
    RefusedError,
    read_environment,
    resolve_build,
    resolve_inside,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from workshop.analysis.compose.model import BuildSpec, Compose, Healthcheck, Mount, Service

# No network, and no new privileges.
ISOLATION: dict[str, Any] = {
    "network_mode": "none",
    "restart": "no",
    "security_opt": ["no-new-privileges:true"],
}

_SURROGATES = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")


def emit(  # noqa: PLR0913 - the parts of the file
    compose: Compose,
    services: Sequence[str],
    *,
    images: Mapping[str, str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    limits: Mapping[str, Any] | None = None,
) -> str:
    """Return a compose file, in JSON (a subset of YAML), that runs `services` of `compose`.

    A service uses `images[service]` if given; otherwise it is built from `folder`. No ports are
    published. `environment` interpolates env files. `limits` are settings for each service. Raises
    `RefusedError` if a service is unknown, has a refusal or no image, or refers to files outside
    `folder`.
    """
    _check(compose, services)
    chosen = [compose.services[name] for name in services]
    named: dict[str, Any] = {
        mount.source: {} for service in chosen for mount in service.mounts if mount.kind == "volume"
    }
    named.pop("", None)
    document = {
        "services": {
            service.name: {
                **_service(service, services, images, folder, environment or {}),
                **ISOLATION,
                **(limits or {}),
            }
            for service in chosen
        },
        "volumes": named,
    }
    return _dump(_escape_dollars(document))


def _check(compose: Compose, services: Sequence[str]) -> None:
    """Raise `RefusedError` for an unknown service, or one with refusals."""
    for name in services:
        if name not in compose.services:
            raise RefusedError(
                Refusal(f"services.{name}", 1, "nothing", "the file does not define this service")
            )
    refusals = tuple(
        refusal
        for refusal in compose.refusals
        if not refusal.where.startswith("services.")
        or any(refusal.where.startswith(f"services.{name}.") for name in services)
    )
    if refusals:
        raise RefusedError(*refusals)


def _service(
    service: Service,
    services: Sequence[str],
    images: Mapping[str, str],
    folder: Path,
    environment: Mapping[str, str],
) -> dict[str, Any]:
    where = f"services.{service.name}.volumes"
    found: dict[str, Any] = {
        **_image(service, images, folder),
        "environment": read_environment(service, folder, environment),
        "volumes": [_mount(mount, where, folder) for mount in service.mounts],
        "depends_on": {
            name: {"condition": condition}
            for name, condition in service.depends_on.items()
            if name in services
        },
        "cap_drop": list(service.cap_drop),
        "user": service.user,
        "working_dir": service.working_dir,
        "healthcheck": service.healthcheck and _healthcheck(service.healthcheck),
    }
    flags = {key: getattr(service, key) for key in ("init", "tty", "stdin_open", "read_only")}
    kept = {key: value for key, value in {**found, **flags}.items() if value}
    # An empty list is kept: it clears the image's command.
    for key in ("command", "entrypoint"):
        arguments = getattr(service, key)
        if arguments is not None:
            kept[key] = list(arguments)
    return kept


def _image(service: Service, images: Mapping[str, str], folder: Path) -> dict[str, Any]:
    if service.name in images:
        return {"image": images[service.name], "pull_policy": "never"}
    if service.build:
        return {"build": _build(service, service.build, folder)}
    where, why = f"services.{service.name}.image", "the service is not built from the folder"
    raise RefusedError(Refusal(where, service.line, service.image, why))


def _build(service: Service, spec: BuildSpec, folder: Path) -> dict[str, Any]:
    context, dockerfile = resolve_build(service, folder)
    found = {"context": str(context), "dockerfile": str(dockerfile)}
    more = {"target": spec.target, "args": dict(spec.args)}
    return {**found, **{key: value for key, value in more.items() if value}}


def _mount(mount: Mount, where: str, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"type": mount.kind, "target": mount.target}
    if mount.read_only:
        found["read_only"] = True
    if mount.kind == "bind":
        source = resolve_inside(folder, mount.source, where, mount.line, missing=mount.create)
        return {**found, "source": str(source), "bind": {"create_host_path": mount.create}}
    return {**found, "source": mount.source} if mount.source else found


def _healthcheck(check: Healthcheck) -> dict[str, Any]:
    found = {**vars(check), "test": list(check.test)}
    kept = {key: value for key, value in found.items() if value}
    return {**kept, "retries": int(check.retries)} if check.retries.isdigit() else kept


def _escape_dollars(value: Any) -> Any:  # noqa: ANN401 - as deep as the document
    """Double each dollar sign, so that Docker Compose does not interpolate the value again."""
    if isinstance(value, dict):
        return {key: _escape_dollars(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escape_dollars(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def _dump(document: dict[str, Any]) -> str:
    """Dump as ASCII JSON; join surrogate pairs into one escape, because YAML has no pairs."""
    text = json.dumps(document, indent=2)

    def whole(pair: re.Match[str]) -> str:
        high, low = int(pair[1], 16), int(pair[2], 16)
        return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"

    return _SURROGATES.sub(whole, text)
