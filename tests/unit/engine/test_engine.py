"""The engine interprets the output of docker commands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import INFO, MISSING, NO_ENGINE, NO_IMAGE, docker

from workshop.core.errors import UserError
from workshop.core.process import ProcessResult
from workshop.engine import KIT_LABEL, Build, BuildError, Info

BUILD = Build("app:1.0", Path("/src/app"), Path("/src/app/Dockerfile"))
NOISE = "WARNING: Error parsing config file (config.json): invalid character 'b'\n"


def info_of(**facts) -> str:
    return json.dumps({"ServerVersion": "26.1.5", "DockerRootDir": "/var/lib/docker", **facts})


@pytest.mark.parametrize(
    "answer",
    [
        MISSING,
        NO_ENGINE,
        "",
        "\n",
        "no JSON at all",
        '{"ServerVersion": "26',
        info_of(ServerVersion="", Labels=None),
        ProcessResult(1, info_of(Labels=None)),
        "[]",
    ],
)
def test_no_info_without_an_engine(answer):
    engine, _ = docker(info=answer)
    assert engine.info() is None


def test_info_has_the_version_and_the_root_directory():
    engine, _ = docker(info=info_of(Labels=None))
    assert engine.info() == Info("26.1.5", "/var/lib/docker", ours=False)


def test_a_warning_before_the_info_is_ignored():
    engine, _ = docker(info=ProcessResult(0, NOISE + INFO, INFO))
    assert engine.info()


@pytest.mark.parametrize(
    ("labels", "ours"), [(None, False), ([], False), (["a=b"], False), (["a=b", KIT_LABEL], True)]
)
def test_a_label_marks_the_kits_engine(labels, ours):
    engine, _ = docker(info=info_of(Labels=labels))
    assert engine.info().ours is ours


def test_info_has_what_the_doctor_examines():
    engine, _ = docker(
        info=info_of(
            Labels=["workshop.proxy=shared"],
            OSType="linux",
            Architecture="x86_64",
            SystemTime="2026-11-28T07:57:05.528997271Z",
            HttpProxy="http://a:1",
            HttpsProxy="http://b:2",
            RegistryConfig={"Mirrors": ["https://mirror.example/"]},
            SecurityOptions=["name=seccomp,profile=builtin", "name=rootless"],
            MemoryLimit=False,
        )
    )
    info = engine.info()
    assert (info.system, info.architecture, info.proxy) == ("linux", "x86_64", "http://b:2")
    assert info.clock == datetime(2026, 11, 28, 7, 57, 5, 528997, UTC)
    assert info.mirrors == ("https://mirror.example/",)
    assert (info.rootless, info.limits_memory, info.shares_proxy) == (True, False, True)


@pytest.mark.parametrize("time", ["", "yesterday"])
def test_an_engine_may_not_tell_its_time(time):
    engine, _ = docker(info=info_of(Labels=None, SystemTime=time))
    assert engine.info().clock is None


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("Docker Compose version v2.26.1\n", "2.26.1"),
        ("Docker Compose version 2.26.1-4\n", "2.26.1-4"),
        ("github.com/docker/buildx v0.13.1 788433953a\n", "0.13.1"),
        ("github.com/docker/buildx dev\n", "of an unknown version"),
        (ProcessResult(1, "docker: 'buildx' is not a docker command.\n"), None),
    ],
)
def test_a_plugin_has_a_version(output, version):
    engine, script = docker()
    script.answers["docker buildx version"] = output
    assert engine.plugin_version("buildx") == version


def test_containers_that_publish_a_port_are_listed_with_their_project():
    engine, script = docker({"docker ps": "web-1\tworkshop-1\ndb\t\n"})
    assert engine.publishers(8000) == {"web-1": "workshop-1", "db": ""}
    assert "publish=8000" in script.argvs[-1]


def test_a_build_is_a_plain_docker_command():
    assert BUILD.argv() == [
        *("build", "--tag", "app:1.0", "--file", "/src/app/Dockerfile"),
        "/src/app",
    ]


def test_a_build_has_a_target_arguments_and_labels():
    build = Build(
        *(BUILD.image, BUILD.context, BUILD.dockerfile),
        target="test",
        arguments={"PYTHON_VERSION": "3.13", "EMPTY": ""},
        labels={"a.b": "c d"},
    )
    assert build.argv()[5:-1] == [
        *("--target", "test"),
        *("--build-arg", "PYTHON_VERSION=3.13", "--build-arg", "EMPTY="),
        *("--label", "a.b=c d"),
    ]


def test_a_build_reports_each_line():
    engine, script = docker({"docker build": "#1 one\n#2 two\n"})
    lines = []
    engine.build(BUILD, on_line=lines.append)
    assert lines == ["#1 one", "#2 two"]
    assert script.argvs == [["docker", *BUILD.argv()]]
    assert script.envs[0]["BUILDKIT_PROGRESS"] == "plain"


PIP = """\
#9 [4/4] RUN pip install nonesuch
#9 0.512 ERROR: No matching distribution found for nonesuch
#9 ERROR: process "/bin/sh -c pip install nonesuch" did not complete successfully: exit code: 1
------
 > [4/4] RUN pip install nonesuch:
