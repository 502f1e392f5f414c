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
# The errors of SendEmail and the common ones of AWS, each with or without "Exception" at its end, and in capitals the
# statuses of SendBulkEmail for one entry:
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
_SES_THROTTLES = ("TooManyRequestsException", "Throttling", "LimitExceededException")
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_BulkEmailEntryResult.html
_REJECTED = ("MessageRejected", "MESSAGE_REJECTED")
ROWS = (
    row(QUOTA_SPENT.after(DAILY_QUOTA_PAUSE_S), *_SES_THROTTLES, text="Daily", name="daily-quota"),
    row(QUOTA_SPENT.after(DAILY_QUOTA_PAUSE_S), "ACCOUNT_DAILY_QUOTA_EXCEEDED", name="daily-quota"),
    row(
        THROTTLED,
        *(*_SES_THROTTLES, "RequestThrottled", "Throttled", "SlowDown"),
        *("RequestLimitExceeded", "BandwidthLimitExceeded", "ACCOUNT_THROTTLED"),
    ),
    # In the sandbox the recipient is not verified, which also depends on our account. Texts of AWS and its emulators.
    row(REFUSES_SOME, *_REJECTED, text="not verified|not have authority to send"),
    row(REFUSES_US, *_REJECTED, "BadRequestException", text=r"sending.{0,40}(paused|suspended|disabled)"),
    row(INACTIVE, *_REJECTED, text="blacklisted|suppression list"),
    row(
        MESSAGE_REFUSED,
        *(*_REJECTED, "BadRequestException", "InvalidParameterValue"),
        *("ValidationException", "SerializationException", "INVALID_PARAMETER"),
    ),
    row(
        REFUSES_US,
        *("SendingPausedException", "AccountSuspendedException", "AccountSendingPausedException"),
        *("ConfigurationSetSendingPausedException", "ConfigurationSetDoesNotExistException"),
        *("MailFromDomainNotVerifiedException", "NotFoundException", "OptInRequired", "NotAuthorized"),
        *("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "IncompleteSignature"),
        *("MissingAuthenticationToken", "AccessDenied", "ExpiredToken"),
        *("RequestExpired", "RequestTimeTooSkewed", "InvalidSignatureException"),
        *("ACCOUNT_SUSPENDED", "ACCOUNT_SENDING_PAUSED", "CONFIGURATION_SET_SENDING_PAUSED"),
        *("CONFIGURATION_SET_NOT_FOUND", "MAIL_FROM_DOMAIN_NOT_VERIFIED", "INVALID_SENDING_POOL_NAME"),
        "TEMPLATE_NOT_FOUND",
    ),
    row(OUTAGE, "InternalServiceErrorException", "InternalFailure", "ServiceUnavailable"),
    row(OUTAGE, "TRANSIENT_FAILURE", "FAILED"),
)
