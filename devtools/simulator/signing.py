"""The keys with which the simulated providers sign their reports."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from devtools.stack.secret_files import write_private

SNS_NAME = "sns.amazonaws.com"
CERTIFICATE_LASTS = timedelta(days=3650)


@dataclass(frozen=True)
class Keys:
    """SendGrid signs with the curve's key, SNS with the RSA key of the PEM certificate."""

    curve: ec.EllipticCurvePrivateKey
    rsa: rsa.RSAPrivateKey
    certificate: bytes

    def public_curve(self) -> str:
        # As SendGrid shows it to its customers: base64 of DER.
        key = self.curve.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(key).decode()

    def sign_curve(self, data: bytes) -> str:
        # ECDSA over SHA-256.
        return base64.b64encode(self.curve.sign(data, ec.ECDSA(hashes.SHA256()))).decode()

    def sign_rsa(self, data: bytes) -> str:
        # RSA over SHA-256 with PKCS #1 v1.5: SNS's SignatureVersion 2.
        return base64.b64encode(self.rsa.sign(data, padding.PKCS1v15(), hashes.SHA256())).decode()


def certificate_file(folder: Path) -> Path:
    return folder / "sns-certificate.pem"


def kept_keys(folder: Path) -> Keys:
    """Return the keys in a folder that only its owner can read. Create the missing ones."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    curve, sns, certificate = folder / "sendgrid-key.pem", folder / "sns-key.pem", certificate_file(folder)
    if not curve.exists():
        write_private(curve, _pem(ec.generate_private_key(ec.SECP256R1())))
    if not (sns.exists() and certificate.exists()):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        write_private(sns, _pem(key))
        write_private(certificate, _certificate(key))
    curve_key = serialization.load_pem_private_key(curve.read_bytes(), None)
    rsa_key = serialization.load_pem_private_key(sns.read_bytes(), None)
    if not isinstance(curve_key, ec.EllipticCurvePrivateKey) or not isinstance(rsa_key, rsa.RSAPrivateKey):
        raise TypeError(f"the keys in {folder} are not of the kind that the simulator creates")
    return Keys(curve_key, rsa_key, certificate.read_bytes())


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _certificate(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SNS_NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Setting the clock back must not make it invalid.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SNS_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
