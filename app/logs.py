"""Logs: one JSON object a line, and only fields from a list.

No personal data may reach a log, so fields are allowed, not forbidden: a field that is not listed
here is written with its name and without its value. The event is a fixed word of ours; texts of
exceptions are left out (a driver quotes parameters), their types and places are kept.
"""

from __future__ import annotations

import io
import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

import structlog

# Ids, codes, counts and durations. Never add a name, address, text, token, path or query string.
ALLOWED_FIELDS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "logger",
        "request_id",
        "release",
        "environment",
        "method",
        "route",
        "status",
        "duration_ms",
        "principal_kind",
        "code",
        "kind",
        "case_id",
        "effect_id",
        "effect_kind",
        "lane",
        "state",
        "stage",
        "step",
        "attempt",
        "epoch",
        "worker",
        "job",
        "queue",
        "provider",
        "count",
        "rows",
        "seconds",
        "limit",
        "policy",
        "port",
        "host",
        "batch_id",
        "letter_id",
        "task_id",
        "migration",
        "exception",
        "signal",
        "pid",
        "version",
        "error",
        "started",
        "finished",
        "lag_seconds",
        "bytes",
        "anchor",
        "findings",
    }
)
VALUE_LENGTH_MAX = 200
DROPPED = "(not logged)"
_EVENT = re.compile(r"[a-zA-Z0-9_ .:,'()/-]{1,120}", re.ASCII)
_ESCAPE = re.compile(r"[^\x20-\x7e]")
FRAMES_MAX = 12
TRACE_LENGTH_MAX = 1_000
OUR_FOLDER = str(Path(__file__).resolve().parents[1])

Event = MutableMapping[str, Any]


def allow_listed(_logger: Any, _method: str, event: Event) -> Event:
    """Keeps the values of listed fields, bounded and printable; drops every other value."""
    kept: dict[str, Any] = {}
    for name, value in event.items():
        if name not in ALLOWED_FIELDS:
            kept[name if _EVENT.fullmatch(name) else "field"] = DROPPED
        elif isinstance(value, bool | int | float) or value is None:
            kept[name] = value
        else:
            longest = TRACE_LENGTH_MAX if name == "exception" else VALUE_LENGTH_MAX
            kept[name] = _ESCAPE.sub("?", str(value))[:longest]
    return kept


def exception_place(_logger: Any, _method: str, event: Event) -> Event:
    """Replaces exception information by type and frames: the message may quote personal data."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        event["error"] = f"{info[0].__module__}.{info[0].__qualname__}"
        event["exception"] = frames(info[2])
    return event


def frames(trace: TracebackType | None) -> str:
    """`file:line:function`: the innermost frame and ours that led there, no source, no values."""
    summary = traceback.extract_tb(trace)
    ours = [
        f for f in summary[:-1] if f.filename.startswith(OUR_FOLDER) and "/.venv/" not in f.filename
    ][-FRAMES_MAX:]
    places = [
        f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno}:{f.name}"
        for f in (*ours, *summary[-1:])
    ]
    return " < ".join(reversed(places))


def configure_logs(
    *, level: str = "info", release: str = "dev", stream: TextIO | None = None
) -> None:
    """Sets up structlog and sends the libraries' own log records through the same allow-list."""
    out = stream or _Stderr()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exception_place,
        allow_listed,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, out)),
        cache_logger_on_first_use=False,
    )
    handler = _LibraryHandler()
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "arq", "sqlalchemy"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # it writes paths and query strings
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(release=release)


class _Stderr(io.TextIOBase):
    """Whatever sys.stderr is at the moment of writing, not what it was at start."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _LibraryHandler(logging.Handler):
    """Records of libraries: who and how bad; their text may quote anything, so it is not kept."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library_message",
            logger=record.name,
            exc_info=record.exc_info,
            exception=f"{record.module}:{record.lineno}",
        )


def get_logger() -> Any:
    """A logger; `log.info("effect_sent", effect_id=...)`. Any: structlog binds its type late."""
    return structlog.get_logger()
