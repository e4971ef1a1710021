"""Name servers, the package index, the image registry and its rate limit, and the clock."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from json import loads
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from workshop.core import proxies
from workshop.machine import base_images, network
from workshop.machine.doctor.finding import Finding, Repair, State, ok
from workshop.machine.network import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop.machine.doctor.subject import Subject
    from workshop.machine.network import Answer

# TLS and apt fail if a clock is wrong by hours; a token of a registry may be valid for minutes.
_FAST_OR_SLOW, _WRONG = timedelta(seconds=60), timedelta(minutes=5)
_SECONDS_TO_LOOK_UP = 6.0
# A manifest from which Docker Hub's documentation reads the limit: HEAD costs no pull.
_PREVIEW = "ratelimitpreview/test"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_STANDINS = "workshop bases --stand-ins builds them without a registry (on Debian, as root)"


def check_names(subject: Subject) -> Iterator[Finding]:
    """Check that this machine finds the address of a server."""
    if not subject.online:
        return
    if subject.proxies and not proxies.find_fault(subject.proxies.https):
        host = proxies.address(subject.proxies.https)[0]
    else:
        host = urlsplit(subject.index_url).hostname or ""

    def look_up() -> str:
        try:
            socket.getaddrinfo(host, 443)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    late = f"no answer within {_SECONDS_TO_LOOK_UP:.0f} s"
    if fault := network.within(_SECONDS_TO_LOOK_UP, look_up, late):
        fix = "Check the network connection, then the name servers (/etc/resolv.conf on Linux)"
        yield Finding("DNS", State.PROBLEM, f"{host}: {fault}", "its address", fix)
    else:
        yield ok("DNS", f"{host} has an address")


def check_index(subject: Subject) -> Iterator[Finding]:
    """Check that the package index answers."""
    if not subject.online or not subject.index_url.startswith("http"):
        return
    thing, answer = "package index", subject.index
    url = proxies.without_password(subject.index_url)
    wanted, fix = "the page of a package", "Check the network, and pip's index-url"
    if answer.obstacle is Obstacle.CERTIFICATE:
        return  # `certificates` reports it
    if answer.obstacle is Obstacle.PROXY:
        found = f"the proxy refuses {url}: {answer.reason}"
        fix = "Add the user and the password (HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT)"
        yield Finding(thing, State.PROBLEM, found, wanted, fix)
    elif answer.obstacle:
        yield Finding(thing, State.PROBLEM, f"{url}: {answer.reason}", wanted, fix)
    elif answer.status != 200:  # noqa: PLR2004 - HTTP's OK
        yield Finding(thing, State.PROBLEM, f"{url}: HTTP status {answer.status}", wanted, fix)
    else:
        yield ok(thing, f"{url} answers")


def check_registry(subject: Subject) -> Iterator[Finding]:
    """Check that the registry answers, and allows as many pulls as base images are missing."""
    if not subject.online:
        return
    thing, answer = "image registry", subject.registry_answer
    missing = len(subject.missing_bases) if subject.info else len(subject.pins.base)
    host = urlsplit(subject.registry_url).hostname
    fault = "" if _is_registry(answer) else _describe_registry(answer)
    if fault and subject.info and not missing:
        yield ok(thing, f"{host}: {fault}; but no base image is missing")
    elif fault and not subject.host.obstacle:
        found = f"{host}: {fault}"
        yield Finding(thing, State.WARNING, found, "a registry", _STANDINS, _standins(subject))
    elif fault:
        fix = f"Check the network, and log in to it with a browser; {_STANDINS}"
        yield Finding(thing, State.PROBLEM, f"{host}: {fault}", "a registry", fix)
    else:
        yield _judge_limit(subject, answer, missing)


def _standins(subject: Subject) -> Repair | None:
    """Return how to build stand-ins for the missing images, if an engine answers."""
    info = subject.info
    if info is None:
        return None

    def build() -> None:
        base_images.ensure_images(subject.machine, subject.pins, info, ask_registry=False)

    return Repair("Build stand-ins for the missing base images from Debian packages", build)


def _is_registry(answer: Answer) -> bool:
    """Whether a registry has answered; a page to log in to a network answers every request."""
    version = answer.headers.get("docker-distribution-api-version", "")
    return version.startswith("registry/") and answer.status in {200, 401}


def _describe_registry(answer: Answer) -> str:
    if answer.obstacle:
        return answer.reason
    if answer.status == 429:  # noqa: PLR2004 - HTTP's Too Many Requests
        return "too many requests from this network"
    return f"something else answers (HTTP status {answer.status})"


def _judge_limit(subject: Subject, answer: Answer, missing: int) -> Finding:
    thing, host = "image registry", urlsplit(subject.registry_url).hostname
    left = _read_pulls_left(subject, answer)
    if left is None:
        return ok(thing, f"{host} answers")
    found = f"{host} allows {left} more pulls for now, and {missing} base images are missing"
    if left < missing:
        fix = f"Log in (docker login), or wait some hours; {_STANDINS}"
        return Finding(thing, State.PROBLEM, found, f"{missing} pulls", fix)
    return ok(thing, found, f"{missing} pulls")


def _read_pulls_left(subject: Subject, answer: Answer) -> int | None:
    """Return how many images may still be pulled; None if the registry does not say."""
    challenge = dict(_CHALLENGE.findall(answer.headers.get("www-authenticate", "")))
    if "realm" not in challenge:
        return None
    query = {"service": challenge.get("service", ""), "scope": f"repository:{_PREVIEW}:pull"}
    granted = network.ask(f"{challenge['realm']}?{urlencode(query)}")
    try:
        token = loads(granted.body)["token"]
    except (ValueError, KeyError, TypeError):
        return None
    url = f"{subject.registry_url}/v2/{_PREVIEW}/manifests/latest"
    limited = network.ask(url, method="HEAD", headers={"Authorization": f"Bearer {token}"})
    left = limited.headers.get("ratelimit-remaining", "").partition(";")[0]
    if limited.status == 429:  # noqa: PLR2004 - HTTP's Too Many Requests
        return 0
    return int(left) if left.isdecimal() else None


def check_clock(subject: Subject) -> Iterator[Finding]:
    """Compare this machine's clock with a server's, and the engine's with this machine's."""
    if subject.online and (other := _server_time(subject)):
        fix = "Set it: sudo timedatectl set-ntp true, or in the settings of the system"
        yield _judge_clock("clock", datetime.now(UTC) - other, "the clock of a server", fix)
    if subject.info and subject.info.clock:
        read = network.within(_SECONDS_TO_LOOK_UP, subject.engine.info, None)
        now = datetime.now(UTC)
        if read and read.clock:
            fix = "Restart Docker Desktop, or: wsl --shutdown"
            yield _judge_clock("engine's clock", read.clock - now, "this computer's clock", fix)


def _server_time(subject: Subject) -> datetime | None:
    """Return the time that the package index sends; with a wrong clock, TLS fails."""
    answer = subject.index
    if answer.obstacle is Obstacle.CERTIFICATE:
        answer = network.ask(subject.index_url, method="HEAD", verify=False)
    try:
        return parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError, TypeError):
        return None


def _judge_clock(thing: str, difference: timedelta, wanted: str, fix: str) -> Finding:
    seconds = abs(difference)
    direction = "fast" if difference > timedelta() else "slow"
    if seconds < _FAST_OR_SLOW:
        return ok(thing, "right", wanted)
    state = State.PROBLEM if seconds >= _WRONG else State.WARNING
    amount = timedelta(seconds=round(seconds.total_seconds()))
    return Finding(thing, state, f"{amount} {direction}", wanted, fix)
