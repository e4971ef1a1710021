"""Which files of a package a class needs."""

from __future__ import annotations

import pytest
from packaging.utils import parse_wheel_filename

from workshop.classroom.wheels import Target


@pytest.mark.parametrize(
    ("system", "architecture", "wheel"),
    [
        ("linux", "amd64", "x-1-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        ("linux", "amd64", "x-1-cp37-abi3-manylinux_2_28_x86_64.whl"),
        ("linux", "arm64", "x-1-cp313-cp313-manylinux_2_17_aarch64.whl"),
        ("linux", "amd64", "x-1-py3-none-any.whl"),
        ("macos", "arm64", "x-1-cp313-cp313-macosx_11_0_arm64.whl"),
        ("macos", "amd64", "x-1-cp313-cp313-macosx_10_13_universal2.whl"),
        ("windows", "amd64", "x-1-cp313-cp313-win_amd64.whl"),
    ],
)
def test_a_wheel_fits_its_system_and_architecture(system, architecture, wheel):
    *_, tags = parse_wheel_filename(wheel)
    assert tags & Target((3, 13), system, architecture).tags()


@pytest.mark.parametrize(
    "wheel",
    [
        "x-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "x-1-cp313-cp313-manylinux_2_17_aarch64.whl",
        "x-1-cp313-cp313t-manylinux_2_17_x86_64.whl",
        "x-1-cp313-cp313-musllinux_1_2_x86_64.whl",
        "x-1-cp313-cp313-win_amd64.whl",
    ],
)
def test_a_wheel_for_another_python_or_system_is_left_out(wheel):
    *_, tags = parse_wheel_filename(wheel)
    assert not tags & Target((3, 13), "linux", "amd64").tags()
