"""Why a letter cannot be made. Every error is a sentence and carries a stable `code`.

This package imports nothing of the rest of the project, so these errors have a root of their
own; the caller translates them.
"""

import unicodedata


class LetterError(Exception):
    """Root of all refusals of this package."""

    code = "letter_error"


class LetterIncomplete(LetterError):
    """A mandatory field is missing or blank.

    `field` is the path inside the letter (`recipient.address_lines`), `source` the record that
    should have filled it (`company`, `agency profile`, ...): the place where a person repairs it.
    """

    code = "letter_incomplete"

    def __init__(self, field: str, source: str) -> None:
        super().__init__(f"the letter lacks {field}; it comes from: {source}")
        self.field = field
        self.source = source


class LetterInvalid(LetterError):
    """A field has a value that no letter may carry (wrong type, deadline before the date, ...)."""

    code = "letter_invalid"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


class LetterTooLarge(LetterError):
    """A field or the document passes a limit of `letters.limits`."""

    code = "letter_too_large"

    def __init__(self, field: str, limit: int, unit: str) -> None:
        super().__init__(f"{field} is larger than {limit} {unit}")
        self.field = field
        self.limit = limit
        self.unit = unit


class LetterUnprintable(LetterError):
    """The letters' fonts have no glyph for a character."""

    code = "letter_unprintable"

    def __init__(self, character: str, field: str) -> None:
        point = ord(character)
        name = unicodedata.name(character, "without a name")
        super().__init__(f"{field}: the letters' fonts cannot print U+{point:04X} ({name})")
        self.character = character
        self.field = field


class UnknownLetter(LetterError):
    """A stored letter has a kind or version that this code does not know."""

    code = "unknown_letter"

    def __init__(self, kind: str, version: str) -> None:
        super().__init__(f"no letter of kind {kind!r} in version {version!r} is known here")
        self.kind = kind
        self.version = version


class BadDocument(LetterError):
    """The finished PDF failed the output check; it must not be stored."""

    code = "bad_document"

    def __init__(self, why: str) -> None:
        super().__init__(f"the finished document was refused: {why}")
        self.why = why


class RenderFailed(LetterError):
    """The render child did not deliver.

    `kind`: `died` (killed from outside or crashed), `cpu` (its processor budget ran out),
    `timeout` (wall time), `memory`, `error` (an unexpected exception in the child), `closed`
    (the pool was closed). The same content may be tried again after `died` and `closed`.
    """

    code = "render_failed"

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"rendering failed ({kind})" + (f": {detail}" if detail else ""))
        self.kind = kind
        self.detail = detail
