"""The seal of a letter: a PAdES signature (ETSI EN 319 142-1, level B-B, with a timestamp B-T) with
the agency's certificate, and the check of one.

Sealing adds to the finished file and changes no byte of it. With an RSA key and without a timestamp
the same file sealed for the same moment is the same bytes, so an interrupted seal may be repeated.
The signing library is loaded by the first seal, and never in a process that serves requests.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

FIELD: Final = "Seal"
DEVELOPMENT_NAME: Final = "Development seal, proves nothing"
DEVELOPMENT_DAYS: Final = 3650
KEY_BITS: Final = 3072
TIMESTAMP_SECONDS_MAX: Final = 10
# Hex digits kept free for the signature with its certificates: to measure instead signs twice.
RESERVED: Final = 16_384
RESERVED_WITH_STAMP: Final = 32_768


class SealUnusable(Exception):
    """Certificate and key cannot seal: a file is missing, the passphrase is wrong, they do not
    belong together, or the token does not answer. A sentence for an operator."""


class SealDisturbed(Exception):
    """The timestamp authority did not answer: to be tried again."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The key as a PEM file; `passphrase` where it is encrypted."""

    path: Path
    passphrase: bytes | None = None


@dataclass(frozen=True, slots=True)
class KeyToken:
    """The key in a token (PKCS#11): the module's library, the token's and the key's labels."""

    module: Path
    token: str
    key: str
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a seal is worth. `intact`: no byte that it covers has changed; `whole`: it covers the
    file to its last byte; `ours`: made with the certificate we were told to trust (None: told
    none). `at` is the time written in it, `stamped_at` that of a timestamp authority."""

    intact: bool
    whole: bool
    ours: bool | None
    signer: str
    fingerprint: str
    at: datetime | None
    stamped_at: datetime | None

    @property
    def good(self) -> bool:
        return self.intact and self.whole and self.ours is not False


class Seal:
    """Seals with one certificate. Not for two threads at a time (a token has one session)."""

    def __init__(
        self, certificate: Path, key: KeyFile | KeyToken, tsa_url: str | None = None
    ) -> None:
        self._certificate, self._key, self._tsa_url = certificate, key, tsa_url
        self._signer: Any = None

    def seal(self, pdf: bytes, at: datetime) -> bytes:
        """The file with a signature that names `at` as its time.

        Raises SealUnusable, and SealDisturbed when the timestamp authority does not answer."""
        # Lazy: a second and 27 MB that only a process that seals pays.
        from pyhanko.pdf_utils.generic import ArrayObject, ByteStringObject
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign import signers
        from pyhanko.sign.fields import SigSeedSubFilter

        # Lazy likewise.
        from pyhanko.sign.timestamps import TimestampRequestError

        class Writer(IncrementalPdfFileWriter):
            """Adds the signature and nothing of the hour: no changed dates, no random id."""

            def _update_meta(self) -> None:
                return

            @classmethod
            def _handle_id(cls, prev: Any) -> Any:
                first = prev.trailer["/ID"][0].original_bytes
                second = hashlib.sha256(first + b"sealed").digest()[:16]
                return ArrayObject([ByteStringObject(first), ByteStringObject(second)])

        class AtThatTime(signers.PdfSigner):
            def init_signing_session(self, *args: Any, **kwargs: Any) -> Any:
                session = super().init_signing_session(*args, **kwargs)
                session.system_time = at
                return session

        meta = signers.PdfSignatureMetadata(
            field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
        )
        writer, out = Writer(io.BytesIO(pdf)), io.BytesIO()
        try:
            signer = AtThatTime(meta, self._loaded(), timestamper=self._timestamper())
            signer.sign_pdf(
                writer,
                output=out,
                bytes_reserved=RESERVED if self._tsa_url is None else RESERVED_WITH_STAMP,
            )
        except (TimestampRequestError, OSError) as away:
            raise SealDisturbed(f"the timestamp authority did not answer: {away}") from away
        return out.getvalue()

    def _loaded(self) -> Any:
        if self._signer is None:
            certificates = certificates_of(self._certificate)
            if isinstance(self._key, KeyFile):
                self._signer = _file_signer(certificates, self._key)
            else:
                self._signer = _token_signer(certificates, self._key)
        return self._signer

    def _timestamper(self) -> Any:
        if self._tsa_url is None:
            return None
        # Lazy, as in `seal`.
        from pyhanko.sign.timestamps.requests_client import HTTPTimeStamper

        make: Any = HTTPTimeStamper  # its constructor has no types
        return make(self._tsa_url, timeout=TIMESTAMP_SECONDS_MAX)


def certificates_of(path: Path) -> list[x509.Certificate]:
    """The certificate of a PEM file and the chain behind it. Raises SealUnusable."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as reason:
        raise SealUnusable(f"the seal's certificate {path} cannot be read: {reason}") from reason


