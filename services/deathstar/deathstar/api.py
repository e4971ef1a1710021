"""The web API: look at planets, and destroy them."""

from typing import Annotated

from fastapi import FastAPI, HTTPException, Path, Request, Response
from fastapi.exception_handlers import http_exception_handler
from pydantic import BaseModel
from starlette.routing import Match

from deathstar.planets import Planets

PlanetName = Annotated[
    str,
    Path(
        description="A planet's name, in upper or lower case",
        examples=["Alderaan"],
        min_length=1,
        max_length=50,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9 '\-]*[A-Za-z0-9])?$",
    ),
]


class Planet(BaseModel):
    """A planet that is still there."""

    name: str


class Health(BaseModel):
    """How the server is."""

    status: str


class Problem(BaseModel):
    """Why a request could not be answered."""

    detail: str


NO_SUCH_PLANET = {404: {"model": Problem, "description": "There is no such planet"}}


def create_app(planets: Planets | None = None) -> FastAPI:
    """Return the API over these planets; without any, over a fresh set of the known ones."""
    # Its state lives in this process: run one worker, or each would have planets of its own.
    planets = Planets() if planets is None else planets
    app = FastAPI(title="Death Star", version="1.0.0", redirect_slashes=False)

    @app.get("/api/v1/planets")
    async def list_planets() -> list[Planet]:
        """Answer all planets that are left."""
        return [Planet(name=name) for name in planets.names()]

    @app.get("/api/v1/planets/{name}", responses=NO_SUCH_PLANET)
    async def get_planet(name: PlanetName) -> Planet:
        """Answer one planet."""
        known = planets.find(name)
        if known is None:
            raise HTTPException(404, f"there is no planet {name}")
        return Planet(name=known)

    @app.delete("/api/v1/planets/{name}", status_code=204, responses=NO_SUCH_PLANET)
    async def destroy_planet(name: PlanetName) -> None:
        """Destroy one planet, for good: until the server starts again."""
        if not planets.destroy(name):
            raise HTTPException(404, f"there is no planet {name}")

    @app.exception_handler(405)
    async def name_all_methods(request: Request, error: HTTPException) -> Response:
        """Answer a wrong method with the right ones: those of every route with this path."""
        # A route knows only its own method; GET and DELETE of a planet are two routes.
        routes = [route for route in app.routes if route.matches(request.scope)[0] != Match.NONE]
        methods = sorted(set().union(*(route.methods for route in routes)))
        error.headers = {"Allow": ", ".join(methods)}
        return await http_exception_handler(request, error)

    @app.get("/health")
    async def health() -> Health:
        """Answer 200 as long as the server runs."""
        return Health(status="ok")

    return app
