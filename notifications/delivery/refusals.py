"""Find out whether a provider refuses every message or only some.

Its text may leave that open; its other answers show it.
"""

import logging
import re
from datetime import timedelta

from django.db import Error
from django.db.models.functions import Now

from notifications.models import DeliveryAttempt
from notifications.providers.base.sending import About, ProviderError
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import ErrorClass

logger = logging.getLogger(__name__)

# The same refusal for so many different recipients, one after the other and nothing accepted between, is not about each
# of them: for good it is about us, and for now about the provider.
RUN = 10
# What is said of a recipient's server, or by it, has to be said of so many domains: one may not like us.
DOMAINS = 3
LATELY = timedelta(hours=1)
_OF_ALL = {ErrorClass.PERMANENT: ErrorClass.MISCONFIGURED, ErrorClass.TRANSIENT: ErrorClass.TRANSIENT}
_REFUSED = {
    DeliveryAttempt.Result.PERMANENT,
    DeliveryAttempt.Result.MISCONFIGURED,
    DeliveryAttempt.Result.TRANSIENT,
}
# Numbers of queues, times and messages differ from answer to answer.
_NUMBERS = re.compile(r"\S*\d\S*")


def reclassified(provider: str, address: str, answer: ProviderError) -> ProviderError:
    # A refusal of every message is not about this one.
    if answer.is_reply and answer.may_be_of_some:
        return _of_some(answer) if takes_others(provider, address, answer) else answer
    is_of_a_server = answer.about is About.RECIPIENT and answer.bounce is BounceKind.BLOCKED
    may_be_of_all = answer.about is About.MESSAGE or is_of_a_server
    if not (answer.is_reply and may_be_of_all and answer.error_class in _OF_ALL):
        return answer
    refused = refused_alike(provider, address, answer)
    domains = {recipient.rpartition("@")[2] for recipient in refused}
    if len(refused) < RUN or (is_of_a_server and len(domains) < DOMAINS):
        return answer
    return ProviderError(_OF_ALL[answer.error_class], answer.code, answer.detail)


def _of_some(answer: ProviderError) -> ProviderError:
    # It is tried again, because an operator may change the set-up, but not without end.
    return ProviderError(ErrorClass.TRANSIENT, answer.code, answer.detail, about=About.MESSAGE)


def takes_others(provider: str, address: str, answer: ProviderError) -> bool:
    # Recently. Handles database errors.
    if len(refused_alike(provider, address, answer)) >= RUN:
        return False
    lately = DeliveryAttempt.objects.filter(provider=provider, recorded_at__gt=Now() - LATELY)
    alike = lately.filter(error_code=answer.code, result=DeliveryAttempt.Result.MISCONFIGURED)
    try:
        first = alike.order_by("recorded_at").values_list("recorded_at", flat=True).first()
        if first is None:
            return False
        return lately.filter(result=DeliveryAttempt.Result.ACCEPTED, recorded_at__gt=first).exists()
    except Error as error:
        logger.warning("the attempts before a refusal cannot be read (%s)", type(error).__name__)
        return False


def refused_alike(provider: str, address: str, answer: ProviderError) -> set[str]:
    # The recipients of the series of refusals with the same text, of which this is the last. Handles database errors.
    recipients = {address.lower()}
    try:
        attempts = DeliveryAttempt.objects.filter(provider=provider).order_by("-recorded_at")
        last = list(attempts.values_list("result", "error_code", "error", "message__to_address")[: 2 * RUN])
    except Error as error:
        logger.warning("the attempts before a refusal cannot be read (%s)", type(error).__name__)
        return recipients
    for result, code, text, recipient in last:
        if result not in _REFUSED or (code, _words(text)) != (answer.code, _words(str(answer))):
            break
        recipients.add(recipient.lower())
    return recipients


def _words(error: str) -> str:
    # Without the error's class and without what differs every time.
    return _NUMBERS.sub("", error.partition(": ")[2])
