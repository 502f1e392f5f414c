"""Amazon SNS' signing certificates, fetched once and kept parsed."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from notifications.providers.base.webhook import CannotVerifyError, InvalidSignatureError
from notifications.providers.ses import fetching

SMALLEST_KEY_BITS = 2048
MOST_KEPT = 8
WAIT_FOR_ANOTHER_S = 3.0

# Amazon changes its certificate about once a year; each has a different URL.
_kept: OrderedDict[str, "Certificate"] = OrderedDict()
_fetching = threading.Lock()


@dataclass(frozen=True)
class Certificate:
    key: RSAPublicKey
    valid_from: datetime
    valid_until: datetime

    def verify(self, signature: bytes, signed: bytes, digest: HashAlgorithm) -> None:
        """Verify one signature. Raises InvalidSignatureError."""
        if not self.valid_from <= datetime.now(UTC) <= self.valid_until:
            raise InvalidSignatureError("the certificate has expired, or is not valid yet")
        try:
            self.key.verify(signature, signed, padding.PKCS1v15(), digest)
        except (InvalidSignature, UnsupportedAlgorithm) as error:
            raise InvalidSignatureError("the signature is wrong") from error


def parse_certificate(pem: bytes) -> Certificate:
    try:
        found = x509.load_pem_x509_certificate(pem)
        key = found.public_key()
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise InvalidSignatureError("no certificate") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
        raise InvalidSignatureError("the certificate's key is not of Amazon's type")
    return Certificate(key, found.not_valid_before_utc, found.not_valid_after_utc)


def fetched(url: str) -> Certificate:
    """Return the certificate at a checked `url`.

    Raises InvalidSignatureError and CannotVerifyError. Fetches one at a time: after the start many messages need the
    same certificate, and forged messages with different URLs must not occupy every thread.
    """
    if (known := _kept.get(url)) is not None:
        return known
    if not _fetching.acquire(timeout=WAIT_FOR_ANOTHER_S):
        raise CannotVerifyError("another certificate is being fetched")
    try:
        known = _kept.get(url)
        return _keep(url, parse_certificate(_download(url))) if known is None else known
    finally:
        _fetching.release()


def _download(url: str) -> bytes:
    answer = fetching.get(url)
    if len(answer.body) > fetching.LARGEST:
        raise InvalidSignatureError("the message's URL leads to no certificate")
    if answer.status != requests.codes.ok:
        # The URL is Amazon's, so the cause may be between us and Amazon.
        raise CannotVerifyError(f"no certificate from Amazon: status {answer.status}")
    return answer.body


def _keep(url: str, certificate: Certificate) -> Certificate:
    _kept[url] = certificate
    if len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return certificate


def from_file(path: str) -> Certificate:
    try:
        pem = Path(path).read_bytes()
    except OSError as error:
        raise CannotVerifyError("SNS_CERTIFICATE_FILE cannot be read") from error
    return parse_certificate(pem)
