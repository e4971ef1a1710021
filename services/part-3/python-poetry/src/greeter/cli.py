"""The ``greeter-cli`` command."""

import cowsay

GREETING = "Greetings from somenergia.coop!"


def cli() -> None:
    """Print a Tyrannosaurus rex that says the greeting."""
    cowsay.trex(GREETING)


if __name__ == "__main__":
    cli()
