"""Configure a project's Celery application for the engine."""

import atexit
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

from notifications.conf import settings
from notifications.rules import servers
from notifications.rules.servers import RedisServer
from notifications.runtime import heartbeat, startup
from notifications.runtime.roles import Role
from notifications.runtime.watching import Heartbeat

# Measured with Celery 5.7, kombu 5.7 and Redis 6 to 8. A request publishes and must never wait for a broker in trouble;
# a worker must not drop a healthy connection because the broker paused. Hence two sets of broker options, chosen by the
# process's role.

# As often as beat's heartbeat has to be seen.
BEAT_LOOP_S = 5


def configure(app: Celery) -> None:
    """Prepare `app` to carry email.

    It overrides the configuration of `app`; what is set on `app.conf` later overrides this.
    """
    # `celery.current_app` is the current thread's; requests and publishers run in others.
    app.set_default()
    app.add_defaults(options)
    app.steps["consumer"].add(Heartbeat)
    worker_init.connect(_require_worker_role)
    beat_init.connect(_start_beat)


def options() -> dict[str, Any]:
    # The guarantees rest on these settings. They depend on the process's role.
    return {
        **_broker(),
        **_patience(),
        "worker_consumer": "notifications.runtime.consumer:PersistentConsumer",
        # A redelivered task is harmless (the claim wins nothing), a lost one only waits for the relay.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "worker_prefetch_multiplier": 1,
        "beat_scheduler": "notifications.housekeeping.beat:Scheduler",
        "beat_max_loop_interval": BEAT_LOOP_S,
        **_results(),
    }


def _broker() -> dict[str, Any]:
    server = RedisServer.from_url(settings.REDIS_URL)
    return {
        "broker_url": server.url,
        # Without options kombu would take any certificate.
        "broker_use_ssl": servers.tls_options(settings.REDIS_CA_FILE) if server.tls else None,
        "broker_connection_retry_on_startup": True,
        # Celery gives up after 100 tries by default.
        "broker_connection_max_retries": None,
        # A broker that has become a replica, or is full, answers with errors that would otherwise end the worker.
        "broker_channel_error_retry": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


def _patience() -> dict[str, Any]:
    # Without patience the relay is the retry. With only one of the three bounds a refused broker costs 6 s.
    is_patient = settings.MAILROOM_ROLE in {Role.WORKER, Role.BEAT, Role.FLOWER}
    # Nobody waits for the relay, but a round has to end: what could not be published is due in the next one.
    socket_s = 1 if settings.MAILROOM_ROLE == Role.RELAY else 0.15
    return {
        "task_publish_retry": is_patient,
        "broker_pool_acquire_timeout": 5 if is_patient else socket_s,
        "broker_transport_options": _TRANSPORT
        | (
            _PATIENT
            if is_patient
            else {"socket_timeout": socket_s, "socket_connect_timeout": socket_s, "max_retries": 0}
        ),
    }


_TRANSPORT = {
    # Longer than any task and any countdown, short enough to wait for after a worker was killed.
    "visibility_timeout": 300,
    # kombu's default looks for abandoned messages every 100 s; this does every 10 s.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "unacked_restore_limit": 500,
    # The order of -Q is the order of priority, at every pop.
    "queue_order_strategy": "priority",
    "socket_keepalive": True,
    "health_check_interval": 25,
    "max_connections": 50,
}
_PATIENT = {
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "max_retries": 3,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 1,
}


def _results() -> dict[str, Any]:
    # A project may keep results elsewhere, or none: no decision uses them.
    if not any(app.startswith("django_celery_results") for app in settings.INSTALLED_APPS):
        return {}
    return {"result_backend": "notifications.runtime.results:Results", "result_extended": True}


def _require_worker_role(**kwargs: Any) -> None:
    # Celery logs an ordinary exception of a signal's receiver and goes on; this one ends the process.
    startup.start(Role.WORKER)


def _start_beat(sender: Any, **kwargs: Any) -> None:
    startup.start(Role.BEAT)
    row = heartbeat.HeartbeatRow(heartbeat.name_of("beat"), sender.scheduler.trouble)
    row.start()
    sender.scheduler.keeper.start()
    # Beat has no signal for its end.
    atexit.register(heartbeat.remove)
    atexit.register(row.stop)
    atexit.register(sender.scheduler.keeper.stop)
