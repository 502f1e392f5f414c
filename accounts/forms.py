"""The forms of the users' pages."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.fields import AddressFormField, AddressInput, KeepsName
from accounts.flows import news, passwords
from accounts.form_key import FormWithKey
from accounts.hashers import normalize_password
from accounts.honeypot import FormWithHoneypot
from accounts.models import User


@sensitive_variables("password")
def check_new_password(password: str, user: User) -> None:
    """Raise ValidationError for a password that is easy to guess. Checks its normalized form, which is hashed."""
    validate_password(normalize_password(password), user)


class NewPasswordField(forms.CharField):
    """Has no second field to repeat it: a reset fixes a typo."""

    def __init__(self, *, label: Any = None) -> None:
        super().__init__(
            label=label or _("Password"),
            strip=False,
            # Longer than any password manager's; limits the work of the validators.
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
    """Requires the current password: another person may use an unlocked browser."""

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
    """Requires the password that the user chose at sign-up."""

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
    """For PasswordResetConfirmView, instead of Django's form with two fields."""

    password = NewPasswordField(label=_("New password"))

    @sensitive_variables("password")
    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        check_new_password(password, self.user)
        return password

    def save(self) -> bool:
        """Set the password; return False if the link is no longer valid."""
        return passwords.reset_password(self.user, self.cleaned_data["password"])


class PasswordChangeForm(WithCurrentPassword, NewPasswordForm):
    field_order = ("current_password", "password")

    def save(self) -> bool:
        """Set the new password; return False if the checked one is no longer current."""
        return passwords.change_password(self.user, self.cleaned_data["password"])


class PasswordResetForm(FormWithKey):
    """For PasswordResetView. Django's form creates the token; this one only enqueues an email."""

    email = AddressFormField(label=_("Email address"), widget=AddressInput(attrs={"autocomplete": "username"}))

    def save(self, **options: Any) -> None:
        # Django's view passes `options` for sending.
        address = self.cleaned_data["email"]
        passwords.request_reset(address, self.reference(address))


class LogInForm(AuthenticationForm):
    # Not an AddressFormField: an invalid address must have the same answer as one without an account.
    username = forms.CharField(
        label=_("Email address"), widget=AddressInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    remember = forms.BooleanField(label=_("Keep me logged in on this device"), required=False)

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "Wrong email address or password. If you have just signed up, open the link in our email first."
        ),
    }

    def confirm_login_allowed(self, user: User) -> None:
        # An unconfirmed address has the same error as a wrong password. Otherwise anyone could sign up with an address
        # and find out, by logging in, whether it already had an account. Operators do not sign up.
        super().confirm_login_allowed(user)
        if user.confirmed_at is None and not user.is_staff:
            raise self.get_invalid_login_error()


class SignUpForm(FormWithKey, FormWithHoneypot, forms.ModelForm):
    password = NewPasswordField()

    field_order = ("email", "name", "password", "wants_news")

    class Meta:
        model = User
        fields = ("email", "name", "wants_news")
        labels = {"email": _("Email address"), "name": _("Name"), "wants_news": _("Send me product news")}
        help_texts = {
            "name": _("What should we call you?"),
            "wants_news": _("Occasional updates. You can change this at any time."),
        }
        widgets = {
            "email": AddressInput(attrs={"autocomplete": "username"}),
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
        }

    @sensitive_variables("password")
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        # Here, because the instance now has the form's data: a password must not resemble the address or the name.
        if password := self.cleaned_data.get("password"):
            try:
                check_new_password(password, self.instance)
            except ValidationError as error:
                self.add_error("password", error)

    def _get_validation_exclusions(self) -> set[str]:
        # A uniqueness error would reveal whether the address has an account. The field has validated the rest.
        return {*super()._get_validation_exclusions(), "email"}  # type: ignore[misc]

    @property
    def wanted(self) -> User:
        # Hashes the password at every call.
        user: User = self.instance
        user.set_password(self.cleaned_data["password"])
        return user


class ConfirmAgainForm(FormWithKey):
    email = AddressFormField(label=_("Email address"), widget=AddressInput(attrs={"autocomplete": "username"}))


class AddressForm(FormWithKey, WithCurrentPassword):
    email = AddressFormField(label=_("New email address"), widget=AddressInput(attrs={"autocomplete": "email"}))

    field_order = ("email", "current_password")

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        if address == self.user.email:
            raise ValidationError(_("This is already your address."), code="unchanged")
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
        # The form posts the answer that the page showed: a newer answer is not undone by saving another field.
        self.fields["wants_news"].show_hidden_initial = True
        if not news.can_subscribe(self.instance):
            self.fields["wants_news"].disabled = True
            self.fields["wants_news"].help_text = _("You marked our email as spam. Contact us to get news again.")
        elif self.instance.news_decided_at:
            self.fields["wants_news"].help_text = _decided(self.instance)

    def changes(self) -> dict[str, Any]:
        # Leaves out `wants_news` if the user did not change it.
        changed = dict(self.cleaned_data)
        shown = self.data.get(self.add_initial_prefix("wants_news"))
        if shown is not None and (shown == "True") == changed["wants_news"]:
            del changed["wants_news"]
        return changed


def _decided(member: User) -> str:
    day = date_format(localtime(member.news_decided_at), "DATE_FORMAT")
    if member.wants_news:
        text = gettext("You subscribed on %(day)s. Account emails, such as password resets, are always sent.")
    else:
        text = gettext("Turned off since %(day)s. Account emails, such as password resets, are always sent.")
    return text % {"day": day}


class DeleteForm(WithCurrentPassword):
    """Confirms the deletion by the password."""
