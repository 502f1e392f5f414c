"""Admin lists over tables of any size: an index bounds the rows of a page."""

from collections.abc import Collection, Iterator, Mapping
from copy import copy
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F, OrderBy, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# Without a search a list holds the newest rows, or the newest of one day. A search covers the whole table, by prefix.

# The most rows that a list holds, and counts.
NEWEST = 20_000
# The most rows that a search finds.
FOUND = 1_000
DAYS_OFFERED = 14
DAY_FORMAT = pgettext_lazy("format of a day", "D j M")
DAY = "day"
FORM_EXPIRED = _("This form has expired. Nothing was changed.")


class CappedPaginator(Paginator):
    """Counts up to NEWEST rows."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:NEWEST].count())


class DayFilter(admin.SimpleListFilter):
    """Limits the list to one day. The list's queryset reads the parameter."""

    title = _("day")
    parameter_name = DAY

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        today = timezone.localdate()
        for days in range(DAYS_OFFERED):
            day = today - timedelta(days=days)
            yield day.isoformat(), date_format(day, str(DAY_FORMAT))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Without counts, because a list of one day does not have those of other days.
        uncounted = copy(changelist)
        uncounted.add_facets = False
        return super().choices(uncounted)


class LargeChangeList(ChangeList):
    """Sorts the newest rows, which an index of another order may hold last."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> Any:
        ordering = super().get_ordering(request, queryset)
        return [_sorted_by(term) for term in ordering] if ORDER_VAR in self.params else ordering


def _sorted_by(term: Any) -> Any:
    # No index has this order.
    if not isinstance(term, str):
        return term
    column = F(term.removeprefix("-"))
    return OrderBy(Coalesce(column, column), descending=term.startswith("-"))


class ValuesFilter(admin.AllValuesFieldListFilter):
    """Offers the values of the newest rows, independent of the search."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field, request, _, _, model_admin, *_ = args
        rows = model_admin.newest(request)
        self.lookup_choices = rows.order_by(field.name).values_list(field.name, flat=True).distinct()


class SoundChoice(admin.ModelAdmin):
    """Refuses an action on what cannot be the key of a row. Django fails there."""

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> Any:
        try:
            for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(key)
        except ValidationError:
            self.message_user(request, FORM_EXPIRED, messages.ERROR)
            return None
        return super().response_action(request, queryset)


class LargeList(SoundChoice):
    """Mix in before another ModelAdmin."""

    # The time by which the list is ordered, the newest first. It has an index.
    newest_by: str
    # Lookups of columns by their beginning. Each has an index.
    prefixes: ClassVar[Collection[str]] = ()
    # Values of filters with an index of few rows: these rows are shown however old they are.
    by_index: ClassVar[Mapping[str, Collection[str]]] = {}
    # Filters that apply to those rows before FOUND does.
    narrowed_by: ClassVar[Collection[str]] = ()
    # The search itself is in `find`; Django shows the field if this is not empty.
    search_fields = ("pk",)
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        match = request.resolver_match
        if match is None or not (match.url_name or "").endswith("_changelist"):
            return self.every_row(request)
        rows = _of(self.every_row(request), self.newest_by, _day(request))
        if request.GET.get("q"):
            return rows
        for parameter, values in self.by_index.items():
            if (value := request.GET.get(parameter)) in values:
                others = {name: request.GET[name] for name in self.narrowed_by if request.GET.get(name)}
                found = rows.filter(**{parameter: value, **others}).order_by().values_list("pk", flat=True)
                return rows.filter(pk__in=list(found[:FOUND]))
        return self.newest(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LargeChangeList

    def every_row(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request)

    def newest(self, request: HttpRequest) -> QuerySet:
        rows = _of(self.every_row(request), self.newest_by, _day(request))
        oldest = rows.order_by(f"-{self.newest_by}").values_list(self.newest_by, flat=True)[NEWEST : NEWEST + 1]
        edge = next(iter(oldest), None)
        return rows.filter(**{f"{self.newest_by}__gt": edge}) if edge else rows

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        # Addresses are stored in lower case.
        term = search_term.strip().lower()
        return (queryset.filter(pk__in=set(self.find(queryset, term))) if term else queryset), False

    def find(self, rows: QuerySet, term: str) -> Iterator[Any]:
        """Yield the keys of what a search finds: an id, or a prefix."""
        if (number := as_uuid(term)) and self.opts.pk.get_internal_type() == "UUIDField":
            yield number
        for lookup in self.prefixes:
            yield from rows.filter(**{lookup: term}).order_by().values_list("pk", flat=True)[:FOUND]


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _day(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get(DAY, ""))
    except ValueError:
        return None


def _of(rows: QuerySet, by: str, day: date | None) -> QuerySet:
    if day is None:
        return rows
    begins = timezone.make_aware(datetime.combine(day, time.min))
    return rows.filter(**{f"{by}__gte": begins, f"{by}__lt": begins + timedelta(days=1)})
