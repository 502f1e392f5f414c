"""A form field that only bots fill in."""

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _


class FormWithHoneypot(forms.Form):
    """Adds a hidden field that only bots fill in.

    The view answers a bot like a user but does nothing. Browsers and password managers do not fill in a field of this
    name, as they do with "website".
    """

    # A plain Field: any value is valid, so a bot sees no error.
    subject = forms.Field(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    @property
    def is_bot(self) -> bool:
        # Only for a valid form.
        return bool(self.cleaned_data.get("subject"))

    @property
    def honeypot(self) -> BoundField:
        return self["subject"]

    def visible_fields(self) -> list[BoundField]:
        return [field for field in super().visible_fields() if field.name != "subject"]
