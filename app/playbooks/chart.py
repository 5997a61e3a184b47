"""Loads the chart of accounts that stands beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from app.domain.chart import Account

_FILE = Path(__file__).with_name("chart.yaml")


@cache
def load_chart() -> tuple[Account, ...]:
    """Every account, by book and number; read once per process."""
    document = yaml.load(_FILE.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return tuple(Account(**row) for row in document["accounts"])
