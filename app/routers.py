"""Every router of the API, in the order of the reference page. A feature adds one line here."""

from __future__ import annotations

from app.consumers.login_endpoints import router as consumer_login
from app.deps import Router
from app.staff.endpoints import router as staff
from app.staff.key_endpoints import router as api_keys
from app.staff.login_endpoints import router as staff_login
from app.system.endpoints import router as system

ROUTERS: tuple[Router, ...] = (
    system,
    consumer_login,
    staff_login,
    staff,
    api_keys,
)
