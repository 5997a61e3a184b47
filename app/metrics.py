"""Prometheus metrics of the API process. Labels are few and closed: no ids, no paths with ids."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REQUESTS = Counter("recourse_requests", "Answered requests", ("operation", "status"))
REQUEST_SECONDS = Histogram(
    "recourse_request_seconds",
    "Time to answer",
    ("operation",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
IN_FLIGHT = Gauge("recourse_requests_in_flight", "Requests being answered now")
PROBLEMS_SENT = Counter("recourse_problems", "Problem answers", ("code",))
LOGINS = Counter("recourse_logins", "Login tries", ("who", "result"))
LIMIT_WITHOUT_REDIS = Counter(
    "recourse_limit_without_redis",
    "Limits decided by policy because Redis did not answer",
    ("limit", "policy"),
)
REPLAYS = Counter("recourse_idempotent_replays", "Answers replayed for an Idempotency-Key")
DENIED = Counter(
    "recourse_denied", "Calls the authorisation table refused", ("operation", "answer")
)

__all__ = [
    "CONTENT_TYPE_LATEST",
    "DENIED",
    "IN_FLIGHT",
    "LIMIT_WITHOUT_REDIS",
    "LOGINS",
    "PROBLEMS_SENT",
    "REPLAYS",
    "REQUESTS",
    "REQUEST_SECONDS",
    "generate_latest",
]
