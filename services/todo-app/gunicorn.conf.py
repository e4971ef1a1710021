"""Settings for gunicorn; GUNICORN_CMD_ARGS and WEB_CONCURRENCY override them."""

import os

bind = f"0.0.0.0:{os.environ['PORT']}"
# Browsers open connections in advance; each would block a worker without threads.
worker_class = "gthread"
threads = 4
# Create the app once, before gunicorn forks the workers: they cannot race to create the tables,
# and an invalid setting stops the container at once.
preload_app = True
# Keep the workers' heartbeat files in memory: on a slow disk they could block a worker.
worker_tmp_dir = "/dev/shm"  # noqa: S108
# Shorter than the ten seconds after which Docker sends SIGKILL.
graceful_timeout = 2
accesslog = "-"
# The control socket is not used, and the app user cannot write to the code's folder.
control_socket_disable = True
