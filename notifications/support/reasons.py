"""Say in the reader's language why a message has its status. Rows store English text."""

import re

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications.bounce_brake import brake
from notifications.delivery import record, relevance
from notifications.models import DeliveryAttempt, Message
from notifications.models.message import ACCOUNT_DELETED
from notifications.operations.wording import Translations, error_in_words, readable_code, translate_stored
from notifications.outbox import brake_queue, cancel, recover, settle
from notifications.outbox.resend import Obstacle
from notifications.rules import guard, retry, shadow
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason

STORED: Translations = {
    relevance.ERASED: gettext_lazy("Anonymized: the recipient's address was erased"),
    relevance.NO_ACCOUNT: gettext_lazy("No account has this address"),
    relevance.ACCOUNT_CLOSED: gettext_lazy("The account is closed"),
    relevance.ADDRESS_CHANGED: gettext_lazy("The account has another address now"),
    relevance.SUPERSEDED: gettext_lazy("A newer message of this kind was requested"),
    relevance.NOT_NEEDED: gettext_lazy("No longer relevant, for example because the address is already confirmed"),
    relevance.FLOODED: gettext_lazy("The address has reached its hourly limit for this kind"),
    relevance.TOO_LATE: gettext_lazy("Expired before it could be sent"),
    **{
        relevance.SUPPRESSED.format(reason=reason): format_lazy(
            "{}: {}", gettext_lazy("The address is suppressed"), reason.label
        )
        for reason in Reason
    },
    relevance.NOT_IN_ONLY_TO: gettext_lazy("Not sent: the recipient is not in ONLY_TO"),
    shadow.COMPARED: gettext_lazy("A copy for comparison: another backend sent the email"),
    guard.REDIRECTED: gettext_lazy("Redirected to {address}"),
    guard.LEFT_OUT: gettext_lazy("Recipients who are not in ONLY_TO were left out"),
    relevance.RECHECKED_BY_ANOTHER: gettext_lazy("Another message checks whether the address accepts email"),
    relevance.CANNOT_BE_RENDERED: gettext_lazy("Its templates failed with {error}"),
    relevance.KIND_RAISED: gettext_lazy("Its kind failed with {error}"),
    relevance.WAITS_FOR_WORKER: gettext_lazy("Waiting for a worker that can send it: {cause}"),
    relevance.TOO_LATE_FOR_WORKER: gettext_lazy("Expired before a worker could send it: {cause}"),
    ACCOUNT_DELETED: gettext_lazy("The account was deleted"),
    recover.LOST_IN_CALL: gettext_lazy("The worker was lost during the call; may have been accepted"),
    recover.CLAIMS_LOST: gettext_lazy("Its worker was lost several times; sending it may crash the worker"),
    settle.MARKED_SENT: gettext_lazy("Marked as sent by {who}"),
    settle.SENT_AGAIN: gettext_lazy("Sent again by {who}"),
    cancel.CANCELLED_BY: gettext_lazy("Cancelled by {who}: {why}"),
    cancel.BY_APPLICATION: gettext_lazy("Cancelled by the application"),
    settle.DROPPED: gettext_lazy("Dropped by {who}"),
    brake.REASON: gettext_lazy("Held by the bounce brake: too many sign-up emails bounce"),
    brake_queue.FULL: gettext_lazy("Dropped: too many sign-ups were waiting for the bounce brake"),
    brake_queue.DROPPED: gettext_lazy("Dropped from the bounce brake's queue by an operator"),
}
OBSTACLES = {
    Obstacle.QUEUED: gettext_lazy("It is still queued and will be sent. Wait, or retry it now."),
    Obstacle.SENDING: gettext_lazy("A worker is sending it now. Wait for the result."),
    Obstacle.UNCERTAIN: gettext_lazy("The provider may have accepted it. Settle it instead of resending it."),
    Obstacle.RESENT: gettext_lazy("It has been resent meanwhile. Open the copy to see its status."),
    Obstacle.ANONYMIZED: gettext_lazy("It was anonymized: the recipient's address was erased."),
    Obstacle.PURGED: gettext_lazy("Its files, further recipients or text were deleted."),
}
# `delivery.record` stores "why: error class: code (details)", cut off at the end.
_FAILURE = re.compile(
    rf"(?:(?P<why>.+?): )?(?P<error_class>{'|'.join(ErrorClass)}): (?P<code>[^\s(]+)(?: \((?P<detail>.*?)\)?)?",
    re.DOTALL,
)
_SPENT = re.compile(re.escape(retry.SPENT).replace(r"\{tries\}", r"(\d+)"))


def reason_in_words(message: Message) -> str:
    return in_words(message.status_reason, message.kind)


def in_words(stored: str, kind: str) -> str:
    """Return a stored reason in the reader's language. A product's reason is not translated."""
    if failure := _FAILURE.fullmatch(stored):
        return _failure(**failure.groupdict(default=""))
    no_kind = _("No kind “%(kind)s” in this worker; restart it after deploying") % {"kind": kind}
    return translate_stored(stored.replace(relevance.KIND_UNKNOWN, no_kind), STORED)


def attempt_in_words(attempt: DeliveryAttempt, *, will_retry: bool = False) -> str:
    if attempt.result == DeliveryAttempt.Result.ACCEPTED:
        return str(DeliveryAttempt.Result.ACCEPTED.label)
    if "timeout" in attempt.error_code.lower() and attempt.result == ErrorClass.AMBIGUOUS and attempt.duration_ms:
        text = _("No answer within %(seconds)s s; may have been accepted")
        return text % {"seconds": round(attempt.duration_ms / 1000)}
    if will_retry and attempt.result == ErrorClass.TRANSIENT:
        return _("%(code)s, will retry") % {"code": readable_code(attempt.error_code)}
    return _error(attempt.result, attempt.error_code)


def detail_of(attempt: DeliveryAttempt) -> str:
    found = _FAILURE.fullmatch(attempt.error)
    if not found:
        return translate_stored(attempt.error, STORED)
    return "" if attempt.result == ErrorClass.AMBIGUOUS else found["detail"] or ""


def _error(error_class: str, code: str, detail: str = "") -> str:
    if code == recover.WORKER_LOST:
        return str(STORED[recover.LOST_IN_CALL])
    words = error_in_words(error_class, code)
    # The detail of a lost answer says nothing more.
    return f"{words}: {detail}" if detail and error_class != ErrorClass.AMBIGUOUS else words


def _failure(*, why: str, error_class: str, code: str, detail: str) -> str:
    error = _error(error_class, code, detail)
    if why == record.NO_TIME_LEFT:
        return _("Expired before another attempt. Last error: %(error)s") % {"error": error}
    if spent := _SPENT.fullmatch(why):
        tries = int(spent[1])
        text = ngettext(
            "%(tries)s attempt failed. Last error: %(error)s", "%(tries)s attempts failed. Last error: %(error)s", tries
        )
        return text % {"tries": tries, "error": error}
    return error
