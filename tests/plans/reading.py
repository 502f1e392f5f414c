"""Measures what each statement reads, with EXPLAIN ANALYZE before it is executed; its changes are rolled back."""

import json
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from tests.plans.filled import TABLES

# The most rows of a large table that a statement may read: more than any page, batch or count of the product needs, far
# fewer than the tables hold.
MOST_ROWS = 3_000
_LARGE = {model._meta.db_table for model in TABLES}
_EXPLAINABLE = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """A part of a plan that becomes slower as its table grows."""

    sql: str
    why: str

    def __str__(self):
        return f"{self.why}\n    {self.sql}"


class Reading:
    """An execute wrapper that explains every statement on a large table."""

    def __init__(self):
        self.findings = []
        self.explained = Counter()

    def __call__(self, execute, sql, params, many, context):
        if not many and _EXPLAINABLE.match(sql) and any(table in sql for table in _LARGE):
            self.explained[sql] += 1
            # The same statement gets the same plan; explaining it again only costs time.
            if self.explained[sql] <= 2:
                self.findings += [Finding(sql, why) for why in _troubles(_plan(execute, sql, params, context))]
        return execute(sql, params, many, context)


def _plan(execute, sql, params, context):
    with transaction.atomic():
        execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params, False, context)
        ((plan, *_),) = context["cursor"].fetchall()
        transaction.set_rollback(True)
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def _troubles(plan):
    """Yield each part of a plan that reads too much."""
    table = plan.get("Relation Name")
    read = _read(plan)
    if table in _LARGE and plan["Node Type"] == "Seq Scan":
        yield f"scans {table}"
    elif table in _LARGE and read > MOST_ROWS:
        index = plan.get("Index Name") or "a bitmap"
        yield f"reads {read} rows of {table} by {index}"
    for part in plan.get("Plans", ()):
        yield from _troubles(part)


def _read(plan):
    """Return the number of rows that a part of a plan read."""
    dropped = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return round((plan["Actual Rows"] + dropped) * plan["Actual Loops"])


@contextmanager
def every_statement_served():
    """Fail if a statement in the block reads more of a large table than it needs."""
    reading = Reading()
    with connection.cursor() as cursor:
        # Plan for much larger tables on fast disks: with a scan only where no index can be used.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL random_page_cost = 1.1; SET LOCAL jit = off")
    with connection.execute_wrapper(reading):
        yield reading
    assert not reading.findings, "\n".join(map(str, dict.fromkeys(reading.findings)))
