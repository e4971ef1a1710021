"""A learner's compose file is read as docker compose reads it, and nothing in it is trusted."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from harness import ROOT

from workshop.analysis.compose import (
    Compose,
    Mount,
    Port,
    RefusedError,
    emit,
    on_disk,
    read,
    variables,
)
from workshop.analysis.compose.keys import (
    BUILD,
    DEPENDS,
    ENV_FILE,
    HEALTHCHECK,
    MOUNT,
    NETWORK,
    PORT,
    SERVICE,
    TOP,
    VOLUME,
    WATCH,
)

KIT_FILES = ("docker-compose.yml", "docker-compose.debug.yml", "docker-compose.part-3.yml")
SET = {"SET": "set", "EMPTY": "", "PORT": "8123", "YES": "yes", "DOLLAR": "a$b"}


def one(body: str, environment: dict[str, str] | None = None) -> Compose:
    """A file with one service, `web`, of this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return read(f"services:\n  web:\n{lines}\n", environment or {})


def web(body: str, environment: dict[str, str] | None = None):
    compose = one(body, environment)
    assert (compose.problems, compose.refusals) == ((), ())
    return compose.services["web"]


class TestTheKitsOwnFiles:
    @pytest.mark.parametrize("name", KIT_FILES)
    def test_they_are_read_without_a_problem_or_a_refusal(self, name):
        compose = read((ROOT / name).read_bytes(), {})
        assert (compose.problems, compose.refusals) == ((), ())
        assert compose.services

    def test_anchors_and_merged_keys_are_written_out(self):
        tests = read((ROOT / "docker-compose.yml").read_bytes(), {}).services["todo-tests"]
        assert tests.build.context == "services/todo-app"
        assert tests.build.target == "test"
        assert tests.command == ("watch",)

    def test_what_they_name_is_on_the_disk(self):
        for name in KIT_FILES:
            assert on_disk(read((ROOT / name).read_bytes(), {}), ROOT) == ()


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
    "a",
    "'b c'",
    '"d e"',
    "\\f",
    "g;h",
    '"i\\"j"',
    "''",
    "k'l'",
    "$$m",
    "&& n",
    "#o",
    "${NO:-p}",
)
NESTS = ("${NO:-%s}", "${NO-%s}", "${SET:+%s}", "x%s", "%s$$", "${EMPTY:-%s}", "${EMPTY-%s}", "%s}")


def bodies() -> list[str]:
    """Service bodies in every syntax that is supported, one key each, and random ones."""
    found: list[str] = []
    for line in VALUES.splitlines():
        if line[:1].isspace():
            found[-1] += "\n" + line
        else:
            found.append(line)
    dice = random.Random(7)  # noqa: S311 - the same at each run
    for _ in range(60):
        words = " ".join(dice.choices(PIECES, k=dice.randint(1, 6)))
        found.append("command: " + json.dumps(words))
        text = "x"
        for nest in dice.choices(NESTS, k=dice.randint(1, 5)):
            text = nest.replace("%s", text)
        found.append("environment: " + json.dumps({"A": text}))
    return found


def whole_file(some: list[str]) -> str:
    """One file with all of the bodies, as services s0, s1 ..."""
    parts = ["services:", "  db: {image: db}"]
    for number, body in enumerate(some):
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
def theirs(folder) -> dict:
    """What docker compose makes of the bodies: its services."""
    if not shutil.which("docker"):
        pytest.skip("no docker compose on this machine")
    found = {}
    for start in range(0, len(bodies()), 90):
        text = whole_file(bodies()[start : start + 90])
        (folder / "all.yml").write_text(text, encoding="utf-8")
        words = ("docker", "compose", "--file", "all.yml", "--profile", "*", "config")
        done = subprocess.run(
            (*words, "--format", "json"),
            cwd=folder,
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), **SET},
            capture_output=True,
            check=False,
        )
        if b"is not a docker command" in done.stderr or b"unknown flag" in done.stderr:
            pytest.skip("no docker compose on this machine")
        assert done.returncode == 0, done.stderr.decode()
        services = json.loads(done.stdout.replace(b"$$", b"$"))["services"]
        found |= {int(name[1:]) + start: one for name, one in services.items() if name != "db"}
    return found


def in_folder(path: str, folder: Path) -> str:
    return str(Path(path).relative_to(folder))


