"""The certificates that this machine trusts."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from workshop.core import proxies
from workshop.machine.doctor.finding import Finding, State, ok
from workshop.machine.network import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.machine.doctor.subject import Subject

# What OpenSSL, Requests, pip, curl and Git read.
VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
_INSTALL = (
    "Ask for the certificate of the network's proxy; on Debian and Ubuntu, copy it to "
    "/usr/local/share/ca-certificates/NAME.crt, and run: sudo update-ca-certificates"
)
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of <openssl/x509_vfy.h>, in words.
_TIME = ("not yet valid", "expired")


def check_files(subject: Subject) -> Iterator[Finding]:
    """Check the files with certificates that environment variables name."""
    for name in VARIABLES:
        path = subject.environ.get(name, "")
        if path and (fault := find_fault(Path(path))):
            fix = f"Correct {name}, or unset it"
            found = f"{path}: {fault}"
            yield Finding(name, State.PROBLEM, found, "a file with certificates", fix)


def find_fault(path: Path) -> str:
    """Return what is wrong with a file of certificates; empty if nothing is."""
    if path.is_dir():  # of hashed names, which c_rehash writes
        return ""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(path)
    except FileNotFoundError:
        return "no such file"
    except ssl.SSLError:
        return "it holds no certificate"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def check_trust(subject: Subject) -> Iterator[Finding]:
    """Check that this machine trusts the package index, or the proxy that answers for it."""
    if not subject.online or not subject.index_url.startswith("https:"):
        return
    thing, answer = "certificates", subject.index
    if answer.status:
        yield ok(thing, "those of the package index are trusted")
    elif answer.obstacle is Obstacle.CERTIFICATE:
        host = proxies.without_password(subject.index_url)
        found = f"that of {host} is not trusted: {answer.reason}"
        late = any(sign in answer.reason for sign in _TIME)
        fix = "Set the clock of this computer" if late else _INSTALL
        yield Finding(thing, State.PROBLEM, found, "one that this computer trusts", fix)
