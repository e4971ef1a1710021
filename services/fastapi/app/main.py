"""The web application: one page that greets."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI(title="Hello World")


@app.get("/", response_class=PlainTextResponse)
def hello() -> str:
    """Answer 200 with the plain text ``Hello World``."""
    return "Hello World"
