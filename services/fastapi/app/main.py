"""The web application: one page that says Hello World."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI(title="Hello World")


@app.get("/", response_class=PlainTextResponse)
def hello() -> str:
    """Return the plain text ``Hello World`` with status 200."""
    return "Hello World"
