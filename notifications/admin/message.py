"""Messages for operators: search, read and resend. No GET changes anything."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from notifications.admin import status
from notifications.admin.attempt import AttemptInline
from notifications.admin.large_lists import DayFilter, LargeList, ValuesFilter
from notifications.admin.read_only import ReadOnly
from notifications.admin.recipient import recipient
from notifications.admin.resending import ResendViews, message_url
from notifications.admin.search import TidySearch
from notifications.admin.timeline import timeline
from notifications.conf import settings
from notifications.models import Message
from notifications.rules.states import Status

_RESEND = ("message_resend", "Resend …")
_SETTLE = ("uncertainmessage_settle", "Settle …")
_OFFERS: dict[str, tuple[tuple[str, str], ...]] = {
    # Resending these would send a second email: the page offers a retry instead.
    Status.QUEUED: (("message_resend", "Retry now …"),),
    Status.SENDING: (),
    Status.UNCERTAIN: (_SETTLE,),
    Status.DEAD: (("deadletter_replay", "Replay …"), _RESEND),
    **dict.fromkeys((Status.SENT, Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED), (_RESEND,)),
}
_NONE: tuple[tuple[str, str], ...] = ()
_NOT_WITHOUT_ADDRESS: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(Status, _NONE),
    Status.UNCERTAIN: (_SETTLE,),
}


@admin.register(Message)
class MessageAdmin(ReadOnly, TidySearch, LargeList, ResendViews):
    list_display = [recipient, "kind", "status", "outcome", "created_at", "sent_at"]
    list_filter = [
        *("status", "outcome", ("kind", ValuesFilter), "stream"),
        *(("provider", ValuesFilter), DayFilter),
    ]
    newest_by = "created_at"
    prefixes = ["to_address__startswith"]
    by_index = {"status__exact": [Status.QUEUED, Status.SENDING, Status.UNCERTAIN]}
    narrowed_by = ["stream__exact"]
    search_help_text = "The beginning of an address, or a message id. Without a search, the list shows the newest."
    list_select_related = False
    readonly_fields = ["resends_of_this", "flower_link"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "id",
                    "kind",
                    *("to_address", "anonymized_at", "user"),
                    "status",
                    "status_reason",
                    "sent_at",
                    "died_at",
                    "error_fingerprint",
                    "outcome",
                    "outcome_at",
                ]
            },
        ),
        (
            "Delivery",
            {
                "fields": [
                    *("stream", "provider", "attempts", "uncertain_resends", "replays"),
                    *("created_at", "due_at", "slowed_until", "expires_at", "flower_link"),
                ]
            },
        ),
        ("Origin", {"fields": ["idempotency_key", "context", "resend_of", "resends_of_this"]}),
        (
            "Internals",
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

    @admin.display(description="resent as")
    def resends_of_this(self, message: Message) -> str | SafeString:
        links = [_link(again) for again in message.resends.order_by("created_at")]
        return format_html(", ".join(["{}"] * len(links)), *links) if links else "-"

    @admin.display(description="in Flower")
    def flower_link(self, message: Message) -> str | SafeString:
        if not settings.FLOWER_URL:
            return "-"
        return format_html('<a href="{0}/task/{1}">{1}</a>', settings.FLOWER_URL, message.id)

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "HEAD", "POST"])(self.resend_view)
        own = [
            # Of no single message; it lives here because an application can only add pages to those of a model.
            path("status/", self.admin_site.admin_view(status.page), name="notifications_status"),
            path("resend/", self.admin_site.admin_view(view), name="notifications_message_resend_many"),
            path("<uuid:message_id>/resend/", self.admin_site.admin_view(view), name="notifications_message_resend"),
        ]
        return own + super().get_urls()

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
    return format_html('<a href="{}">{}</a>', message_url(message), message.id)


def _offers(message: Message) -> list[tuple[str, str]]:
    # What an operator can do depends on the status.
    named = _NOT_WITHOUT_ADDRESS if message.anonymized_at else _OFFERS
    return [(reverse(f"admin:notifications_{name}", args=[message.id]), text) for name, text in named[message.status]]
