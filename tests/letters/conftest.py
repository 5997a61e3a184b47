"""Letters to render and a warm renderer, shared by the tests of this folder."""

import pytest

from letters.content import LETTERS, AnyLetter
from letters.specimen import specimen

EVERY_LETTER = [(kind, language) for kind in LETTERS for language in ("en", "fi")]


@pytest.fixture(params=EVERY_LETTER, ids=lambda each: "-".join(each))
def letter(request: pytest.FixtureRequest) -> AnyLetter:
    kind, language = request.param
    return specimen(kind, language)
