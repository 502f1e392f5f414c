"""A field that only robots fill in."""

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _


class WithTrap(forms.Form):
    """Beside the fields that people see, one that they do not: `form.is_trap` is true of a form that has it filled in.

    Whoever is trapped is to be told the same as everybody, and nothing is to be done. The name is one that no browser
    and no password manager fills in by itself, as they do with "website": a person must not be trapped.
    """

    # A plain Field: there is nothing wrong with what a robot writes, and nothing to tell it.
    subject = forms.Field(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    @property
    def is_trap(self) -> bool:
        """Ask a form that has been found valid."""
        return bool(self.cleaned_data.get("subject"))

    @property
    def trap(self) -> BoundField:
        return self["subject"]

    def visible_fields(self) -> list[BoundField]:
        return [field for field in super().visible_fields() if field.name != "subject"]
