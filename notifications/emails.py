"""The kinds of email that the engine declares."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from notifications.kinds import DeliveryGuarantee, Kind, register
from notifications.rules import shadow
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

# What code of Django sends: notifications/backend.py.
DJANGO_EMAIL = register(
    Kind(
        name="email",
        stream=Stream.DEFAULT,
        max_age=timedelta(days=3),
        requires_account=False,
        has_hourly_limit=False,
        has_templates=False,
    )
)

# The copies of `ShadowBackend`. Never sent: notifications/rules/shadow.py.
SHADOW_COPY = register(
    Kind(
        name=shadow.KIND,
        stream=Stream.DEFAULT,
        max_age=timedelta(days=3),
        requires_account=False,
        has_hourly_limit=False,
        has_templates=False,
        in_history=False,
    )
)
