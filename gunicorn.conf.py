"""How gunicorn serves the API, for `make serve` and for `make run`."""

import gc
from typing import Any

from config import read_environment, settings

read_environment()

bind = f"{settings.host}:{settings.port}"
workers = settings.workers
worker_class = "utils.draining_worker.DrainingWorker"
threads = settings.threads
# Just above the threads: a worker that is busy leaves new connections to the others.
worker_connections = settings.threads + 2
preload_app = True  # one import for all workers, whose memory they share; it connects to nothing
timeout = 30  # seconds: for a worker to stir, and for a request to arrive whole
graceful_timeout = 30
keepalive = 5
forwarded_allow_ips = ""  # whom to believe is TRUSTED_PROXIES, and nothing else
forwarder_headers = ""  # else whoever is let through may send SCRIPT_NAME, and move every path
limit_request_line = 8190
limit_request_fields = 100
accesslog = None  # the API writes its own line for every request
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def pre_fork(_arbiter: Any, _worker: Any) -> None:
    """Set what was imported aside for good: workers neither copy nor clear away what they share.

    Otherwise each spends a second of CPU on that when it stops, while its successor is serving.
    """
    gc.freeze()
