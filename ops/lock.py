"""Writes the locks from requirements*.in: exact versions with hashes, no address.

The resolver does not read pip's configuration, so the registry that pip uses on this
machine is handed to it; nothing about it reaches the files.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON_MIN = "3.11"
# pip's setting -> what the resolver calls it
REGISTRY_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def registry_environment() -> dict[str, str]:
    """The environment in which the resolver uses pip's registry."""
    environment = dict(os.environ)
    for setting, variable in REGISTRY_SETTINGS.items():
        value = environment.get("PIP_" + setting.upper().replace("-", "_"), "")
        if not value:
            asked = [sys.executable, "-m", "pip", "config", "get", f"global.{setting}"]
            value = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        if value.strip():
            environment.setdefault(variable, " ".join(value.split()))
    return environment


def compile_lock(source: str, target: str, *options: str) -> int:
    """Resolve one list into one lock. Returns the resolver's exit code."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links", "--universal"),
        *("--python-version", PYTHON_MIN),
        *("--index-strategy", "unsafe-best-match"),  # as pip does when there are several
        *("--custom-compile-command", "./run lock"),
        *(source, "--output-file", target, *options),
    ]
    return subprocess.run(command, cwd=ROOT, env=registry_environment(), check=False).returncode


def compile_both(options: list[str]) -> int:
    """The whole lock first (options such as ``--upgrade`` go there), then what of it production
    needs, at the same versions."""
    return compile_lock("requirements-dev.in", "requirements.lock", *options) or compile_lock(
        "requirements.in", "requirements-production.lock", "--constraint", "requirements.lock"
    )


if __name__ == "__main__":
    sys.exit(compile_both(sys.argv[1:]))
