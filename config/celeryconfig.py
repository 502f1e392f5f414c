"""The site's Celery settings. notifications.runtime.celery sets those that the engine needs."""

task_default_queue = "default"
task_serializer = "json"
accept_content = ["json"]
result_accept_content = ["json"]

# Celery's rate limit counts per worker process; the budget in Redis is shared by all of them.
worker_disable_rate_limits = True
worker_hijack_root_logger = False
worker_send_task_events = True
task_send_sent_event = False

task_track_started = False

beat_enable_remote_control = True
# Mailroom's periodic jobs are not here: notifications.jobs declares them, beat runs them, PostgreSQL stores the times.
beat_schedule: dict[str, dict[str, object]] = {}
