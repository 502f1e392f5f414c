"""gunicorn's settings."""

import gc
from typing import Any

from config import processes
from config.environment import env
from config.variables import SiteVariables

# Threads, because requests wait for Argon2 and PostgreSQL.
worker_class = "gthread"
workers = processes.web_workers(env)
threads = processes.web_threads(env)
# A bad setting then ends the start with one message, instead of a traceback from each worker.
preload_app = True
timeout = 30
graceful_timeout = 30
keepalive = 5
# Paths contain the tokens of reset and confirmation links, which must not be logged.
accesslog = None
errorlog = "-"
if env.read(SiteVariables.LOG_FORMAT) == "json":
    # As settings.LOGGING, which applies once Django is set up.
    logconfig_dict = {
        "formatters": {"json": {"()": "config.json_logs.JsonLine"}},
        "handlers": {"error": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["error"], "level": "INFO"},
        "loggers": {"gunicorn.error": {"handlers": ["error"], "level": "INFO", "propagate": False}},
    }
control_socket_disable = True
# Ignore the path and the prefix that a header names: gunicorn trusts a proxy on this machine, and most proxies pass on
# their clients' headers.
forwarder_headers = ""
# gunicorn reads this much of an unread body, to reuse the connection for the next request.
MOST_DRAINED = 262_144


def when_ready(server: Any) -> None:
    # The workers share the pages of what is loaded, until their garbage collectors write to them.
    gc.collect()
    gc.freeze()


def pre_request(worker: Any, request: Any) -> None:
    # `config.middleware` may refuse a long body, or one without a length; the connection is closed after the response.
    headers = dict(request.headers)
    if "TRANSFER-ENCODING" in headers or int(headers.get("CONTENT-LENGTH") or 0) > MOST_DRAINED:
        request.force_close()


def post_worker_init(worker: Any) -> None:
    # So that the first request does not have to wait for it.
    from accounts.ratelimits import limiter  # noqa: PLC0415 - Django is only set up by now
    from notifications.outbox import publish  # noqa: PLC0415

    publish.connect_to_broker()
    limiter.warm_up()
