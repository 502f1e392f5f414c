"""The address as a field: whatever way it comes in, it is checked once and kept in its canonical form."""

from typing import Any

from django import forms
from django.db import models

from accounts.addresses import MAX_LENGTH, canonical_address


class AddressFormField(forms.EmailField):
    """Cleans to the canonical address."""

    # Django's own validator is laxer here and stricter there, and would say a second sentence about the same slip.
    default_validators = []

    def to_python(self, value: Any) -> str:
        typed = str(super().to_python(value))
        return typed if typed in self.empty_values else canonical_address(typed)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "autocapitalize": "none", "spellcheck": "false"}


class AddressField(models.EmailField):
    """Canonical whatever way it comes in: forms, saves, bulk inserts, fixtures and look-ups.

    What is no address raises ValidationError, as a UUIDField does for what is no UUID.
    """

    default_validators = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": MAX_LENGTH} | kwargs)

    def to_python(self, value: Any) -> Any:
        typed = super().to_python(value)
        return typed if typed in self.empty_values else canonical_address(typed)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """The instance too: whoever hears post_save must see what was stored."""
        stored = str(self.to_python(getattr(model_instance, self.attname)))
        setattr(model_instance, self.attname, stored)
        return stored

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        return super().formfield(**{"form_class": AddressFormField} | kwargs)
