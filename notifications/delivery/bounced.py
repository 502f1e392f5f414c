"""Record what a refusal says about the address, together with its attempt."""

from datetime import UTC, datetime

from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression
from notifications.providers.base.answers import report
from notifications.rules.outcomes import BounceKind
from notifications.rules.suppression import Reason


def record_bounce(message: Message, attempt: DeliveryAttempt, bounce: BounceKind) -> None:
    # The event reader handles the event like a webhook's. A hard bounce suppresses the address here already, because
    # the next message to it may be due now.
    event = ProviderEvent.objects.create(
        provider=attempt.provider,
        event_id=report.event_id(message.id, attempt.number),
        payload=report.payload(
            message_id=message.id,
            attempt=attempt.number,
            bounce=bounce,
            said=attempt.error,
            at=datetime.now(UTC),
        ),
    )
    if bounce is BounceKind.HARD:
        row = Suppression(
            address=message.to_address.lower(),
            reason=Reason.HARD_BOUNCE,
            detail=attempt.error,
            provider=attempt.provider,
            event=event,
        )
        Suppression.objects.bulk_create([row], ignore_conflicts=True)
