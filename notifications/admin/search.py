"""Normalize the text of a search in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from notifications.rules.text import one_form


class TidySearch(admin.ModelAdmin):
    """Mix in before other classes. Ignores invisible characters and wide forms."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, one_form(search_term))
