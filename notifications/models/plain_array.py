"""An array of numbers or texts."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.checks import CheckMessage

_NOT_INSTALLED = "postgres.E005"


class PlainArrayField(ArrayField):
    """An ArrayField that works without `django.contrib.postgres` in INSTALLED_APPS.

    That app registers types and lookups, none of which an array of numbers or texts uses. Django 6 demands it for each
    ArrayField, and a project would have to install it for our columns.
    """

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return [found for found in super().check(**kwargs) if found.id != _NOT_INSTALLED]

    def deconstruct(self) -> Any:
        # Migrations name Django's field.
        name, _, arguments, options = super().deconstruct()
        return name, "django.contrib.postgres.fields.ArrayField", arguments, options