def _file_signer(certificates: list[x509.Certificate], key: KeyFile) -> Any:
    # Lazy, as in `Seal.seal`.
    from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    try:
        pem = key.path.read_bytes()
        private = serialization.load_pem_private_key(pem, key.passphrase)
    except (OSError, ValueError, TypeError) as reason:
        raise SealUnusable(f"the seal's key {key.path} cannot be read: {reason}") from reason
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    encoding = serialization.Encoding.DER
    if private.public_key().public_bytes(encoding, form) != certificates[0].public_key(
    ).public_bytes(encoding, form):  # fmt: skip
        raise SealUnusable(f"the seal's key {key.path} does not belong to its certificate")
    own, *chain = (
        next(iter(load_certs_from_pemder_data(one.public_bytes(encoding)))) for one in certificates
    )
    make: Any = SimpleCertificateStore  # its constructor has no types
    store = make()
    store.register_multiple(chain)

    class WarmSigner(signers.SimpleSigner):
        """Keeps an RSA key as it was read: reading it anew for every letter cost 200 ms."""

        def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
            if not isinstance(private, rsa.RSAPrivateKey) or digest_algorithm != "sha256":
                return bytes(super().sign_raw(data, digest_algorithm))
            return private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    return WarmSigner(
        signing_cert=own,
        signing_key=load_private_key_from_pemder_data(pem, key.passphrase),
        cert_registry=store,
    )


def _token_signer(certificates: list[x509.Certificate], key: KeyToken) -> Any:
    # Lazy, as in `Seal.seal`.
    from pkcs11.exceptions import PKCS11Error
    from pyhanko.config.pkcs11 import TokenCriteria
    from pyhanko.keys import load_certs_from_pemder_data
    from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

    own, *chain = (
        next(iter(load_certs_from_pemder_data(one.public_bytes(serialization.Encoding.DER))))
        for one in certificates
    )
    try:
        session = open_pkcs11_session(
            str(key.module), token_criteria=TokenCriteria(label=key.token), user_pin=key.pin
        )
    except (PKCS11Error, OSError, RuntimeError) as reason:
        raise SealUnusable(f"the token {key.token} does not answer: {reason!r}") from reason
    return PKCS11Signer(session, signing_cert=own, ca_chain=chain, key_label=key.key)


def verify(pdf: bytes, trusted: Path | None = None) -> list[Verdict]:
    """What each seal in the file is worth, in the order they were set; empty: there is none.

    Raises ValueError for what is no PDF file."""
    # Lazy, as in `Seal.seal`.
    from pyhanko.pdf_utils.misc import PdfReadError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature

    # Lazy likewise.
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    known = None
    if trusted is not None:
        known = {one.fingerprint(hashes.SHA256()).hex() for one in certificates_of(trusted)}
    try:
        signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    except (PdfReadError, ValueError) as reason:
        raise ValueError(f"this is no PDF file that can be read: {reason}") from reason
    found = []
    for one in signatures:
        certificate = one.signer_cert
        # Whom the certificate belongs to is told by its fingerprint; no certificate is fetched.
        context = ValidationContext(trust_roots=[certificate], allow_fetching=False)
        status = validate_pdf_signature(one, context)
        stamp = status.timestamp_validity
        found.append(
            Verdict(
                intact=status.intact and status.valid,
                whole=status.coverage == SignatureCoverageLevel.ENTIRE_FILE,
                ours=None if known is None else certificate.sha256.hex() in known,
                signer=certificate.subject.human_friendly,
                fingerprint=certificate.sha256.hex(),
                at=one.self_reported_timestamp,
                stamped_at=stamp.timestamp if stamp is not None and stamp.valid else None,
            )
        )
    return found


def development_seal(folder: Path, now: datetime) -> Path:
    """The file with certificate and key of an installation that has no certificate of its own;
    made at the first call. It proves nothing to anybody."""
    path = folder / "seal-development.pem"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, written = tempfile.mkstemp(dir=folder, suffix=".new")  # readable for us alone
    with os.fdopen(handle, "wb") as file:
        file.write(_self_signed(now))
    try:
        os.link(written, path)  # refuses where another process was first: then its file counts
    except FileExistsError:
        return path
    finally:
        os.unlink(written)
    return path


def _self_signed(now: datetime) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEVELOPMENT_NAME)])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DEVELOPMENT_DAYS))
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