0.512 ERROR: No matching distribution found for nonesuch
------
Dockerfile:4
--------------------
   4 | >>> RUN pip install nonesuch
--------------------
ERROR: failed to solve: process "/bin/sh -c pip install nonesuch" did not complete successfully
"""


def build_error(output: str, *, info=INFO) -> UserError:
    engine, _ = docker({"docker build": ProcessResult(1, output)}, info=info)
    with pytest.raises(UserError) as caught:
        engine.build(BUILD)
    return caught.value


def test_a_failed_build_names_the_image_the_step_its_error_and_the_command():
    error = build_error(PIP)
    assert error.thing == "image app:1.0"
    assert "pip install nonesuch" in error.found
    assert "No matching distribution found for nonesuch" in error.found
    assert error.fix == f"See all of it with: docker {' '.join(BUILD.argv())}"
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "output",
    [
        "ERROR: failed to solve: write /x: no space left on device",
        "#7 0.3 OSError: [Errno 28] No space left on device: '/x'\nno space left on device",
    ],
)
def test_a_full_disk_is_reported(output):
    error = build_error(output)
    assert error.found == "the disk is full"
    assert error.fix.startswith("Free 5 GB")


@pytest.mark.parametrize(
    ("output", "info"),
    [
        (NO_ENGINE.output, INFO),
        ("ERROR: failed to receive status: rpc error: error reading from server: EOF", INFO),
        ("ERROR: failed to list workers: Unavailable", INFO),
        ("ERROR: an unknown error", NO_ENGINE),
    ],
)
def test_an_engine_that_stopped_is_reported(output, info):
    assert build_error(output, info=info).found == "the Docker engine stopped answering"


NO_NETWORK = "failed to create endpoint 12 on network bridge: Device does not exist"


def test_a_missing_network_of_the_engine_is_not_blamed_on_the_dockerfile():
    step = 'process "/bin/sh -c true" did not complete successfully'
    error = build_error(f"ERROR: failed to solve: {step}: {NO_NETWORK}")
    assert "has no network for builds" in error.found
    assert not isinstance(error, BuildError)


def test_a_step_cannot_imitate_a_missing_network():
    step = 'process "/bin/sh -c false" did not complete successfully: exit code: 1'
    error = build_error(f"#5 0.1 {NO_NETWORK}\nERROR: failed to solve: {step}")
    assert isinstance(error, BuildError)


def test_a_lost_registry_connection_is_not_blamed_on_the_engine():
    reset = "read tcp 10.0.0.2:50412->192.0.2.1:443: read: connection reset by peer"
    assert reset in build_error(f"ERROR: failed to solve: python:3.13: {reset}").found


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        (ProcessResult(1, "one\nError response from daemon: port is taken.\n"), "port is taken"),
        (ProcessResult(1, "Error: No such container: x\nmore\n"), "No such container: x"),
        (ProcessResult(1, "one\nthe last line.\n\n"), "the last line"),
        (ProcessResult(17, ""), "exit code 17"),
    ],
)
def test_the_reason_is_the_line_with_the_error(done, reason):
    engine, _ = docker()
    with pytest.raises(UserError) as caught:
        engine.check("compose", done, "Do that")
    assert str(caught.value) == f"compose: {reason}. Do that"


def test_a_successful_command_raises_no_error():
    engine, _ = docker()
    engine.check("compose", ProcessResult(0, "Error: not really"), "Do that")


def test_an_existing_image_has_a_size():
    engine, script = docker({"inspect {{.Id}}": "sha256:12\n", "inspect {{.Size}}": "123456\n"})
    assert engine.has("x:latest")
    assert engine.size("x:latest") == 123456
    assert all(argv[-1] == "x:latest" for argv in script.argvs)


def test_a_missing_image_has_no_size():
    engine, _ = docker({"docker image inspect": NO_IMAGE})
    assert not engine.has("x:latest")
    assert engine.size("x:latest") == 0
    assert engine.standin_for("x:latest") == ""


def test_an_invalid_name_is_no_image():
    answer = ProcessResult(1, "Error response from daemon: invalid reference format\n")
    engine, _ = docker({"docker image inspect": answer})
    assert not engine.has("python:")


def test_a_failed_build_has_the_whole_output_of_its_step():
    output = PIP.replace("#9 0.512", "#8 0.1 done\n#9 0.3 Collecting nonesuch\n#9 0.512", 1)
    error = build_error(output)
    assert isinstance(error, BuildError)
    assert error.output.splitlines()[:3] == [
        "[4/4] RUN pip install nonesuch",
        "Collecting nonesuch",
        "ERROR: No matching distribution found for nonesuch",
    ]
    assert "done" not in error.output


def test_a_dockerfile_that_cannot_be_read_has_the_reason_as_its_output():
    reason = "ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: EVN"
    error = build_error(f"#1 [internal] load build definition\n{reason}\n")
    assert isinstance(error, BuildError)
    assert error.output == reason


@pytest.mark.parametrize("answer", ["\n", "ubuntu:24.04\n"])
def test_a_label_names_the_image_of_a_stand_in(answer):
    engine, script = docker({"docker image inspect": answer})
    assert engine.standin_for("x:latest") == answer.strip()
    assert '{{index . "workshop.standin"}}' in script.argvs[0][4]


def test_an_image_with_an_invalid_name_does_not_exist():
    output = "Error response from daemon: invalid reference format: must be lowercase\n"
    engine, _ = docker({"docker image inspect": ProcessResult(1, output)})
    assert not engine.has("python:-slim")


def test_a_failed_inspection_is_an_error():
    engine, _ = docker({"docker image inspect": NO_ENGINE})
    with pytest.raises(UserError, match=r"^image x:latest: the Docker engine stopped answering\."):
        engine.has("x:latest")


@pytest.mark.parametrize(
    ("method", "value", "output"), [("size", 12, "12"), ("standin_for", "", "")]
)
def test_a_warning_is_not_part_of_the_output(method, value, output):
    result = ProcessResult(0, f"{NOISE}{output}\n", f"{output}\n")
    engine, _ = docker({"docker image inspect": result})
    assert getattr(engine, method)("x:latest") == value


@pytest.mark.parametrize(
    ("done", "lacks"), [(ProcessResult(0, "v2"), False), (ProcessResult(1, ""), True)]
)
def test_a_plugin_that_fails_is_missing(done, lacks):
    engine, script = docker({})
    script.answers["docker compose version"] = done
    assert engine.lacks("compose") is lacks


def test_a_failed_pull_returns_its_result():
    engine, script = docker({"docker pull": ProcessResult(1, "dial tcp: no such host")})
    assert engine.pull("x:latest").code == 1
    assert script.argvs == [["docker", "pull", "x:latest"]]


def test_compose_uses_the_given_folder():
    engine, script = docker({"docker compose ps": ""})
    engine.compose("ps", folder=Path("/src"))
    options = ("--progress", "plain", "--project-directory", "/src")
    assert script.argvs == [["docker", "compose", *options, "ps"]]


def test_an_engine_is_here_if_its_id_is_in_its_files(tmp_path):
    (tmp_path / "engine-id").write_text("one")
    for name, expected in (("one", True), ("another", False), ("", False)):
        info = {"ServerVersion": "26", "DockerRootDir": str(tmp_path), "Labels": None, "ID": name}
        assert docker(info=json.dumps(info))[0].is_here is expected
    assert not docker(info=INFO)[0].is_here
    assert not docker(info=NO_ENGINE)[0].is_here


def test_the_layers_of_the_images_that_exist_are_read_in_one_call():
    lines = '[["a:1","b:2"], ["sha256:x"]]\n[null, null]\n'
    answer = ProcessResult(1, f"{lines}{NO_IMAGE.output}", lines)
    engine, script = docker({"docker image inspect": answer})
    assert engine.layers(["a:1", "missing:1"]) == {"a:1": ["sha256:x"], "b:2": ["sha256:x"]}
    assert len(script.argvs) == 1
    engine, _ = docker({"docker image inspect": NO_ENGINE})
    with pytest.raises(UserError, match="stopped answering"):
        engine.layers(["a:1"])