def their_words(service: dict, folder: Path) -> dict:
    """A service of docker compose's, as far as it is compared."""
    build = service.get("build")
    return {
        "image": service.get("image", ""),
        "build": build
        and (
            in_folder(build["context"], folder),
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
        "mounts": [their_mount(mount, folder) for mount in service.get("volumes", ())]
        + [("tmpfs", "", text.split(":")[0], False) for text in service.get("tmpfs", ())],
        "rest": [
            service.get(key, other)
            for key, other in (
                ("init", False),
                ("tty", False),
                ("stdin_open", False),
                ("read_only", False),
                ("user", ""),
                ("working_dir", ""),
                ("restart", ""),
                ("profiles", []),
                ("cap_drop", []),
            )
        ],
        "depends_on": {key: one["condition"] for key, one in service.get("depends_on", {}).items()},
    }


def their_mount(mount: dict, folder: Path) -> tuple:
    source = mount.get("source", "")
    if mount["type"] == "bind":
        source = in_folder(source, folder)
    return mount["type"], source, mount["target"], mount.get("read_only", False)


def our_words(service, folder: Path) -> dict:
    build = service.build
    return {
        "image": service.image,
        "build": build and (build.context, build.dockerfile, build.target, build.args),
        "command": None if service.command is None else list(service.command),
        "entrypoint": None if service.entrypoint is None else list(service.entrypoint),
        "environment": variables(service, folder, SET),
        "ports": [
            (port.host, port.published, port.target, port.protocol) for port in service.ports
        ],
        "mounts": [(one.kind, one.source, one.target, one.read_only) for one in service.mounts],
        "rest": [
            service.init,
            service.tty,
            service.stdin_open,
            service.read_only,
            service.user,
            service.working_dir,
            service.restart,
            list(service.profiles),
            list(service.cap_drop),
        ],
        "depends_on": dict(service.depends_on),
    }


def test_every_service_is_what_docker_compose_makes_of_it(theirs, folder):
    assert len(theirs) == len(bodies()) > 180
    for number, body in enumerate(bodies()):
        compose = read(whole_file([body]), SET)
        assert (compose.problems, compose.refusals) == ((), ()), body
        ours = our_words(compose.services["s0"], folder)
        assert ours == their_words(theirs[number], folder), body


OUTSIDE = "it leads out of the folder"
HOST = "reaches beyond the container"
REFUSED = {
    "privileged: true": ("privileged", HOST),
    "cap_add: [SYS_ADMIN]": ("cap_add", HOST),
    "devices: [/dev/kmsg]": ("devices", HOST),
    "device_cgroup_rules: ['a *:* rwm']": ("device_cgroup_rules", HOST),
    "pid: host": ("pid", HOST),
    "ipc: host": ("ipc", HOST),
    "uts: host": ("uts", HOST),
    "network_mode: host": ("network_mode", HOST),
    "network_mode: 'container:other'": ("network_mode", HOST),
    "userns_mode: host": ("userns_mode", HOST),
    "cgroup: host": ("cgroup", HOST),
    "cgroup_parent: /": ("cgroup_parent", HOST),
    "sysctls: [kernel.core_pattern=x]": ("sysctls", HOST),
    "security_opt: [seccomp=unconfined]": ("security_opt", HOST),
    "security_opt: ['no-new-privileges:true', 'apparmor=unconfined']": ("security_opt", HOST),
    "volumes_from: ['container:other']": ("volumes_from", HOST),
    "external_links: [other]": ("external_links", HOST),
    "extra_hosts: ['a:host-gateway']": ("extra_hosts", HOST),
    "group_add: [docker]": ("group_add", HOST),
    "use_api_socket: true": ("use_api_socket", HOST),
    "runtime: other": ("runtime", "not every engine"),
    "gpus: all": ("gpus", "not every engine"),
    "provider: {type: x}": ("provider", "not every engine"),
    "ulimits: {nproc: 100000000}": ("ulimits", "sets the limits"),
    "shm_size: 64g": ("shm_size", "sets the limits"),
    "oom_score_adj: -1000": ("oom_score_adj", "sets the limits"),
    "secrets: [a]": ("secrets", "no secrets"),
    "configs: [a]": ("configs", "no secrets"),
    "credential_spec: {file: x}": ("credential_spec", "no secrets"),
    "extends: {file: /etc/passwd, service: x}": ("extends", "one file is read"),
    "label_file: /etc/passwd": ("label_file", "one file is read"),
    "post_start: [{command: id, user: root}]": ("post_start", "runs commands"),
    "pre_stop: [{command: id}]": ("pre_stop", "runs commands"),
    "volumes: ['/var/run/docker.sock:/var/run/docker.sock']": ("volumes[0]", OUTSIDE),
    "volumes: ['/:/host']": ("volumes[0]", OUTSIDE),
    "volumes: ['../other:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['./a/../../other:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['~/.ssh:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['${NO:-/etc}:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['${ROOT}etc:/x']": ("volumes[0]", OUTSIDE),
    "volumes: ['C:\\Users:/x']": ("volumes[0]", "path of Windows"),
    "volumes: ['./a:/x:rshared']": ("volumes[0]", "carries mounts"),
    "volumes: [{type: bind, source: /etc, target: /x}]": ("volumes[0].source", OUTSIDE),
    "volumes: [{type: bind, source: '', target: /x}]": ("volumes[0].source", OUTSIDE),
    "volumes: [{type: bind, source: a/../.., target: /x}]": ("volumes[0].source", OUTSIDE),
    "volumes: [{type: npipe, source: a, target: /x}]": ("volumes[0].type", "must be bind"),
    "volumes: [{type: bind, source: a, target: /x, bind: {propagation: shared}}]": (
        "volumes[0].bind.propagation",
        HOST,
    ),
    "env_file: /etc/environment": ("env_file", OUTSIDE),
    "env_file: [../.env]": ("env_file[0]", OUTSIDE),
    "env_file: [{path: ../.env, required: false}]": ("env_file[0]", OUTSIDE),
    "build: ..": ("build", OUTSIDE),
    "build: /": ("build", OUTSIDE),
    "build: https://example.org/x.git": ("build", OUTSIDE),
    "build: git@example.org:x/y.git": ("build", OUTSIDE),
    "build: {context: ../other}": ("build.context", OUTSIDE),
    "build: {context: a, dockerfile: ../../File}": ("build.dockerfile", OUTSIDE),
    "build: {context: a, dockerfile: /etc/passwd}": ("build.dockerfile", OUTSIDE),
    "build: {context: a, additional_contexts: {x: /}}": (
        "build.additional_contexts",
        "nothing from elsewhere",
    ),
    "build: {context: a, cache_from: [other]}": ("build.cache_from", "nothing from elsewhere"),
    "build: {context: a, cache_to: [x]}": ("build.cache_to", "nothing from elsewhere"),
    "build: {context: a, dockerfile_inline: FROM x}": (
        "build.dockerfile_inline",
        "nothing from elsewhere",
    ),
    "build: {context: a, network: host}": ("build.network", HOST),
    "build: {context: a, privileged: true}": ("build.privileged", HOST),
    "build: {context: a, entitlements: [security.insecure]}": ("build.entitlements", HOST),
    "build: {context: a, extra_hosts: ['a:1.2.3.4']}": ("build.extra_hosts", HOST),
    "build: {context: a, ssh: [default]}": ("build.ssh", "no secrets"),
    "build: {context: a, secrets: [x]}": ("build.secrets", "no secrets"),
    "develop: {watch: [{action: sync+exec, path: ., exec: {command: x}}]}": (
        "develop.watch[0].exec",
        "runs commands",
    ),
}
REFUSED_AT_THE_TOP = {
    "include: [/etc/passwd]": ("include", "one file is read"),
    "include: [{path: other.yml}]": ("include", "one file is read"),
    "secrets: {a: {file: /etc/shadow}}": ("secrets", "no secrets"),
    "configs: {a: {file: ../x}}": ("configs", "no secrets"),
    "volumes: {a: {external: true}}": ("volumes.a.external", HOST),
    "volumes: {a: {driver: sshfs}}": ("volumes.a.driver", HOST),
    "volumes: {a: {driver_opts: {type: none, o: bind, device: /}}}": (
        "volumes.a.driver_opts",
        HOST,
    ),
    "networks: {a: {external: true}}": ("networks.a.external", HOST),
    "networks: {a: {driver: host}}": ("networks.a.driver", HOST),
    "networks: {a: {driver_opts: {parent: eth0}}}": ("networks.a.driver_opts", HOST),
}


class TestRefusals:
    @pytest.mark.parametrize("body", REFUSED)
    def test_a_service_gets_nothing_of_the_machine(self, body, tmp_path):
        where, why = REFUSED[body]
        compose = one(f"image: x\n{body}", {"ROOT": "/"})
        assert [each.where for each in compose.refusals] == [f"services.web.{where}"]
        assert why in compose.refusals[0].why
        assert compose.refusals[0].line == 4
        with pytest.raises(RefusedError, match=re.escape(why)):
            emit(compose, ["web"], images={"web": "x"}, folder=tmp_path)

    @pytest.mark.parametrize("text", REFUSED_AT_THE_TOP)
    def test_nor_does_the_file(self, text):
        where, why = REFUSED_AT_THE_TOP[text]
        compose = read(f"services: {{web: {{image: x}}}}\n{text}\n", {})
        assert [(each.where, each.line) for each in compose.refusals] == [(where, 2)]
        assert why in compose.refusals[0].why

    def test_it_shows_what_was_found(self):
        assert one("image: x\ncap_add: [SYS_ADMIN]").refusals[0].found == "[SYS_ADMIN]"
        assert one("image: x\nprivileged: true").refusals[0].found == "true"

    def test_an_alias_hides_nothing(self):
        text = "x-a: &a {privileged: true}\nservices:\n  web:\n    image: x\n    <<: *a\n"
        assert [each.where for each in read(text, {}).refusals] == ["services.web.privileged"]

    @pytest.mark.parametrize(
        "body",
        [
            "privileged: false",
            "network_mode: bridge",
            "security_opt: ['no-new-privileges:true']",
            "container_name: x",
            "labels: {a: b}",
            "logging: {driver: journald}",
            "stop_grace_period: 5s",
            "deploy: {resources: {limits: {memory: 100m}}}",
            "develop: {watch: [{action: sync, path: ., target: /x}]}",
        ],
    )
    def test_what_does_no_harm_is_not_refused(self, body):
        assert web(f"image: x\n{body}")


PROBLEMS = {
    "[]": "the file has no services",
    "": "the file is empty",
    "a: [": "did not find expected",
    "services: [a]": "services must be a mapping, and is a list",
    "services: {web: }": "services.web must be a mapping, and is empty",
    "services: {web: {}}": "services.web has neither an image nor a build",
    "services: {web: {image: x, imag: y}}": "no key of a compose file; did you mean image?",
    "servces: {web: {image: x}}": "servces is no key of a compose file; did you mean services?",
    "services: {web: {image: x, ports: 80}}": "ports must be a list, and is a number",
    "services: {web: {image: x, ports: ['80:a']}}": "ports[0] is no port: 80:a",
    "services: {web: {image: x, ports: ['1-60000', '1-60000/udp']}}": "more than 1000 ports",
    "services: {web: {image: x, user: 1000}}": "user must be a text, and is a number",
    "services: {web: {image: x, init: maybe}}": "init must be true or false, and is maybe",
    "services: {web: {image: x, command: 'a \"b'}}": "opens what nothing closes",
    "services: {web: {image: x, command: [1]}}": "command[0] must be a text",
    'services: {web: {image: "a\\0b"}}': "NUL",
    "services: {web: {image: '${A'}}": "has no closing brace",
    "services: {web: {image: '${A:?say it}'}}": "the variable A has no value: say it",
    "services: {web: {image: '${A!}'}}": "is no way to write a variable",
    "services: {web: {image: x, volumes: ['data:/x']}}": "data, which the file does not declare",
    "services: {web: {image: x, networks: [a]}}": "network a, which is not declared",
    "services: {web: {image: x, depends_on: [db]}}": "depends on db, which is no service",
    "services: {web: {image: x, depends_on: [web]}}": "waits for itself",
    "services: {web: {image: x, image: y}}": "image is there already, on line 1",
    "services: {web: {image: x, environment: {1: a}}}": "a key is no text",
    "services: {web: {image: !!python/object:os.system x}}": "python/object:os.system is not read",
    "services: {web: {image: *a}}": "*a has no anchor",
    "services: &a {web: *a}": "stands inside its own anchor",
    "services: {web: {<<: x}}": "<< merges what is no mapping",
    "a: 1\n---\nb: 2": "a second document",
    "version: '3'\nservices: {web: {image: x}}": "version is obsolete",
}


class TestProblems:
    @pytest.mark.parametrize("text", PROBLEMS)
    def test_a_problem_says_what_is_wrong(self, text):
        found = read(text, {}).problems
        assert any(PROBLEMS[text] in problem.text for problem in found), found

    def test_it_says_on_which_line(self):
        text = "services:\n  web:\n    image: x\n    ports: 80\n    foo: 1\n"
        assert sorted(problem.line for problem in read(text, {}).problems) == [4, 5]

    def test_an_old_version_is_known(self):
        assert read("version: '3'\nservices: {web: {image: x}}", {}).obsolete_version


class TestBounds:
    def test_a_bomb_of_aliases_is_not_written_out(self):
        lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
        lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
        self.is_refused("\n".join(lines), "too large")

    def test_nor_is_one_of_long_texts(self):
        self.is_refused("a: &a " + "x" * 900_000 + "\nb: [*a, *a]", "too large")

    def test_nor_one_of_merges(self):
        lines = ["a0: &a0 {k0: x}"]
        lines += [f"a{n}: &a{n} {{k{n}: x, <<: *a{n - 1}}}" for n in range(1, 2000)]
        self.is_refused("\n".join(lines), "too large")

    @pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
    def test_depth_has_an_end(self, text):
        self.is_refused(text, "levels")

    def test_depth_through_aliases_has_one_too(self):
        lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100))]
        self.is_refused("\n".join(lines), "levels")

    def test_size_has_an_end(self):
        self.is_refused("#" * 1_000_001, "1,000,000 are read")
        self.is_refused("[" + "1," * 400_000 + "]", "too large")

    def test_variables_in_each_other_have_an_end(self):
        self.is_refused("a: " + "${A:-" * 100_000 + "}" * 100_000, "deep")

    @pytest.mark.parametrize("text", ["'", '"', "\\", "$(", "`", "a ", "(", "\\a", "$", "''"])
    def test_long_commands_are_split_in_time(self, text):
        command = json.dumps(text * 200_000)
        self.is_refused(
            f"services: {{web: {{image: x, command: {command}, foo: 1}}}}", "foo is no key"
        )

    def test_many_faults_are_told_once_and_soon(self):
        body = ", ".join(f"imag{number}: y" for number in range(24_000))
        text = f"services: {{web: {{image: x, {body}}}}}"
        self.is_refused(text, "did you mean image?")
        assert len(read(text, {}).problems) == 100

    @pytest.mark.parametrize("text", [":", "1", "-", "[", "/", "1:", "1-"])
    def test_a_long_port_is_refused_in_time(self, text):
        text = f"services: {{web: {{image: x, ports: ['{text * 200_000}']}}}}"
        self.is_refused(text, "is no port")

    def is_refused(self, text: str, why: str) -> None:
        start = time.monotonic()
        assert any(why in problem.text for problem in read(text, {}).problems)
        assert time.monotonic() - start < 5


