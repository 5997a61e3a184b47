"""A barcode that a scanner reads back: taken apart here by the standard's table turned round."""

from __future__ import annotations

from uuid import UUID

import pytest

from letters.code128 import START_C, STOP, WIDTHS, bars
from letters.covers import key_digits


def widths_of(black: list[tuple[int, int]]) -> str:
    """Bars and the spaces between them, as a scanner measures them."""
    widths = ""
    for (first, width), following in zip(black, [*black[1:], None], strict=True):
        widths += str(width)
        if following is not None:
            widths += str(following[0] - first - width)
    return widths


def test_the_table_keeps_the_rules_of_the_symbology() -> None:
    """ISO/IEC 15417 4.2: eleven modules, three bars of an even sum, none like another."""
    assert len(WIDTHS) == len(set(WIDTHS)) == START_C + 1
    for widths in WIDTHS:
        each = [int(width) for width in widths]
        assert sum(each) == 11 and max(each) <= 4
        assert sum(each[::2]) % 2 == 0


@pytest.mark.parametrize("key", [UUID(int=0), UUID(int=2**128 - 1), UUID(int=0x0190F3A1 << 96)])
def test_the_bars_say_the_key_and_their_check_is_right(key: UUID) -> None:
    widths = widths_of(bars(key_digits(key)))
    assert widths.endswith(STOP)
    symbols = [widths[at : at + 6] for at in range(0, len(widths) - len(STOP), 6)]
    start, *values, check = [WIDTHS.index(symbol) for symbol in symbols]
    assert start == START_C
    assert check == (start + sum(at * v for at, v in enumerate(values, start=1))) % 103
    assert UUID(int=int("".join(f"{value:02d}" for value in values))) == key


@pytest.mark.parametrize("digits", ["", "123", "12a4", "١٢"])
def test_anything_but_pairs_of_digits_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match="even number"):
        bars(digits)
