"""What each statement reads: EXPLAIN ANALYZE before it is executed, its changes undone."""

import json
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from tests.plans.filled import TABLES

# A statement may read so many rows of a large table: more than any page, batch or count of the product asks for, far
# less than the tables hold.
MOST_ROWS = 3_000
_LARGE = {model._meta.db_table for model in TABLES}
_EXPLAINABLE = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """A part of a plan that a table's growth slows."""

    sql: str
    why: str

    def __str__(self):
        return f"{self.why}\n    {self.sql}"


class Reading:
    """An execute wrapper that explains every statement that touches a large table."""

    def __init__(self):
        self.findings = []
        self.explained = Counter()

    def __call__(self, execute, sql, params, many, context):
        if not many and _EXPLAINABLE.match(sql) and any(table in sql for table in _LARGE):
            self.explained[sql] += 1
            # The same statement again is planned the same way; a second look costs time only.
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
    """Yield what reads more than it should."""
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
    """How many rows a part of a plan had in its hands."""
    dropped = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return round((plan["Actual Rows"] + dropped) * plan["Actual Loops"])


@contextmanager
def every_statement_served():
    """Fail if a statement within reads more of a large table than its work needs."""
    reading = Reading()
    with connection.cursor() as cursor:
        # As if the tables were a hundred times as large: a scan only where nothing else can answer, and fast disks.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL random_page_cost = 1.1; SET LOCAL jit = off")
    with connection.execute_wrapper(reading):
        yield reading
    assert not reading.findings, "\n".join(map(str, dict.fromkeys(reading.findings)))
