"""Find out whether a provider refuses every message or only some.

The text of one refusal may leave that open; the provider's recent answers show it.
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

#: The same refusal for this many recipients in a row, with no acceptance between, is not about each of them: a
#: permanent one is about our account, a temporary one about the provider.
RUN = 10
#: A refusal by recipients' servers has to come from this many domains: a single one may block us.
DOMAINS = 3
RECENTLY = timedelta(hours=1)
_OF_ALL = {ErrorClass.PERMANENT: ErrorClass.MISCONFIGURED, ErrorClass.TRANSIENT: ErrorClass.TRANSIENT}
_REFUSED = {
    DeliveryAttempt.Result.PERMANENT,
    DeliveryAttempt.Result.MISCONFIGURED,
    DeliveryAttempt.Result.TRANSIENT,
}
# Ids of queues, times and messages differ from answer to answer.
_NUMBERS = re.compile(r"\S*\d\S*")


def reclassified(provider: str, address: str, answer: ProviderError) -> ProviderError:
    # Classifies a refusal of every message as one of the provider or our account.
    if answer.is_reply and answer.may_be_of_some:
        return _of_some(answer) if accepts_others(provider, address, answer) else answer
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
    # Retried, because an operator may change the set-up, but only up to the kind's limit.
    return ProviderError(ErrorClass.TRANSIENT, answer.code, answer.detail, about=About.MESSAGE)


def accepts_others(provider: str, address: str, answer: ProviderError) -> bool:
    # Whether others were accepted since the first such refusal. Handles database errors.
    if len(refused_alike(provider, address, answer)) >= RUN:
        return False
    recent = DeliveryAttempt.objects.filter(provider=provider, recorded_at__gt=Now() - RECENTLY)
    alike = recent.filter(error_code=answer.code, result=DeliveryAttempt.Result.MISCONFIGURED)
    try:
        first = alike.order_by("recorded_at").values_list("recorded_at", flat=True).first()
        if first is None:
            return False
        return recent.filter(result=DeliveryAttempt.Result.ACCEPTED, recorded_at__gt=first).exists()
    except Error as error:
        logger.warning("cannot read the attempts before a refusal (%s)", type(error).__name__)
        return False


def refused_alike(provider: str, address: str, answer: ProviderError) -> set[str]:
    # The recipients of the unbroken series of equal refusals that this one ends. Handles database errors.
    recipients = {address.lower()}
    try:
        attempts = DeliveryAttempt.objects.filter(provider=provider).order_by("-recorded_at")
        last = list(attempts.values_list("result", "error_code", "error", "message__to_address")[: 2 * RUN])
    except Error as error:
        logger.warning("cannot read the attempts before a refusal (%s)", type(error).__name__)
        return recipients
    for result, code, text, recipient in last:
        if result not in _REFUSED or (code, _words(text)) != (answer.code, _words(str(answer))):
            break
        recipients.add(recipient.lower())
    return recipients


def _words(error: str) -> str:
    # Without the error's class, and without parts that differ every time.
    return _NUMBERS.sub("", error.partition(": ")[2])
