import signal
import sys
from http.server import HTTPServer, SimpleHTTPRequestHandler

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = HTTPServer(("0.0.0.0", 8000), SimpleHTTPRequestHandler)
print("ready", flush=True)
server.serve_forever()
