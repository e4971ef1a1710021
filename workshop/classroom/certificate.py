"""The classroom's TLS certificate: it vouches for one address, and signs no other certificate."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

CERTIFICATE, KEY = "room.pem", "room.key"
_DAYS = 90
# The clock of a laptop that was off for long may be slow.
_DAYS_BEFORE = 2


class Certificate(NamedTuple):
    """A certificate and its key, as PEM files; `fingerprint` is what a browser shows."""

    path: Path
    key: Path
    fingerprint: str


def ensure(folder: Path, host: str) -> Certificate:
    """Return the certificate in `folder`, or make one if it is for another host or too old.

    A classroom that starts again keeps its fingerprint.
    """
    path, key = folder / CERTIFICATE, folder / KEY
    if not (path.exists() and key.exists() and _is_valid(path.read_bytes(), host)):
        _write(path, key, host)
    der = x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
    return Certificate(path, key, format_fingerprint(der))


def format_fingerprint(der: bytes) -> str:
    """Return the SHA-256 fingerprint of a certificate: pairs of hex digits with colons."""
    return hashlib.sha256(der).digest().hex(":").upper()


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _is_valid(pem: bytes, host: str) -> bool:
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError:
        return False
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return _name(host) in names and found.not_valid_after_utc > datetime.now(UTC) + timedelta(1)


def _write(path: Path, key_path: Path, host: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "workshop classroom")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(_DAYS_BEFORE))
        .not_valid_after(now + timedelta(_DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key_path.unlink(missing_ok=True)
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
