"""What operators type into the searches of the admin, for rows that exist."""

from collections.abc import Sequence
from urllib.parse import quote

from devtools.benchmarks.admin.rows import BUSY_ADDRESS, RETIRED_KIND
from notifications.models import DeliveryAttempt, Message, Suppression

# Prefixes of very many rows, and what finds none.
WORDS = ("e", "p", "person", "person7", "member7", "unknown@example.com", "Ada 7", "order-7", "Sim-", "x" * 60)
TERMS = (
    *("key:order-", "key:order-123", "key:none", f"to:{BUSY_ADDRESS} status:dead"),
    *(f"{BUSY_ADDRESS} kind:welcome since:2d", f"kind:{RETIRED_KIND}", f"kind:{RETIRED_KIND} status:cancelled"),
    *("kind:welcome since:2d", "kind:welcome status:dead", "kind:product-news status:sent", "kind:never-sent"),
    *("status:dead since:300d", "status:expired before:100d", "status:queued stream:critical", "status:sent"),
    *("status:sending", "status:uncertain kind:welcome", "stream:bulk", "stream:critical status:cancelled"),
    *("outcome:complained", "outcome:bounced kind:password-reset", "before:200d outcome:rejected", "outcome:unknown"),
    *("provider:postmark", "provider:none", "provider:ses status:dead", "error:rendering/KeyError-7", "error:none"),
    *("since:2026-01-01 before:2026-01-02", "before:300d", "since:1m", "knid:welcome", "status:gone"),
)


def searches(page: str) -> Sequence[str]:
    """Return what to search for on a list, quoted for a URL."""
    message = Message.objects.filter(status="sent", user__isnull=False).order_by("created_at").first()
    words = [*WORDS, BUSY_ADDRESS]
    if message:
        attempt = DeliveryAttempt.objects.filter(message=message).exclude(provider_message_id="").first()
        words += [str(message.id), message.to_address, attempt.provider_message_id if attempt else ""]
    if listed := Suppression.objects.order_by("pk").first():
        words.append(listed.address)
    if page in {f"notifications_{name}_changelist" for name in ("message", "deadletter", "uncertainmessage")}:
        words += [*TERMS, *([message.idempotency_key] if message else [])]
    return [quote(word) for word in words if word]
