from __future__ import annotations

import pytest

from workshop.analysis.dockerfile.parser import parse
from workshop.grading.references import (
    base_images,
    check_addresses,
    check_base_names,
    check_references,
    external,
)
from workshop.model import Failed

BASE = "FROM python:3.13-slim-trixie AS base\n"
# Images of a machine, and the names that they were pulled or pushed under.
LOCAL = {
    "deathstar:latest": '["localhost:5001/ada/deathstar@sha256:00"]',
    "localhost:5001/ada/deathstar:1": '["localhost:5001/ada/deathstar@sha256:00"]',
    "nonroot-image-fastapi:dev": "[]",
    "129202bc657d": "null",
    "python:3.12": '["python@sha256:00"]',
    "docker.io/library/python:3.12": '["python@sha256:00"]',
    # A stand-in for a base image, built where no registry answers.
    "docker.io/python:3.13-slim-trixie": "[]",
    "docker.io/library/python:3.13-slim-trixie": "[]",
    "ghcr.io/astral-sh/uv:0.9": '["ghcr.io/astral-sh/uv@sha256:00"]',
}


class FakeEngine:
    def inspect(self, image: str, _template: str) -> str:
        return LOCAL.get(image, "")


@pytest.mark.parametrize(
    "line",
    [
        "FROM nonroot-image-fastapi:dev",
        "COPY --from=nonroot-image-fastapi:dev / /",
        "COPY --from=deathstar:latest / /",
        "COPY --from=129202bc657d / /",
        "COPY --from=localhost:5001/ada/deathstar:1 / /",
        "ADD --from=nonroot-image-fastapi:dev / /",
        "RUN --mount=type=bind,from=nonroot-image-fastapi:dev,target=/x cp -r /x /",
        "COPY --from=nonroot-image-fastapi:dev / /\nFROM base AS nonroot-image-fastapi:dev",
    ],
)
def test_a_local_image_is_refused(line: str):
    with pytest.raises(Failed) as failed:
        check_references(FakeEngine(), parse(BASE + line + "\n"))
    assert failed.value.line == 2
    assert "built on this machine" in failed.value.actual


@pytest.mark.parametrize(
    "line",
    [
        "FROM base",
        "FROM scratch",
        "FROM python:3.12",
        "FROM docker.io/library/python:3.12",
        "FROM docker.io/python:3.13-slim-trixie",
        "FROM docker.io/library/python:3.13-slim-trixie",
        "COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/",
        "COPY --from=ghcr.io/not/pulled:1 /uv /bin/",
        "FROM base\nCOPY --from=base / /\nCOPY --from=0 / /",
        "RUN --mount=type=cache,target=/root/.cache true",
    ],
)
def test_base_images_stages_and_pulled_images_are_allowed(line: str):
    check_references(FakeEngine(), parse(BASE + line + "\n"))


def test_a_stage_is_known_only_after_its_from():
    text = BASE + "COPY --from=later / /\nFROM base AS later\nCOPY --from=base / /\n"
    assert list(external(parse(text))) == [("python:3.13-slim-trixie", 1), ("later", 2)]


@pytest.mark.parametrize("name", ["nothing-such:1", "pyhton:3.13", "docker.io/ada/python:3"])
def test_an_unknown_name_is_a_fault_of_the_dockerfile(name: str):
    with pytest.raises(Failed) as failed:
        check_base_names(parse(f"FROM {name}\n"))
    assert name in failed.value.actual
    assert "python" in failed.value.expected


@pytest.mark.parametrize("name", sorted(base_images()))
def test_a_base_image_of_the_course_may_be_out_of_reach(name: str):
    check_base_names(parse(f"FROM {name}\n"))
    check_base_names(parse(f"FROM docker.io/library/{name}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "FROM 127.0.0.1:5000/python:3.13",
        "FROM localhost/python",
        "FROM registry.example:444/python",
        "FROM 10.0.0.1/python",
        "FROM python\nCOPY --from=127.0.0.1:5000/x / /",
        "ARG HERE=127.0.0.1:5000\nFROM $HERE/python",
        "FROM python\nADD http://127.0.0.1:9000/x /x",
        "FROM python\nARG U=https://example.org/x\nADD $U /x",
        "FROM python\nADD git@example.org:x/y.git /x",
        "FROM python\nADD https://example.org/x.git /x",
        "FROM python AS a\nONBUILD ADD http://127.0.0.1/x /x\nFROM a",
        'FROM python\nADD ["own.txt", "http://127.0.0.1/x", "/x/"]',
    ],
)
def test_an_address_that_the_engine_would_ask_is_refused(text):
    with pytest.raises(Failed):
        check_addresses(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "FROM python:3.13",
        "FROM docker.io/library/python:3.13",
        "FROM registry.example/team/python",
        "FROM scratch\nADD root.tar /",
        "FROM python\nADD app.git.txt /x",
        "FROM python AS a\nFROM a\nCOPY --from=a /x /x",
        "FROM python\nRUN curl http://127.0.0.1:9000/x",
    ],
)
def test_public_registries_and_own_files_are_allowed(text):
    check_addresses(parse(text))
