"""Passwords: a new one, the current one, a forgotten one."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts import typed
from accounts.fields import AddressFormField, AddressInput
from accounts.flows import passwords
from accounts.forms.once import NamedForm
from accounts.models import User


@sensitive_variables("password")
def check_new_password(password: str, user: User) -> None:
    """Raise ValidationError for a password that is easy to guess, in the form in which it is hashed."""
    validate_password(typed.password(password), user)


class NewPasswordField(forms.CharField):
    """Asked for once: a slip is mended by a reset, and pasting from a password manager stays easy."""

    def __init__(self, *, label: Any = None) -> None:
        super().__init__(
            label=label or _("Password"),
            strip=False,
            # Beyond any password manager's; a bound on what the validators have to look at.
            max_length=1024,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            help_text=_("At least 8 characters. A few unrelated words make a good one."),
        )


class UsersForm(forms.Form):
    """Of somebody we know."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)


class WithCurrentPassword(UsersForm):
    """For what only the owner may do, not whoever found an open browser."""

    current_password = forms.CharField(
        label=_("Current password"),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    @sensitive_variables("password")
    def clean_current_password(self) -> str:
        password: str = self.cleaned_data["current_password"]
        if not self.user.check_password(password):
            raise ValidationError(_("This is not your current password."), code="password_incorrect")
        return password


class OwnPasswordForm(UsersForm):
    """For whoever says to have chosen it."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    @sensitive_variables("password")
    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise ValidationError(_("This is not the password of this account."), code="password_incorrect")
        return password


class NewPasswordForm(UsersForm):
    """For Django's PasswordResetConfirmView, in place of its form that asks twice."""

    password = NewPasswordField(label=_("New password"))

    @sensitive_variables("password")
    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        check_new_password(password, self.user)
        return password

    def save(self) -> bool:
        """False if the link proves nothing any more: it was used, or the address has become another."""
        return passwords.reset_password(self.user, self.cleaned_data["password"])


class PasswordChangeForm(WithCurrentPassword, NewPasswordForm):
    """In this order: first who one is, then what one wants."""

    field_order = ("current_password", "password")

    def save(self) -> bool:
        """False if the current password has become another since it was checked."""
        return passwords.change_password(self.user, self.cleaned_data["password"])


class PasswordResetForm(NamedForm):
    """For Django's PasswordResetView. Django's own form mints the token at once; this one only says what is wanted."""

    email = AddressFormField(label=_("E-mail address"), widget=AddressInput(attrs={"autocomplete": "username"}))

    def save(self, **options: Any) -> None:
        """`options` is what the view would tell a form that sends mail."""
        address = self.cleaned_data["email"]
        passwords.ask_for_reset(address, self.reference(address))
