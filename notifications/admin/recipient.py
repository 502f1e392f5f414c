"""The recipient of a message, in lists and sentences."""

from django.contrib import admin

from notifications.models import Message

ANONYMIZED = "anonymized"


@admin.display(description="to", ordering="to_address")
def recipient(message: Message) -> str:
    return message.to_address or ANONYMIZED
