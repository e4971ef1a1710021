"""Run the command line with `python -m deathstar`."""

from deathstar.cli import app

app(prog_name="deathstar")
