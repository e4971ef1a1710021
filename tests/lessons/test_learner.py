"""An error of a lesson has its file, line and difference, and everything is removed."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from harness import docker
from lessons.cleanup import read_names
from lessons.learner import Learner, LessonError

from workshop.site import lessons

if TYPE_CHECKING:
    from pathlib import Path

    from workshop.engine import Engine

BASE = "debian:trixie-slim"


@pytest.fixture
def learner(engine: Engine, tmp_path: Path) -> Learner:  # noqa: ARG001 - requires an engine
    return Learner(tmp_path)


def follow(learner: Learner, text: str) -> None:
    try:
        learner.follow(lessons.read("made-up", dedent(text)))
    finally:
        learner.remove()


def test_folders_and_variables_are_kept_between_blocks(learner):
    follow(
        learner,
        """\
        ```console
        $ mkdir -p exercises/new && cd exercises/new
        $ export WHO=world
        ```

        ```text title="hello.txt"
        Hello,
        world
        ```

        ```diff title="hello.txt"
         Hello,
        -world
        +you
        ```

        ```console
        $ echo $WHO; cat hello.txt
        world
        Hello,
        you
        $ workshop --help
        usage: workshop COMMAND [OPTIONS]
        ...
        ```

        ```{ .text .tree title="." }
        new/
        └── hello.txt
        ```
        """,
    )


@pytest.mark.parametrize(
    ("block", "where", "what"),
    [
        ("```console\n$ echo a\nb\n```", "line 4: $ echo a\ndiffers", "@@ -1 +1 @@\n-b\n+a"),
        ("```console\n$ true\n$ false\n```", "line 5: $ false\nended with 1, not 0", ""),
        ("```{ .console .fails }\n$ true\n```", "line 4: $ true\nended with 0", ""),
        ('```diff title="a"\n-b\n```', "line 3: a cannot be edited", "No such file"),
        ('```{ .text .tree title="services/fastapi/app" }\napp/\n```', "line 3: ", "+├── __init"),
        ("```{ .console .keeps-running }\n$ echo a\nb\n```", "line 4: $ echo a\ndiffers", "-b\n+a"),
    ],
)
def test_an_error_has_the_file_the_line_and_the_difference(block, where, what, learner):
    with pytest.raises(LessonError, match=re.escape(f"docs/made-up.md, {where}")) as caught:
        follow(learner, f"# Made up\n\n{block}\n")
    assert what in str(caught.value)


def test_an_interactive_program_is_compared_at_each_prompt(learner):
    follow(
        learner,
        f"""\
        ```console
        $ docker run -it --rm {BASE} bash
        root@0123456789ab:/# echo $((6 * 7))
        42
        root@0123456789ab:/# cd /etc
        root@0123456789ab:/etc# exit
        exit
        ```
        """,
    )


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("root@0:/# echo a\nb\nroot@0:/# exit\nexit", "line 3: root@0:/# echo a\ndiffers"),
        ("nobody@0:/# exit", "line 3: the prompt nobody@0:/# did not appear"),
    ],
)
def test_an_error_in_an_interactive_program_has_its_line(lines, fault, learner, monkeypatch):
    monkeypatch.setattr("lessons.learner.SECONDS_TO_ANSWER", 10)
    with pytest.raises(LessonError, match=re.escape(f"docs/made-up.md, {fault}")):
        follow(learner, f"```console\n$ docker run -it --rm {BASE} bash\n{lines}\n```\n")


def test_a_server_runs_until_ctrl_c_or_the_end(learner):
    follow(
        learner,
        """\
        ```{ .console .keeps-running }
        $ python3 -u -m http.server 8765 --bind 127.0.0.1
        Serving HTTP on 127.0.0.1 port 8765 ...
        ```

        ```console
        $ python3 -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:8765/")'
        ```

        <!-- ctrl-c -->

        ```{ .console .fails }
        $ python3 -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:8765/")'
        ...
        urllib.error.URLError: ...refused>
        ```

        ```{ .console .keeps-running }
        $ sleep 1000
        ```
        """,
    )


@pytest.mark.parametrize("fails", [False, True])
def test_everything_that_a_lesson_created_is_removed(fails, learner):
    name = learner.project
    text = f"""\
    ```dockerfile title="made/Dockerfile"
    FROM {BASE}
    LABEL made-up={name}
    ```

    ```yaml title="made/compose.yml"
    services:
      one:
        build: .
        command: sleep 1000
        volumes: ["data:/data"]
    volumes:
      data:
    ```

    ```console
    $ docker build -t {name}:x made
    $ docker network create {name}
    {name}
    $ docker run --detach --name {name} --network {name} -v {name}:/data {name}:x sleep 1000
    $ docker compose --file made/compose.yml up --detach
    ```
    """
    text = "\n".join(line for line in dedent(text).splitlines())
    text = text.replace(f"create {name}\n{name}\n", f"create {name}\n...\n")
    if fails:
        text += "\n```console\n$ false\n```\n"
        with pytest.raises(LessonError):
            follow(learner, text)
    else:
        follow(learner, text)
    assert [kind for kind in ("container", "network", "volume") if name in docker(kind, "ls")] == []
    assert name not in docker("ps", "--all") + docker("images", "--format", "{{.Repository}}")
    assert docker("images", "--quiet", "--filter", f"label=made-up={name}") == ""


def test_an_image_gets_its_name_back(learner):
    name = f"{learner.project}:before"
    docker("tag", BASE, name)
    try:
        learner = Learner(learner.folder.parent / "again")
        text = f'```dockerfile title="made/Dockerfile"\nFROM {BASE}\nLABEL a={name}\n```\n'
        follow(learner, f"{text}\n```console\n$ docker build -t {name} made\n```\n")
        form = "{{.Id}}"
        named, base = docker("image", "inspect", "--format", form, name, BASE).splitlines()
        assert named == base
    finally:
        docker("image", "rm", name, check=False)


@pytest.mark.parametrize(
    ("command", "created"),
    [
        ("docker build -t a:1 .", [("image", "a:1")]),
        ("docker build --tag=a --file x .", [("image", "a")]),
        ("docker buildx build -t a .", [("image", "a")]),
        ("docker tag a b", [("image", "b")]),
        ("docker pull a:1", [("image", "a:1")]),
        ("docker commit a b:2", [("image", "b:2")]),
        ("cd x && docker run -d --name=a -t b", [("container", "a")]),
        ("docker run --rm -v data:/data -v $PWD:/src b", [("volume", "data")]),
        ("docker run --mount type=volume,source=d,target=/d b", [("volume", "d")]),
        ("docker network create --driver bridge net", [("network", "net")]),
        ("docker volume create v | cat", [("volume", "v")]),
        ("docker ps; echo docker", []),
        ("echo it's", []),
    ],
)
def test_the_names_of_created_objects_are_read_from_a_command(command, created):
    assert list(read_names(command)) == created
