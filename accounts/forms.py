"""What people fill in."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.views.decorators.debug import sensitive_variables

from accounts.fields import AddressFormField
from accounts.models import User
from accounts.signals import account_event


class NewPasswordField(forms.CharField):
    """Asked for once: a slip is mended by a reset, and pasting from a password manager stays easy."""

    def __init__(self, *, label: str | None = None) -> None:
        super().__init__(
            label=label,
            strip=False,
            # Beyond any password manager's; a bound on what the validators have to look at.
            max_length=1024,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            help_text="At least 8 characters. A few unrelated words make a good one.",
        )


class SignUpForm(forms.ModelForm):
    password = NewPasswordField()

    class Meta:
        model = User
        fields = ("email", "name")
        labels = {"email": "E-mail address", "name": "Name"}
        help_texts = {"name": "How we address you. You may leave it empty."}
        widgets = {
            "email": forms.EmailInput(attrs={"autocomplete": "username"}),
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
        }

    @sensitive_variables("password")
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        # Here, because the instance has the form's data by now: a password must not resemble the address or the name.
        if password := self.cleaned_data.get("password"):
            try:
                validate_password(password, self.instance)
            except ValidationError as error:
                self.add_error("password", error)

    def sign_up(self) -> User | None:
        """Return the new user, or None, with the error added, if somebody took the address since it was checked."""
        user: User = self.instance
        user.set_password(self.cleaned_data["password"])
        try:
            user.save()
        except IntegrityError:
            if self._is_taken(user):
                return None
            raise
        return user

    def _is_taken(self, user: User) -> bool:
        try:
            user.validate_constraints()
        except ValidationError as error:
            self.add_error(None, error)
            return True
        return False


class LogInForm(AuthenticationForm):
    # Not an AddressFormField: it would tell apart what cannot be an address from what is nobody's.
    username = forms.CharField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The address and the password do not match. Please try again.",
    }


class PasswordResetForm(forms.Form):
    """For Django's PasswordResetView. Django's own form mints the token at once; this one only says what is wanted."""

    email = AddressFormField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"}))

    def save(self, **options: Any) -> None:
        """Send `account_event` if the address is that of somebody who may log in with a password.

        `options` is what the view would tell a form that sends mail.
        """
        try:
            user = User.objects.get_by_natural_key(self.cleaned_data["email"])
        except User.DoesNotExist:
            return
        if user.is_active and user.has_usable_password():
            with transaction.atomic():
                account_event.send(sender=User, kind="password-reset", user=user, address=user.email)


class NewPasswordForm(forms.Form):
    """For Django's PasswordResetConfirmView, in place of its form that asks twice."""

    password = NewPasswordField(label="New password")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    @sensitive_variables("password")
    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password

    def save(self) -> User:
        self.user.set_password(self.cleaned_data["password"])
        # Nothing else: an administrator may have closed the account since this user was read.
        self.user.save(update_fields=["password"])
        return self.user
