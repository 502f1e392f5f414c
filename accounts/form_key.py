"""Give each shown form an idempotency key, so that two posts cause one email."""

from time import time
from typing import Any
from uuid import UUID, uuid4, uuid5

from django import forms
from django.core import signing

# A user who posts the same form after this time wants another email.
REPEAT_AFTER_S = 600
# The key of an older form is ignored.
AGE_S = 86_400
SALT = "accounts.forms.once"


def new_key() -> str:
    # Signed, with the time at which the form was shown.
    return signing.dumps([uuid4().hex, int(time())], salt=SALT)


class FormWithKey(forms.Form):
    """A form with a signed idempotency key, so that a double click has one effect.

    All ids are derived from the key and are the same for both posts. Without a valid key, each post has its effect.
    """

    # A plain Field: there is nothing to validate that a user could correct.
    idempotency_key = forms.Field(
        required=False, initial=new_key, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
    )

    def clean_idempotency_key(self) -> tuple[UUID, int]:
        try:
            key, shown_at = signing.loads(str(self.cleaned_data["idempotency_key"]), salt=SALT, max_age=AGE_S)
        except signing.BadSignature:
            return uuid4(), 0
        return UUID(key), int(time() - shown_at) // REPEAT_AFTER_S

    def reference(self, address: str) -> UUID:
        # The id of the email that this form causes.
        key, repeat = self._key
        return uuid5(key, f"email:{repeat}:{address}")

    def account(self, address: str) -> UUID:
        # The `sign_up` of the account that this form creates.
        return uuid5(self._key[0], f"account:{address}")

    @property
    def _key(self) -> Any:
        return self.cleaned_data["idempotency_key"]
