"""The values that a filter offers, read from an index: one row for each value."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

# A list with more is of no use, and its counts take long.
MOST_VALUES = 50


@dataclass(frozen=True, kw_only=True)
class IndexedValues:
    """A column that is the first of an index; `condition` is that of the index."""

    table: str
    column: str
    condition: str = "true"

    def __call__(self) -> Sequence[str]:
        # PostgreSQL has no index scan that skips equal values.
        first = f"SELECT {self.column} FROM {self.table} WHERE {self.condition}"  # noqa: S608 - names, not input
        statement = f"""
            WITH RECURSIVE found (value) AS (
                ({first} AND {self.column} IS NOT NULL ORDER BY {self.column} LIMIT 1)
                UNION ALL
                SELECT ({first} AND {self.column} > found.value ORDER BY {self.column} LIMIT 1)
                FROM found WHERE found.value IS NOT NULL
            )
            SELECT value FROM found WHERE value IS NOT NULL LIMIT {MOST_VALUES}
        """  # noqa: S608 - the same
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [value for (value,) in cursor.fetchall()]
