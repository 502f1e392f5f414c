"""The recipient of a message, in lists and sentences."""

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.models import Message


@admin.display(description=gettext_lazy("recipient"), ordering="to_address")
def recipient(message: Message) -> str:
    return message.to_address or _("anonymized")
