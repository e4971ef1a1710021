"""The parser never raises, and its time and memory are limited, whatever the input."""

from __future__ import annotations

import json
import random
import time

import pytest
from harness import ROOT
from unit.analysis.compose.files import KIT_FILES

from workshop.analysis.compose import Compose, read
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


class TestLimits:
    def test_an_alias_bomb_is_not_expanded(self):
        lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
        lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
        self.check_problem("\n".join(lines), "too large")

    def test_repeated_long_strings_are_limited(self):
        self.check_problem("a: &a " + "x" * 900_000 + "\nb: [*a, *a]", "too large")

    def test_merge_keys_are_limited(self):
        lines = ["a0: &a0 {k0: x}"]
        lines += [f"a{n}: &a{n} {{k{n}: x, <<: *a{n - 1}}}" for n in range(1, 2000)]
        self.check_problem("\n".join(lines), "too large")

    @pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
    def test_nesting_depth_is_limited(self, text):
        self.check_problem(text, "levels")

    def test_nesting_depth_through_aliases_is_limited(self):
        lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100))]
        self.check_problem("\n".join(lines), "levels")

    def test_file_size_is_limited(self):
        self.check_problem("#" * 1_000_001, "more than 1,000,000")
        self.check_problem("[" + "1," * 400_000 + "]", "too large")

    def test_nesting_of_variables_is_limited(self):
        self.check_problem("a: " + "${A:-" * 100_000 + "}" * 100_000, "deep")

    @pytest.mark.parametrize("text", ["'", '"', "\\", "$(", "`", "a ", "(", "\\a", "$", "''"])
    def test_long_commands_are_split_quickly(self, text):
        command = json.dumps(text * 200_000)
        self.check_problem(
            f"services: {{web: {{image: x, command: {command}, foo: 1}}}}",
            "foo is not a compose file key",
        )

    def test_the_number_of_problems_is_limited(self):
        body = ", ".join(f"imag{number}: y" for number in range(24_000))
        text = f"services: {{web: {{image: x, {body}}}}}"
        self.check_problem(text, "did you mean image?")
        assert len(read(text, {}).problems) == 100

    @pytest.mark.parametrize("text", [":", "1", "-", "[", "/", "1:", "1-"])
    def test_long_ports_are_rejected_quickly(self, text):
        text = f"services: {{web: {{image: x, ports: ['{text * 200_000}']}}}}"
        self.check_problem(text, "is not a valid port")

    def check_problem(self, text: str, why: str) -> None:
        start = time.process_time()
        assert any(why in problem.text for problem in read(text, {}).problems)
        assert time.process_time() - start < 5


def test_random_bytes_do_not_raise():
    rng = random.Random(11)  # noqa: S311 - a fixed seed
    kit = (ROOT / KIT_FILES[0]).read_bytes()
    fragments = (
        *(b"services:", b"\n  ", b"- ", b"${", b"}", b"&a ", b"*a", b"<<: ", b"[", b"]", b"{"),
        *(b": ", b"!!int ", b"'", b'"', b"\x00", b"\xff", b"|", b"web", b"image"),
        *(b"\xed\xa0\x80", b"$", b"0x"),
    )
    for number in range(2000):
        if number % 2:
            data = b"".join(rng.choices(fragments, k=rng.randint(1, 60)))
        else:
            at, size = rng.randrange(len(kit)), rng.randint(0, 30)
            data = kit[:at] + rng.choice(fragments) * rng.randint(0, 3) + kit[at + size :]
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
def test_no_type_raises_under_any_key(place):
    for key in PLACES[place].known:
        for shape in SHAPES:
            text = place.replace("%s", f"{key}: {shape}")
            assert isinstance(read(text, {}), Compose)
