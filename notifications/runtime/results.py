"""Where Celery keeps results: rows, for operators to look at. Nothing is decided by them."""

import logging
from typing import Any

from django.db import Error
from django_celery_results.backends import DatabaseBackend

from notifications.runtime.database import error_name, is_outage

logger = logging.getLogger(__name__)


class Results(DatabaseBackend):  # type: ignore[misc]
    """Celery makes a failure of a task that is done if its result cannot be written. Here it is only not written."""

    def store_result(self, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().store_result(task_id, result, state, *args, **kwargs)
        except Error as error:
            if not is_outage(error):
                raise
            logger.warning("the database is away (%s); a task's result, %s, is not kept", error_name(error), state)
            return result
