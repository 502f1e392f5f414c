"""Configure a project's Celery application for the engine."""

import atexit
import sys
from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.signals import beat_init, import_modules, worker_init

from notifications.conf import settings
from notifications.rules import servers
from notifications.rules.roles import role_of
from notifications.rules.servers import RedisServer
from notifications.runtime import flower_login, heartbeat, startup, transport
from notifications.runtime.roles import Role
from notifications.runtime.watching import Heartbeat

# Measured with Celery 5.7, kombu 5.7, Redis 6 to 8. A request that publishes must never wait for the broker; a worker
# must not drop a connection because the broker paused. Hence two sets of broker options, chosen by the process's role.

RESULTS = "notifications.runtime.results:Results"
#: The scheduler of the project's periodic tasks, to which the engine's adds its jobs.
PROJECTS_SCHEDULER = "mailroom_projects_scheduler"
# At least as often as beat's heartbeat.
BEAT_LOOP_S = 5


def configure(app: Celery) -> None:
    """Prepare `app` to deliver email.

    It overrides the configuration of `app`. Later settings on `app.conf` override this.
    """
    # `celery.current_app` is thread-local, and requests and publishers run in other threads.
    app.set_default()
    transport.install()
    # Called when the project's configuration is known.
    app.add_defaults(lambda: options(app.conf))
    app.steps["consumer"].add(Heartbeat)
    worker_init.connect(_require_worker_role)
    import_modules.connect(flower_login.require_login)
    beat_init.connect(_start_beat)


def is_configured(app: Celery) -> bool:
    return Heartbeat in app.steps["consumer"]


def options(project: Mapping[str, Any]) -> dict[str, Any]:
    # The guarantees rest on these settings. They depend on the process's role, and keep what the `project` has set for
    # its other tasks.
    return {
        **_broker(),
        **_patience(project),
        "worker_consumer": "notifications.runtime.consumer:PersistentConsumer",
        "worker_prefetch_multiplier": 1,
        "beat_scheduler": "notifications.housekeeping.beat:scheduler",
        PROJECTS_SCHEDULER: project["beat_scheduler"],
        "beat_max_loop_interval": BEAT_LOOP_S,
        **_results(project),
    }


def _broker() -> dict[str, Any]:
    server = RedisServer.from_url(settings.REDIS_URL)
    return {
        "broker_url": server.url,
        # Without options, kombu accepts any certificate.
        "broker_use_ssl": servers.tls_options(settings.REDIS_CA_FILE) if server.tls else None,
        "broker_connection_retry_on_startup": True,
        # Celery gives up after 100 tries by default.
        "broker_connection_max_retries": None,
        # Errors of a broker that is full or has become a replica would otherwise end the worker.
        "broker_channel_error_retry": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


def _patience(project: Mapping[str, Any]) -> dict[str, Any]:
    # An impatient process leaves retries to the relay. A refused connection costs 6 s unless all three bounds are set.
    is_patient = settings.MAILROOM_ROLE in {Role.WORKER, Role.BEAT, Role.FLOWER}
    # No user waits for the relay, but its round must end: it publishes the rest in the next round.
    socket_s = 1 if settings.MAILROOM_ROLE == Role.RELAY else 0.15
    return {
        "task_publish_retry": is_patient,
        "broker_pool_acquire_timeout": 5 if is_patient else socket_s,
        "broker_transport_options": _TRANSPORT
        | _visibility(project)
        | (
            _PATIENT
            if is_patient
            else {"socket_timeout": socket_s, "socket_connect_timeout": socket_s, "max_retries": 0}
        ),
    }


def _visibility(project: Mapping[str, Any]) -> dict[str, Any]:
    # A task that runs or waits for longer runs twice, so only the project knows it. Deliveries are not stored there.
    name = "visibility_timeout"
    given = project.get("broker_transport_options") or {}
    return {name: given[name]} if name in given else {}


_TRANSPORT = {
    # kombu checks for abandoned messages every 100 s by default; this every 10 s.
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "unacked_restore_limit": 500,
    # The order of -Q is the priority.
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


#: How a project names the backend of django_celery_results.
_IN_TABLES = ("django-db", "django_celery_results")


def _results(project: Mapping[str, Any]) -> dict[str, Any]:
    # A project may keep results elsewhere, or not. No decision uses them.
    is_installed = any(app.startswith("django_celery_results") for app in settings.INSTALLED_APPS)
    if not is_installed or not str(project.get("result_backend") or _IN_TABLES[0]).startswith(_IN_TABLES):
        return {}
    return {
        "result_backend": RESULTS,
        "result_extended": True,
        # The job `prune` deletes them in small batches. Beat does not send Celery's task for it.
        "result_expires": settings.KEEP_RESULTS_DAYS * 86_400 or None,
    }


def _require_worker_role(**kwargs: Any) -> None:
    # Celery logs exceptions of a signal's receiver and continues. SystemExit ends the process.
    startup.start(Role.WORKER)


def _start_beat(sender: Any, **kwargs: Any) -> None:
    if role_of(sys.argv) == Role.WORKER:
        startup.refuse_to_start("beat does not run inside a worker (-B). Start it as a process: `celery -A … beat`.")
    startup.start(Role.BEAT)
    if not hasattr(sender.scheduler, "keeper"):
        startup.refuse_to_start(
            "`celery beat --scheduler` leaves out its jobs. Name the scheduler in the configuration (beat_scheduler)."
        )
    row = heartbeat.HeartbeatRow(heartbeat.name_of("beat"), sender.scheduler.trouble)
    row.start()
    sender.scheduler.keeper.start()
    # Beat sends no signal when it ends.
    atexit.register(heartbeat.remove)
    atexit.register(row.stop)
    atexit.register(sender.scheduler.keeper.stop)
