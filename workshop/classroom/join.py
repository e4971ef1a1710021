"""Get the course from a classroom, and set it up to use the classroom instead of the internet.

    python3 join.py URL FINGERPRINT [FOLDER]

A classroom serves this file, and learners run it before they have anything else. So it uses only
the standard library, and no syntax that an old Python cannot parse.
"""

import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

NEEDED = (3, 11)
PORT = 443
SECONDS = 20
COULD_NOT = 2
INTERRUPTED = 130
FOLDER = "workshop"
# In the checkout: what `workshop join` and the bootstrap read.
ROOM = ".classroom"
PEM, PIP = "room.pem", "pip.conf"


class JoinError(Exception):
    """The thing that is wrong, what was found, and the fix."""


def fetch_certificate(url: str, fingerprint: str) -> str:
    """Return the certificate of the server at `url` (PEM), if it has the fingerprint."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise JoinError("classroom %s: no https address. Copy it from the classroom's page" % url)
    address = (parts.hostname, parts.port or PORT)
    try:
        pem = ssl.get_server_certificate(address, timeout=SECONDS)
    except OSError as error:
        fix = "Check that you are on the classroom's network, and copy the address again"
        raise JoinError("classroom %s: it does not answer (%s). %s" % (url, error, fix)) from None
    found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    wanted = fingerprint.replace(":", "").replace(" ", "").lower()
    if found != wanted:
        shown = ":".join(found[i : i + 2] for i in range(0, len(found), 2)).upper()
        fix = "Another classroom may have this address: copy both lines from your classroom's page"
        message = "classroom %s: its certificate has the fingerprint %s, expected %s. %s"
        raise JoinError(message % (url, shown, fingerprint or "one", fix))
    return pem


def write_settings(folder: str, url: str, pem: str) -> None:
    """Write the certificate, and settings for pip, to a checkout's folder."""
    room = os.path.join(folder, ROOM)
    os.makedirs(room, exist_ok=True)
    certificate = os.path.join(os.path.abspath(room), PEM)
    with open(certificate, "w", encoding="ascii") as file:
        file.write(pem)
    with open(os.path.join(room, PIP), "w", encoding="utf-8") as file:
        lines = ["[global]", "index-url = %s/simple/" % url, "cert = %s" % certificate]
        file.write("\n".join(lines) + "\n")


def clone(url: str, pem: str, folder: str) -> None:
    """Clone the course from the classroom into a new folder."""
    if os.path.exists(folder):
        raise JoinError("folder %s: it exists. Name another at the end of the line" % folder)
    if not shutil.which("git"):
        raise JoinError("git: it is not installed. Install it, and run this line again")
    certificate = os.path.abspath(folder) + ".pem"
    with open(certificate, "w", encoding="ascii") as file:
        file.write(pem)
    try:
        env = dict(os.environ, GIT_SSL_CAINFO=certificate)
        argv = ["git", "clone", "--quiet", url + "/kit.git", folder]
        if subprocess.call(argv, env=env):
            raise JoinError("course: git could not clone it. Run this line again")
    finally:
        os.unlink(certificate)


def main(arguments: "list[str]") -> None:
    """Clone the course, and join the classroom with the course's own command."""
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        raise JoinError("Python: found %s, 3.11 or later is needed. Install it" % found)
    if len(arguments) not in {2, 3}:
        raise JoinError("join.py: two arguments are needed. Copy the line from the page again")
    url, fingerprint = arguments[0].rstrip("/"), arguments[1]
    folder = arguments[2] if len(arguments) > 2 else FOLDER  # noqa: PLR2004
    pem = fetch_certificate(url, fingerprint)
    clone(url, pem, folder)
    write_settings(folder, url, pem)
    python = os.path.join(".venv", "Scripts" if os.name == "nt" else "bin", "python")
    for argv in (
        [sys.executable, os.path.join("workshop", "machine", "bootstrap.py")],
        [python, "-m", "workshop", "join", url, "--fingerprint", fingerprint],
    ):
        if subprocess.call(argv, cwd=folder):
            raise JoinError("course: it is in %s, but could not be set up (see above)" % folder)
    print("The course is in %s. Go on with: cd %s && make up" % (folder, folder))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except JoinError as error:
        sys.stderr.write("%s\n" % error)
        sys.exit(COULD_NOT)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(INTERRUPTED)
