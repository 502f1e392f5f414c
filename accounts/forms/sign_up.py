"""Signing up, and asking for the mail of it once more."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.fields import AddressFormField, AddressInput
from accounts.forms.once import NamedForm
from accounts.forms.passwords import NewPasswordField, check_new_password
from accounts.forms.trap import WithTrap
from accounts.models import User


class SignUpForm(NamedForm, WithTrap, forms.ModelForm):
    password = NewPasswordField()

    field_order = ("email", "name", "password", "wants_news")

    class Meta:
        model = User
        fields = ("email", "name", "wants_news")
        labels = {"email": _("E-mail address"), "name": _("Name"), "wants_news": _("Send me product news")}
        help_texts = {
            "name": _("What should we call you?"),
            "wants_news": _("Now and then. You can change this at any time."),
        }
        widgets = {
            "email": AddressInput(attrs={"autocomplete": "username"}),
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
        }

    @sensitive_variables("password")
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        # Here, because the instance has the form's data by now: a password must not resemble the address or the name.
        if password := self.cleaned_data.get("password"):
            try:
                check_new_password(password, self.instance)
            except ValidationError as error:
                self.add_error("password", error)

    def _get_validation_exclusions(self) -> set[str]:
        """Whether the address has an account is not this form's to say; its field has seen to the rest."""
        return {*super()._get_validation_exclusions(), "email"}  # type: ignore[misc]

    @property
    def wanted(self) -> User:
        """The user who is wanted, with the password set. It is hashed at every call."""
        user: User = self.instance
        user.set_password(self.cleaned_data["password"])
        return user


class ConfirmAgainForm(NamedForm):
    email = AddressFormField(label=_("E-mail address"), widget=AddressInput(attrs={"autocomplete": "username"}))
