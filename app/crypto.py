"""Personal data at rest: one data key per subject, wrapped by a key the database never sees.

Envelope encryption (AES-256-GCM). A subject (a consumer) has one data key; its fields are encrypted
with it; the data key itself is stored wrapped by a key encryption key (KEK) from a file, whose id
stands in the header of the wrapped key, so that several KEKs can be valid while one is replaced.
Destroying the row of the data key erases every field of that subject, also in later backups.

The additional data bind each ciphertext to table, column and row: moved elsewhere, it fails.

Layout of a field:        version (1 byte) || nonce (12) || ciphertext and tag
Layout of a wrapped key:  version (1) || length of key id (1) || key id || nonce (12) || ciphertext
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.domain.errors import RecourseError
from app.settings import Settings

KEY_BYTES = 32
NONCE_BYTES = 12  # the size GCM is specified for; a data key encrypts far fewer than 2^32 fields
FIELD_VERSION = b"\x01"
WRAP_VERSION = b"\x02"
KEY_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}", re.ASCII)
BLIND_INDEX = "blind-index"
KEYS_MAX = 16  # more live KEKs than this means that nobody finished a rotation


class CryptoError(RecourseError):
    """Something about keys or ciphertexts is wrong; never the fault of a caller."""

    kind = "unavailable"
    code = "data_not_readable"


class KeyMissing(CryptoError):
    """A wrapped data key names a KEK that this installation does not have."""


class CiphertextRefused(CryptoError):
    """The ciphertext was altered, or belongs to another row, column or subject."""


class DataErased(RecourseError):
    """The subject's data key was destroyed: the fields are gone for good."""

    kind = "not_found"
    code = "data_erased"


class KeyFileInvalid(CryptoError):
    """The key file cannot be used as it stands."""


@dataclass(frozen=True, repr=False)
class Keyring:
    """The keys that live outside the database.

    `keys` maps key id to KEK (32 bytes); `active` is the one new data keys are wrapped with;
    `index_key` makes blind indexes and has no other use.
    """

    keys: Mapping[str, bytes]
    active: str
    index_key: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.keys) <= KEYS_MAX:
            raise KeyFileInvalid(f"between 1 and {KEYS_MAX} keys are needed")
        if self.active not in self.keys:
            raise KeyFileInvalid("the active key is not among the keys")
        for key_id, key in self.keys.items():
            if not KEY_ID_PATTERN.fullmatch(key_id):
                raise KeyFileInvalid("a key id may hold a-z, 0-9, dot, dash, underscore")
            if len(key) != KEY_BYTES:
                raise KeyFileInvalid("every key must be 32 bytes", key_id=key_id)
        if len(self.index_key) != KEY_BYTES:
            raise KeyFileInvalid("the index key must be 32 bytes")

    def __repr__(self) -> str:
        return f"Keyring(active={self.active!r}, keys={sorted(self.keys)!r})"

    def wrap(self, data_key: bytes, *, subject_id: UUID) -> bytes:
        """The data key under the active KEK, bound to its subject."""
        head = self.active.encode()
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self.keys[self.active]).encrypt(nonce, data_key, _wrap_aad(subject_id))
        return WRAP_VERSION + bytes([len(head)]) + head + nonce + sealed

    def unwrap(self, wrapped: bytes, *, subject_id: UUID) -> bytes:
        """The data key back. Raises KeyMissing or CiphertextRefused."""
        key_id, nonce, sealed = _split_wrapped(wrapped)
        kek = self.keys.get(key_id)
        if kek is None:
            raise KeyMissing("the key this data was locked with is not installed", key_id=key_id)
        try:
            return AESGCM(kek).decrypt(nonce, sealed, _wrap_aad(subject_id))
        except InvalidTag:
            raise CiphertextRefused("a data key does not open for this subject") from None

    def blind_index(self, purpose: str, value: str) -> bytes:
        """An HMAC by which equal values can be found without storing them (16 bytes).

        `purpose` separates columns (`iban`, `iban_tail`), so that equal values in two columns do
        not show. Normalise the value first (`normal_iban`).
        """
        message = purpose.encode() + b"\x00" + value.encode()
        return hmac.digest(self.index_key, message, "sha256")[:16]

    def new_cipher(self, subject_id: UUID) -> tuple[SubjectCipher, bytes]:
        """A fresh data key for a subject: the cipher to use now and the wrapped key to store."""
        data_key = secrets.token_bytes(KEY_BYTES)
        return SubjectCipher(subject_id, data_key), self.wrap(data_key, subject_id=subject_id)

    def cipher(self, subject_id: UUID, wrapped: bytes | None) -> SubjectCipher:
        """The cipher of a stored data key; None (destroyed) raises DataErased."""
        if wrapped is None:
            raise DataErased("this person's data has been erased")
        return SubjectCipher(subject_id, self.unwrap(wrapped, subject_id=subject_id))


class SubjectCipher:
    """Encrypts and decrypts the fields of one subject. `column` is `table.column`."""

    __slots__ = ("_aead", "_data_key", "subject_id")

    def __init__(self, subject_id: UUID, data_key: bytes) -> None:
        self.subject_id = subject_id
        self._data_key = data_key
        self._aead = AESGCM(data_key)

    def __repr__(self) -> str:
        return "SubjectCipher(...)"

    def derive(self, purpose: str) -> bytes:
        """A key for another use of this subject's; gone with the data key."""
        return derive(self._data_key, f"subject:{purpose}")

    def encrypt(self, plain: str, *, column: str, row_id: UUID) -> bytes:
        return self.seal(plain.encode(), column=column, row_id=row_id)

    def decrypt(self, stored: bytes, *, column: str, row_id: UUID) -> str:
        """The text back; raises CiphertextRefused when it was altered or moved."""
        return self.open(stored, column=column, row_id=row_id).decode()

    def seal(self, plain: bytes, *, column: str, row_id: UUID) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, plain, _field_aad(column, row_id))
        return FIELD_VERSION + nonce + sealed

    def open(self, stored: bytes, *, column: str, row_id: UUID) -> bytes:
        """The bytes back; raises CiphertextRefused when they were altered or moved."""
        if stored[:1] != FIELD_VERSION or len(stored) < 1 + NONCE_BYTES + 16:
            raise CiphertextRefused("a stored field has an unknown form", column=column)
        nonce, sealed = stored[1 : 1 + NONCE_BYTES], stored[1 + NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, sealed, _field_aad(column, row_id))
        except InvalidTag:
            raise CiphertextRefused(
                "a stored field does not open in this row", column=column
            ) from None


