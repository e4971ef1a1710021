"""Check the server in this container: exit with 0 if it is healthy, otherwise with 1.

The Dockerfile's HEALTHCHECK runs `python -m todo_app.healthcheck`, as slim images have no curl.
"""

import os
import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener


def main() -> int:
    """Return 0 if /health returns 200; otherwise print the reason on one line and return 1."""
    url = f"http://127.0.0.1:{os.environ['PORT']}/health"
    # No proxy: Docker may pass the host's proxy to containers, but it cannot reach this server.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=4):
            return 0
    except (URLError, TimeoutError, ConnectionError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