def test_no_bytes_raise():
    dice = random.Random(11)  # noqa: S311 - the same at each run
    kit = (ROOT / KIT_FILES[0]).read_bytes()
    words = [
        b"services:",
        b"\n  ",
        b"- ",
        b"${",
        b"}",
        b"&a ",
        b"*a",
        b"<<: ",
        b"[",
        b"]",
        b"{",
        b": ",
    ]
    words += [
        b"!!int ",
        b"'",
        b'"',
        b"\0",
        b"\xff",
        b"|",
        b"web",
        b"image",
        b"\xed\xa0\x80",
        b"$",
        b"0x",
    ]
    for number in range(2000):
        if number % 2:
            data = b"".join(dice.choices(words, k=dice.randint(1, 60)))
        else:
            at, size = dice.randrange(len(kit)), dice.randint(0, 30)
            data = kit[:at] + dice.choice(words) * dice.randint(0, 3) + kit[at + size :]
        assert isinstance(read(data, {}), Compose)


SHAPES = ("", "1", "true", "a", "[]", "[a]", "[[a]]", "[1]", "[{}]", "{}", "{a: b}", "{a: [1]}")
PLACES = {
    "%s": TOP,
    "services: {web: {image: x, %s}}": SERVICE,
    "services: {web: {build: {%s}}}": BUILD,
    "services: {web: {image: x, healthcheck: {%s}}}": HEALTHCHECK,
    "services: {web: {image: x, volumes: [{type: bind, target: /x, %s}]}}": MOUNT,
    "services: {web: {image: x, ports: [{%s}]}}": PORT,
    "services: {web: {image: x, develop: {watch: [{%s}]}}}": WATCH,
    "services: {web: {image: x, env_file: [{%s}]}}": ENV_FILE,
    "services: {web: {image: x, depends_on: {a: {%s}}}}": DEPENDS,
    "services: {web: {image: x}}\nvolumes: {a: {%s}}": VOLUME,
    "services: {web: {image: x}}\nnetworks: {a: {%s}}": NETWORK,
}


