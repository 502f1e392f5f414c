"""Rows of the error tables that no test server can trigger."""

import anymail.exceptions as anymail
import pytest
import requests
from botocore import exceptions as boto

from notifications.providers.base.checked import BadHeaderError
from notifications.providers.base.failures import Stage, before_the_wire, with_evidence
from notifications.providers.base.http import from_transport
from notifications.providers.base.sending import ProviderError
from notifications.providers.ses.backend import Ses
from notifications.rules.retry import ErrorClass

A, M, P, T = ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED, ErrorClass.PERMANENT, ErrorClass.TRANSIENT
URL = "https://canary.example.com/"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (anymail.AnymailInvalidAddress("canary"), P),
        (anymail.AnymailUnsupportedFeature("canary"), P),
        (anymail.AnymailSerializationError("canary"), P),
        (anymail.AnymailRecipientsRefused("canary"), P),
        (BadHeaderError("canary"), P),
        (anymail.AnymailConfigurationError("canary"), M),
        (anymail.AnymailImproperlyInstalled("canary", "canary"), M),
        (UnicodeEncodeError("latin-1", "canary", 0, 1, "no"), M),
        (RuntimeError("canary"), None),
        (AssertionError("canary"), None),
        (anymail.AnymailAPIError("canary"), None),
    ],
)
def test_error_before_sending_is_translated_by_its_type(error, expected):
    found = before_the_wire(error)
    assert (found and found.error_class) is expected
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (boto.EndpointConnectionError(endpoint_url=URL), T),
        (boto.ConnectTimeoutError(endpoint_url=URL), T),
        (boto.ProxyConnectionError(proxy_url=URL), T),
        (boto.ReadTimeoutError(endpoint_url=URL), A),
        (boto.ConnectionClosedError(endpoint_url=URL), A),
        (boto.HTTPClientError(error=RuntimeError("canary")), A),
        (boto.SSLError(endpoint_url=URL, error=OSError("[SSL: CERTIFICATE_VERIFY_FAILED] canary")), M),
        (boto.SSLError(endpoint_url=URL, error=OSError("hostname 'canary' doesn't match 'a'")), M),
        (boto.SSLError(endpoint_url=URL, error=OSError("[SSL: TLSV1_ALERT_INTERNAL_ERROR] canary")), A),
        (boto.NoCredentialsError(), M),
        (boto.PartialCredentialsError(provider="env", cred_var="canary"), M),
        (boto.CredentialRetrievalError(provider="env", error_msg="canary"), M),
        (boto.MetadataRetrievalError(error_msg="canary"), M),
        (boto.NoRegionError(), M),
        (boto.ProfileNotFound(profile="canary"), M),
        (boto.ParamValidationError(report="canary"), P),
        (boto.BotoCoreError(), A),
        (RuntimeError("canary"), A),
    ],
)
def test_error_of_botocore_is_translated_by_the_wrapped_exception(cause, expected):
    wrapped = anymail.AnymailAPIError("canary")
    wrapped.__cause__ = cause
    found = Ses().translate(wrapped)
    assert found.error_class is expected
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.exceptions.ConnectTimeout("canary"), T),
        (requests.exceptions.ProxyError("canary"), T),
        (requests.exceptions.ReadTimeout("canary"), A),
        (requests.exceptions.ConnectionError("canary"), A),
        (requests.exceptions.ChunkedEncodingError("canary"), A),
        (requests.exceptions.SSLError("canary"), A),
        (requests.exceptions.InvalidHeader("canary"), M),
        (requests.exceptions.InvalidURL("canary"), M),
        (requests.exceptions.ContentDecodingError("canary"), A),
        (AssertionError("canary"), A),
    ],
)
def test_error_of_requests_is_translated_by_its_type(error, expected):
    found = from_transport(error)
    assert found.error_class is expected
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("stage", "error", "carried_nothing", "expected"),
    [
        (Stage.COMPOSING, TypeError(), False, P),
        (Stage.OPENING, ConnectionResetError(), False, T),
        (Stage.OPENING, AttributeError(), False, M),
        (Stage.SENDING, ConnectionResetError(), True, T),
        (Stage.SENDING, ConnectionResetError(), False, A),
        (Stage.SENDING, RuntimeError(), False, A),
    ],
)
def test_failure_is_ambiguous_without_proof(stage, error, carried_nothing, expected):
    failure = ProviderError(A, "code")
    assert with_evidence(failure, error, stage, carried_nothing=carried_nothing).error_class is expected
