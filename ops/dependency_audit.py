"""Asks whether a pinned package has a known hole; says so when nobody could be asked.

Exit code 0: none known, or the question could not be asked. 1: there is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS_MAX = 90  # one request per package; a blocked network must not hold up everything


def audit() -> int:
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", "requirements.lock"),
        *("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"),
        *("--timeout", "10"),
    ]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as problem:
        print(f"pip-audit: could not ask ({type(problem).__name__}); the network may not allow it")
        return 0
    holes = [
        (one["name"], one["version"], hole) for one in packages for hole in one.get("vulns", [])
    ]
    for name, version, hole in holes:
        fixed = ", ".join(hole["fix_versions"]) or "no fixed version"
        print(f"pip-audit: {name} {version}: {hole['id']} (fixed in {fixed})")
    print(f"pip-audit: {len(packages)} packages asked, {len(holes)} known holes")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(audit())
