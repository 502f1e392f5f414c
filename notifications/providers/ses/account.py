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
# SES' names of the reasons for which an address is on the account's list. Unsubscribed addresses are on none.
REASONS = {Reason.HARD_BOUNCE: "BOUNCE", Reason.SOFT_BOUNCES: "BOUNCE", Reason.COMPLAINT: "COMPLAINT"}
# An IAM policy may allow only ses:SendEmail.
NOT_ALLOWED = {"AccessDeniedException"}
# SES accepts one request per second, except for sending:
# https://docs.aws.amazon.com/ses/latest/dg/quotas.html
PAUSE_S = 1.1


class SesAccount(Account):
    """An SES account. It reuses the answer of GetAccount for PAUSE_S."""

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
                # -1: no limit.
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
        # A success has no body, like any empty page with status 200, but each answer of AWS has a request id.
        if "RequestId" not in answer["ResponseMetadata"]:
            raise unreadable()
        return True

    def _listed_for(self, address: str) -> str:
        # SES has one reason for each listed address; "" if the address is not listed.
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
                hint = "Give boto3 credentials that may call ses:SendEmail in SES_REGION."
                return [no_access(error, hint, address="SES_REGION and SES_ENDPOINT_URL")]
            text = "accepted, but they must not read the account: quota and sandbox are unknown"
            found = [note("credentials", MAY_NOT_LOOK, text, "Allow ses:GetAccount.")]
        found += inspect_part("sender", lambda: judge.identity(self._identities), not_allowed=NOT_ALLOWED)
        return found + inspect_part("reports", self._reports, not_allowed=NOT_ALLOWED)

    def dkim_names(self) -> list[str]:
        return judge.dkim_names(self._identities)

    @cached_property
    def _client(self) -> "SESV2Client":
        params = client_params()
        try:
            # A separate session: threads must not share the default one.
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
        # Of the address, its domain and parent domains, those that SES knows.
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
        # Any page with a status 2xx becomes an answer; without these fields the account would look paused.
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
        """Return the answer, or None if SES does not know the item. Raises ProviderError.

        Repeats a throttled request once after a pause, because an operator waits.
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
        # Close the connections now, not in a finalizer; the client can be used again.
        if client := self.__dict__.get("_client"):
            client.close()

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            with within(settings.PROVIDER_DEADLINE_S):
                return question()
        except ProviderError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: botocore fails in many ways if the answer is not AWS's
            failure = Ses().translate(error)
        finally:
            self.close()
        # Raised outside the handler, so that the library's exception is not its context.
        raise failure
