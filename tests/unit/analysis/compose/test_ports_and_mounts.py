"""Ports and mounts in short syntax."""

from __future__ import annotations

from unit.analysis.compose.files import valid_web

from workshop.analysis.compose import Mount, Port


def test_short_syntax_of_ports_and_mounts():
    found = valid_web(
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
