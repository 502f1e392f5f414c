"""Messages for operators: search, read, send again and cancel. No GET changes anything."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from notifications.admin.attempt import AttemptInline
from notifications.admin.cancelling import CancelPages
from notifications.admin.confirmed import message_url
from notifications.admin.content import FIELDS, ContentFields
from notifications.admin.following import FollowPages, followed_part
from notifications.admin.large_lists import FOUND, DayFilter, ValuesFilter
from notifications.admin.next_step import step_link
from notifications.admin.of_user import AccountFilter, listed_account, may_view_account
from notifications.admin.preview import preview_frame, preview_section
from notifications.admin.recipient import recipient
from notifications.admin.resending import ResendPages
from notifications.admin.steering.page import scheduled_page, steering_page
from notifications.admin.tasks import flower_links, task_page
from notifications.admin.timeline import timeline
from notifications.models import Message
from notifications.outbox.retry_now import waiting
from notifications.rules.states import Status
from notifications.support.answer import answer_of
from notifications.support.explain import explain
from notifications.support.reasons import reason_in_words

# A page, the permissions of which one is needed, and what the button says.
_Offer = tuple[str, Sequence[str], str | Promise]
_AGAIN: _Offer = ("message_resend", ("resend_message", "replay_message"), _("Send again …"))
_RETRY: _Offer = ("message_resend", ("resend_message",), _("Retry now …"))
_SETTLE: _Offer = ("uncertainmessage_settle", ("settle_message",), _("Settle …"))
_CANCEL: _Offer = ("message_cancel", ("cancel_message",), _("Cancel …"))
_OFFERS: Mapping[str, Sequence[_Offer]] = {
    Status.QUEUED: (_RETRY, _CANCEL),
    Status.SENDING: (_CANCEL,),
    Status.UNCERTAIN: (_SETTLE,),
    **dict.fromkeys((Status.SENT, Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED, Status.DEAD), (_AGAIN,)),
}

# Fields that a page leaves out while the message has no value for them.
_OFTEN_EMPTY = {
    **{name: name for name in ("anonymized_at", "sent_at", "died_at", "error_fingerprint", "outcome_at")},
    **{name: name for name in ("uncertain_resends", "replays", "send_at", "slowed_until", "context", "resend_of")},
    "reason": "status_reason",
}


@admin.register(Message)
class MessageAdmin(ContentFields, ResendPages, CancelPages, FollowPages):
    list_display = [recipient, "kind", "status", "outcome", "created_at", "sent_at"]
    list_filter = [
        *("status", "outcome", ("kind", ValuesFilter), "stream"),
        *(("provider", ValuesFilter), DayFilter, AccountFilter),
    ]
    newest_by = "created_at"
    readonly_fields = ["reason", "account", "resends_of_this", "flower_link", *FIELDS]
    fieldsets = [
        (
            _("Details"),
            {
                "fields": [
                    *("to_address", "anonymized_at", "user", "kind", "stream"),
                    *("status", "reason", "error_fingerprint", "outcome", "id"),
                ]
            },
        ),
        (
            _("Delivery"),
            {
                "fields": [
                    *("provider", "created_at", "send_at", "due_at", "slowed_until", "expires_at"),
                    *("sent_at", "died_at", "outcome_at"),
                    *("attempts", "uncertain_resends", "replays", "flower_link"),
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
    actions = ["send_again_selected", "cancel_selected"]

    def newest(self, request: HttpRequest) -> QuerySet:
        # All of an account have an index.
        account = listed_account(request)
        if account is None:
            return super().newest(request)
        theirs = self.every_row(request).filter(user=account.pk).order_by("-created_at")
        return self.every_row(request).filter(pk__any_of=list(theirs.values_list("pk", flat=True)[:FOUND]))

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        # Django links a user to its page, whether or not the operator may open it.
        shown = "user" if may_view_account(request) else "account"
        empty = {field for field in _OFTEN_EMPTY if obj and not getattr(obj, _OFTEN_EMPTY[field])}
        return [
            (
                name,
                {
                    **options,
                    "fields": [shown if one == "user" else one for one in options["fields"] if one not in empty],
                },
            )
            for name, options in super().get_fieldsets(request, obj)
        ]

    @admin.display(description=_("account"))
    def account(self, message: Message) -> str:
        return str(message.user_id or "-")

    @admin.display(description=_("reason"))
    def reason(self, message: Message) -> str:
        return reason_in_words(message) or "-"

    @admin.display(description=_("resent as"))
    def resends_of_this(self, message: Message) -> str | SafeString:
        links = [_link(again) for again in message.resends.order_by("created_at")]
        return format_html(", ".join(["{}"] * len(links)), *links) if links else "-"

    @admin.display(description=_("in Flower"))
    def flower_link(self, message: Message) -> str | SafeString:
        return flower_links(message)

    def get_urls(self) -> list[URLPattern]:
        # The address of the page before the dashboard.
        status = RedirectView.as_view(pattern_name="admin:notifications_dashboard")
        frame = self.admin_site.admin_view(self.preview)
        return [
            path("status/", self.admin_site.admin_view(status), name="notifications_status"),
            path("steering/", self.admin_site.admin_view(steering_page), name="notifications_steering"),
            path("steering/scheduled/", self.admin_site.admin_view(scheduled_page), name="notifications_scheduled"),
            path("<uuid:pk>/preview/", frame, name="notifications_message_preview"),
            path("task/<str:task_id>/", self.admin_site.admin_view(task_page), name="notifications_message_task"),
            *super().get_urls(),
        ]

    @method_decorator(require_safe)
    def preview(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        # The email's HTML. The page of the message shows it in a frame.
        message = Message.objects.filter(pk=pk).first()
        if not self.has_view_permission(request, message):
            raise PermissionDenied
        if message is None:
            raise Http404
        return preview_frame(message)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Message | None:
        # Both this page and Django's view ask for it.
        read = vars(request).setdefault("messages_read", {})
        if object_id not in read:
            found = read[object_id] = super().get_object(request, object_id, from_field)
            if found:
                # The timeline, the preview and the links to tasks use the same attempts.
                prefetch_related_objects([found], "delivery_attempts")
        message: Message | None = read[object_id]
        return message

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        message = self.get_object(request, object_id)
        explanation = explain(message) if message else None
        shown = {
            "offers": self._offers(request, message) if message else [],
            "explanation": explanation,
            "next_step": message and explanation and step_link(request, message, explanation.step),
            "answer": answer_of(message, explanation) if message and explanation else "",
            "timeline": timeline(message) if message else [],
            **(followed_part([message]) if message else {}),
            "preview": preview_section(message) if message and self.has_view_permission(request, message) else None,
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | shown)

    def _offers(self, request: HttpRequest, message: Message) -> list[tuple[str, str | Promise]]:
        # What the operator can do depends on the status. Without its address, a message can only be settled.
        offers = _OFFERS[message.status] if message.anonymized_at is None or message.status == Status.UNCERTAIN else ()
        # A message that is due, or held by the bounce brake, has no pause to skip.
        has_pause = message.status != Status.QUEUED or bool(waiting([message.id]))
        return [
            (reverse(f"admin:notifications_{name}", args=[message.id]), text)
            for name, codenames, text in offers
            if (has_pause or (name, codenames, text) != _RETRY)
            and any(self.may(request, codename) for codename in codenames)
        ]


def _link(message: Message) -> SafeString:
    return format_html('<a href="{}">{}</a>', message_url(message.id), message.id)
