"""Values that differ from row to row, for one UPDATE of many rows."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import F, Field, Func, TextField, Value
from django.db.models.functions import Cast


class _OfRow(Func):
    # Django has no UPDATE ... FROM.
    template = "(%(expressions)s::text)"
    arg_joiner = "::jsonb ->> "
    output_field = TextField()


def by_id(values: Mapping[UUID, str | int], field: "Field[Any, Any] | None" = None) -> Cast:
    """Return the value of each row by its id. It has the type of `field`, or is text."""
    texts = json.dumps({str(id_): value for id_, value in values.items()})
    return Cast(_OfRow(Value(texts), F("id")), field or TextField())
