"""A web API for planets, and a command line that serves it or destroys a planet."""
