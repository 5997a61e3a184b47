"""Loads the national account numbers that stand beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

System = Literal["sie", "datev"]
_FILE = Path(__file__).with_name("account_mapping.yaml")


@cache
def account_numbers(system: System) -> Mapping[str, str]:
    """Our account -> its number in that chart; read once per process."""
    document = yaml.load(_FILE.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return {str(name): str(number) for name, number in document[system]["accounts"].items()}
