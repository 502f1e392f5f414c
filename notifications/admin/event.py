"""What providers reported."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications.admin import offered
from notifications.admin.large_lists import FOUND, DayFilter, LargeList, ValuesFilter, as_uuid
from notifications.admin.read_only import ReadOnly
from notifications.admin.search import TidySearch
from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.models.event import RARE_EVENTS
from notifications.rules.outcomes import BounceKind


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnly, TidySearch, LargeList):
    list_display = ["received_at", "recipient", "kind", "bounce", "state", "provider"]
    fields = [
        *("provider", "event_id", "received_at", "state", "message", "attempt", "kind", "bounce", "recipient"),
        *("provider_message_id", "detail", "occurred_at", "reported"),
    ]
    readonly_fields = ["reported"]
    list_filter = ["state", "kind", "bounce", ("provider", ValuesFilter), DayFilter]
    newest_by = "received_at"
    by_index = {"state__exact": [ProviderEvent.State.STORED, ProviderEvent.State.PARKED]}
    newest_by_index = {"bounce__exact": [BounceKind.HARD], "kind__exact": RARE_EVENTS}
    values_from = {"provider": offered.reporters}
    search_help_text = _(
        "The beginning of an address, a message id, or the provider's id. Without a search, the list shows the newest."
    )
    list_select_related = False

    @admin.display(description=_("payload"))
    def reported(self, event: ProviderEvent) -> SafeString:
        return format_html('<pre class="payload">{}</pre>', json.dumps(event.payload, indent=2, ensure_ascii=False))

    def find(self, rows: QuerySet, term: str) -> Iterator[Any]:
        # Events of messages are found through indexes of messages; the others have an index of events.
        messages: set[Any] = set()
        if number := as_uuid(term):
            messages.add(number)
        messages.update(
            Message.objects.filter(to_address__startswith=term.lower()).values_list("id", flat=True)[:FOUND]
        )
        attempts = DeliveryAttempt.objects.filter(provider_message_id=term).exclude(provider_message_id="")
        messages.update(attempts.order_by().values_list("message_id", flat=True)[:FOUND])
        foreign = rows.filter(message=None)
        for found in (
            rows.filter(message__in=messages),
            foreign.filter(recipient__startswith=term.lower()).exclude(recipient=""),
            foreign.filter(provider_message_id=term).exclude(provider_message_id=""),
        ):
            yield from found.order_by().values_list("pk", flat=True)[:FOUND]
