"""How a stored file is handed out: as a download under a name, never for showing in a page."""

from __future__ import annotations

from urllib.parse import quote


def as_attachment(name: str) -> str:
    """RFC 6266: a plain ASCII name for old readers, the whole name in UTF-8 (RFC 5987)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def download_headers(name: str, sha256: str, size_bytes: int) -> dict[str, str]:
    return {
        "content-disposition": as_attachment(name),
        "etag": f'"{sha256}"',
        "content-length": str(size_bytes),
        "x-content-type-options": "nosniff",
    }
