"""Form and model fields that validate and normalize addresses and names."""

from typing import Any

from django import forms
from django.db import models

from accounts.addresses import MAX_LENGTH, canonical_address
from accounts.names import check_name, normalize_name


class AddressInput(forms.TextInput):
    """Not type="email": browsers reject an address with a pasted invisible character, without a reason."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        keyboard = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        # Browsers check this before the form is sent and the password has to be typed again.
        shape = {"pattern": ".+@.+", "title": "name@example.com"}
        super().__init__({**keyboard, **shape, **(attrs or {})})


class AddressFormField(forms.EmailField):
    """Cleans to the canonical address."""

    # Django's validator has other rules and would add a second error for the same typo.
    default_validators = []

    def to_python(self, value: Any) -> str:
        address = str(super().to_python(value))
        return address if address in self.empty_values else canonical_address(address)


class AddressField(models.EmailField):
    """Normalizes in forms, saves, bulk inserts, fixtures and look-ups.

    An invalid address raises ValidationError, like an invalid UUID in a UUIDField.
    """

    default_validators = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": MAX_LENGTH} | kwargs)

    def to_python(self, value: Any) -> Any:
        address = super().to_python(value)
        return address if address in self.empty_values else canonical_address(address)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        # Also on the instance: receivers of post_save must see the stored address.
        stored = str(self.to_python(getattr(model_instance, self.attname)))
        setattr(model_instance, self.attname, stored)
        return stored

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        return super().formfield(**{"form_class": AddressFormField} | kwargs)


class NameFormField(forms.CharField):
    """Validates and normalizes a name.

    `kept` is the account's current name. It stays valid until it is changed: older names may be longer.
    """

    kept = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "max_length": None, "empty_value": ""})
        self.validators.append(check_name)

    def clean(self, value: Any) -> str:
        if self.kept and isinstance(value, str) and value.strip() == self.kept.strip():
            return self.kept
        return normalize_name(super().clean(value))


class NameField(models.CharField):
    """A user's name. The column holds older names that are longer than forms accept."""

    default_validators = [check_name]

    def clean(self, value: Any, model_instance: models.Model | None) -> str:
        return normalize_name(super().clean(value, model_instance))

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        return super().formfield(**{"form_class": NameFormField} | kwargs)


class KeepsName(forms.ModelForm):
    """Checks the name of an existing account only if it is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("name"), NameFormField):
            field.kept = self.instance.name

    def _get_validation_exclusions(self) -> set[str]:
        # The form field has validated it, or kept the current name.
        return {*super()._get_validation_exclusions(), "name"}  # type: ignore[misc]
