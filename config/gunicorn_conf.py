"""gunicorn's settings. Requests wait for Argon2 and PostgreSQL, never for email."""

from typing import Any

from config import processes
from config.environment import env

worker_class = "gthread"
workers = processes.web_workers(env)
threads = processes.web_threads(env)
# So that settings that cannot work end the start with one message, instead of each worker with a traceback.
preload_app = True
timeout = 30
graceful_timeout = 30
keepalive = 5
# Paths carry the tokens of reset and confirmation links; they are in no log.
accesslog = None
errorlog = "-"
control_socket_disable = True
# No client may name the path or the prefix of the site in a header: gunicorn believes a proxy on this machine, and most
# proxies hand on what their clients have sent.
forwarder_headers = ""
# What gunicorn would read, for the sake of the next request, of a body that the application has not.
MOST_DRAINED = 262_144


def pre_request(worker: Any, request: Any) -> None:
    # `config.middleware` may refuse a body that is long or has no length, so the connection ends after the answer.
    headers = dict(request.headers)
    if "TRANSFER-ENCODING" in headers or int(headers.get("CONTENT-LENGTH") or 0) > MOST_DRAINED:
        request.force_close()


def post_worker_init(worker: Any) -> None:
    # Otherwise the first request of this process would wait for it.
    from accounts.ratelimits import limiter  # noqa: PLC0415 - Django is only set up by now
    from notifications.outbox import publish  # noqa: PLC0415

    publish.connect_to_broker()
    limiter.warm_up()
