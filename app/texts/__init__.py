"""Words for people, by code: what history, dates, stages and agreements read like.

History and events hold codes (app.domain); the words are data (`<language>.yaml`) and are put in on
reading, in the reader's language, else English. A test holds the languages to the same codes.
"""

from app.texts.words import LANGUAGES, Words, words

__all__ = ["LANGUAGES", "Words", "words"]
