"""A field that only robots fill in."""

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _


class FormWithHoneypot(forms.Form):
    """Beside the fields that people see, one that they do not: `form.is_bot` is true of a form that has it filled in.

    The view answers a bot as it answers everybody, and does nothing. The name is one that no browser
    and no password manager fills in by itself, as they do with "website": a person must not count as a bot.
    """

    # A plain Field: there is nothing wrong with what a robot writes, and nothing to tell it.
    subject = forms.Field(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    @property
    def is_bot(self) -> bool:
        """Ask a form that has been found valid."""
        return bool(self.cleaned_data.get("subject"))

    @property
    def honeypot(self) -> BoundField:
        return self["subject"]

    def visible_fields(self) -> list[BoundField]:
        return [field for field in super().visible_fields() if field.name != "subject"]
