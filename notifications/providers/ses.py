"""Amazon SES, API v2, through Anymail and boto3."""

import re
from typing import Any

from anymail.backends.amazon_ses import EmailBackend
from botocore import exceptions as boto
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base import HeedlessPostSend, Provider, unknown
from notifications.providers.compose import ATTEMPT_KEY, MESSAGE_ID_KEY
from notifications.providers.deadline import WatchedConnection
from notifications.providers.http import is_redirect, is_untrusted
from notifications.providers.mail import ErrorClass, OutgoingMail, ProviderError

DAILY_QUOTA_RETRY_S = 600.0

# The errors of SendEmail and the general ones of AWS:
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
CODES = {
    "TooManyRequestsException": ErrorClass.RATE_LIMITED,
    "ThrottlingException": ErrorClass.RATE_LIMITED,
    "Throttling": ErrorClass.RATE_LIMITED,
    "LimitExceededException": ErrorClass.RATE_LIMITED,
    "MessageRejected": ErrorClass.PERMANENT,
    "BadRequestException": ErrorClass.PERMANENT,
    "SendingPausedException": ErrorClass.MISCONFIGURED,
    "AccountSuspendedException": ErrorClass.MISCONFIGURED,
    "MailFromDomainNotVerifiedException": ErrorClass.MISCONFIGURED,
    "NotFoundException": ErrorClass.MISCONFIGURED,
    "InvalidClientTokenId": ErrorClass.MISCONFIGURED,
    "UnrecognizedClientException": ErrorClass.MISCONFIGURED,
    "SignatureDoesNotMatch": ErrorClass.MISCONFIGURED,
    "MissingAuthenticationTokenException": ErrorClass.MISCONFIGURED,
    "AccessDeniedException": ErrorClass.MISCONFIGURED,
    "RequestExpired": ErrorClass.MISCONFIGURED,
    "InvalidSignatureException": ErrorClass.MISCONFIGURED,
    "ExpiredTokenException": ErrorClass.MISCONFIGURED,
    "ExpiredToken": ErrorClass.MISCONFIGURED,
    "InternalServiceErrorException": ErrorClass.TRANSIENT,
}
# For codes that are not in the table. 502 and 504 are missing: what stands behind a gateway may have taken the mail.
STATUS = {
    403: ErrorClass.MISCONFIGURED,
    404: ErrorClass.MISCONFIGURED,
    413: ErrorClass.PERMANENT,
    429: ErrorClass.RATE_LIMITED,
    500: ErrorClass.TRANSIENT,
    503: ErrorClass.TRANSIENT,
}
NO_CONNECTION = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError)
NO_SETUP = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
    boto.NoRegionError,
    boto.InvalidRegionError,
    boto.ProfileNotFound,
)


# What MessageRejected says where it is about the identity: AWS' words, and those of its emulators.
UNVERIFIED = ("not verified", "not have authority to send")
# AWS' own names of errors; anything else in their place could be somebody's text.
_CODE = re.compile("[A-Za-z]{1,64}")


# botocore's own override of urllib3's methods is what the checker objects to.
class _Http(WatchedConnection, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _Https(WatchedConnection, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _HttpPool(AWSHTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _Https


class SesBackend(HeedlessPostSend, EmailBackend):  # type: ignore[misc]
    def open(self) -> bool:
        created: bool = super().open()
        if created:
            watch(self.client)
        return created


def watch(client: Any) -> None:
    """Let a deadline shut down the connections of a boto3 client."""
    # botocore has no public way to its connections. Should this one close, this fails, and so does a test.
    pools = client._endpoint.http_session._pool_classes_by_scheme  # noqa: SLF001
    pools.update(http=_HttpPool, https=_HttpsPool)


class Ses(Provider):
    name = "ses"
    cured_by_reopening = frozenset(
        {"ExpiredTokenException", "ExpiredToken", "CredentialRetrievalError", "MetadataRetrievalError"}
    )

    def connect(self) -> BaseEmailBackend:
        made: BaseEmailBackend = SesBackend(
            client_params=client_params(),
            configuration_set_name=settings.SES_CONFIGURATION_SET or None,
        )
        return made

    def missing_settings(self) -> list[str]:
        return [] if settings.SES_REGION else ["SES_REGION"]

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingMail) -> None:
        # Tags come back in SES events also when the headers, and with them the metadata, were cut off.
        tags = {MESSAGE_ID_KEY: str(mail.message_id), ATTEMPT_KEY: str(mail.attempt)}
        message.esp_extra = {  # type: ignore[attr-defined]
            "EmailTags": [{"Name": name, "Value": value} for name, value in tags.items()]
        }

    def translate(self, error: Exception) -> ProviderError:
        cause = error.__cause__ or error
        if isinstance(cause, boto.ClientError):
            return from_client_error(cause)
        code = type(cause).__name__
        if isinstance(cause, NO_CONNECTION):
            return ProviderError(ErrorClass.TRANSIENT, code, "no connection to the provider")
        if isinstance(cause, NO_SETUP):
            return ProviderError(ErrorClass.MISCONFIGURED, code, "no usable AWS credentials or region")
        if isinstance(cause, boto.ParamValidationError):
            return ProviderError(ErrorClass.PERMANENT, code, "the message cannot be put into a request")
        if isinstance(cause, boto.SSLError) and is_untrusted(cause):
            return ProviderError(ErrorClass.MISCONFIGURED, "certificate", "the provider's certificate is not trusted")
        return unknown(cause)


def client_params() -> dict[str, Any]:
    """Return boto3's settings. Its own retries are off: with the default the same mail is sent up to three times."""
    params: dict[str, Any] = {
        "region_name": settings.SES_REGION or None,
        "config": {
            "retries": {"total_max_attempts": 1, "mode": "standard"},
            "connect_timeout": settings.PROVIDER_CONNECT_TIMEOUT_S,
            "read_timeout": settings.PROVIDER_READ_TIMEOUT_S,
            "max_pool_connections": 1,
        },
    }
    if settings.SES_ENDPOINT_URL:
        params["endpoint_url"] = settings.SES_ENDPOINT_URL
    return params


def from_client_error(error: boto.ClientError) -> ProviderError:
    """Return what an answer of AWS means. The texts are matched where one code stands for two things."""
    code = error.response.get("Error", {}).get("Code", "")
    text = error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if not _CODE.fullmatch(code):
        code = f"http-{status}"
    if is_redirect(status):
        return ProviderError(ErrorClass.MISCONFIGURED, code, "the API address answers with a redirect")
    error_class = CODES.get(code) or STATUS.get(status, ErrorClass.AMBIGUOUS)
    if error_class is ErrorClass.RATE_LIMITED and "Daily" in text:
        return ProviderError(error_class, "daily-quota", "used up for now", retry_after_s=DAILY_QUOTA_RETRY_S)
    if code == "MessageRejected" and any(words in text for words in UNVERIFIED):
        return ProviderError(
            ErrorClass.MISCONFIGURED, code, "the sender (or, in the sandbox, recipient) is not verified"
        )
    return ProviderError(error_class, code)
