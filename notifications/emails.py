"""The kind of email that the engine sends."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from notifications.kinds import DeliveryGuarantee, Kind, register
from notifications.rules.states import Stream

# Sent by `manage.py provider_check --send-to`; `sender` and `sent_from` come with the message's own context.
PROVIDER_TEST = register(
    Kind(
        name="provider-test",
        title=_("Test"),
        stream=Stream.CRITICAL,
        max_age=timedelta(hours=1),
        requires_account=False,
        guarantee=DeliveryGuarantee.AT_MOST_ONCE,
        preview_context={"sender": "An operator", "sent_from": "host-1.example.com"},
    )
)
