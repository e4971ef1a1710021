#!/usr/bin/python3 -IS
"""Runs runc for one step of a build, which gets the engine's proxy and certificates.

The engine that the kit starts calls this program instead of runc. It uses only the standard library
and the engine's environment: the kit copies it out of the checkout, which may be removed.

Nothing of it is in an image. The variables belong to the process of the step, as those of the proxy
arguments that BuildKit knows do. The files are mounted below /dev, which is a temporary file system
of the step: elsewhere, runc would leave an empty file in the layer.
"""

import json
import os
import sys

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FOLDER = "/dev/workshop"
BUNDLE = FOLDER + "/ca-certificates.crt"
APT_CONFIG = FOLDER + "/apt.conf"
# Where Debian, and every distribution derived from it, keeps them.
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
# What OpenSSL, Requests (with Poetry), pip, curl, Git and Node read. uv reads the first one.
CERTIFICATES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)


def configure(spec: "dict[str, Any]", environ: "Mapping[str, str]", apt_config: str) -> None:
    """Add the proxy and the certificates to a step; `spec` is the runtime configuration of OCI.

    A proxy that the build itself names is kept. Certificates that a base image names are not: the
    engine's own include those of the network.
    """
    process = spec["process"]
    variables = dict(variable.partition("=")[::2] for variable in process.get("env") or ())
    if not any(variables.get(name) for name in PROXIES if name.lower() != "no_proxy"):
        variables.update({name: environ[name] for name in PROXIES if environ.get(name)})
    bundle = environ.get("SSL_CERT_FILE") or SYSTEM_BUNDLE
    # A missing source would make the step fail; without it, only TLS does.
    if os.path.isfile(bundle):
        spec.setdefault("mounts", []).append(mount(bundle, BUNDLE))
        variables.update(dict.fromkeys(CERTIFICATES, BUNDLE))
        if "APT_CONFIG" not in variables and os.path.isfile(apt_config):
            spec["mounts"].append(mount(apt_config, APT_CONFIG))
            variables["APT_CONFIG"] = APT_CONFIG
    process["env"] = ["=".join(pair) for pair in variables.items()]


def mount(source: str, target: str) -> "dict[str, Any]":
    """Return a bind mount that a step can only read."""
    options = ["bind", "ro", "nosuid", "nodev", "noexec"]
    return {"destination": target, "type": "bind", "source": source, "options": options}


def find_bundle(arguments: "list[str]") -> str:
    """Return the folder of the container that runc is to create; empty for another command."""
    if not {"run", "create"} & set(arguments):
        return ""
    for number, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in {"--bundle", "-b"}:
            return value if equals else arguments[number + 1]
    return os.getcwd()


def main() -> None:
    """Change the configuration of the step, and become runc."""
    arguments = sys.argv[1:]
    if folder := find_bundle(arguments):
        path = os.path.join(folder, "config.json")
        with open(path, encoding="utf-8") as file:
            spec = json.load(file)
        apt_config = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "apt.conf")
        configure(spec, os.environ, apt_config)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(spec, file)
    os.execvp("runc", ["runc", *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
