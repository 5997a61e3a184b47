"""Personal data at rest."""

from __future__ import annotations

import base64
import secrets
from uuid import uuid4

import pytest

from app.crypto import (
    CiphertextRefused,
    DataErased,
    KeyFileInvalid,
    KeyMissing,
    Keyring,
    derive,
    mask_email,
    mask_iban,
    mask_name,
    new_key_line,
    normal_iban,
    parse_keys,
    token_for,
    wrapped_key_id,
)

SECRET = "s" * 40
COLUMN = "consumers.iban"


def keyring(*ids: str) -> Keyring:
    return Keyring(
        {i: secrets.token_bytes(32) for i in ids or ("k1",)},
        (ids or ("k1",))[0],
        secrets.token_bytes(32),
    )


def test_a_field_opens_again_in_its_own_row() -> None:
    subject, row = uuid4(), uuid4()
    cipher, _ = keyring().new_cipher(subject)
    stored = cipher.encrypt("FI2112345600000785", column=COLUMN, row_id=row)
    assert b"FI21" not in stored
    assert cipher.decrypt(stored, column=COLUMN, row_id=row) == "FI2112345600000785"


def test_equal_texts_have_different_ciphertexts() -> None:
    subject, row = uuid4(), uuid4()
    cipher, _ = keyring().new_cipher(subject)
    assert cipher.encrypt("x", column=COLUMN, row_id=row) != cipher.encrypt(
        "x", column=COLUMN, row_id=row
    )


def test_a_ciphertext_moved_to_another_row_column_or_subject_is_refused() -> None:
    ring, row = keyring(), uuid4()
    cipher, _ = ring.new_cipher(uuid4())
    other, _ = ring.new_cipher(uuid4())
    stored = cipher.encrypt("secret", column=COLUMN, row_id=row)
    with pytest.raises(CiphertextRefused):
        cipher.decrypt(stored, column=COLUMN, row_id=uuid4())
    with pytest.raises(CiphertextRefused):
        cipher.decrypt(stored, column="consumers.name", row_id=row)
    with pytest.raises(CiphertextRefused):
        other.decrypt(stored, column=COLUMN, row_id=row)


@pytest.mark.parametrize("position", range(0, 40, 3))
def test_any_altered_byte_is_noticed(position: int) -> None:
    row = uuid4()
    cipher, _ = keyring().new_cipher(uuid4())
    stored = bytearray(cipher.encrypt("twelve bytes", column=COLUMN, row_id=row))
    stored[position] ^= 1
    with pytest.raises(CiphertextRefused):
        cipher.decrypt(bytes(stored), column=COLUMN, row_id=row)


@pytest.mark.parametrize("length", [0, 1, 5, 12, 28])
def test_a_cut_ciphertext_is_refused_and_not_a_crash(length: int) -> None:
    row = uuid4()
    cipher, wrapped = keyring().new_cipher(uuid4())
    stored = cipher.encrypt("text", column=COLUMN, row_id=row)
    with pytest.raises(CiphertextRefused):
        cipher.decrypt(stored[:length], column=COLUMN, row_id=row)
    with pytest.raises(CiphertextRefused):
        keyring().unwrap(wrapped[:length], subject_id=uuid4())


def test_a_wrapped_key_names_its_kek_and_opens_only_for_its_subject() -> None:
    ring, subject = keyring("k7"), uuid4()
    _, wrapped = ring.new_cipher(subject)
    assert wrapped_key_id(wrapped) == "k7"
    with pytest.raises(CiphertextRefused):
        ring.cipher(uuid4(), wrapped)


def test_an_old_kek_still_opens_after_rotation_and_a_missing_one_is_named() -> None:
    old, subject, row = keyring("k1"), uuid4(), uuid4()
    cipher, wrapped = old.new_cipher(subject)
    stored = cipher.encrypt("text", column=COLUMN, row_id=row)
    both = Keyring({"k2": secrets.token_bytes(32), **old.keys}, "k2", old.index_key)
    assert both.cipher(subject, wrapped).decrypt(stored, column=COLUMN, row_id=row) == "text"
    with pytest.raises(KeyMissing) as caught:
        keyring("k2").cipher(subject, wrapped)
    assert caught.value.params == {"key_id": "k1"}


def test_a_destroyed_key_says_erased() -> None:
    with pytest.raises(DataErased):
        keyring().cipher(uuid4(), None)


def test_blind_indexes_find_equal_ibans_however_written_and_differ_by_column_and_key() -> None:
    ring = keyring()
    written = ("FI21 1234 5600 0007 85", "fi2112345600000785", "FI21\u00a01234\u200b5600000785")
    assert len({ring.blind_index("iban", normal_iban(text)) for text in written}) == 1
    plain = normal_iban(written[0])
    assert ring.blind_index("iban", plain) != ring.blind_index("iban_tail", plain)
    assert ring.blind_index("iban", plain) != keyring().blind_index("iban", plain)


def test_representations_show_no_key() -> None:
    ring = keyring("k1")
    cipher, _ = ring.new_cipher(uuid4())
    shown = f"{ring!r}{ring!s}{cipher!r}{cipher!s}"
    for key in (*ring.keys.values(), ring.index_key):
        assert key.hex() not in shown
        assert repr(key)[2:-1] not in shown
        assert base64.b64encode(key).decode() not in shown


def test_the_first_line_of_a_key_file_wraps_and_all_unwrap() -> None:
    ring = parse_keys(["# keys", "", new_key_line("k2"), new_key_line("k1")], secret=SECRET)
    assert ring.active == "k2"
    assert set(ring.keys) == {"k1", "k2"}
    assert ring.index_key == derive(SECRET, "blind-index")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["k1"],
        ["k1 !!!"],
        ["k1 " + base64.b64encode(b"short").decode()],
        ["K! " + base64.b64encode(bytes(32)).decode()],
        [new_key_line("k1"), new_key_line("k1")],
        [new_key_line("index")],
    ],
)
def test_a_bad_key_file_is_refused_without_quoting_it(lines: list[str]) -> None:
    with pytest.raises(KeyFileInvalid) as caught:
        parse_keys(lines, secret=SECRET)
    for line in lines:
        for word in line.split()[1:]:
            assert word not in str(caught.value)


def test_a_derived_token_has_256_bits_and_belongs_to_its_name_and_key() -> None:
    key = derive(SECRET, "login-link")
    assert len(base64.urlsafe_b64decode(token_for(key, "a") + "=")) == 32
    assert token_for(key, "a") == token_for(key, "a")
    assert (
        len({token_for(key, "a"), token_for(key, "b"), token_for(derive(SECRET, "other"), "a")})
        == 3
    )


def test_masks_hide_all_but_what_a_person_needs() -> None:
    assert mask_iban("fi21 1234 5600 0007 85") == "FI** **** **** **07 85"
    assert mask_iban("123") == "****"
    assert mask_name("Anna Maria Virtanen") == "A*** M*** V***"
    assert mask_name(" ") == "***"
    assert mask_email("anna@posti.example") == "a***@p***.example"
