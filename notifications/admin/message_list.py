"""The search of a list of messages, with terms: `ada@example.com kind:welcome since:2d`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise, lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.admin import offered
from notifications.admin.large_lists import requested_day
from notifications.admin.of_user import asks_for_account, listed_account
from notifications.operations.message_search import search_messages
from notifications.rules.outcomes import Outcome
from notifications.rules.search_terms import TERMS, MessageQuery, SearchError, SearchProblem, parse
from notifications.rules.states import Status, Stream
from notifications.rules.text import one_form

_EXAMPLES = (
    "ada@example.com kind:welcome since:2d",
    "status:dead since:2026-11-01",
    "key:order-1234",
    "outcome:bounced stream:critical before:12h",
)
_HELP = gettext_lazy(
    "An address or idempotency key, or its beginning; or an id, ours or the provider's."
    " Narrow it with terms: {examples}. All terms: {terms}. Without a search, the list shows the newest."
)
_PROBLEMS: Mapping[SearchProblem, str | Promise] = {
    SearchProblem.UNKNOWN_TERM: gettext_lazy(
        "There is no term “%(term)s:”. Terms are %(terms)s. To find a key with a colon, search for key:%(value)s."
    ),
    SearchProblem.NO_VALUE: gettext_lazy("Add a value after “%(term)s:”, without a space."),
    SearchProblem.REPEATED: gettext_lazy("“%(term)s:” may be given once."),
    SearchProblem.SECOND_WORD: gettext_lazy(
        "Search for one address, key or id at a time; “%(value)s” is a second one."
    ),
}
_VALUES: Mapping[str, Collection[str]] = {
    "status": Status.values,
    "stream": Stream.values,
    "outcome": Outcome.values,
}
_NO_NAME = gettext_lazy("“%(value)s” is not a valid value of “%(term)s:”.")
_NO_TIME = gettext_lazy("“%(value)s” is not a time. Use 30m, 12h, 2d, 1w, 2026-11-01 or 2026-11-01T08:30.")
_NO_CHOICE = gettext_lazy("“%(value)s” is not a %(term)s. Use one of: %(values)s.")
# The parameters of the filters beside the list.
_FILTERS = {
    "status__exact": "status",
    "stream__exact": "stream",
    "outcome__exact": "outcome",
    "kind": "kind",
    "provider": "provider",
    "error_fingerprint": "error",
}


def search_help() -> SafeString:
    examples = [format_html("<code>{}</code>", example) for example in _EXAMPLES]
    listed = format_html(", ".join(["{}"] * len(examples)), *examples)
    terms = format_html("<code>{}</code>", " ".join(f"{term}:" for term in TERMS))
    return format_html(str(_HELP), examples=listed, terms=terms)


class MessageList(admin.ModelAdmin):
    """Mix in before LargeList."""

    search_help_text = lazy(search_help, SafeString)()
    # The term that the list itself sets.
    searched_within: ClassVar[Mapping[str, str]] = {}
    values_from: ClassVar[Mapping[str, Callable[[], Collection[str]]]] = {
        "kind": offered.kinds,
        "provider": offered.used_providers,
        "error_fingerprint": offered.causes,
    }

    def found(self, request: HttpRequest) -> Collection[UUID] | None:
        try:
            query = self._query(request)
        except SearchError as error:
            self.message_user(request, search_error_in_words(error), messages.ERROR)
            return []
        if query and any(getattr(query, term) != value for term, value in self.searched_within.items()):
            return []
        account = listed_account(request)
        if account is None and asks_for_account(request):
            self.message_user(request, _("There is no such account."), messages.WARNING)
            return []
        if query is None and account is None:
            return None
        found = search_messages(query or MessageQuery(), user=account and account.pk)
        if found.is_cut:
            text = _("There may be more matches. Narrow the search, or add before: to go back.")
            self.message_user(request, text, messages.INFO)
        return found.ids

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset, False

    def _query(self, request: HttpRequest) -> MessageQuery | None:
        typed = parse(one_form(request.GET.get("q", "")))
        chosen = {term: request.GET[name] for name, term in _FILTERS.items() if request.GET.get(name)}
        if typed == MessageQuery() and not chosen:
            return None
        terms: dict[str, Any] = {**self.searched_within, **chosen}
        if day := requested_day(request):
            terms |= {"since": day, "before": day + timedelta(days=1)}
        # What was typed comes first; the filters then apply to what it finds.
        return replace(typed, **{term: value for term, value in terms.items() if not getattr(typed, term)})


def search_error_in_words(error: SearchError) -> str:
    given = {
        "term": error.term,
        "value": error.value,
        "terms": ", ".join(f"{term}:" for term in TERMS),
        "values": ", ".join(_VALUES.get(error.term, ())),
    }
    return str(_PROBLEMS.get(error.problem) or _wrong_value(error)) % given


def _wrong_value(error: SearchError) -> str | Promise:
    if error.term in _VALUES:
        return _NO_CHOICE
    return _NO_TIME if error.term in {"since", "before"} else _NO_NAME
