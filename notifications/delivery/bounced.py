"""Record what a refusal says about the addresses, together with the attempts."""

from collections.abc import Sequence
from datetime import UTC, datetime

from notifications.delivery.attempt import AttemptRow
from notifications.models import ProviderEvent, Suppression
from notifications.providers.base.answers import report
from notifications.rules.outcomes import BounceKind
from notifications.rules.suppression import Reason


def record_bounces(attempts: Sequence[AttemptRow], bounce: BounceKind) -> None:
    # The event reader handles the events like a webhook's. A hard bounce suppresses the address here already, because
    # the next message to it may be due now.
    events = ProviderEvent.objects.bulk_create(_event(attempt, bounce) for attempt in attempts)
    if bounce is BounceKind.HARD:
        rows = [
            Suppression(
                address=attempt.message.to_address.lower(),
                reason=Reason.HARD_BOUNCE,
                detail=attempt.error,
                provider=attempt.provider,
                event=event,
            )
            for attempt, event in zip(attempts, events, strict=True)
        ]
        Suppression.objects.bulk_create(rows, ignore_conflicts=True)


def _event(attempt: AttemptRow, bounce: BounceKind) -> ProviderEvent:
    return ProviderEvent(
        provider=attempt.provider,
        event_id=report.event_id(attempt.message_id, attempt.number),
        payload=report.payload(
            message_id=attempt.message_id,
            attempt=attempt.number,
            bounce=bounce,
            said=attempt.error,
            at=datetime.now(UTC),
        ),
    )
