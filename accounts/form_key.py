"""Name a form when it is shown: two posts of it cause one email."""

from time import time
from typing import Any
from uuid import UUID, uuid4, uuid5

from django import forms
from django.core import signing

# After this long the same form counts as another wish: who asks again then wants another email.
SAME_WISH_S = 600
# A form that is older is one without a name.
AGE_S = 86_400
SALT = "accounts.forms.once"


def new_key() -> str:
    # Only this site can create one; it holds the time.
    return signing.dumps([uuid4().hex, int(time())], salt=SALT)


class FormWithKey(forms.Form):
    """A form with a signed name, so that a double click has one effect.

    The names of all effects are made of the form's: the same for both posts. A form without a valid name has its effect
    for each post.
    """

    # A plain Field: there is nothing that a person could correct.
    idempotency_key = forms.Field(
        required=False, initial=new_key, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
    )

    def clean_idempotency_key(self) -> tuple[UUID, int]:
        try:
            name, shown_at = signing.loads(str(self.cleaned_data["idempotency_key"]), salt=SALT, max_age=AGE_S)
        except signing.BadSignature:
            return uuid4(), 0
        return UUID(name), int(time() - shown_at) // SAME_WISH_S

    def reference(self, address: str) -> UUID:
        # Names the email that this form causes.
        name, turn = self._key
        return uuid5(name, f"email:{turn}:{address}")

    def account(self, address: str) -> UUID:
        # Names the account that this form creates.
        return uuid5(self._key[0], f"account:{address}")

    @property
    def _key(self) -> Any:
        return self.cleaned_data["idempotency_key"]
