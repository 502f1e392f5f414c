"""The forms that users fill in."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.fields import AddressFormField, AddressInput, KeepsName
from accounts.flows import passwords
from accounts.form_key import FormWithKey
from accounts.hashers import normalize_password
from accounts.honeypot import FormWithHoneypot
from accounts.models import User


@sensitive_variables("password")
def check_new_password(password: str, user: User) -> None:
    """Raise ValidationError for a password that is easy to guess. It is checked in the form in which it is hashed."""
    validate_password(normalize_password(password), user)


class NewPasswordField(forms.CharField):
    """Asked for once: a reset fixes a typo, and a password manager can paste."""

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
    """A form about a known user."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)


class WithCurrentPassword(UsersForm):
    """Proves that the owner acts, not a person who found an open browser."""

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
    """For a user who claims to have chosen the password."""

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
        """Set the password; False if the link was used, or the address has changed."""
        return passwords.reset_password(self.user, self.cleaned_data["password"])


class PasswordChangeForm(WithCurrentPassword, NewPasswordForm):
    """The current password comes first, the new one second."""

    field_order = ("current_password", "password")

    def save(self) -> bool:
        """Set the new password; False if the checked one is no longer the current one."""
        return passwords.change_password(self.user, self.cleaned_data["password"])


class PasswordResetForm(FormWithKey):
    """For Django's PasswordResetView. Django's form creates the token immediately; this one only enqueues."""

    email = AddressFormField(label=_("E-mail address"), widget=AddressInput(attrs={"autocomplete": "username"}))

    def save(self, **options: Any) -> None:
        # `options` is what the view would pass to a form that sends email.
        address = self.cleaned_data["email"]
        passwords.ask_for_reset(address, self.reference(address))


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
        # Refuses a user with an unconfirmed address like a wrong password. Otherwise a person could sign up with
        # another's address and see, by logging in, whether it had an account already. Operators do not come from the
        # sign-up.
        super().confirm_login_allowed(user)
        if user.confirmed_at is None and not user.is_staff:
            raise self.get_invalid_login_error()


class SignUpForm(FormWithKey, FormWithHoneypot, forms.ModelForm):
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
        # This form must not reveal whether the address has an account; its field has validated it.
        return {*super()._get_validation_exclusions(), "email"}  # type: ignore[misc]

    @property
    def wanted(self) -> User:
        # The password is hashed at every call.
        user: User = self.instance
        user.set_password(self.cleaned_data["password"])
        return user


class ConfirmAgainForm(FormWithKey):
    email = AddressFormField(label=_("E-mail address"), widget=AddressInput(attrs={"autocomplete": "username"}))


class AddressForm(FormWithKey, WithCurrentPassword):
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
        # Without an answer about news that the user did not change.
        said = dict(self.cleaned_data)
        shown = self.data.get(self.add_initial_prefix("wants_news"))
        if shown is not None and (shown == "True") == said["wants_news"]:
            del said["wants_news"]
        return said


class DeleteForm(WithCurrentPassword):
    """Only the password, which is also a second thought."""
