"""An Amazon SES account in one region, API v2: https://docs.aws.amazon.com/ses/latest/APIReference-V2."""

import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from boto3.session import Session
from botocore.config import Config

from notifications.providers.base.account import (
    MAY_NOT_LOOK,
    Account,
    Finding,
    Quota,
    inspect_part,
    no_access,
    note,
    unreadable,
)
from notifications.providers.base.deadline import within
from notifications.providers.base.sender import sender_address, sender_domain, with_parents
from notifications.providers.base.sending import ProviderError
from notifications.providers.ses import findings as judge
from notifications.providers.ses.backend import Ses, client_params, watch_connections
from notifications.providers.ses.settings import settings
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

T = TypeVar("T")
Answer = dict[str, Any]

NOT_THERE = "NotFoundException"
# What SES calls the reasons for which an address is on the account's list. Who unsubscribed is on none.
REASONS = {Reason.HARD_BOUNCE: "BOUNCE", Reason.SOFT_BOUNCES: "BOUNCE", Reason.COMPLAINT: "COMPLAINT"}
# An IAM policy may allow ses:SendEmail and nothing else.
NOT_ALLOWED = {"AccessDeniedException"}
# SES takes one question a second of everything that is not sending:
# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
PAUSE_S = 1.1


class SesAccount(Account):
    """Keeps the account's answer for a moment, because SES answers once a second."""

    provider = "ses"
    spf_include = "amazonses.com"

    def __init__(self) -> None:
        self._known: tuple[float, Answer] | None = None

    def quota(self) -> Quota | None:
        limits = self._account()["SendQuota"]
        try:
            per_day = int(limits["Max24HourSend"])
            return Quota(
                per_second=float(limits["MaxSendRate"]),
                # -1: there is none.
                per_day=None if per_day < 0 else per_day,
                sent_today=int(limits["SentLast24Hours"]),
            )
        except (KeyError, TypeError, ValueError):
            failure = unreadable()
        raise failure

    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        if reason and self._listed_for(address) != REASONS.get(reason):
            return False
        delete = partial(self._client.delete_suppressed_destination, EmailAddress=address)
        try:
            answer = self._patiently(lambda: self._ask(delete))
        except ProviderError as error:
            if error.code == NOT_THERE:
                return False
            raise
        # Done is said without a body, so that any page with a 200 would say it too: but AWS always numbers its answers.
        if "RequestId" not in answer["ResponseMetadata"]:
            raise unreadable()
        return True

    def _listed_for(self, address: str) -> str:
        # SES lists an address for one reason; "" if it is not listed.
        found = self._find(lambda: self._client.get_suppressed_destination(EmailAddress=address))
        if found is None:
            return ""
        listed = found.get("SuppressedDestination")
        if not isinstance(listed, dict):
            raise unreadable()
        return str(listed.get("Reason"))

    def inspect(self) -> list[Finding]:
        try:
            found = judge.account(self._patiently(self._account))
        except ProviderError as error:
            if error.code not in NOT_ALLOWED:
                hint = "Give boto3 credentials of SES_REGION that may call ses:SendEmail."
                return [no_access(error, hint, address="SES_REGION and SES_ENDPOINT_URL")]
            text = "accepted, but they may not read the account: neither quota nor sandbox are known"
            found = [note("credentials", MAY_NOT_LOOK, text, "Allow ses:GetAccount.")]
        found += inspect_part("sender", lambda: judge.identity(self._identities), not_allowed=NOT_ALLOWED)
        return found + inspect_part("reports", self._reports, not_allowed=NOT_ALLOWED)

    def dkim_names(self) -> list[str]:
        return judge.dkim_names(self._identities)

    @cached_property
    def _client(self) -> "SESV2Client":
        params = client_params()
        try:
            # A session of its own: the default one is not safe between threads.
            made: SESV2Client = Session().client(
                "sesv2",
                region_name=params["region_name"],
                endpoint_url=params.get("endpoint_url"),
                config=Config(**params["config"]),
            )
        except ValueError:
            text = "SES_REGION or SES_ENDPOINT_URL cannot be used"
            failure = ProviderError(ErrorClass.MISCONFIGURED, "endpoint", text)
        else:
            watch_connections(made)
            return made
        raise failure

    @cached_property
    def _identities(self) -> dict[str, Answer]:
        # The address, its domain and those above, as far as SES has them.
        names = [sender_address(), *with_parents(sender_domain())]
        answers = {name: self._identity(name) for name in names}
        return {name: answer for name, answer in answers.items() if answer is not None}

    def _identity(self, name: str) -> Answer | None:
        return self._find(lambda: self._client.get_email_identity(EmailIdentity=name))

    def _account(self) -> Answer:
        if self._known is None or time.monotonic() - self._known[0] > PAUSE_S:
            answer = self._ask(self._get_account)
            self._known = (time.monotonic(), answer)
        return self._known[1]

    def _get_account(self) -> Answer:
        answer = self._client.get_account()
        # Any 2xx, a proxy's page too, becomes an answer; without its fields an account would look paused.
        if "SendQuota" not in answer:
            raise unreadable()
        return dict(answer)

    def _reports(self) -> list[Finding]:
        name = settings.SES_CONFIGURATION_SET or self._default_configuration_set()
        if not name:
            return [judge.no_configuration_set()]
        found = self._find(lambda: self._client.get_configuration_set(ConfigurationSetName=name))
        if found is None:
            return [judge.missing_configuration_set(name)]
        listed = self._find(lambda: self._client.get_configuration_set_event_destinations(ConfigurationSetName=name))
        return judge.configuration_set(name, found, (listed or {}).get("EventDestinations", []))

    def _default_configuration_set(self) -> str:
        names = [answer.get("ConfigurationSetName") for answer in self._identities.values()]
        return next((str(name) for name in names if name), "")

    def _find(self, question: Callable[[], Any]) -> Answer | None:
        """Return the answer, or None if there is no such thing. Raises ProviderError.

        An operator waits, so it asks again after a pause if SES is asked too often.
        """
        try:
            return dict(self._patiently(lambda: self._ask(question)))
        except ProviderError as error:
            if error.code == NOT_THERE:
                return None
            raise

    def _patiently(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except ProviderError as error:
            if error.error_class is not ErrorClass.RATE_LIMITED:
                raise
        time.sleep(PAUSE_S)
        return question()

    def close(self) -> None:
        # Close them before a finalizer has to; the client can be used again.
        if client := self.__dict__.get("_client"):
            client.close()

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            with within(settings.PROVIDER_DEADLINE_S):
                return question()
        except ProviderError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: botocore stumbles over answers that are not AWS' own
            failure = Ses().translate(error)
        finally:
            self.close()
        # Raised outside the handler: the foreign exception must not travel along as the context of ours.
        raise failure
