"""The parser agrees with `docker compose config` on every supported syntax."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from unit.analysis.compose.files import VARIABLES

from workshop.analysis.compose import read, read_environment

VALUES = """\
image: plain
image: "${NO:-a}${NO-b}${SET:+c}${SET+d}${EMPTY:-e}${EMPTY-f}${EMPTY:+g}${EMPTY+h}$SET"
image: "${NO:-${ALSO:-${SET}x}y}z$$SET$${SET}"
image: "${NO:-{x}}${NO:-}}q"
image: "${SET:?must be} ${SET?must be}$NO-$1-$"
image: "${DOLLAR}${NO:-$$}"
image: ${NO:+${NO:-}/}name:latest
build: .
build: ./a/../b/
build: {context: a}
build: {context: ./a, dockerfile: sub/File, target: t}
build: {context: a, dockerfile: ../b/File, args: {A: 1, B: yes, C: true, D: null, SET: , F: 1.50}}
build: {dockerfile: File, args: [A=1, B=, SET, NO, D=x=y]}
command: []
command: ""
command:
command: [a, "b c", "$$d"]
command: a b
command: sh -c "a \\"b\\" 'c' \\n" d
command: |-
  a 'b\\c' \\d "e\\f" g'h'"i" ''
command: a && b
command: a 2> b
command: 'a "b;c|d" \\; e | f'
command: 'a `b c` $$(d e) "$$(f)" g#h #i'
command: ["${SET}", "${NO:-${PORT}}"]
entrypoint: ["/bin/sh", -c]
entrypoint: ''
entrypoint: sh -c
environment: {A: 1, B: "1", C: yes, D: on, E: true, F: False, G: null, SET: , NO: , H: ""}
environment: {A: 010, B: 0o10, C: 0x1F, D: 1_000, E: 1.10, F: 1e3, G: 1e30, H: 12345678.5, I: 1e-7}
environment: {A: 1:30, B: +5, C: -5, D: .5, E: 123456.5, F: 0b11, G: 0.0001, H: "~", I: ~, J: 09}
environment: {A: 12345678901234567890, B: 123456789012345678901, C: 1., D: -0, E: 5e}
environment: [A=1, B=, SET, NO, C=x=y, A=2, "D=a b"]
environment: ["A=${SET}", "B=$$x", "C=${NO:-}", DOLLAR]
environment: {A: "${SET}", B: "${NO:-d}", C: "${YES}", D: "${PORT}"}
environment: {A: "\\u00e9\\U0001F600\\t\\"", B: é, C: "a\\nb"}
environment:
  A: >
    folded
    text
  B: x
env_file: one.env
env_file: [one.env, two.env]
env_file: [{path: one.env}, {path: none.env, required: false}]
ports: ["8000"]
ports: [8000, 22:22, "0:80", ":81"]
ports: ["3000-3002", "9090-9091:8080-8081", "49100-49103:22", "6000-6001:7000-7001/udp"]
ports: ["127.0.0.1:8001:8001", "127.0.0.1:5000-5001:5000-5001", "127.0.0.1::80", "[::1]:80:80"]
ports: ["6060:6060/udp", "53:53/UDP", "127.0.0.1:${PORT:-1}:80/tcp", "${PORT}:80"]
ports: [{target: 80}]
ports: [{target: 80, published: 8080, host_ip: 127.0.0.1, protocol: udp, mode: host}]
ports: [{target: 80, published: "8080-8090"}, {target: 81, published: "${PORT}"}]
ports: [{target: "${PORT}"}, "80:80", "80:80"]
volumes: [./a:/b, ./a:/c:ro, ./a/../b:/d:rw, .:/e, "./a/:/f:ro,z"]
volumes: [/anonymous]
volumes: [data:/data, "data:/more:ro", "data:/x:nocopy"]
volumes: [{type: bind, source: a, target: /b}]
volumes: [{type: bind, source: ./a, target: /b, read_only: true, bind: {create_host_path: true}}]
volumes: [{type: volume, source: data, target: /b, volume: {nocopy: true}}]
volumes: [{type: volume, target: /b}, {type: tmpfs, target: /c, tmpfs: {size: 1000}}]
volumes: ["./${SET}:/x", "${NO:-data}:/y", {type: bind, source: "${SET}", target: "/${SET}"}]
tmpfs: /t
tmpfs: [/t, "/u:size=1m"]
init: true
init: "${YES}"
init: "${NO:-false}"
tty: true
stdin_open: "true"
user: "1000"
user: "${SET}:${SET}"
working_dir: /app
profiles: [a, "${SET}"]
restart: unless-stopped
restart: no
healthcheck: {test: curl x, interval: 30s, retries: 3}
healthcheck: {test: [CMD, a], timeout: 1m30s, start_period: 5s}
healthcheck: {test: ["NONE"]}
labels: {a: b}
x-mine: {anything: 1}
cap_drop: [ALL]
read_only: true
depends_on: [db]
depends_on: {db: {condition: service_started}}
<<: {command: merged, user: "1"}
<<: [{command: first}, {command: second, user: "2"}]
"""
PIECES = (
    *("a", "'b c'", '"d e"', "\\f", "g;h", '"i\\"j"', "''", "k'l'", "$$m", "&& n", "#o"),
    *("${NO:-p}"),
)
NESTS = ("${NO:-%s}", "${NO-%s}", "${SET:+%s}", "x%s", "%s$$", "${EMPTY:-%s}", "${EMPTY-%s}", "%s}")


DEFAULTS = {
    **dict.fromkeys(("init", "tty", "stdin_open", "read_only"), False),
    **dict.fromkeys(("user", "working_dir", "restart"), ""),
    **{key: [] for key in ("profiles", "cap_drop")},
}


def bodies() -> list[str]:
    """Return service bodies with every supported syntax, one key each, and random ones."""
    found: list[str] = []
    for line in VALUES.splitlines():
        if line[:1].isspace():
            found[-1] += "\n" + line
        else:
            found.append(line)
    rng = random.Random(7)  # noqa: S311 - a fixed seed
    for _ in range(60):
        words = " ".join(rng.choices(PIECES, k=rng.randint(1, 6)))
        found.append("command: " + json.dumps(words))
        text = "x"
        for nest in rng.choices(NESTS, k=rng.randint(1, 5)):
            text = nest.replace("%s", text)
        found.append("environment: " + json.dumps({"A": text}))
    return found


def file_with(bodies_in_file: list[str]) -> str:
    """Return one file with all bodies, as services s0, s1 ..."""
    parts = ["services:", "  db: {image: db}"]
    for number, body in enumerate(bodies_in_file):
        parts.append(f"  s{number}:")
        has_image = body.startswith(("image", "build"))
        parts += [
            f"    {line}" for line in (body if has_image else f"image: x\n{body}").split("\n")
        ]
    return "\n".join([*parts, "volumes:", "  data:", ""])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compose")
    (folder / "one.env").write_text(
        "# a comment\nA=1\nexport B=two # more\nC=\"x\\ny $A\" # c\nD='$A #'\nE=\nNO\nSET\n"
        'G = sp aced \nH: yaml\nI=a#b\n\n  J=${A}${NO:-d}$$z\nK="multi\nline"\nL=${SET}\n'
    )
    (folder / "two.env").write_text('A=later\nM=${A}\r\nN="it\'s"\n')
    return folder


@pytest.fixture(scope="module")
def compose_config(folder) -> dict:
    """The services that `docker compose config` prints for the bodies."""
    if not shutil.which("docker"):
        pytest.skip("Docker Compose is not installed")
    found = {}
    for start in range(0, len(bodies()), 90):
        text = file_with(bodies()[start : start + 90])
        (folder / "all.yml").write_text(text, encoding="utf-8")
        argv = ("docker", "compose", "--file", "all.yml", "--profile", "*", "config")
        done = subprocess.run(
            (*argv, "--format", "json"),
            cwd=folder,
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), **VARIABLES},
            capture_output=True,
            check=False,
        )
        if b"is not a docker command" in done.stderr or b"unknown flag" in done.stderr:
            pytest.skip("Docker Compose is not installed")
        assert done.returncode == 0, done.stderr.decode()
        services = json.loads(done.stdout.replace(b"$$", b"$"))["services"]
        found |= {
            int(name[1:]) + start: service for name, service in services.items() if name != "db"
        }
    return found


def relative_to(path: str, folder: Path) -> str:
    return str(Path(path).relative_to(folder))


def normalise_compose(service: dict, folder: Path) -> dict:
    """Return the compared settings of a service that Docker Compose printed."""
    build = service.get("build")
    return {
        "image": service.get("image", ""),
        "build": build
        and (
            relative_to(build["context"], folder),
            build["dockerfile"],
            build.get("target", ""),
            {key: value for key, value in (build.get("args") or {}).items() if value is not None},
        ),
        "command": service["command"],
        "entrypoint": service["entrypoint"],
        "environment": {
            key: value
            for key, value in (service.get("environment") or {}).items()
            if value is not None
        },
        "ports": [
            (port.get("host_ip", ""), port.get("published", ""), port["target"], port["protocol"])
            for port in service.get("ports", ())
        ],
        "mounts": [normalise_mount(mount, folder) for mount in service.get("volumes", ())]
        + [("tmpfs", "", text.split(":")[0], False) for text in service.get("tmpfs", ())],
        "others": {key: service.get(key, default) for key, default in DEFAULTS.items()},
        "depends_on": {
            name: other["condition"] for name, other in service.get("depends_on", {}).items()
        },
    }


def normalise_mount(mount: dict, folder: Path) -> tuple:
    source = mount.get("source", "")
    if mount["type"] == "bind":
        source = relative_to(source, folder)
    return mount["type"], source, mount["target"], mount.get("read_only", False)


def normalise_service(service, folder: Path) -> dict:
    build = service.build
    return {
        "image": service.image,
        "build": build and (build.context, build.dockerfile, build.target, build.args),
        "command": None if service.command is None else list(service.command),
        "entrypoint": None if service.entrypoint is None else list(service.entrypoint),
        "environment": read_environment(service, folder, VARIABLES),
        "ports": [
            (port.host, port.published, port.target, port.protocol) for port in service.ports
        ],
        "mounts": [
            (read_web.kind, read_web.source, read_web.target, read_web.read_only)
            for read_web in service.mounts
        ],
        "others": {
            key: list(value) if isinstance(value := getattr(service, key), tuple) else value
            for key in DEFAULTS
        },
        "depends_on": dict(service.depends_on),
    }


def test_every_service_agrees_with_docker_compose(compose_config, folder):
    assert len(compose_config) == len(bodies()) > 180
    for number, body in enumerate(bodies()):
        compose = read(file_with([body]), VARIABLES)
        assert (compose.problems, compose.refusals) == ((), ()), body
        ours = normalise_service(compose.services["s0"], folder)
        assert ours == normalise_compose(compose_config[number], folder), body
