"""Admin lists over tables of any size: an index bounds the rows of a page."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F, OrderBy, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as from_django
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.models import any_of  # noqa: F401 - it registers the lookup

# Without a search a list holds the newest rows, or the newest of one day. A search covers the whole table, by prefix.

# The most rows that a list holds, and counts.
NEWEST = 10_000
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
    """Offers the values that the list names, or else those of its newest rows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field, request, _, _, model_admin, *_ = args
        if values := model_admin.values_from.get(field.name):
            self.lookup_choices = list(values())  # type: ignore[assignment]
            return
        rows = model_admin.newest(request)
        self.lookup_choices = rows.order_by(field.name).values_list(field.name, flat=True).distinct()


class SoundChoice(admin.ModelAdmin):
    """Refuses what PostgreSQL refuses: an action on an impossible key, and a NUL. Django fails there."""

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        if any("\x00" in value for _name, values in request.GET.lists() for value in values):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

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
    # Values of filters with an index in the order of the list.
    newest_by_index: ClassVar[Mapping[str, Collection[str]]] = {}
    # What filters of values offer, if an index has it.
    values_from: ClassVar[Mapping[str, Callable[[], Collection[str]]]] = {}
    # The search itself is in `find`; Django shows the field if this is not empty.
    search_fields = ("pk",)
    paginator = CappedPaginator
    show_full_result_count = False

    class Media:
        css: ClassVar = {"all": ["notifications/admin.css"]}

    # Each filter would count the whole list again.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        match = request.resolver_match
        if match is None or not (match.url_name or "").endswith("_changelist"):
            return self.every_row(request)
        keys = self._found_once(request)
        if keys is not None:
            return _of(self.every_row(request), self.newest_by, requested_day(request)).filter(pk__any_of=keys)
        if request.GET.get("q"):
            return _of(self.every_row(request), self.newest_by, requested_day(request))
        return self.newest(request)

    def found(self, request: HttpRequest) -> Collection[Any] | None:
        """Return the keys of the rows that a filter allows, or None.

        At most FOUND; None without a filter that has an index.
        """
        if request.GET.get("q"):
            return None
        rows = _of(self.every_row(request), self.newest_by, requested_day(request))
        for filters, order in ((self.by_index, ()), (self.newest_by_index, (f"-{self.newest_by}",))):
            for parameter, values in filters.items():
                if (value := request.GET.get(parameter)) in values:
                    found = rows.filter(**{parameter: value}).order_by(*order)
                    return list(found.values_list("pk", flat=True)[:FOUND])
        return None

    def _found_once(self, request: HttpRequest) -> Collection[Any] | None:
        # Django asks for the rows once for each filter.
        kept = vars(request).setdefault("large_list", {})
        if "found" not in kept:
            kept["found"] = self.found(request)
        found: Collection[Any] | None = kept["found"]
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LargeChangeList

    def action_checkbox(self, obj: Any) -> SafeString:
        """Return Django's checkbox.

        Without a template for each row, which takes a fifth of the page's time.
        """
        label = format_html(from_django("Select this object for an action - {}"), str(obj))
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            str(obj.pk),
            label,
        )

    def every_row(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request)

    def newest(self, request: HttpRequest) -> QuerySet:
        rows = _of(self.every_row(request), self.newest_by, requested_day(request))
        kept = vars(request).setdefault("large_list", {})
        if "edge" not in kept:
            oldest = rows.order_by(f"-{self.newest_by}").values_list(self.newest_by, flat=True)[NEWEST : NEWEST + 1]
            kept["edge"] = next(iter(oldest), None)
        edge = kept["edge"]
        return rows.filter(**{f"{self.newest_by}__gt": edge}) if edge else rows

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        return (queryset.filter(pk__any_of=set(self.find(queryset, term))) if term else queryset), False

    def find(self, rows: QuerySet, term: str) -> Iterator[Any]:
        """Yield the keys of what a search finds: an id, or a prefix."""
        if (number := as_uuid(term)) and self.opts.pk.get_internal_type() == "UUIDField":
            yield number
        for lookup in self.prefixes:
            # Addresses are stored in lower case; the ids of providers are not.
            yield from rows.filter(**{lookup: term.lower()}).order_by().values_list("pk", flat=True)[:FOUND]


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def requested_day(request: HttpRequest) -> date | None:
    try:
        day = date.fromisoformat(request.GET.get(DAY, ""))
    except ValueError:
        return None
    # The day after it must exist too, in every time zone.
    return day if date.min.year < day.year < date.max.year else None


def _of(rows: QuerySet, by: str, day: date | None) -> QuerySet:
    if day is None:
        return rows
    begins = timezone.make_aware(datetime.combine(day, time.min))
    return rows.filter(**{f"{by}__gte": begins, f"{by}__lt": begins + timedelta(days=1)})
