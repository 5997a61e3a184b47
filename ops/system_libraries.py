"""The system libraries that the PDF engine loads, and what installs them.

Standard library only: `./run` asks before anything else works. ``python -m
ops.system_libraries`` ends with 0 when all can be loaded; with ``packages`` it prints the
Debian packages.
"""

from __future__ import annotations

import ctypes
import sys

# What WeasyPrint opens on Linux, newest name of each.
LIBRARIES = (
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
)
APT_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
BREW_PACKAGES = ("pango",)


def missing_libraries() -> list[str]:
    """The libraries that cannot be loaded in this process."""
    if sys.platform == "darwin":
        names: tuple[str, ...] = ("libpango-1.0.0.dylib", "libpangoft2-1.0.0.dylib")
    else:
        names = LIBRARIES
    return [name for name in names if not loadable(name)]


def loadable(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def install_line() -> str:
    """What a person types to get them."""
    if sys.platform == "darwin":
        return f"brew install {' '.join(BREW_PACKAGES)}"
    return f"apt-get update && apt-get install -y --no-install-recommends {' '.join(APT_PACKAGES)}"


if __name__ == "__main__":
    if sys.argv[1:] == ["packages"]:
        print(" ".join(APT_PACKAGES))
    else:
        sys.exit(1 if missing_libraries() else 0)
