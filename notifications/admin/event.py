"""What providers reported."""

from django.contrib import admin

from accounts.searching import TidySearch
from notifications.admin.read_only import ReadOnly
from notifications.models import ProviderEvent


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnly, TidySearch, admin.ModelAdmin):
    list_display = ["received_at", "recipient", "kind", "bounce", "state", "provider"]
    fields = [
        *("provider", "event_id", "received_at", "state", "message", "attempt", "kind", "bounce", "recipient"),
        *("provider_message_id", "detail", "occurred_at", "payload"),
    ]
    list_filter = ["state", "kind", "bounce", "provider", "received_at"]
    search_fields = ["recipient", "provider_message_id", "message__id"]
    search_help_text = "An address, the provider's id of a message, or our own."
    list_per_page = 50
    show_full_result_count = False
    list_select_related = False
