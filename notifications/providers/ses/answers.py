"""The meanings of Amazon SES' answers."""

from notifications.providers.base.answers.api import row
from notifications.providers.base.answers.meaning import (
    INACTIVE,
    MESSAGE_REFUSED,
    OUTAGE,
    QUOTA_SPENT,
    REFUSES_SOME,
    REFUSES_US,
    THROTTLED,
)

# AWS: "wait up to 10 minutes".
DAILY_QUOTA_PAUSE_S = 600.0
# The errors of SendEmail and the common ones of AWS, each with or without "Exception" at its end:
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
_SES_THROTTLES = ("TooManyRequestsException", "Throttling", "LimitExceededException")
ROWS = (
    row(QUOTA_SPENT.after(DAILY_QUOTA_PAUSE_S), *_SES_THROTTLES, text="Daily", name="daily-quota"),
    row(
        THROTTLED,
        *(*_SES_THROTTLES, "RequestThrottled", "Throttled", "SlowDown"),
        *("RequestLimitExceeded", "BandwidthLimitExceeded"),
    ),
    # In the sandbox the recipient is not verified, which also depends on our account. Texts of AWS and its emulators.
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
