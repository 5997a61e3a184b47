"""Code 128 (ISO/IEC 15417), set C: pairs of digits as bars, which every hand scanner reads."""

from __future__ import annotations

from typing import Final

START_C: Final = 105
STOP: Final = "2331112"
CHECK_MODULUS: Final = 103
QUIET_MODULES: Final = 10  # white on both sides
# Widths of bar, space, bar, space, bar, space in modules for the values 0 to 105.
_TABLE: Final = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232"
    " 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122"
    " 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311"
    " 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113"
    " 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422"
    " 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111"
    " 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121"
    " 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412"
    " 211214 211232"
)
WIDTHS: Final = tuple(_TABLE.split(" "))


def bars(digits: str) -> list[tuple[int, int]]:
    """(first module, width in modules) of each black bar, from 0, without the quiet zones.

    Raises ValueError for anything but an even number of digits.
    """
    if not (digits and digits.isascii() and digits.isdigit() and len(digits) % 2 == 0):
        raise ValueError("an even number of digits")
    values = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    check = (START_C + sum(at * value for at, value in enumerate(values, start=1))) % CHECK_MODULUS
    widths = "".join(WIDTHS[value] for value in (START_C, *values, check)) + STOP
    black, place = [], 0
    for at, width in enumerate(map(int, widths)):
        if at % 2 == 0:
            black.append((place, width))
        place += width
    return black
