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
NO_ANSWER = 2


@app.command()
def api(
    host: Annotated[
        str, typer.Option(envvar="DEATHSTAR_HOST", help="Address to listen on.")
    ] = "0.0.0.0",
    port: Annotated[
        int, typer.Option(envvar="DEATHSTAR_PORT", min=1, max=65535, help="Port to listen on.")
    ] = 8080,
) -> None:
    """Serve the API until SIGTERM."""
    # The kernel drops a SIGTERM that process 1 has no handler for, and Uvicorn's own comes later.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # By name, so that firing the laser need not load FastAPI.
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
        str, typer.Option(envvar="DEATHSTAR_URL", help="Where the API listens.")
    ] = "http://127.0.0.1:8080",
) -> None:
    """Destroy PLANET; exit with 1 if there is no such planet, 2 if the API gives no answer."""
    if not url.startswith(("http://", "https://")):
        fail(f"--url must start with http:// or https://, but is {url}", NO_ANSWER)
    address = f"{url.rstrip('/')}/api/v1/planets/{quote(planet, safe='')}"
    try:
        with urlopen(Request(address, method="DELETE"), timeout=5) as response:
            status = response.status
    except HTTPError as error:
        status = error.code
        error.close()
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        fail(f"no answer from the API at {url} ({reason}); 'deathstar api' starts it", NO_ANSWER)
    if status in (404, 422):
        fail(f"there is no planet {planet}", NO_SUCH_PLANET)
    if status != 204:
        fail(f"the API at {url} answered {status} where 204 was expected", NO_ANSWER)
    typer.echo(f"{planet} is destroyed.")


def fail(message: str, code: int) -> NoReturn:
    """Print the message on one line of stderr and exit with this code."""
    typer.echo(f"deathstar: {message}", err=True)
    raise typer.Exit(code)
