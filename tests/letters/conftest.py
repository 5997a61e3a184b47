"""Letters to render and a warm renderer, shared by the tests of this folder."""

import pytest

from letters.content import LANGUAGES, LETTERS, AnyLetter
from letters.specimen import specimen

EVERY_LETTER = [(kind, language) for kind in LETTERS for language in LANGUAGES]
# Whole documents cost a tenth of a second each: every kind once, every language once or more.
PRINTED = [
    ("contact", "en"), ("reminder", "fi"), ("formal_notice", "fr"), ("complaint", "de"),
    ("contact", "sv"), ("formal_notice", "de"),
]  # fmt: skip


@pytest.fixture(params=PRINTED, ids=lambda each: "-".join(each))
def letter(request: pytest.FixtureRequest) -> AnyLetter:
    kind, language = request.param
    return specimen(kind, language)


@pytest.fixture(params=EVERY_LETTER, ids=lambda each: "-".join(each))
def any_letter(request: pytest.FixtureRequest) -> AnyLetter:
    """Every kind in every language: for what needs no PDF."""
    kind, language = request.param
    return specimen(kind, language)
