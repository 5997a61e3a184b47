"""What no postman can deliver is refused before it is printed."""

from __future__ import annotations

import pytest

from app.playbooks.loader import load
from workers.postal import LINE_CHARS_MAX, Undeliverable, check_address


@pytest.mark.parametrize(
    ("country", "lines", "code", "town"),
    [
        ("FI", ["Airline Oy", "Satama 1", "FI-00100 Helsinki"], "00100", "Helsinki"),
        ("FI", ["Airline Oy", "PL 5", "00101 HELSINKI", "Finland"], "00101", "HELSINKI"),
        ("SE", ["Bolag AB", "Box 7", "111 22 Stockholm"], "111 22", "Stockholm"),
        ("DE", ["GmbH", "Ringstr. 4", "D-22335 Hamburg"], "22335", "Hamburg"),
        ("FR", ["SA", "18 rue des Pistes", "69125 Lyon CEDEX 03"], "69125", "Lyon CEDEX 03"),
        ("FR", ["MTV", "BP 80 303", "75 823 Paris Cedex 17"], "75 823", "Paris Cedex 17"),
        ("GB", ["Air plc", "4 Apron Road, London TW6 2GW"], "TW6 2GW", "London"),
        ("GB", ["Air plc", "4 Apron Road", "LONDON", "TW6 2GW"], "TW6 2GW", "LONDON"),
        ("US", ["Clinic", "900 Hollow Drive", "Columbus, OH 43215"], "43215", "Columbus"),
        ("FI", ["Clinic", "900 Hollow Drive", "Columbus OH 43215-1234", "USA"], "43215-1234",
         "Columbus"),
    ],
)  # fmt: skip
def test_an_address_as_its_country_writes_it_is_taken_apart(
    country: str, lines: list[str], code: str, town: str
) -> None:
    found = check_address(lines, country)
    assert (found.code, found.town, found.known) == (code, town, True)
    assert found.street and found.name == lines[0]


def test_the_country_on_the_last_line_wins_over_the_one_on_file() -> None:
    found = check_address(["Clinic", "900 Hollow Drive", "Columbus, OH 43215", "USA"], "FI")
    assert (found.country, found.region) == ("US", "OH")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "no_address"),
        (["Airline Oy"], "no_address"),
        (["Airline Oy", "  "], "no_address"),
        (["Airline Oy", "Satama 1", "Helsinki"], "no_postal_code"),
        (["Airline Oy", "Satama 1", "0100 Helsinki"], "no_postal_code"),
        (["Airline Oy", "Satama 1", "00100"], "no_postal_code"),
        (["Airline Oy", "00100 Helsinki"], "no_street"),
        (["Airline Oy", "x" * (LINE_CHARS_MAX + 1), "00100 Helsinki"], "line_too_long"),
        (["Airline Oy", "Satama\u202e 1", "00100 Helsinki"], "unprintable"),
        (["Airline Oy", *"abcdefg", "00100 Helsinki"], "too_many_lines"),
    ],
)
def test_what_nobody_can_deliver_is_refused_by_name(lines: list[str], code: str) -> None:
    with pytest.raises(Undeliverable) as refused:
        check_address(lines, "FI")
    assert refused.value.code == code


def test_a_country_we_do_not_know_is_let_through_with_a_mark() -> None:
    found = check_address(["Airline", "Strada 1", "010101 Bucuresti"], "RO")
    assert not found.known and found.street == ("Strada 1", "010101 Bucuresti")


def test_every_body_that_is_written_to_has_an_address_a_postman_can_deliver() -> None:
    checked = set()
    for playbook in load().values():
        country = playbook.jurisdiction.partition("-")[0]
        for body in playbook.bodies:
            if body.address:
                check_address([body.name, *body.address], country)
                checked.add(body.id)
    assert len(checked) >= 4
