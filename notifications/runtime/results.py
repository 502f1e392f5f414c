"""Keep Celery's results as rows that operators can read. No decision uses them."""

import logging
from typing import Any

from django.db import Error
from django_celery_results.backends import DatabaseBackend

from notifications.runtime.database import error_name, is_outage

logger = logging.getLogger(__name__)


class Results(DatabaseBackend):  # type: ignore[misc]
    """Ignore a result that cannot be written. Celery would count a finished task as failed."""

    def store_result(self, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().store_result(task_id, result, state, *args, **kwargs)
        except Error as error:
            if not is_outage(error):
                raise
            logger.warning("the database is away (%s); a task's result, %s, is not kept", error_name(error), state)
            return result
