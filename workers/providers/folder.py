"""Files that are written once, whole, and never changed: the key is the name."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path


class OtherBytes(Exception):
    """The name is taken by something else: the key was used for another order."""


def put_once(path: Path, data: bytes) -> bool:
    """Create `path` with `data`; True when it is new, False when it holds these bytes already.

    Written aside, forced to disk, then linked: nobody sees half a file, and two writers cannot both
    win. Raises OtherBytes when the name holds something else.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with contextlib.suppress(FileNotFoundError):
        aside.unlink()
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            if path.read_bytes() != data:
                raise OtherBytes(path.name) from None
            return False
        return True
    finally:
        aside.unlink()
