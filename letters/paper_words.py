"""The sentences of the papers of account: templates/papers/<language>.yaml, one list per language
with the same names in each (a test compares them)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from letters.values import Language

FOLDER: Final = Path(__file__).parent / "templates" / "papers"
# A space before these signs never ends a line: "Facture :" in French, "25 %" everywhere.
_HELD: Final = re.compile(" (?=[:;!?%])")


@functools.cache
def paper_words(language: Language) -> Mapping[str, Any]:
    """Every sentence of a language by its name; blanks are filled by the template."""
    read = (FOLDER / f"{language}.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(read)
    return {name: _held(said) for name, said in loaded.items()}


def _held(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _held(part) for name, part in said.items()}
    return _HELD.sub("\N{NO-BREAK SPACE}", str(said))
