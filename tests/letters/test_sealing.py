"""A sealed letter shows who sealed it and when, and that no byte has changed since."""

import io
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from typer.testing import CliRunner

from letters import render
from letters.sealing import (
    KeyFile,
    KeyToken,
    Seal,
    SealDisturbed,
    SealUnusable,
    development_seal,
    verify,
)
from letters.specimen import specimen
from ops.cli import app

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return development_seal(tmp_path_factory.mktemp("seal"), AT)


@pytest.fixture(scope="module")
def letter() -> bytes:
    return render.render(specimen("contact", "en")).pdf


@pytest.fixture(scope="module")
def sealed(made: Path, letter: bytes) -> bytes:
    return Seal(made, KeyFile(made)).seal(letter, AT)


def test_a_seal_adds_to_the_file_and_says_the_time_it_was_given(
    made: Path, letter: bytes, sealed: bytes
) -> None:
    (seal,) = verify(sealed, made)
    assert (seal.good, seal.intact, seal.whole, seal.ours) == (True, True, True, True)
    assert seal.at == AT and seal.stamped_at is None
    assert sealed.startswith(letter)
    assert verify(letter) == []


def test_the_same_letter_sealed_for_the_same_moment_is_the_same_bytes(
    made: Path, letter: bytes, sealed: bytes
) -> None:
    again = Seal(made, KeyFile(made))
    assert again.seal(letter, AT) == sealed
    assert again.seal(letter, AT.replace(minute=1)) != sealed


@pytest.mark.parametrize("where", [0.05, 0.5, 0.97])
def test_one_changed_byte_breaks_the_seal(sealed: bytes, letter: bytes, where: float) -> None:
    at = letter.index(b"stream") + 40 if where < 0.1 else int(len(letter) * where)
    changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    try:
        seals = verify(changed)
    except ValueError:
        return  # no longer a file that can be read
    assert not any(seal.good for seal in seals)


def test_what_is_added_behind_the_seal_is_seen(made: Path, sealed: bytes, tmp_path: Path) -> None:
    """An incremental update, as a reader's "save" makes it."""
    longer = tmp_path / "longer.pdf"
    with pikepdf.open(io.BytesIO(sealed)) as document:
        xref = int(sealed.rstrip().splitlines()[-2])
        size = int(document.trailer.Size)
        root = document.Root.objgen[0]
    entry = f"{size} 0 obj\n<< /Note (more) >>\nendobj\n".encode()
    start = len(sealed)
    table = (
        f"xref\n{size} 1\n{start:010d} 00000 n \ntrailer\n<< /Size {size + 1} /Root {root} 0 R"
        f" /Prev {xref} >>\nstartxref\n{start + len(entry)}\n%%EOF\n"
    )
    longer.write_bytes(sealed + entry + table.encode())
    (seal,) = verify(longer.read_bytes(), made)
    assert seal.intact and not seal.whole and not seal.good


def test_another_verifier_accepts_the_seal_and_rejects_a_changed_byte(
    sealed: bytes, letter: bytes, tmp_path: Path
) -> None:
    """Poppler's pdfsig, with NSS below it: none of our libraries."""
    program = shutil.which("pdfsig")
    if program is None:
        pytest.skip("poppler's pdfsig is not installed")
    at = letter.index(b"stream") + 40
    changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    said = []
    for name, pdf in (("as.pdf", sealed), ("changed.pdf", changed)):
        (tmp_path / name).write_bytes(pdf)
        shown = subprocess.run(
            [program, str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        said.append(shown.stdout)
    assert "Signature is Valid" in said[0] and "Total document signed" in said[0]
    assert "ETSI.CAdES.detached" in said[0]
    assert "Digest Mismatch" in said[1] and "Signature is Valid" not in said[1]


def test_a_seal_of_another_certificate_is_not_ours(sealed: bytes, tmp_path: Path) -> None:
    (seal,) = verify(sealed, development_seal(tmp_path, AT))
    assert seal.intact and seal.ours is False and not seal.good


def test_the_development_seal_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = development_seal(tmp_path / "new", AT)
    first = path.read_bytes()
    assert development_seal(tmp_path / "new", AT.replace(year=2027)).read_bytes() == first
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in (tmp_path / "new").iterdir()] == [path.name]


def test_what_cannot_seal_says_why(made: Path, letter: bytes, tmp_path: Path) -> None:
    other = development_seal(tmp_path, AT)
    for certificate, key, why in (
        (tmp_path / "none.pem", KeyFile(made), "cannot be read"),
        (made, KeyFile(tmp_path / "none.pem"), "cannot be read"),
        (made, KeyFile(other), "does not belong"),
        (made, KeyToken(tmp_path / "none.so", "token", "key"), "does not answer"),
    ):
        with pytest.raises(SealUnusable, match=why):
            Seal(certificate, key).seal(letter, AT)


def test_a_timestamp_authority_that_is_away_is_asked_again_later(made: Path, letter: bytes) -> None:
    with pytest.raises(SealDisturbed):
        Seal(made, KeyFile(made), "http://127.0.0.1:9/tsa").seal(letter, AT)


def test_the_command_tells_a_good_letter_from_a_changed_and_a_bare_one(
    made: Path, letter: bytes, sealed: bytes, tmp_path: Path
) -> None:
    at = letter.index(b"stream") + 40
    files = {
        "good": sealed,
        "changed": sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :],
        "bare": letter,
        "noise": b"no pdf at all",
    }
    ends = {}
    for name, pdf in files.items():
        (tmp_path / name).write_bytes(pdf)
        asked = ["letters", "verify", str(tmp_path / name), "--certificate", str(made)]
        ends[name] = CliRunner().invoke(app, asked).exit_code
    assert ends == {"good": 0, "changed": 1, "bare": 1, "noise": 2}
