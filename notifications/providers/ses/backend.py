"""Amazon SES, API v2, through Anymail and boto3."""

import re
from http import HTTPStatus
from typing import Any

from anymail.backends.amazon_ses import AmazonSESV2SendEmailPayload, EmailBackend
from anymail.backends.base import BasePayload
from botocore import exceptions as boto
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.answers import RawAnswer, read_answer, sentence
from notifications.providers.base.backend import Provider, RobustPostSend
from notifications.providers.base.batch import BatchBackend, BatchMessage, Entry
from notifications.providers.base.compose import tracking_metadata
from notifications.providers.base.deadline import WatchedConnection, begin_request
from notifications.providers.base.failures import unknown
from notifications.providers.base.http import is_untrusted, retry_after_s
from notifications.providers.base.sending import Accepted, OutgoingEmail, ProviderError
from notifications.providers.ses import bulk
from notifications.providers.ses.answers import ROWS
from notifications.providers.ses.settings import settings
from notifications.rules.retry import ErrorClass

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


ERROR_HEADER = "x-amzn-errortype"
# The form of AWS' error names; other text could contain personal data.
_CODE = re.compile("[A-Za-z]{1,64}")


# The type checker rejects botocore's overrides of urllib3's methods.
class _Http(WatchedConnection, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _Https(WatchedConnection, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _HttpPool(AWSHTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _Https


class SesBackend(RobustPostSend, BatchBackend, EmailBackend):  # type: ignore[misc]
    batch_payload = bulk.SesBulk

    def open(self) -> bool:
        created: bool = super().open()
        if created:
            watch_connections(self.client)
        return created

    def build_message_payload(self, message: EmailMultiAlternatives, defaults: Any) -> BasePayload:
        payload = super().build_message_payload(message, defaults)
        for part in payload.mime_message.walk() if isinstance(payload, AmazonSESV2SendEmailPayload) else ():
            # Anymail would encode an attached email, which Django 6 marks as 8-bit, and fail.
            if part.get_content_maintype() == "message":
                del part["Content-Transfer-Encoding"]
        return payload


def watch_connections(client: Any) -> None:
    # Lets a deadline shut down the client's connections. botocore has no public access to them; if this one changes, a
    # test fails.
    pools = client._endpoint.http_session._pool_classes_by_scheme  # noqa: SLF001
    pools.update(http=_HttpPool, https=_HttpsPool)
    client.meta.events.register("before-send", _begin)


def _begin(**_: Any) -> None:
    begin_request()


class Ses(Provider):
    name = "ses"
    title = "Amazon SES"
    usual_rate = 10
    answers = ROWS
    error_shape = "`x-amzn-ErrorType`"
    marks_requests = True
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

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingEmail) -> None:
        # SES events contain the tags even if the headers, and the metadata in them, are cut off.
        tags = [{"Name": name, "Value": value} for name, value in tracking_metadata(mail).items()]
        authored = getattr(message, "esp_extra", {})
        message.esp_extra = {**authored, "EmailTags": [*authored.get("EmailTags", []), *tags]}  # type: ignore[attr-defined]

    @property
    def largest_batch(self) -> int:
        return bulk.MOST_ENTRIES if settings.SES_BULK else 1

    def require_fit(self, entry: Entry) -> None:
        bulk.require_fit(entry)

    def answers_to(self, message: BatchMessage) -> list[Accepted | ProviderError]:
        results = message.anymail_status.esp_response["BulkEmailEntryResults"]  # type: ignore[attr-defined]
        return [_answer_to_one(result) for result in results]

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
    # With its default retries, boto3 sends the same email up to three times.
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
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    wait_s = retry_after_s(headers.get("retry-after"), headers.get("date"))
    return _error_of(parse_client_error(error.response), wait_s)


def _error_of(answer: RawAnswer, wait_s: float | None = None) -> ProviderError:
    meaning, name = read_answer(ROWS, answer)
    detail = sentence(answer.text) if answer.has_shape else ""
    return meaning.error(name or answer.code or f"http-{answer.status}", detail, retry_after_s=wait_s)


def _answer_to_one(result: dict[str, Any]) -> Accepted | ProviderError:
    if result.get("Status") != "SUCCESS":
        return _error_of(bulk.raw_result(result))
    return Accepted(result["MessageId"])


def parse_client_error(answer: Any) -> RawAnswer:
    # botocore also finds codes in pages of other servers: from status 500 on, AWS' header must be there.
    found, metadata = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    status, code = metadata.get("HTTPStatusCode", 0), found.get("Code", "")
    is_aws = status < HTTPStatus.INTERNAL_SERVER_ERROR or ERROR_HEADER in metadata.get("HTTPHeaders", {})
    return RawAnswer(
        status=status,
        code=code if is_aws and _CODE.fullmatch(code) else "",
        text=str(found.get("Message", "")),
    )
