"""A field that only robots fill in."""

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _


class FormWithHoneypot(forms.Form):
    """Adds a field that users do not see: `is_bot` if it is filled in.

    The view answers a bot like a user, and does nothing. No browser and no password manager fills the name in, as they
    do with "website": a user must not count as a bot.
    """

    # A plain Field: there is nothing wrong with what a robot writes, and nothing to tell it.
    subject = forms.Field(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    @property
    def is_bot(self) -> bool:
        # Ask a form that is valid.
        return bool(self.cleaned_data.get("subject"))

    @property
    def honeypot(self) -> BoundField:
        return self["subject"]

    def visible_fields(self) -> list[BoundField]:
        return [field for field in super().visible_fields() if field.name != "subject"]
