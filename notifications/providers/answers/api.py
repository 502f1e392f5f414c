"""What an answer of a provider's HTTP API means: one table for SES, SendGrid and Postmark. Pure.

An answer in the provider's own documented error shape proves that nothing was sent. Without it, a status from 500 on
may come from a gateway after the provider has accepted, and 400 says too little. The other statuses from 400 on mean
by HTTP itself that the request was not carried out, whoever answers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.providers.answers.meaning import (
    BAD_ADDRESS,
    INACTIVE,
    MESSAGE_REFUSED,
    OUTAGE,
    QUOTA_SPENT,
    REFUSES_SOME,
    REFUSES_US,
    THROTTLED,
    UNKNOWN,
    Meaning,
)
from notifications.providers.answers.words import worded

# AWS: "wait up to 10 minutes".
DAILY_QUOTA_PAUSE_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer, taken apart. `code` is the provider's own, "" where the answer has not the documented shape.

    `field` is the part of the request that the answer names.
    """

    status: int
    code: str = ""
    text: str = ""
    field: str = ""

    @property
    def has_shape(self) -> bool:
        return bool(self.code)


@dataclass(frozen=True, kw_only=True)
class Row:
    """The first row of a provider that has all of this decides. Empty: whatever it is."""

    meaning: Meaning
    codes: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    text: str = ""
    field: str = ""
    # What the attempt is filed under, if not under the code or status.
    name: str = ""

    def matches(self, said: Said) -> bool:
        return (
            (not self.codes or _short(said.code) in map(_short, self.codes))
            and (not self.statuses or said.status in self.statuses)
            and _has(self.text, worded(said.text))
            and _has(self.field, said.field)
        )


def _short(code: str) -> str:
    """Return a code as the older of AWS' two protocols has it."""
    return code.removesuffix("Exception")


def _has(pattern: str, text: str) -> bool:
    return not pattern or re.search(pattern, text, re.IGNORECASE) is not None


def row(meaning: Meaning, *codes: str, **more: str) -> Row:
    return Row(meaning=meaning, codes=frozenset(codes), **more)  # type: ignore[arg-type]


def status(meaning: Meaning, *statuses: int, **more: str) -> Row:
    return Row(meaning=meaning, statuses=frozenset(statuses), **more)  # type: ignore[arg-type]


# The errors of SendEmail and the general ones of AWS, each with "Exception" at its end or without:
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
_SES_THROTTLES = ("TooManyRequestsException", "Throttling", "LimitExceededException")
SES = (
    row(QUOTA_SPENT.after(DAILY_QUOTA_PAUSE_S), *_SES_THROTTLES, text="Daily", name="daily-quota"),
    row(
        THROTTLED,
        *(*_SES_THROTTLES, "RequestThrottled", "Throttled", "SlowDown"),
        *("RequestLimitExceeded", "BandwidthLimitExceeded"),
    ),
    # In the sandbox the recipient is meant, and that is our account's state too. AWS' words, and its emulators'.
    row(REFUSES_SOME, "MessageRejected", text="not verified|not have authority to send"),
    row(REFUSES_US, "MessageRejected", "BadRequestException", text=r"sending.{0,40}(paused|suspended|disabled)"),
    row(INACTIVE, "MessageRejected", text="blacklisted|suppression list"),
    row(
        MESSAGE_REFUSED,
        *("MessageRejected", "BadRequestException", "InvalidParameterValue"),
        *("ValidationException", "SerializationException"),
    ),
    row(
        REFUSES_US,
        *("SendingPausedException", "AccountSuspendedException", "AccountSendingPausedException"),
        *("ConfigurationSetSendingPausedException", "ConfigurationSetDoesNotExistException"),
        *("MailFromDomainNotVerifiedException", "NotFoundException", "OptInRequired", "NotAuthorized"),
        *("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "IncompleteSignature"),
        *("MissingAuthenticationToken", "AccessDenied", "ExpiredToken"),
        *("RequestExpired", "RequestTimeTooSkewed", "InvalidSignatureException"),
    ),
    row(OUTAGE, "InternalServiceErrorException", "InternalFailure", "ServiceUnavailable"),
)
# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses
SENDGRID = (
    status(
        QUOTA_SPENT,
        401,
        403,
        429,
        text="Maximum credits exceeded|exceeded your (messaging|sending) limit",
        name="credits-exhausted",
    ),
    status(REFUSES_US, 403, text="verified Sender Identity", name="sender-identity"),
    status(REFUSES_US, 400, field=r"^(from|reply_to)\b", name="sender-identity"),
    status(BAD_ADDRESS, 400, field=r"^personalizations\.\d+\.to\b", text="valid address|invalid email"),
    row(MESSAGE_REFUSED, "400"),
)
# https://postmarkapp.com/developer/api/overview#error-codes
POSTMARK = (
    row(BAD_ADDRESS, "300", text=r"^(Invalid|Error parsing) 'To'"),
    row(REFUSES_US, "300", text=r"^(Invalid|Error parsing) '(From|Reply-?To)'"),
    row(INACTIVE, "406"),
    # Of the only recipient there is.
    status(INACTIVE, 200, text="will not deliver to these inactive addresses", name="postmark-406"),
    row(THROTTLED, "429"),
    row(OUTAGE, "100"),
    # While Postmark looks at a new account, it takes email for our own domain alone.
    row(REFUSES_SOME, "412"),
    row(REFUSES_US, "10", "400", "401", "405", "413", "1226", "1235"),
)
TABLES = {"ses": SES, "sendgrid": SENDGRID, "postmark": POSTMARK}

# For what no row of the provider's knows: with the documented shape, and without.
SHAPED = (
    status(REFUSES_US, 401, 402, 403, 404, 405),
    status(OUTAGE, 408),
    status(THROTTLED, 429),
    Row(meaning=MESSAGE_REFUSED, statuses=frozenset(range(401, 500))),
    Row(meaning=OUTAGE, statuses=frozenset(range(500, 600))),
)
SHAPELESS = (
    status(REFUSES_US, 401, 403, 404, 405),
    status(MESSAGE_REFUSED, 413),
    status(THROTTLED, 429),
)
# An address that answers with a redirect is none of an API.
REDIRECT = Row(meaning=REFUSES_US, statuses=frozenset(range(300, 400)))


def read_answer(provider: str, said: Said) -> tuple[Meaning, str]:
    """Return what an answer that is no acceptance means, and the name of the row, "" where it has none."""
    found = _first((REDIRECT,), said) or _first(TABLES[provider], said)
    found = found or _first(SHAPED if said.has_shape else SHAPELESS, said)
    return (found.meaning, found.name) if found else (UNKNOWN, "")


def _first(rows: Iterable[Row], said: Said) -> Row | None:
    return next((one for one in rows if one.matches(said)), None)