@pytest.mark.parametrize("place", PLACES)
def test_no_shape_raises_wherever_it_stands(place):
    for key in PLACES[place].known:
        for shape in SHAPES:
            text = place.replace("%s", f"{key}: {shape}")
            assert isinstance(read(text, {}), Compose)


EVERYTHING = """\
image: x
command: a
entrypoint: b
environment: {A: b}
volumes: [./a:/b]
init: true
tty: true
stdin_open: true
read_only: true
user: '1'
working_dir: /a
cap_drop: [ALL]
healthcheck: {test: a, retries: 3}
container_name: theirs
labels: {workshop: mine}
logging: {driver: syslog}
deploy: {replicas: 100}
hostname: h
"""


class TestEmit:
    def emitted(self, body: str, folder: Path, **options) -> dict:
        text = emit(one(body), ["web"], images={"web": "ours"}, folder=folder, **options)
        return json.loads(text)["services"]["web"]

    def test_a_container_is_on_no_network_and_publishes_nothing(self, tmp_path):
        found = self.emitted("image: theirs\nports: ['80:80']\nrestart: always", tmp_path)
        assert found["image"] == "ours"
        assert found["network_mode"] == "none"
        assert found["security_opt"] == ["no-new-privileges:true"]
        assert (found["pids_limit"], found["mem_limit"], found["restart"]) == (512, "1g", "no")
        assert not {"ports", "networks", "privileged"} & found.keys()

    def test_nothing_but_these_keys_is_written(self, tmp_path):
        (tmp_path / "a").mkdir()
        found = self.emitted(EVERYTHING, tmp_path)
        assert not {"container_name", "labels", "deploy", "hostname"} & found.keys()
        assert found["logging"]["driver"] == "json-file"
        assert found["healthcheck"] == {"test": ["CMD-SHELL", "a"], "retries": 3}
        assert found["cap_drop"] == ["ALL"]

    def test_a_dollar_sign_is_no_variable_the_second_time(self, tmp_path):
        found = self.emitted("image: x\ncommand: ['$${HOME}']\nenvironment: {A: $$B}", tmp_path)
        assert found["command"] == ["$${HOME}"]
        assert found["environment"] == {"A": "$$B"}

    def test_a_service_without_an_image_of_ours_is_built_from_the_folder(self, tmp_path):
        (tmp_path / "app").mkdir()
        (tmp_path / "File").touch()
        compose = one("build: {context: app, dockerfile: ../File, target: t, args: {A: 1}}")
        found = json.loads(emit(compose, ["web"], images={}, folder=tmp_path))["services"]["web"]
        assert found["build"] == {
            "context": str(tmp_path / "app"),
            "dockerfile": str(tmp_path / "File"),
            "target": "t",
            "args": {"A": "1"},
        }

    def test_nobody_elses_image_is_run(self, tmp_path):
        with pytest.raises(RefusedError, match="it is built from nothing"):
            emit(one("image: other-learner:latest"), ["web"], images={}, folder=tmp_path)

    def test_an_unknown_service_is_refused(self, tmp_path):
        with pytest.raises(RefusedError, match="no such service"):
            emit(one("image: x"), ["db"], images={}, folder=tmp_path)

    def test_another_services_refusal_is_its_own(self, tmp_path):
        text = "services: {web: {image: x}, web2: {image: y, privileged: true}}"
        assert emit(read(text, {}), ["web"], images={"web": "x"}, folder=tmp_path)
        with pytest.raises(RefusedError):
            emit(read(text, {}), ["web2"], images={"web2": "x"}, folder=tmp_path)

    def test_services_wait_for_those_chosen(self, tmp_path):
        text = "services: {web: {image: x, depends_on: [db, c]}, db: {image: y}, c: {image: z}}"
        text = emit(read(text, {}), ["web", "db"], images={"web": "x", "db": "y"}, folder=tmp_path)
        web_ = json.loads(text)["services"]["web"]
        assert web_["depends_on"] == {"db": {"condition": "service_started"}}

    def test_volumes_are_the_projects_own(self, tmp_path):
        text = "services: {web: {image: x, volumes: [data:/x]}}\nvolumes: {data: {name: theirs}}"
        found = json.loads(emit(read(text, {}), ["web"], images={"web": "x"}, folder=tmp_path))
        assert found["volumes"] == {"data": {}}

    def test_files_of_variables_are_read_here(self, tmp_path):
        (tmp_path / ".env").write_text("A=1\nB=$A$C\n")
        found = self.emitted(
            "image: x\nenv_file: .env\nenvironment: {A: 2}", tmp_path, environment={"C": "3"}
        )
        assert found["environment"] == {"A": "2", "B": "13"}
        assert "env_file" not in found


