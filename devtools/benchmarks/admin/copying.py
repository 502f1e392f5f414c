"""Insert many rows that differ from one row in some columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models


def copies(row: models.Model, source: str, **columns: str) -> None:
    """Insert a copy of an unsaved row for each row of `source`, a query that yields n and other columns.

    `columns` are SQL over these. Other columns have the row's value, so that a new column needs no change here.
    """
    row.save()
    meta = row._meta  # noqa: SLF001 - Django's documented API
    fields = [field for field in meta.concrete_fields if field.column in columns or not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(columns.get(field.column) or f'(template.pattern)."{field.column}"' for field in fields)
    table, key = meta.db_table, f'"{meta.pk.column}"'
    with connection.cursor() as cursor:
        # The names are ours, and the values are of this package.
        statement = (
            f"INSERT INTO {table} ({names}) SELECT {values}"  # noqa: S608
            f" FROM (SELECT pattern FROM {table} AS pattern WHERE {key} = %s) AS template, ({source}) AS made"
        )
        cursor.execute(statement.replace("%", "%%").replace("%%s", "%s"), [row.pk])
        cursor.execute(f"DELETE FROM {table} WHERE {key} = %s", [row.pk])  # noqa: S608 - the names are ours


@contextmanager
def without_secondary_indexes(tables: list[str]) -> Iterator[list[str]]:
    """Drop the indexes that belong to no constraint; yield the statements that create them again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [tables],
        )
        found = cursor.fetchall()
        # References exist; checking each costs more than the rows.
        cursor.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
        for name, _definition in found:
            cursor.execute(f'DROP INDEX "{name}"')
    yield [definition for _name, definition in found]
    with connection.cursor() as cursor:
        cursor.execute("RESET session_replication_role; RESET maintenance_work_mem")


def run(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
