"""What the filters of the engine's lists offer."""

from collections.abc import Sequence

from notifications.admin.indexed_values import IndexedValues
from notifications.conf import settings
from notifications.kinds import KINDS
from notifications.rules.states import Status

# The conditions are those of partial indexes.
_OPEN = f"'{Status.QUEUED.value}', '{Status.SENDING.value}'"
_kinds = IndexedValues(
    table="notifications_message", column="kind", condition=f"NOT (status IN ({_OPEN}))"
)  # message_kind_idx
_providers = IndexedValues(table="notifications_deliveryattempt", column="provider")  # attempt_day_idx
#: The providers that reported events. notifications_event_once
reporters = IndexedValues(table="notifications_providerevent", column="provider")
#: The causes of dead letters.
causes = IndexedValues(
    table="notifications_message", column="error_fingerprint", condition=f"status = '{Status.DEAD.value}'"
)  # message_dead_idx


def kinds() -> Sequence[str]:
    # Those that apps declare, and those of older messages.
    return sorted({*KINDS, *_kinds()})


def used_providers() -> Sequence[str]:
    return sorted({*_providers(), *settings.EMAIL_PROVIDERS})
