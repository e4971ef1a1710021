"""The command line: serve the API, or destroy a planet through it."""

import signal
import sys
from http.client import HTTPException
from typing import Annotated, NoReturn
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import typer
import uvicorn

app = typer.Typer(
    help="Serve the Death Star's API, or destroy a planet through it.",
    no_args_is_help=True,
    add_completion=False,
)

NO_SUCH_PLANET = 1
API_ERROR = 2


@app.command()
def api(
    host: Annotated[
        str, typer.Option(envvar="DEATHSTAR_HOST", help="Address to listen on.")
    ] = "0.0.0.0",
    port: Annotated[
        int, typer.Option(envvar="DEATHSTAR_PORT", min=1, max=65535, help="Port to listen on.")
    ] = 8080,
) -> None:
    """Serve the API until it receives SIGTERM."""
    # Process 1 ignores SIGTERM without a handler, and Uvicorn installs its own only later.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # An import string, so that `laser` does not import FastAPI.
    uvicorn.run(
        "deathstar.api:create_app",
        factory=True,
        host=host,
        port=port,
        timeout_graceful_shutdown=2,
    )


@app.command()
def laser(
    planet: Annotated[str, typer.Argument(help="Name of the planet to destroy.")],
    url: Annotated[
        str, typer.Option(envvar="DEATHSTAR_URL", help="Address of the API.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Destroy PLANET; exit with 1 if there is no such planet, 2 if the API cannot be reached."""
    if not url.startswith(("http://", "https://")):
        fail(f"--url must start with http:// or https://, not {url}", API_ERROR)
    address = f"{url.rstrip('/')}/api/v1/planets/{quote(planet, safe='')}"
    try:
        with urlopen(Request(address, method="DELETE"), timeout=5) as response:
            status = response.status
    except HTTPError as error:
        status = error.code
        error.close()
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        fail(f"cannot reach the API at {url} ({reason}); start it with 'deathstar api'", API_ERROR)
    if status in (404, 422):
        fail(f"there is no planet {planet}", NO_SUCH_PLANET)
    if status != 204:
        fail(f"the API at {url} returned status {status}, expected 204", API_ERROR)
    typer.echo(f"{planet} is destroyed.")


def fail(message: str, code: int) -> NoReturn:
    """Print the message as one line on stderr and exit with this code."""
    typer.echo(f"deathstar: {message}", err=True)
    raise typer.Exit(code)
