"""`./run chaos`: the whole crash programme, with its counts.

Kills the worker at every step of every pipeline (lease 1 s), once per pipeline with the real lease,
and stops PostgreSQL, empties and kills Redis and freezes workers in mid-flow. Takes about half an
hour on two processors; a sample by seed is part of every test run.
"""

from __future__ import annotations

import sys

import pytest


def main(arguments: list[str]) -> int:
    """Further arguments go to pytest (`-k sweep` runs one pipeline)."""
    return int(pytest.main(["-q", "-s", "-m", "chaos", "tests/chaos", *arguments]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