def wrapped_key_id(wrapped: bytes) -> str:
    """Which KEK a wrapped data key needs."""
    return _split_wrapped(wrapped)[0]


LINK_KEY = "login-link"  # purpose of the key behind login and invitation links


def derive(secret: str | bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose from the installation's secret (HKDF-SHA256).

    Keys for cursors, login links and case addresses are unrelated to each other this way.
    """
    material = secret.encode() if isinstance(secret, str) else secret
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"recourse:" + purpose.encode()).derive(
        material
    )


def token_for(key: bytes, name: str) -> str:
    """A 256-bit token that belongs to `name` (an effect id) and need not be stored to be sent."""
    return base64.urlsafe_b64encode(hmac.digest(key, name.encode(), "sha256")).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What is stored of a random token. Plain SHA-256 suffices: the token has 256 bits itself."""
    return sha256(token.encode()).digest()


def new_token(nbytes: int = 32) -> str:
    return secrets.token_urlsafe(nbytes)


def normal_iban(text: str) -> str:
    """Upper case, no spaces or other separators; what the blind index is made of."""
    if text.isascii() and text.isalnum():
        return text.upper()
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if c.isalnum()).upper()


def mask_iban(iban: str) -> str:
    """`FI21 1234 5600 0007 85` -> `FI** **** **** **07 85`: country and the last four."""
    plain = normal_iban(iban)
    hidden = plain[:2] + "*" * max(len(plain) - 6, 0) + plain[-4:] if len(plain) > 8 else "****"
    return " ".join(hidden[i : i + 4] for i in range(0, len(hidden), 4))


def mask_name(name: str) -> str:
    """`Anna Maria Virtanen` -> `A*** M*** V***`: lengths do not show."""
    return " ".join(f"{part[0]}***" for part in name.split()) or "***"


def mask_email(address: str) -> str:
    """`anna@posti.example` -> `a***@p***.example`."""
    local, _, domain = address.rpartition("@")
    if not local:
        return "***"
    host, _, top = domain.rpartition(".")
    return f"{local[0]}***@{host[:1]}***.{top}"


def load_keyring(settings: Settings) -> Keyring:
    """The keyring of an installation: the key file, else the setting, else (never in production)
    keys derived from the secret. Raises KeyFileInvalid; its message never quotes a key."""
    secret = settings.secret_key.get_secret_value()
    if settings.key_file is not None:
        try:
            lines = settings.key_file.read_text("ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            raise KeyFileInvalid("the key file cannot be read") from None
        return parse_keys(lines, secret=secret)
    if settings.keys is not None:
        return parse_keys(settings.keys.get_secret_value().splitlines(), secret=secret)
    return Keyring({"derived": derive(secret, "kek")}, "derived", derive(secret, BLIND_INDEX))


def parse_keys(lines: list[str], *, secret: str) -> Keyring:
    """Reads lines `<id> <base64 of 32 bytes>`: the first wraps, all unwrap.

    The reserved id `index` names the key of the blind indexes; without that line it is derived
    from the secret. Blank lines and lines that start with # are skipped.
    """
    keys: dict[str, bytes] = {}
    index_key = b""
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or words[0] in keys or (words[0] == "index" and index_key):
            raise KeyFileInvalid("a line of the key file is not understood", line=number)
        key = _key_bytes(words[1], number)
        if words[0] == "index":
            index_key = key
        else:
            keys[words[0]] = key
    if not keys:
        raise KeyFileInvalid("the key file holds no key")
    return Keyring(keys, next(iter(keys)), index_key or derive(secret, BLIND_INDEX))


def new_key_line(key_id: str) -> str:
    """A fresh line for the key file; put it first to make it the key that wraps."""
    return f"{key_id} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _key_bytes(encoded: str, line: int) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise KeyFileInvalid("a key is not base64", line=line) from None
    if len(key) != KEY_BYTES:
        raise KeyFileInvalid("every key must be 32 bytes", line=line)
    return key


def _split_wrapped(wrapped: bytes) -> tuple[str, bytes, bytes]:
    if wrapped[:1] != WRAP_VERSION or len(wrapped) < 2:
        raise CiphertextRefused("a wrapped key has an unknown form")
    end = 2 + wrapped[1]
    nonce, sealed = wrapped[end : end + NONCE_BYTES], wrapped[end + NONCE_BYTES :]
    if len(nonce) != NONCE_BYTES or len(sealed) != KEY_BYTES + 16:
        raise CiphertextRefused("a wrapped key is cut short")
    return wrapped[2:end].decode("ascii", "replace"), nonce, sealed


def _wrap_aad(subject_id: UUID) -> bytes:
    return b"data_keys.wrapped\x00" + subject_id.bytes


def _field_aad(column: str, row_id: UUID) -> bytes:
    assert column.count(".") == 1, "a column is named table.column"
    return column.encode() + b"\x00" + row_id.bytes
