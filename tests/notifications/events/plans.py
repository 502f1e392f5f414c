"""Record the query plans of a piece of work, on tables filled like those of production."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction

_WATCHED = ("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")


class Plans:
    """Records, for every statement, the pages of 8 KiB that it reads and the tables that it scans completely."""

    def __init__(self) -> None:
        self.pages: dict[str, int] = {}
        self.scanned: dict[str, str] = {}

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(_WATCHED) and not many:
            plan = self._explain(execute, sql, params, context)
            self.pages[sql] = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            self.scanned |= dict.fromkeys(_scans(plan), sql)
        return execute(sql, params, many, context)

    def _explain(self, execute: Callable[..., Any], sql: str, params: Any, context: Any) -> dict[str, Any]:
        # Its changes are undone, because the statement follows.
        with transaction.atomic():
            execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params, False, context)
            ((plan, *_),) = context["cursor"].fetchall()
            transaction.set_rollback(True)
        found: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
        return found


def _scans(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scans(part)


def plans_of(work: Callable[[], Any]) -> tuple[Any, Plans]:
    """Return the result of `work` and the plans of its statements."""
    plans = Plans()
    with connection.execute_wrapper(plans):
        done = work()
    return done, plans
