"""Logging in."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from accounts.fields import AddressInput
from accounts.models import User


class LogInForm(AuthenticationForm):
    # Not an AddressFormField: it would tell apart what cannot be an address from what is nobody's.
    username = forms.CharField(
        label=_("E-mail address"), widget=AddressInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    remember = forms.BooleanField(label=_("Keep me logged in on this device"), required=False)

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "Wrong email address or password. If you have just signed up, open the link in our email first."
        ),
    }

    def confirm_login_allowed(self, user: User) -> None:
        """Refuse, as if the password were wrong, whoever has not confirmed the address.

        Otherwise anybody could sign up with somebody's address and see, by logging in, whether it had an account
        already. Administrators do not come from the sign-up.
        """
        super().confirm_login_allowed(user)
        if user.confirmed_at is None and not user.is_staff:
            raise self.get_invalid_login_error()
