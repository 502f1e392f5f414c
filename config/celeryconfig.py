"""Celery's settings. Figures and reasons were measured with Celery 5.7, kombu 5.7 and Redis 6 to 8.

A request publishes and must never wait for a broker in trouble; a worker must not drop a healthy connection because
the broker took a breath. Hence two sets of broker options, chosen by the process's role.
"""

from config import endpoints
from config.environment import ROLE, env
from notifications.conf.declarations import RedisSettings
from notifications.rules import servers
from notifications.runtime.roles import Role

PATIENT = ROLE in {Role.WORKER, Role.BEAT, Role.FLOWER}
# Nobody waits for the relay, but a round has to end: what could not be published is due in the next one.
SOCKET_S = 1 if ROLE == Role.RELAY else 0.15

_REDIS = endpoints.redis()
broker_url = _REDIS.url
# Without options kombu would take any certificate.
broker_use_ssl = servers.tls_options(env.read(RedisSettings.REDIS_CA_FILE)) if _REDIS.tls else None
broker_transport_options = {
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
    **(
        {
            "socket_timeout": 5,
            "socket_connect_timeout": 3,
            "max_retries": 3,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 1,
        }
        if PATIENT
        else {"socket_timeout": SOCKET_S, "socket_connect_timeout": SOCKET_S, "max_retries": 0}
    ),
}
# Without patience the relay is the retry. All three bounds are needed: with one alone a refused broker costs 6 s.
task_publish_retry = PATIENT
broker_pool_acquire_timeout = 5 if PATIENT else SOCKET_S
broker_connection_retry_on_startup = True
worker_consumer = "notifications.runtime.consumer:PersistentConsumer"
# Celery gives up after 100 tries by default.
broker_connection_max_retries = None
# A broker that has become a replica, or is full, answers a worker with errors that Celery would otherwise die of.
broker_channel_error_retry = True
worker_cancel_long_running_tasks_on_connection_loss = False

task_default_queue = "default"
task_serializer = "json"
accept_content = ["json"]
result_accept_content = ["json"]

# A redelivered task is harmless (the claim wins nothing), a lost one only waits for the relay.
task_acks_late = True
task_reject_on_worker_lost = True
task_acks_on_failure = True
task_acks_on_timeout = True
worker_prefetch_multiplier = 1

# Celery's rate limit counts per worker process; the budget in Redis is shared by all of them.
worker_disable_rate_limits = True
worker_hijack_root_logger = False
worker_send_task_events = True
task_send_sent_event = False

result_backend = "notifications.runtime.results:Results"
result_extended = True
result_expires = 7 * 86400
task_track_started = False

beat_scheduler = "config.beat:Scheduler"
# As often as its heartbeat has to be seen.
beat_max_loop_interval = 5
beat_enable_remote_control = True
# Mailroom's own periodic work is not here: notifications.jobs says what there is, beat runs it, PostgreSQL knows when.
beat_schedule: dict[str, dict[str, object]] = {}
