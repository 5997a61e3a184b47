"""Loads the posting rules that stand beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from app.domain.posting_rules import PostingRules, parse_rules

_FILE = Path(__file__).with_name("posting_rules.yaml")


@cache
def load_posting_rules() -> PostingRules:
    """The rules in force; read once per process, PostingRefused when the file is wrong."""
    return parse_rules(yaml.load(_FILE.read_text("utf-8"), Loader=yaml.CSafeLoader))
