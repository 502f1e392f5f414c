"""Show what a message has beyond one recipient, on its page."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.delivery.content import NoContentError, content_of
from notifications.models import Message, MessageContent
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Content

FIELDS = ("further_recipients", "left_out", "answers_to", "sender", "headers", "tags", "files")
_BREAK = SafeString("<br>")
FIELDSET = (gettext_lazy("Content"), {"fields": FIELDS})


class ContentFields(BaseModelAdmin):
    """Mix in before a class of Django, with FIELDS among its read-only fields."""

    def get_fieldsets(self, request: HttpRequest, obj: Message | None = None) -> Any:
        found = list(super().get_fieldsets(request, obj))
        # After the details and the delivery, which are side by side.
        return [*found[:2], FIELDSET, *found[2:]] if obj and obj.has_content else found

    @admin.display(description=gettext_lazy("further recipients"))
    def further_recipients(self, message: Message) -> str | SafeString:
        content = _content(message)
        if content is None:
            return _("Deleted, like the files, some days after the message ended.")
        fields = (("To", content.to), ("Cc", content.cc), ("Bcc", content.bcc))
        return _lines(f"{name}: {_person(one)}" for name, people in fields for one in people)

    @admin.display(description=gettext_lazy("left out, because suppressed"))
    def left_out(self, message: Message) -> str | SafeString:
        stored = MessageContent.objects.filter(message=message.id).values_list("left_out", flat=True).first()
        return _lines(stored or ())

    @admin.display(description=gettext_lazy("reply to"))
    def answers_to(self, message: Message) -> str | SafeString:
        return _lines(map(_person, _content_or_empty(message).reply_to))

    @admin.display(description=gettext_lazy("sender"))
    def sender(self, message: Message) -> str:
        return _content_or_empty(message).from_email or "-"

    @admin.display(description=gettext_lazy("headers"))
    def headers(self, message: Message) -> str | SafeString:
        return _lines(f"{name}: {value}" for name, value in _content_or_empty(message).headers.items())

    @admin.display(description=gettext_lazy("tags"))
    def tags(self, message: Message) -> str:
        return ", ".join(_content_or_empty(message).tags) or "-"

    @admin.display(description=gettext_lazy("files"))
    def files(self, message: Message) -> str | SafeString:
        # Never the files: support staff need not read invoices.
        files = _content_or_empty(message).attachments
        return _lines(f"{one.name} ({one.mimetype}, {filesizeformat(len(one.content))})" for one in files)


def _content(message: Message) -> Content | None:
    try:
        return content_of(message)
    except NoContentError:
        return None


def _content_or_empty(message: Message) -> Content:
    return _content(message) or Content()


def _person(one: NamedAddress) -> str:
    return f"{one.name} <{one.address}>" if one.name else one.address


def _lines(texts: Iterable[str]) -> str | SafeString:
    found: Sequence[str] = list(texts)
    return format_html_join(_BREAK, "{}", ((text,) for text in found)) if found else "-"
