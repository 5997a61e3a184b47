"""Shared input types: what they take, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.domain.errors import InvalidInput
from app.routers import ROUTERS
from app.schemas import (
    Amount,
    AmountMinor,
    BirthDate,
    Count,
    CountryCode,
    Currency,
    Date,
    Email,
    Flag,
    Id,
    In,
    LanguageCode,
    Line,
    MoneyIn,
    Name,
    Out,
    Reference,
    Text,
)

BAD: list[tuple[Any, list[Any]]] = [
    (
        Date,
        [
            "0001-01-01",
            "9999-12-31",
            "1989-12-31",
            "2101-01-01",
            "2025-02-29",
            "2025-13-01",
            "2025-1-1",
            "2025-01-01T00:00:00",
            "24:00",
            20250101,
            1.5,
            True,
            None,
            "",
            "١٩٩٩-٠١-٠١",
            " 2025-01-01",
            "2025-01-01\n",
        ],
    ),
    (BirthDate, ["1899-12-31", "9999-01-01", 0]),
    (
        Amount,
        [
            "1,234.56",
            "1.234,56",
            "1 234",
            "١٢٣",
            "-1",
            "+1",
            "1e3",
            "01",
            ".5",
            "5.",
            "",
            "NaN",
            "0.1234",
            "9" * 13,
            12,
            12.5,
            True,
            None,
            "12.30\n",
            "\u00a012",
        ],
    ),
    (AmountMinor, [0, -1, 2**63, 10**12, 1.5, "1", True, None]),
    (Currency, ["eur", "EUR ", "XXX", "EURO", "E", "", 978, None, "ЕUR"]),
    (CountryCode, ["fi", "FIN", "F1", ""]),
    (LanguageCode, ["EN", "eng", ""]),
    (Flag, ["true", 1, 0, "yes", None]),
    (Count, ["1", 1.0, -1, True, 10**7]),
    (
        Id,
        [
            "{01980000-0000-7000-8000-000000000000}",
            "urn:uuid:01980000-0000-7000-8000-000000000000",
            "0198000000007000800000000000000a",
            5,
            "",
            b"0" * 16,
        ],
    ),
    (Reference, ["RC-0000000", "RC-00000001", "x" * 100, "RC-UUUUUUUU", 5]),
    (
        Name,
        [
            "",
            " ",
            "\u200b",
            "a\u0000",
            "a\nb",
            "a\u2028b",
            "a\u202eb",
            "a\u2066b",
            "x" * 121,
            "a" + "\u0301" * 10_000,
            "\ue000",
            "\x1b[31m",
            5,
            None,
            ["a"],
        ],
    ),
    (Line, ["a\rb", "x" * 201]),
    (Text, ["x" * 10_001, "a\x00b", "a\x08b"]),
    (Email, ["a@b", "a@b.c d", "a\u200b@b.fi", "ä@b.fi", "a@bücher.example", "a@-b.fi", 5]),
]


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, values in BAD for v in values])
def test_a_value_out_of_bounds_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


GOOD: list[tuple[Any, Any, Any]] = [
    (Name, "  Anna  ", "Anna"),
    (Name, "A\u030angstro\u0308m", "Ångström"),
    (Name, "O'Brien-Núñez", "O'Brien-Núñez"),
    (Name, "👨‍👩‍👧", "👨‍👩‍👧"),
    (Text, "a\r\nb\tc\n", "a\nb\tc"),
    (Email, "Anna.V+x@Posti.FI", "anna.v+x@posti.fi"),
    (Email, "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
    (Currency, "JPY", "JPY"),
    (Amount, "0.10", "0.10"),
    (Amount, "1234567.8", "1234567.8"),
    (AmountMinor, 1, 1),
    (Flag, False, False),
]


@pytest.mark.parametrize(("kind", "value", "kept"), GOOD)
def test_a_good_value_is_normalised(kind: Any, value: Any, kept: Any) -> None:
    assert TypeAdapter(kind).validate_python(value) == kept


def test_two_spellings_of_one_address_are_one() -> None:
    email = TypeAdapter(Email)
    assert email.validate_python("anna@posti.fi") == email.validate_python(" ANNA@POSTI.fi")


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.5", "JPY"), ("1.234", "EUR"), ("1.2345", "KWD")]
)
def test_an_amount_has_the_decimals_of_its_currency(amount: str, currency: str) -> None:
    with pytest.raises((InvalidInput, ValidationError)):
        MoneyIn(amount=amount, currency=currency).money()


@pytest.mark.parametrize("amount", ["0", "0.00"])
def test_an_amount_of_nothing_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput):
        MoneyIn(amount=amount, currency="EUR").money()


def test_inputs_refuse_unknown_fields_and_answers_have_no_defaults() -> None:
    class Body(In):
        name: Name

    with pytest.raises(ValidationError):
        Body.model_validate({"name": "x", "role": "admin"})
    answers = all_answers(Out)
    assert len(answers) > 10
    for model in answers:
        for name, field in model.model_fields.items():
            assert field.is_required(), f"{model.__name__}.{name} has a default"


def all_answers(root: type[Out]) -> list[type[Out]]:
    assert ROUTERS, "importing the routers defines every model"
    found = []
    for model in root.__subclasses__():
        found += [model, *all_answers(model)]
    return found
