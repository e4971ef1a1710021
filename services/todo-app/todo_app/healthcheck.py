"""Ask the server in this container for its health: exit code 0 when it is well, 1 when not.

Run by the Dockerfile's HEALTHCHECK as `python -m todo_app.healthcheck`; slim images have no curl.
"""

import os
import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener


def main() -> int:
    """Return 0 when /health answers 200, otherwise say why on one line and return 1."""
    url = f"http://127.0.0.1:{os.environ['PORT']}/health"
    # No proxy: Docker may pass the host's proxy on to containers, and it cannot reach in here.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=4):
            return 0
    except (URLError, TimeoutError, ConnectionError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
