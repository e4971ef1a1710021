"""How gunicorn serves the app; GUNICORN_CMD_ARGS and WEB_CONCURRENCY override what stands here."""

import os

bind = f"0.0.0.0:{os.environ['PORT']}"
# Browsers open connections before they need them; one such would block a worker without threads.
worker_class = "gthread"
threads = 4
# The app is made once, before the workers are forked: they cannot race to create the tables,
# and a bad setting ends the container at once.
preload_app = True
# The heartbeat file of a worker stays in memory: on a slow disk it could stall the worker.
worker_tmp_dir = "/dev/shm"  # noqa: S108
# Shorter than the ten seconds after which Docker kills.
graceful_timeout = 2
accesslog = "-"
# Nothing here uses the control socket, and the app user may not write beside the code.
control_socket_disable = True
