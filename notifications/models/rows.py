"""Make instances of a model from rows of SQL."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


class Rows(Generic[M]):
    """All columns of a model, in the order in which `instance` takes their values.

    The ORM decides how to select and convert them, once per process: so inherited tables and fields of any class work.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        # The proxy asks for the thread's connection each time.
        self._alias = connection.alias
        options = model._meta  # noqa: SLF001 - Django documents it
        self._names = [field.attname for field in options.concrete_fields]
        compiler: Any = QuerySet(model).order_by().query.get_compiler(connection=connection)
        #: A statement without parameters that selects every row.
        self.select, _ = compiler.as_sql()
        #: The qualified columns, for RETURNING.
        self.columns = ", ".join(sql for _, (sql, _), _ in compiler.select)
        self._converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self.width = len(self._names)
        #: The place of the primary key.
        self.key = self._names.index(options.pk.attname)

    def instance(self, values: Sequence[Any]) -> M:
        if self._converters:
            values = list(values)
            for place, (converters, column) in self._converters.items():
                for convert in converters:
                    values[place] = convert(values[place], column, connection)
        return self._model.from_db(self._alias, self._names, values)


@cache
def rows_of(model: type[M]) -> Rows[M]:
    return Rows(model)