class TestTheDisk:
    LINKED = (
        "image: x\nvolumes: [./link:/x]",
        "image: x\nvolumes: [./link/inner:/x]",
        "image: x\nenv_file: link/.env",
        "image: x\nenv_file: [{path: link/none.env, required: false}]",
        "build: link",
        "build: {context: ., dockerfile: link/File}",
    )

    @pytest.fixture
    def mine(self, tmp_path) -> Path:
        outside = tmp_path / "outside"
        (outside / "inner").mkdir(parents=True)
        (outside / ".env").write_text("A=secret")
        (outside / "File").touch()
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "link").symlink_to(outside)
        return mine

    @pytest.mark.parametrize("body", LINKED)
    def test_no_symbolic_link_is_followed(self, body, mine):
        compose = one(body)
        assert compose.refusals == ()
        assert [each.why for each in on_disk(compose, mine)] == ["link is a symbolic link"]
        images = {} if body.startswith("build") else {"web": "x"}
        with pytest.raises(RefusedError, match="symbolic link"):
            emit(compose, ["web"], images=images, folder=mine)

    def test_a_pipe_is_not_read(self, mine):
        os.mkfifo(mine / "pipe")
        assert "neither a file" in on_disk(one("image: x\nenv_file: pipe"), mine)[0].why

    def test_what_is_missing_is_told(self, mine):
        assert on_disk(one("image: x\nenv_file: no.env"), mine)[0].why == "it is not there"
        assert on_disk(one("image: x\nenv_file: [{path: a, required: false}]"), mine) == ()

    def test_docker_makes_a_folder_for_the_short_way_alone(self, mine):
        assert on_disk(one("image: x\nvolumes: [./new:/x]"), mine) == ()
        long_way = one("image: x\nvolumes: [{type: bind, source: ./new, target: /x}]")
        assert on_disk(long_way, mine)[0].why == "it is not there"

    def test_the_folder_may_be_reached_by_a_link_of_ours(self, mine):
        (mine / "a").mkdir()
        ours = mine.parent / "ours"
        ours.symlink_to(mine)
        text = emit(one("image: x\nvolumes: [./a:/x]"), ["web"], images={"web": "x"}, folder=ours)
        assert str(mine / "a") in text

    def test_variables_that_double_each_other_have_an_end(self, mine):
        lines = ["A0=xxxxxxxx", *(f"A{n}=$A{n - 1}$A{n - 1}" for n in range(1, 4000))]
        (mine / ".env").write_text("\n".join(lines))
        assert "more than 1,000,000" in on_disk(one("image: x\nenv_file: .env"), mine)[0].why

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"A=\xff", "utf-8"),
            (b"A=${", "brace"),
            (b"A=1\n=2", "line 2"),
            (b"A" * 100_001, "bytes"),
        ],
    )
    def test_a_bad_file_of_variables_is_told(self, data, why, mine):
        (mine / ".env").write_bytes(data)
        assert why in on_disk(one("image: x\nenv_file: .env"), mine)[0].why


def test_ports_and_mounts_are_told_apart():
    found = web(
        "image: x\nports: ['127.0.0.1:8000-8001:80-81/udp']\nvolumes: ['${PWD}/a:/b:ro', /c]"
    )
    assert found.ports == (
        Port("127.0.0.1", "8000", 80, "udp"),
        Port("127.0.0.1", "8001", 81, "udp"),
    )
    assert found.mounts == (
        Mount("bind", "a", "/b", read_only=True, create=True, line=5),
        Mount("volume", "", "/c", line=5),
    )
