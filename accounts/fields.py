"""Form and model fields for addresses and names, checked once and kept in one form."""

from typing import Any

from django import forms
from django.db import models

from accounts.addresses import MAX_LENGTH, canonical_address
from accounts.names import check_name, normalize_name


class AddressInput(forms.TextInput):
    """Not type="email": browsers refuse an address with a pasted invisible character, without a reason."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        keyboard = {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"}
        # What the browser can say before the password has to be typed again.
        shape = {"pattern": ".+@.+", "title": "name@example.com"}
        super().__init__({**keyboard, **shape, **(attrs or {})})


class AddressFormField(forms.EmailField):
    """Cleans to the canonical address."""

    # Django's own validator is laxer here and stricter there, and would say a second sentence about the same slip.
    default_validators = []

    def to_python(self, value: Any) -> str:
        address = str(super().to_python(value))
        return address if address in self.empty_values else canonical_address(address)


class AddressField(models.EmailField):
    """Canonical in forms, saves, bulk inserts, fixtures and look-ups.

    An invalid address raises ValidationError, as an invalid UUID does in a UUIDField.
    """

    default_validators = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": MAX_LENGTH} | kwargs)

    def to_python(self, value: Any) -> Any:
        address = super().to_python(value)
        return address if address in self.empty_values else canonical_address(address)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        # The instance too: receivers of post_save must see what was stored.
        stored = str(self.to_python(getattr(model_instance, self.attname)))
        setattr(model_instance, self.attname, stored)
        return stored

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        return super().formfield(**{"form_class": AddressFormField} | kwargs)


class NameFormField(forms.CharField):
    """Cleans to a name in its one form.

    `kept`: the account's name, which stays unless it is changed. Names from before there were rules are longer, and
    still their owners' names.
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
    """A user's name. The column holds longer ones than forms accept today."""

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
        # The field has validated it; what the field let through is not checked again.
        return {*super()._get_validation_exclusions(), "name"}  # type: ignore[misc]
