"""Store Celery's results for operators. No decision uses them."""

import json
import logging
from types import SimpleNamespace
from typing import Any

from celery.states import FAILURE, STARTED, SUCCESS
from django.db import Error, connections, router
from django.db.models.functions import Now
from django_celery_results.backends import DatabaseBackend
from django_celery_results.managers import TaskResultManager
from django_celery_results.models import TaskResult

from notifications.runtime.database import error_name, is_outage
from notifications.runtime.task_errors import NOTHING_TO_DO, DeliveryTaskError
from notifications.runtime.task_names import without_count

logger = logging.getLogger(__name__)

_GIVEN = (
    *("task_id", "status", "result", "traceback", "meta", "content_encoding", "content_type"),
    *("periodic_task_name", "task_name", "task_args", "task_kwargs", "worker", "date_started"),
)
# As Celery stores it.
_NOTHING = json.dumps(NOTHING_TO_DO)
_CHANGED = (*_GIVEN[1:-1], "date_done")
# A result without a start keeps the start that the row has. The commit does not wait for the disk: a crash of the
# server may lose the last results. The broker may deliver an ended task again. That it starts, and then finds nothing
# to do, must not replace its result; what a replay of its message does must.
_STORE = f"""
INSERT INTO django_celery_results_taskresult AS stored ({", ".join(_GIVEN)}, date_created, date_done)
SELECT {", ".join(f"%({name})s" for name in _GIVEN[:-1])},
    CASE WHEN %(starts)s THEN statement_timestamp() END, statement_timestamp(), statement_timestamp()
FROM set_config('synchronous_commit', 'off', true)
ON CONFLICT (task_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _CHANGED)},
    date_started = coalesce(EXCLUDED.date_started, stored.date_started)
WHERE NOT (%(is_ours)s AND stored.status IN ('{SUCCESS}', '{FAILURE}')
    AND coalesce(stored.result, '') NOT LIKE '%%WorkerLostError%%'
    AND (EXCLUDED.status = '{STARTED}' OR EXCLUDED.result = %(nothing)s))
"""  # noqa: S608 - put together from names of columns only


class OneStatementManager(TaskResultManager):
    """Write a result with one statement. The package's manager needs a transaction of five."""

    def store_result(self, *, using: str | None = None, date_started: Now | None = None, **fields: Any) -> None:  # type: ignore[override]
        values = {
            **dict.fromkeys(_GIVEN),
            "is_ours": False,
            "nothing": _NOTHING,
            **fields,
            "starts": date_started is not None,
        }
        with connections[using or router.db_for_write(TaskResult)].cursor() as cursor:
            cursor.execute(_STORE, values)


_manager = OneStatementManager()
_manager.model = TaskResult


class Results(DatabaseBackend):  # type: ignore[misc]
    """Ignore a result that cannot be written. Celery would count a finished task as failed."""

    # The only part of a model that the backend uses.
    TaskModel = SimpleNamespace(_default_manager=_manager)

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        if isinstance(result, DeliveryTaskError):
            # Where it was raised says nothing about the messages.
            traceback = None
        try:
            return super().store_result(task_id, result, state, traceback, *args, **kwargs)
        except Error as error:
            if not is_outage(error):
                raise
            logger.warning(
                "The database is unavailable (%s): a task's result, %s, is not kept", error_name(error), state
            )
            return result

    def _get_extended_properties(self, request: Any, traceback: str | None) -> dict[str, Any]:
        properties: dict[str, Any] = super()._get_extended_properties(request, traceback)
        if name := getattr(request, "shadow", None):
            # A task of ours: the kind of the messages, and their ids.
            properties["is_ours"] = True
            properties["task_name"] = without_count(name)
            properties["task_args"] = self.encode_content(request.args)[2]
        return properties
