"""The result of rendering: plain bytes, for parent and child alike."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RenderedLetter:
    """A finished letter: the PDF, the lower-case hex SHA-256 of its bytes, its page count."""

    pdf: bytes
    sha256: str
    pages: int
