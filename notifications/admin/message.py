"""Messages for operators: search, read and resend. No GET changes anything."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications.admin.attempt import AttemptInline
from notifications.admin.confirmed import message_url
from notifications.admin.large_lists import DayFilter, ValuesFilter
from notifications.admin.reasons import reason_in_words
from notifications.admin.recipient import recipient
from notifications.admin.resending import ResendAdmin
from notifications.admin.status import status_page
from notifications.admin.timeline import timeline
from notifications.conf import settings
from notifications.models import Message
from notifications.rules.states import Status

_Offers = dict[str, tuple[tuple[str, str | Promise], ...]]

_RESEND = ("message_resend", _("Resend …"))
_SETTLE = ("uncertainmessage_settle", _("Settle …"))
_OFFERS: _Offers = {
    # Resending these would send a second email: the page offers a retry instead.
    Status.QUEUED: (("message_resend", _("Retry now …")),),
    Status.SENDING: (),
    Status.UNCERTAIN: (_SETTLE,),
    Status.DEAD: (("deadletter_replay", _("Replay …")), _RESEND),
    **dict.fromkeys((Status.SENT, Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED), (_RESEND,)),
}
_OFFERS_WITHOUT_ADDRESS: _Offers = {Status.UNCERTAIN: (_SETTLE,)}


@admin.register(Message)
class MessageAdmin(ResendAdmin):
    list_display = [recipient, "kind", "status", "outcome", "created_at", "sent_at"]
    list_filter = [
        *("status", "outcome", ("kind", ValuesFilter), "stream"),
        *(("provider", ValuesFilter), DayFilter),
    ]
    newest_by = "created_at"
    by_index = {"status__exact": [Status.QUEUED, Status.SENDING, Status.UNCERTAIN]}
    narrowed_by = ["stream__exact"]
    search_help_text = _("The beginning of an address, or a message id. Without a search, the list shows the newest.")
    readonly_fields = ["reason", "resends_of_this", "flower_link"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "id",
                    "kind",
                    *("to_address", "anonymized_at", "user"),
                    "status",
                    "reason",
                    "sent_at",
                    "died_at",
                    "error_fingerprint",
                    "outcome",
                    "outcome_at",
                ]
            },
        ),
        (
            _("Delivery"),
            {
                "fields": [
                    *("stream", "provider", "attempts", "uncertain_resends", "replays"),
                    *("created_at", "due_at", "slowed_until", "expires_at", "flower_link"),
                ]
            },
        ),
        (_("Origin"), {"fields": ["idempotency_key", "context", "resend_of", "resends_of_this"]}),
        (
            _("Internals"),
            {
                "classes": ["collapse"],
                "fields": [
                    *("relay_after", "relayed", "claims_lost"),
                    *("lease_token", "lease_until", "handed_over_at", "settle_at"),
                ],
            },
        ),
    ]
    inlines = [AttemptInline]
    actions = ["resend_selected"]

    @admin.display(description=_("reason"))
    def reason(self, message: Message) -> str:
        return reason_in_words(message) or "-"

    @admin.display(description=_("resent as"))
    def resends_of_this(self, message: Message) -> str | SafeString:
        links = [_link(again) for again in message.resends.order_by("created_at")]
        return format_html(", ".join(["{}"] * len(links)), *links) if links else "-"

    @admin.display(description=_("in Flower"))
    def flower_link(self, message: Message) -> str | SafeString:
        if not settings.FLOWER_URL:
            return "-"
        return format_html('<a href="{0}/task/{1}">{1}</a>', settings.FLOWER_URL, message.id)

    def get_urls(self) -> list[URLPattern]:
        # The status is of no model, and an app can only add pages to those of a model.
        status = path("status/", self.admin_site.admin_view(status_page), name="notifications_status")
        return [status, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        message = self.get_object(request, object_id)
        shown = {
            "offers": _offers(message) if message and self.has_resend_permission(request) else [],
            "timeline": timeline(message) if message else [],
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | shown)


def _link(message: Message) -> SafeString:
    return format_html('<a href="{}">{}</a>', message_url(message.id), message.id)


def _offers(message: Message) -> list[tuple[str, str | Promise]]:
    # What an operator can do depends on the status.
    offers = (_OFFERS_WITHOUT_ADDRESS if message.anonymized_at else _OFFERS).get(message.status, ())
    return [(reverse(f"admin:notifications_{name}", args=[message.id]), text) for name, text in offers]
