"""Messages for administrators: to find, to read, and to resend. No GET changes anything."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from notifications.addresses import BadAddressError
from notifications.admin.attempt import AttemptInline
from notifications.admin.read_only import ReadOnly
from notifications.admin.recipient import recipient
from notifications.admin.timeline import timeline
from notifications.kinds import UnknownKindError
from notifications.models import Message
from notifications.outbox import ForgottenError, resend
from notifications.states import Status

MOST_AT_ONCE = 500


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin):
    list_display = [recipient, "kind", "status", "outcome", "created_at", "sent_at"]
    list_filter = ["status", "outcome", "kind", "stream", "provider", "created_at"]
    search_fields = ["to_address", "id"]
    search_help_text = "An address or a message id, or a part of either."
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    list_select_related = False
    readonly_fields = ["resends_of_this", "flower_link"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "id",
                    "kind",
                    *("to_address", "forgotten_at", "user"),
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
            "On its way",
            {
                "fields": [
                    *("stream", "provider", "attempts", "uncertain_resends", "replays"),
                    *("created_at", "due_at", "slowed_until", "expires_at", "flower_link"),
                ]
            },
        ),
        ("Where it comes from", {"fields": ["idempotency_key", "context", "resend_of", "resends_of_this"]}),
        (
            "The machinery",
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

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.resend_message")

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
            path("resend/", self.admin_site.admin_view(view), name="notifications_message_resend_many"),
            path("<uuid:message_id>/resend/", self.admin_site.admin_view(view), name="notifications_message_resend"),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        message = self.get_object(request, object_id)
        may_resend, status = self.has_resend_permission(request), message.status if message else ""
        if message and message.forgotten_at:
            may_resend = False
        shown = {
            "may_resend": may_resend,
            "may_replay": may_resend and status == Status.DEAD,
            "may_settle": may_resend and status == Status.UNCERTAIN,
            "timeline": timeline(message) if message else [],
        }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | shown)

    @admin.action(description="Resend selected messages", permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponseBase | None:
        chosen = list(queryset[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            text = f"At most {MOST_AT_ONCE} messages can be resent at once. Nothing was resent."
            self.message_user(request, text, messages.ERROR)
            return None
        return self._ask(request, chosen)

    def resend_view(self, request: HttpRequest, message_id: UUID | None = None) -> HttpResponseBase:
        """GET asks about one message; POST resends those of the confirmation page, each once for that page."""
        if not self.has_resend_permission(request):
            raise PermissionDenied
        try:
            ids = [message_id] if message_id else [UUID(raw) for raw in request.POST.getlist("message")]
            request_id = UUID(request.POST["request_id"]) if request.method == "POST" else None
        except (ValueError, KeyError):
            self.message_user(request, "That was no confirmation page of ours. Nothing was resent.", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:notifications_message_changelist"))
        chosen = list(Message.objects.filter(id__in=ids[:MOST_AT_ONCE]).select_related("user"))
        if request_id is None:
            return self._ask(request, chosen)
        resent = [new for old in chosen if (new := self._resend(request, old, request_id))]
        self._say(request, resent)
        if len(resent) == 1:
            return HttpResponseRedirect(reverse("admin:notifications_message_change", args=[resent[0].id]))
        return HttpResponseRedirect(reverse("admin:notifications_message_changelist"))

    def _say(self, request: HttpRequest, resent: Sequence[Message]) -> None:
        kept_back = [message for message in resent if message.status == Status.SUPPRESSED]
        for message in kept_back:
            text = f"A new message was written down but kept back: {message.status_reason} ({message.to_address})."
            self.message_user(request, text, messages.WARNING)
        count = len(resent) - len(kept_back)
        if count or not kept_back:
            self.message_user(request, _said(count), messages.SUCCESS if count else messages.WARNING)

    def _resend(self, request: HttpRequest, old: Message, request_id: UUID) -> Message | None:
        try:
            with transaction.atomic():
                new = resend(old, request_id)
                if new is not None:
                    self.log_change(request, old, f"Resent as {new.id}.")
        except (ForgottenError, UnknownKindError, BadAddressError) as error:
            self.message_user(request, f"{old}: {error}", messages.ERROR)
            return None
        return new

    def _ask(self, request: HttpRequest, chosen: Sequence[Message]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Resend messages" if len(chosen) != 1 else "Resend this message",
            "opts": self.opts,
            "chosen": chosen,
            "request_id": uuid4(),
        }
        return TemplateResponse(request, "admin/notifications/message/resend.html", context)


def _link(message: Message) -> SafeString:
    url = reverse("admin:notifications_message_change", args=[message.id])
    return format_html('<a href="{}">{}</a>', url, message.id)


def _said(count: int) -> str:
    if count == 0:
        return "Nothing was resent."
    return "The message was enqueued again." if count == 1 else f"{count} messages were enqueued again."
