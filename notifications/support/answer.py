"""Answer the recipient of a message in two sentences that support staff can paste."""

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import kinds
from notifications.delivery import relevance
from notifications.delivery.render import message_language
from notifications.models import Message
from notifications.operations.wording import MINUTE_S, duration
from notifications.rules.suppression import Reason
from notifications.support.diagnosis import NextStep, Situation
from notifications.support.explain import Explanation
from notifications.support.sentences import when

# Users learn what happened and what they can do, and nothing about our machinery. The times are those of the timeline.

#: A message that is sent sooner needs no time in the answer.
SOON_S = 5 * MINUTE_S

SOON = gettext_lazy("We are sending it now; please check your inbox and your spam folder in a few minutes.")
LATER = gettext_lazy("We will send it in about %(time)s; there is nothing that you need to do.")
DELAYED = gettext_lazy(
    "We have not been able to send it yet; we are working on this, and it will be sent automatically."
)
UNCLEAR = gettext_lazy(
    "We are still checking whether it reached your email provider; please check your inbox and your spam folder."
)
REQUEST_AGAIN = gettext_lazy("We could not send it; please request it again.")

ENDED: dict[Situation, Promise] = {
    Situation.SENT: gettext_lazy(
        "We sent it %(sent)s, and your email provider has not confirmed it yet; please check your spam folder."
    ),
    Situation.UNREPORTED: gettext_lazy("We sent it %(sent)s; please check your spam folder."),
    Situation.DEFERRED: gettext_lazy(
        "Your email provider asked us %(reported)s to deliver it later; it will arrive automatically."
    ),
    Situation.DELIVERED: gettext_lazy(
        "Your email provider accepted the email %(reported)s; please check your spam folder."
    ),
    Situation.BOUNCED: gettext_lazy(
        "Your email provider rejected the email %(reported)s; please check your address for typos."
    ),
    Situation.COMPLAINED: gettext_lazy(
        "Your email provider accepted it, and it was marked as spam %(reported)s; please write to us if you want our"
        " emails again."
    ),
    Situation.REJECTED: REQUEST_AGAIN,
    Situation.SUPPRESSED: gettext_lazy(
        "We did not send it, because earlier emails to your address were rejected or marked as spam; please check your"
        " address, and write to us if it is right."
    ),
    Situation.SUPPRESSION_LIFTED: gettext_lazy(
        "We did not send it, because our emails to your address were blocked; they no longer are, so please request it"
        " again."
    ),
    Situation.EXPIRED: REQUEST_AGAIN,
    Situation.CANCELLED: REQUEST_AGAIN,
    Situation.DEAD: REQUEST_AGAIN,
    Situation.UNCERTAIN_RESENDS: UNCLEAR,
    Situation.UNCERTAIN_WAITS: UNCLEAR,
    Situation.UNCERTAIN_HELD: UNCLEAR,
}
# Why it was cancelled or suppressed, as stored.
BY_REASON: dict[str, Promise] = {
    relevance.SUPPRESSED.format(reason=Reason.UNSUBSCRIBED): gettext_lazy(
        "We did not send it, because you have unsubscribed from such emails; you can subscribe again at any time."
    ),
    relevance.SUPPRESSED.format(reason=Reason.BY_HAND): gettext_lazy(
        "We did not send it, because we send no emails to your address; please write to us if you want our emails"
        " again."
    ),
    relevance.SUPERSEDED: gettext_lazy("A newer email of the same kind replaced it; please use the newest one."),
    relevance.NOT_NEEDED: gettext_lazy("We did not send it, because it was no longer needed."),
    relevance.ADDRESS_CHANGED: gettext_lazy(
        "We did not send it, because your account has another address now; please check the inbox of that address."
    ),
    relevance.FLOODED: gettext_lazy(
        "We did not send it, because we had already sent you several; please wait an hour, then request it again."
    ),
}
# Nothing shows when these end.
_STUCK = {
    Situation.PAUSED,
    *(Situation.NO_PROVIDER, Situation.BROKER_DOWN, Situation.NO_WORKER, Situation.NO_RELAY),
    *(Situation.PROVIDERS_REFUSE, Situation.OTHER_VERSION),
}


def answer_of(message: Message, why: Explanation) -> str:
    """Return the answer in the recipient's language. Empty once the recipient is erased."""
    if message.anonymized_at:
        return ""
    with translation.override(message_language(message)):
        return f"{_occasion(message, why)} {_what_happened(message, why)}"


def _occasion(message: Message, why: Explanation) -> str:
    kind, written = kinds.KINDS.get(message.kind), when(message.created_at, why.now)
    if kind and kind.occasion:
        # Not by "%": that of a product's "50% off" would end the page of the message.
        return str(kind.occasion).replace("%(when)s", written)
    title = str(message.context.get("headline") or (kind and kind.title) or message.kind)
    return _("We wrote the email “%(title)s” to you %(when)s.") % {"title": title, "when": written}


def _what_happened(message: Message, why: Explanation) -> str:
    words = ENDED.get(why.code) or _waiting(why)
    if why.code in {Situation.CANCELLED, Situation.SUPPRESSED}:
        words = BY_REASON.get(message.status_reason, words)
    elif why.code is Situation.WILL_END:
        is_suppressed = why.step.code is NextStep.LIFT_SUPPRESSION
        words = BY_REASON.get(why.skip_reason, ENDED[Situation.SUPPRESSED] if is_suppressed else words)
    return str(words) % {
        "sent": when(message.sent_at or why.now, why.now),
        "reported": when(message.outcome_at or why.now, why.now),
        "time": duration(why.eta_s or 0.0),
    }


def _waiting(why: Explanation) -> Promise:
    if why.code is Situation.WILL_END:
        return REQUEST_AGAIN
    if why.code in _STUCK or why.eta_s is None:
        return DELAYED
    return LATER if why.eta_s > SOON_S else SOON
