"""Create .venv, the kit's Python environment, from the pins in requirements.txt.

The Makefile runs this with the machine's Python, so it uses only the standard library,
and no syntax that an old Python cannot parse.

With `--check`, create nothing: exit with 0 if .venv runs the code of this checkout, or else with 1.
"""

import glob
import os
import re
import sys
from typing import NoReturn

NEEDED = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(FOLDER, "Scripts" if os.name == "nt" else "bin", "python")
STAMP = os.path.join(FOLDER, ".ready")
# The file of an editable installation: a line with the checkout whose code runs.
INSTALLED = ("lib/python*/site-packages/workshop.pth", "Lib/site-packages/workshop.pth")
# pip's settings in a classroom without the internet, which `workshop join` writes.
ROOM = os.path.join(ROOT, ".classroom", "pip.conf")
REQUIREMENTS = os.path.join(ROOT, "requirements.txt")
COULD_NOT = 2
INTERRUPTED = 130
BAR, WIDTH = 30, 60  # columns


def main() -> None:
    """Create the environment and its stamp, which the Makefile looks at."""
    import compileall
    import subprocess

    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        fail(
            "Python: found %s, 3.11 or later is needed. Name one: make PYTHON=python3.12 up" % found
        )
    if os.path.islink(FOLDER):
        # Creating an environment clears its folder, here that of another checkout.
        fail(
            ".venv: it is a link to %s. Run make there, or remove the link"
            % os.path.realpath(FOLDER)
        )
    owner = find_owner()
    if owner and not is_usable():
        print("Setting up .venv again: it runs the code of %s, not of this checkout" % owner)
    else:
        print("Setting up .venv, the kit's Python environment (once)")
    sys.stdout.flush()
    code = subprocess.call(
        [sys.executable, "-m", "venv", "--clear", FOLDER],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if code:
        fail("Python: it cannot create a virtual environment. Install the package python3-venv")
    with open(REQUIREMENTS, encoding="utf-8") as file:
        count = len(re.findall(r"^[\w.-]+==", file.read(), re.MULTILINE))
    install(["--require-hashes", "--no-compile", "--requirement", REQUIREMENTS], count)
    install(["--no-deps", "--no-build-isolation", "--editable", ROOT], 1)
    # Otherwise the first check would compile these files.
    compileall.compile_dir(os.path.join(ROOT, "workshop"), quiet=1)
    # The stamp is written last, so that an incomplete environment is rebuilt.
    with open(STAMP, "w", encoding="utf-8"):
        pass


def is_usable() -> bool:
    """Whether .venv runs the code of this checkout; a link to another environment is a choice."""
    return os.path.islink(FOLDER) or _normalise(find_owner()) == _normalise(ROOT)


def find_owner() -> str:
    """Return the checkout whose code .venv runs; empty if it has none."""
    for pattern in INSTALLED:
        for path in glob.glob(os.path.join(glob.escape(FOLDER), pattern)):
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.readline().strip()
    return ""


def _normalise(path: str) -> str:
    return os.path.normcase(os.path.realpath(path)) if path else ""


def install(arguments: "list[str]", count: int) -> None:
    """Run `pip install` for `count` packages, and show its progress."""
    import subprocess

    # pip before 24.2 does not read the variable of OpenSSL.
    if os.environ.get("SSL_CERT_FILE"):
        os.environ.setdefault("PIP_CERT", os.environ["SSL_CERT_FILE"])
    argv = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    env = dict(os.environ)
    if os.path.exists(ROOM):
        env["PIP_CONFIG_FILE"] = ROOM
    lines, done = [], 0
    with subprocess.Popen(
        argv + arguments,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    ) as pip:
        for line in pip.stdout or ():
            lines.append(line.strip())
            if line.startswith("Collecting "):
                done = min(done + 1, count)
                show(done, count)
    show(0, 0)
    if pip.returncode:
        errors = [line for line in lines if line.startswith("ERROR")]
        reason = (errors or lines[-1:] or ["pip failed"])[0]
        fail("pip install: %s. Check the network, then run this again" % reason.rstrip("."))


def show(done: int, count: int) -> None:
    """Draw a progress bar on a terminal, and nothing elsewhere; `count` 0 removes it."""
    if sys.stdout.isatty():
        full = BAR * done // count if count else 0
        bar = "  [%s] %d of %d packages" % (("#" * full).ljust(BAR), done, count) if count else ""
        sys.stdout.write("\r%s\r" % bar.ljust(WIDTH))
        sys.stdout.flush()


def fail(line: str) -> "NoReturn":
    """Print an error and its fix in one line, and exit."""
    sys.stderr.write(line + "\n")
    sys.exit(COULD_NOT)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(not is_usable())
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Run the command again to continue.\n")
        sys.exit(INTERRUPTED)
