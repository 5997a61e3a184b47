"""Logs hold fields from a list, and no values of anything else."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.logs import DROPPED, configure_logs, get_logger


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs(level="info", release="r1", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers = []


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_listed_fields_are_written_and_others_only_by_name(written: io.StringIO) -> None:
    get_logger().info("effect_sent", effect_id="e1", email="anna@posti.example", attempt=2)
    (line,) = lines(written)
    assert (line["event"], line["effect_id"], line["attempt"]) == ("effect_sent", "e1", 2)
    assert line["email"] == DROPPED
    assert line["release"] == "r1"
    assert "anna" not in written.getvalue()


def test_an_exception_is_written_by_type_and_place_without_its_text(written: io.StringIO) -> None:
    try:
        raise ValueError("IBAN FI2112345600000785 is wrong")
    except ValueError:
        get_logger().exception("unhandled_error")
    (line,) = lines(written)
    assert line["error"] == "builtins.ValueError"
    assert "test_logs.py" in line["exception"]
    assert "FI21" not in written.getvalue()


def test_what_libraries_log_is_written_without_its_text(written: io.StringIO) -> None:
    logging.getLogger("some.library").error("user %s failed", "anna@posti.example")
    (line,) = lines(written)
    assert (line["event"], line["logger"], line["level"]) == (
        "library_message",
        "some.library",
        "error",
    )
    assert "anna" not in written.getvalue()


def test_access_logs_with_addresses_and_queries_are_off(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("GET /?token=secret")
    logging.getLogger("uvicorn.access").error("GET /?token=secret")
    assert written.getvalue() == ""


def test_a_value_cannot_forge_a_line_or_fill_the_disk(written: io.StringIO) -> None:
    get_logger().info("x", code='a\n{"event": "forged"}\x1b[31m', state="s" * 10_000)
    (line,) = lines(written)
    assert "\n" not in line["code"]
    assert "\x1b" not in line["code"]
    assert len(line["state"]) == 200


def test_debug_is_off_at_info(written: io.StringIO) -> None:
    get_logger().debug("quiet")
    assert written.getvalue() == ""
