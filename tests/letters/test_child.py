"""A render child is locked in, dies with its parent, and the parent stays light."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_parent_never_loads_the_engine() -> None:
    code = (
        "import sys, letters.pool, letters.content, letters.specimen\n"
        "heavy = {'weasyprint', 'jinja2', 'babel', 'pikepdf', 'fontTools'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


ATTEMPTS = {
    "a connection": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "a name": "import socket; socket.getaddrinfo('localhost', 80)",
    "a datagram": "import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', 9))",
    "a program": "import subprocess; subprocess.run(['true'])",
    "a shell": "import os; os.system('true')",
    "a foreign file": "open('/etc/passwd')",
    "a way around": f"open('{ROOT}/letters/../../../../../etc/passwd')",
    "a file to write": f"open('{ROOT}/letters/x', 'w')",
    "a descriptor to write": f"import os; os.open('{ROOT}/letters/x', os.O_WRONLY | os.O_CREAT)",
    "a removal": f"import os; os.remove('{ROOT}/letters/render.py')",
    "a library": "import ctypes; ctypes.CDLL('libm.so.6')",
}


def test_a_locked_in_child_reaches_nothing_outside() -> None:
    """One process tries everything after locking itself in, and writes what it got."""
    code = (
        "import sys\nfrom letters import child\nattempts = eval(sys.argv[1])\n"
        "import socket, subprocess, ctypes\nchild.lock_in()\nopen(child.__file__).close()\n"
        "for name, code in attempts.items():\n"
        "    try:\n        exec(code)\n"
        "    except child.LockedIn:\n        continue\n"
        "    except BaseException as other:\n        print(name, repr(other))\n"
        "    else:\n        print(name, 'was possible')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, repr(ATTEMPTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == ""


def test_a_child_dies_with_its_parent() -> None:
    """kill -9 of the worker leaves no render child behind."""
    code = (
        "import asyncio, time\nfrom letters.pool import RenderPool\n"
        "async def main():\n    pool = RenderPool()\n    await pool.warm_up()\n"
        "    print(pool.pids[0], flush=True)\n    time.sleep(60)\nasyncio.run(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Busy or stopped, it could not notice that its pipe closed: only the kernel can help.
        os.kill(child, signal.SIGSTOP)
        parent.kill()
    for _ in range(200):
        if (
            not Path(f"/proc/{child}").exists()
            or Path(f"/proc/{child}/stat").read_text().split()[2] in "ZX"
        ):
            return
        subprocess.run(["sleep", "0.02"], check=True)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its parent")
