"""What a member may change."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.fields import AddressFormField, AddressInput, KeepsName
from accounts.forms.once import NamedForm
from accounts.forms.passwords import WithCurrentPassword
from accounts.models import User


class AddressForm(NamedForm, WithCurrentPassword):
    email = AddressFormField(label=_("New e-mail address"), widget=AddressInput(attrs={"autocomplete": "email"}))

    field_order = ("email", "current_password")

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if address == self.user.email:
            raise ValidationError(_("This is your address already."), code="unchanged")
        return address


class PreferencesForm(KeepsName):
    language = forms.ChoiceField(label=_("Language"), help_text=_("Language of the site and of our emails."))

    class Meta:
        model = User
        fields = ("name", "language", "wants_news")
        labels = {"name": _("Name"), "wants_news": _("Send me product news")}
        help_texts = {
            "name": _("What should we call you?"),
            "wants_news": _("Account emails, such as password resets, are always sent."),
        }
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = settings.LANGUAGES  # type: ignore[attr-defined]
        self.initial["language"] = self.instance.language or settings.LANGUAGE_CODE
        # What the page showed travels with it: an answer given elsewhere meanwhile is not undone by saving a new name.
        self.fields["wants_news"].show_hidden_initial = True

    def changes(self) -> dict[str, Any]:
        """Return what the person said, without an answer about news that they left as it was shown."""
        said = dict(self.cleaned_data)
        shown = self.data.get(self.add_initial_prefix("wants_news"))
        if shown is not None and (shown == "True") == said["wants_news"]:
            del said["wants_news"]
        return said


class DeleteForm(WithCurrentPassword):
    """Only the password: it is proof and a second thought at once."""
